"""Which files a report becomes."""

from pathlib import Path

import pytest

from etabli.certification.report.files import Wanted
from etabli.errors import InvalidInputError


def test_a_folder_gets_all_four(tmp_path: Path) -> None:
    names = [path.name for path in Wanted(tmp_path / "results", junit=tmp_path / "j.xml").paths()]
    assert names == ["report.pdf", "report.html", "junit.xml", "results.sarif", "j.xml"]


@pytest.mark.parametrize("name", ["report.pdf", "report.HTML"])
def test_a_file_is_that_file(tmp_path: Path, name: str) -> None:
    assert Wanted(tmp_path / name).paths() == [tmp_path / name]


def test_another_ending_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"end its name in \.pdf or \.html, or name a folder"):
        Wanted(tmp_path / "report.docx")
    assert not Wanted()
