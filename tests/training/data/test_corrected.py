"""The corrected copy: good lines byte for byte, mended ones, and a reason for every line that is not in it."""

import json
from pathlib import Path

import pytest

from etabli.errors import ConflictError, InvalidInputError
from etabli.training.data.corrected import write_corrected

from .conftest import Check, answer, assistant, good, lines, question, rows, user

ODD = b'{ "messages" :[{"content": "Un \\u00e9tage plus haut, ou plus bas ?","role":"user"},' \
      b'{"role":"assistant","content":"Plus haut, au deuxi\\u00e8me." }]  }\r\n'  # fmt: skip


def mended_line(check: Check, row: object, folder: Path) -> object:
    report = check([*rows(), row])
    copy = write_corrected(report, folder / "copy.jsonl")
    assert (copy.kept, copy.mended, copy.left_out) == (12, 1, {})
    again = check(copy.path.read_bytes())
    assert not again.errors and again.kept == 13
    return json.loads(copy.path.read_bytes().splitlines()[-1])


def test_good_lines_stay_byte_for_byte(check: Check, tmp_path: Path) -> None:
    data = lines(rows(6)) + ODD + lines(rows(12)[6:])
    report = check(data)
    copy = write_corrected(report, tmp_path / "copy.jsonl")
    assert copy.path.read_bytes() == data and copy.reasons is None
    assert oct(copy.path.stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        ({"role": "Assistant "}, {"role": "assistant"}),
        ({"weight": "0"}, {"weight": 0}),
        ({"weight": True}, {"weight": 1}),
        ({"content": [{"type": "text", "text": "Au sous-sol."}]}, {"content": "Au sous-sol."}),
        ({"content": "Au sous\0-sol."}, {"content": "Au sous-sol."}),
        ({"timestamp": 12}, {}),
    ],
)
def test_what_needs_no_guessing_is_mended(
    fault: dict[str, object], changed: dict[str, object], check: Check, tmp_path: Path
) -> None:
    first = assistant("Au rez-de-chaussée, à gauche.")
    row = {
        "messages": [
            user("Où est la lingerie ?"),
            {**first, **fault},
            user("Et après ?"),
            assistant("À droite."),
        ]
    }
    mended = mended_line(check, row, tmp_path)
    assert mended == {
        "messages": [
            user("Où est la lingerie ?"),
            {**first, **changed},
            user("Et après ?"),
            assistant("À droite."),
        ]
    }


def test_more_is_mended(check: Check, tmp_path: Path) -> None:
    developer = {"role": "developer", "content": "Sois bref."}
    told = mended_line(
        check, {"messages": [developer, user("Où ?"), assistant("Ici."), user("Merci !")]}, tmp_path
    )
    assert told == {
        "messages": [{"role": "system", "content": "Sois bref."}, user("Où ?"), assistant("Ici.")]
    }
    call = {"id": "c1", "function": {"name": "find", "arguments": {"salle": "é"}}}
    tool = {"type": "function", "function": {"name": "find"}}
    row = {"messages": [{**user("Où ?"), "weight": 0}, assistant("", tool_calls=[call])], "tools": [tool]}
    told = mended_line(check, row, tmp_path)
    fixed = {"id": "c1", "function": {"name": "find", "arguments": '{"salle": "é"}'}, "type": "function"}
    assert told == {"messages": [user("Où ?"), assistant("", tool_calls=[fixed])], "tools": [tool]}


@pytest.mark.parametrize(
    "fault",
    [
        {"role": "robot"},
        {"weight": "heavy"},
        {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"content": [{"type": "image_url", "image_url": {"url": "x"}}]},
        {"tool_calls": "find"},
    ],
)
def test_what_would_have_to_be_guessed_is_left_out(
    fault: dict[str, object], check: Check, tmp_path: Path
) -> None:
    report = check([*rows(), {"messages": [user("Où ?"), {**assistant("Ici."), **fault}]}])
    copy = write_corrected(report, tmp_path / "copy.jsonl")
    assert copy.path.read_bytes() == lines(rows()) and sum(copy.left_out.values()) == 1


def test_every_line_that_is_left_out_has_its_reason(check: Check, tmp_path: Path) -> None:
    bad = [
        good(2),
        {"messages": [user("Où ?")]},
        {"messages": [user("Où est la clé ?"), assistant("Le mot de passe est : Abc12345xyz")]},
    ]
    data = lines(rows()) + b"\n{broken\n" + lines(bad)
    report = check(data)
    copy = write_corrected(report, tmp_path / "copy.jsonl")
    assert copy.reasons is not None
    reasons = [json.loads(line) for line in copy.reasons.read_bytes().splitlines()]
    assert [(one["line"], one["rule"]) for one in reasons] == [
        (13, "blank_line"), (14, "invalid_json"), (15, "exact_duplicate"),
        (16, "example_missing_assistant_message"), (17, "secret"),
    ]  # fmt: skip
    assert reasons[2]["findings"][0]["found"] == "The same as line 3."
    assert copy.kept + copy.mended + len(reasons) == report.lines == 17
    assert "Abc12345xyz" not in copy.reasons.read_text("utf-8")


def test_warnings_stay(check: Check, tmp_path: Path) -> None:
    data = lines([*rows(), {"messages": [user(question(3) + " Merci"), assistant(answer(3))]}])
    report = check(data)
    assert report.warnings and write_corrected(report, tmp_path / "copy.jsonl").path.read_bytes() == data


def test_reasons_of_an_earlier_copy_go(check: Check, tmp_path: Path) -> None:
    write_corrected(check([*rows(), {}]), tmp_path / "copy.jsonl")
    assert (tmp_path / "copy.jsonl.left-out.jsonl").exists()
    write_corrected(check(rows()), tmp_path / "copy.jsonl")
    assert not (tmp_path / "copy.jsonl.left-out.jsonl").exists()


def test_what_cannot_be_corrected_says_so(check: Check, tmp_path: Path) -> None:
    report = check(rows())
    with pytest.raises(InvalidInputError, match="is the file that was checked"):
        write_corrected(report, report.path)
    with pytest.raises(InvalidInputError, match="cannot be written"):
        write_corrected(report, report.path / "copy.jsonl")
    report.path.write_bytes(lines(rows(11)))
    with pytest.raises(ConflictError, match="changed since"):
        write_corrected(report, tmp_path / "copy.jsonl")
    assert not (tmp_path / "copy.jsonl").exists()
    with pytest.raises(InvalidInputError, match="line by line"):
        write_corrected(check(json.dumps(rows()).encode()), tmp_path / "copy.jsonl")
