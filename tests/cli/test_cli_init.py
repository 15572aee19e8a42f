from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from etabli.assistants.catalogue import AssistantCatalogue
from etabli.demo import make_workspace
from etabli.errors import InvalidInputError
from etabli.messages import set_language
from etabli.settings import load_settings

Run = Callable[..., Result]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_new_workspace_can_be_used_as_it_is(tmp_path: Path, language: str) -> None:
    set_language(language)
    make_workspace(tmp_path / "office")
    settings = load_settings(tmp_path / "office")
    catalogue = AssistantCatalogue(settings.assistants_dir)
    assert catalogue.faults() == {}
    (assistant,) = catalogue.list()
    assert assistant.language == language
    assert [folder.name for folder in settings.documents_dir.iterdir()] == assistant.collections


def test_the_settings_that_the_template_shows_are_the_defaults(tmp_path: Path) -> None:
    make_workspace(tmp_path / "office")
    toml = tmp_path / "office" / "etabli.toml"
    shown = [line[2:] for line in toml.read_text(encoding="utf-8").splitlines() if " = " in line]
    assert shown
    toml.write_text("\n".join(shown), encoding="utf-8")
    changed, plain = load_settings(toml.parent), load_settings(tmp_path)
    for name in ("model", "host", "port", "outbound"):
        assert getattr(changed, name) == getattr(plain, name)


def test_the_demo_has_documents_and_their_assistant(tmp_path: Path) -> None:
    make_workspace(tmp_path / "demo", demo=True)
    settings = load_settings(tmp_path / "demo")
    assistant, forms, flawed = AssistantCatalogue(settings.assistants_dir).list()
    assert [folder.name for folder in settings.documents_dir.iterdir()] == assistant.collections
    assert assistant.first_questions, "the one that people meet first"
    assert forms.name == "fiches" and not forms.collections
    assert (tmp_path / "demo" / "training" / "fiches-train.jsonl").is_file()
    assert flawed.name == "visiteurs" and not flawed.first_questions
    names = {path.name for path in (settings.documents_dir / "clinique").iterdir()}
    assert "rh" in names
    assert "medecins" not in names, "a folder is added for everyone"


def test_a_workspace_is_made_once(etabli: Run, tmp_path: Path) -> None:
    assert etabli("init", "office").exit_code == 0
    (tmp_path / "office" / "etabli.toml").write_text("port = 1\n", encoding="utf-8")
    again = etabli("init", "office")
    assert isinstance(again.exception, InvalidInputError)
    assert "is a workspace already" in str(again.exception)
    assert (tmp_path / "office" / "etabli.toml").read_text(encoding="utf-8") == "port = 1\n"


def test_files_that_are_there_are_kept(etabli: Run, tmp_path: Path) -> None:
    (tmp_path / "assistants").mkdir()
    (tmp_path / "assistants" / "assistant.yaml").write_text("title: Ours\n", encoding="utf-8")
    done = etabli("init")
    assert done.exit_code == 0
    assert "etabli start\n" in done.output
    assert (tmp_path / "assistants" / "assistant.yaml").read_text(encoding="utf-8") == "title: Ours\n"


def test_a_file_is_no_folder(etabli: Run, tmp_path: Path) -> None:
    (tmp_path / "office").write_text("", encoding="utf-8")
    assert "is a file" in str(etabli("init", "office").exception)
