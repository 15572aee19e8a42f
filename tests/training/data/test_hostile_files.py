"""Files that were made to break a reader, or that a spreadsheet, an editor or another system left behind."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from etabli.training.data import lines as reading
from etabli.training.data.corrected import write_corrected
from etabli.training.data.findings import shown

from .conftest import Check, assistant, good, lines, rows, user


def faults(check: Check, last: bytes) -> list[tuple[int, str]]:
    report = check(lines(rows()) + last)
    return [(one.line, one.rule) for one in report.findings if one.line]


@pytest.mark.parametrize(
    ("last", "rule"),
    [
        (b'{"messages": NaN}', "invalid_json"),
        (b'{"messages": [{"role": "user", "content": "a", "weight": -Infinity}]}', "invalid_json"),
        (b'{"messages": 1e999}', "invalid_json"),
        (b'{"messages": ' + b"9" * 5000 + b"}", "invalid_json"),
        (b'{"messages": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "invalid_json"),
        (b'{"messages": ' + b"[" * 100 + b"]" * 100 + b"}", "invalid_json"),
        (b'{"a": ' * 300 + b"1" + b"}" * 300, "invalid_json"),
        (b'{"messages": "a\x00b"}', "invalid_json"),
        (b"\x00\x00\x00", "invalid_json"),
        (b'{"messages": [{"role": "user", "role": "assistant", "content": "a"}]}', "duplicate_key"),
        (b'{"messages": [{"role": ["user"], "content": "a"}]}', "unrecognized_role"),
        (b'{"messages": [{"role": "user", "content": "\\udc80"}]}', "lone_surrogate"),
        (b"true", "data_type"),
        (b'"text"', "data_type"),
        (b"null", "data_type"),
        (b'{"messages": {"0": 1}}', "missing_messages_list"),
        (b"\xff\xfe\xfa", "not_utf8"),
        (b"{}{}", "invalid_json"),
        (b"'single quotes'", "invalid_json"),
    ],
)  # fmt: skip
def test_a_line_that_breaks_readers_is_one_finding(last: bytes, rule: str, check: Check) -> None:
    assert faults(check, last) == [(13, rule)]


def test_deep_arguments_of_a_call_are_a_finding(check: Check) -> None:
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": deep}}
    row = {"messages": [user("Quoi ?"), assistant("", tool_calls=[call])]}
    assert (13, "malformed_tool_call") in faults(check, lines([row]))


def test_booleans_as_texts(check: Check, tmp_path: Path) -> None:
    values = [
        {**good(n, "kto"), "label": label} for n, label in enumerate(["true", "False", 1, 0.0, " TRUE "])
    ]
    bad = [{**good(9, "kto"), "label": label} for label in ("oui", None, 2, [True])]
    report = check([*values, *bad])
    found = [one for one in report.findings if one.rule == "label_not_boolean"]
    assert [one.mended for one in found] == [True] * 5 + [False] * 4
    copy = write_corrected(report, tmp_path / "copy.jsonl")
    labels = [json.loads(line)["label"] for line in copy.path.read_bytes().splitlines()]
    assert labels == [True, False, True, False, True]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-be", "utf-8-sig"])
def test_other_encodings_are_told_and_mended(encoding: str, check: Check, tmp_path: Path) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    data = (mark + lines(rows()).decode()).encode(encoding)
    report = check(data)
    rule = "byte_order_mark" if encoding == "utf-8-sig" else "not_utf8"
    assert [one.rule for one in report.findings if one.severity != "note"] == [rule]
    copy = write_corrected(report, tmp_path / "copy.jsonl")
    assert [json.loads(line) for line in copy.path.read_bytes().splitlines()] == rows()
    assert not (tmp_path / "copy.jsonl.left-out.jsonl").exists()
    assert check(copy.path.read_bytes()).errors == ()


def test_a_broken_utf_16_file_is_told(check: Check) -> None:
    report = check(lines(rows()).decode().encode("utf-16")[:-1])
    assert report.errors and all(one.rule in ("not_utf8", "invalid_json") for one in report.errors)


def test_line_ends_of_windows_stay_and_a_mark_in_the_middle_goes(check: Check, tmp_path: Path) -> None:
    data = lines(rows(6)).replace(b"\n", b"\r\n") + b"\xef\xbb\xbf" + lines(rows(12)[6:])
    report = check(data)
    assert [(one.line, one.rule) for one in report.findings if one.line] == [(7, "byte_order_mark")]
    copy = write_corrected(report, tmp_path / "copy.jsonl")
    assert copy.path.read_bytes() == data.replace(b"\xef\xbb\xbf", b"")


def test_line_ends_of_old_machines_are_one_broken_line(check: Check) -> None:
    report = check(lines(rows()).replace(b"\n", b"\r"))
    assert report.lines == 1 and report.counts["invalid_json"] == 1


def test_other_line_separators_end_no_line(check: Check) -> None:
    row = {"messages": [user("Une ligne\u2028et une autre\x85là ?"), assistant("Oui, c’est une seule.")]}
    report = check(lines([*rows(), row]))
    assert report.lines == 13 and not report.errors


def test_a_line_that_is_too_long_is_skipped_and_the_next_one_read(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etabli.training.data.lines.LONGEST_LINE", 2_000)
    assert reading.LONGEST_LINE == 2_000
    for size in (2_001, 4_002, 4_003, 9_999):
        report = check(lines(rows(3)) + b"x" * size + b"\n" + lines(rows(12)[3:]))
        assert [(one.line, one.rule) for one in report.findings if one.line] == [(4, "line_too_long")]
        assert report.lines == 13 and report.examples == 12
    report = check(lines(rows(12)) + b"x" * 9_999)
    assert report.lines == 13 and report.left_out() == {"line_too_long": 1}


def test_the_last_line_needs_no_end(check: Check, tmp_path: Path) -> None:
    data = lines(rows()).rstrip(b"\n")
    report = check(data)
    assert report.kept == 12 and not report.errors
    assert write_corrected(report, tmp_path / "copy.jsonl").path.read_bytes() == data


def test_text_of_a_file_does_not_reach_the_terminal_as_orders() -> None:
    assert shown("\x1b]0;title\x07\u202eabc\n\nd") == "�]0;title��abc d"
    assert shown("é" * 500) == "é" * 79 + "…" and shown({"a": 1, "b": [2]}) == "{a, b}"


def test_markup_and_secrets_of_a_file_are_not_told_whole(check: Check) -> None:
    key = "sk-proj-" + "a1B2" * 12
    report = check([*rows(), {"messages": [user("Quelle clé utiliser ici ?"), assistant(f"La clé {key}.")]}])
    (found,) = report.errors
    assert found.rule == "secret" and key not in json.dumps(found.to_json()) and "sk-p" in found.told().found


def test_a_device_or_pipe_is_no_file(write: Callable[..., Path]) -> None:
    from etabli.errors import InvalidInputError
    from etabli.training.data.checks import check_file

    with pytest.raises(InvalidInputError):
        check_file(Path("/dev/zero"))
