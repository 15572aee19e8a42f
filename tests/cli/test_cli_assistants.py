"""The history of assistants at the command line."""

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from etabli.errors import EtabliError
from product import ASSISTANT

Run = Callable[..., Result]


def test_history_and_the_way_back(in_office: Run, office: Path) -> None:
    file = office / "assistants" / "office.yaml"
    first = in_office("assistants", "history", "office")
    assert first.exit_code == 0 and "   1  " in first.output and "changed in the file" in first.output
    file.write_text("title: Changed\n", encoding="utf-8")
    rows = json.loads(in_office("assistants", "history", "office", "--json").output)
    assert [(row["number"], row["kind"]) for row in rows] == [(2, "file"), (1, "file")]
    done = in_office("assistants", "restore", "office", "1")
    assert done.exit_code == 0 and "its version 3" in done.output
    assert file.read_text(encoding="utf-8") == ASSISTANT
    assert "restored from version 1" in in_office("assistants", "history", "office").output
    file.unlink()
    assert "deleted" in in_office("assistants", "history", "office").output
    assert in_office("assistants", "restore", "office").exit_code == 0
    assert file.read_text(encoding="utf-8") == ASSISTANT


def test_what_cannot_be_restored_is_said(in_office: Run) -> None:
    for words, sentence in (
        (("history", "nobody"), "There is no assistant nobody."),
        (("restore", "nobody"), "There is no assistant nobody."),
        (("restore", "office", "9"), "has no version 9"),
        (("restore", "office"), "Say which of its versions"),
    ):
        result = in_office("assistants", *words)
        assert isinstance(result.exception, EtabliError) and sentence in str(result.exception)
