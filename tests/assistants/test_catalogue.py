import os
from pathlib import Path

import pytest

from etabli.assistants.catalogue import AssistantCatalogue
from etabli.errors import ConfigurationError, NotFoundError


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_assistants_are_listed_by_name_and_read_again_when_they_change(tmp_path: Path) -> None:
    catalogue = AssistantCatalogue(tmp_path)
    write(tmp_path, "b", "title: B\n")
    path = write(tmp_path, "a", "title: A\n")
    assert [one.name for one in catalogue.list()] == ["a", "b"]
    write(tmp_path, "a", "title: Neuf\n")
    os.utime(path, ns=(1, 1))
    assert catalogue.get("a").title == "Neuf"
    path.unlink()
    with pytest.raises(NotFoundError):
        catalogue.get("a")


def test_a_faulty_file_hurts_only_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    catalogue = AssistantCatalogue(tmp_path)
    write(tmp_path, "bon", "title: Bon\n")
    bad = write(tmp_path, "mal", "titre: Mal\n")
    assert [one.name for one in catalogue.list()] == ["bon"]
    catalogue.list()
    assert sum("did you mean title" in record.message for record in caplog.records) == 1
    with pytest.raises(ConfigurationError, match="mal.yaml, line 1"):
        catalogue.get("mal")
    assert len(catalogue.check(bad)) == 2 and catalogue.check(tmp_path / "bon.yaml") == []
    assert list(catalogue.faults()) == ["mal.yaml"]


def test_unknown_names(tmp_path: Path) -> None:
    write(tmp_path, "clinique", "title: C\n")
    catalogue = AssistantCatalogue(tmp_path)
    with pytest.raises(NotFoundError, match="Did you mean clinique"):
        catalogue.get("cliniqe")
    with pytest.raises(NotFoundError, match="no assistant zzz"):
        catalogue.get("zzz")
    assert AssistantCatalogue(tmp_path / "absent").list() == []
