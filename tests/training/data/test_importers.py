"""Rows of every known format become rows that training reads; what does not is told with its line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etabli.errors import InvalidInputError
from etabli.training.data.checks import check_file
from etabli.training.data.formats import FORMATS, METHOD_OF, format_of
from etabli.training.data.importers import Conversion, convert_file

from .conftest import answer, assistant, good, lines, question, rows, user

ASK, SAY = user("Où est la lingerie ?"), assistant("Au sous-sol.")
SYSTEM = {"role": "system", "content": "Sois bref."}
FUNCTION = {"name": "find", "parameters": {"type": "object"}}
ARGUMENTS = '{"q": "lingerie"}'
CALLED = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": ARGUMENTS}}
WITH_TOOL = {
    "tools": [{"type": "function", "function": FUNCTION}],
    "messages": [
        ASK, {"role": "assistant", "content": None, "tool_calls": [CALLED]},
        {"role": "tool", "content": "-1", "tool_call_id": "call_1"}, SAY,
    ],
}  # fmt: skip
PAIR = {
    "input": {"messages": [ASK]},
    "preferred_output": [SAY],
    "non_preferred_output": [assistant("Je ne sais pas.")],
}
THUMB = {"prompt": [ASK], "completion": [SAY], "label": True}
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("openai", {"messages": [SYSTEM, ASK, SAY]}, {"messages": [SYSTEM, ASK, SAY]}),
    ("openai_dpo", PAIR, PAIR),
    ("kto", THUMB, THUMB),
    (
        "kto_text",
        {"prompt": ASK["content"], "completion": SAY["content"], "label": False},
        {"prompt": [ASK], "completion": [SAY], "label": False},
    ),
    (
        "sharegpt",
        {"conversations": [{"from": "human", "value": ASK["content"]}, {"from": "gpt", "value": SAY["content"]}]},
        {"messages": [ASK, SAY]},
    ),
    (
        "sharegpt",
        {
            "system": "Sois bref.",
            "conversations": [
                {"from": "human", "value": ASK["content"]},
                {"from": "gpt", "value": SAY["content"], "weight": 0},
                {"from": "User", "value": "Et après ?"},
                {"from": "assistant", "value": "À droite."},
            ],
        },
        {"messages": [SYSTEM, ASK, {**SAY, "weight": 0}, user("Et après ?"), assistant("À droite.")]},
    ),
    (
        "sharegpt",
        {
            "tools": json.dumps([FUNCTION]),
            "conversations": [
                {"from": "human", "value": ASK["content"]},
                {"from": "function_call", "value": json.dumps({"name": "find", "arguments": {"q": "lingerie"}})},
                {"from": "observation", "value": "-1"},
                {"from": "gpt", "value": SAY["content"]},
            ],
        },
        WITH_TOOL,
    ),
    ("alpaca", {"instruction": ASK["content"], "input": "", "output": SAY["content"]}, {"messages": [ASK, SAY]}),
    (
        "alpaca",
        {
            "instruction": "Traduis.", "input": "oui", "output": "yes", "system": "Sois bref.",
            "history": [["Où est la lingerie ?", "Au sous-sol."]],
        },
        {"messages": [SYSTEM, ASK, SAY, user("Traduis.\n\noui"), assistant("yes")]},
    ),
    (
        "mistral",
        {
            "tools": WITH_TOOL["tools"],
            "messages": [
                ASK,
                {"role": "assistant", "content": None, "tool_calls": [{"function": CALLED["function"]}]},
                {"role": "tool", "name": "find", "content": "-1"}, SAY,
            ],
        },
        WITH_TOOL,
    ),
    ("prompt_completion", {"prompt": ASK["content"], "completion": SAY["content"]}, {"messages": [ASK, SAY]}),
    (
        "prompt_completion",
        {"prompt": [ASK, SAY, user("Et après ?")], "completion": [assistant("À droite.")]},
        {"messages": [ASK, {**SAY, "weight": 0}, user("Et après ?"), assistant("À droite.")]},
    ),
    ("trl", {"prompt": ASK["content"], "chosen": "Au sous-sol.", "rejected": "Je ne sais pas."}, PAIR),
    ("trl", {"chosen": [ASK, SAY], "rejected": [ASK, assistant("Je ne sais pas.")]}, PAIR),
    ("trl", {"prompt": [ASK], "chosen": [ASK, SAY], "rejected": [ASK, assistant("Je ne sais pas.")]}, PAIR),
]  # fmt: skip


def converted(path: Path, **options: Any) -> tuple[Conversion, list[Any]]:
    out = path.with_name("out.jsonl")
    done = convert_file(path, out, **options)
    return done, [json.loads(line) for line in out.read_bytes().splitlines()]


def test_every_format_is_tried() -> None:
    assert {name for name, _, _ in CASES} == set(FORMATS)


@pytest.mark.parametrize(("source", "row", "expected"), CASES)
def test_a_format_is_recognised_and_converted(
    source: str, row: dict[str, Any], expected: dict[str, Any], write: Callable[..., Path]
) -> None:
    assert format_of(row) == source
    done, found = converted(write([row]))
    assert (done.source, done.rows, done.skipped, found) == (source, 1, [], [expected])
    report = check_file(write(found, "again.jsonl"))
    assert report.method == METHOD_OF[done.source]
    assert {one.rule for one in report.errors} <= {"too_few_examples", "file_too_small"}


@pytest.mark.parametrize(("indent", "encoding"), [(None, "utf-8"), (2, "utf-8-sig"), (2, "utf-16")])
def test_one_json_list_is_read_as_well(indent: int | None, encoding: str, write: Callable[..., Path]) -> None:
    values = [{"instruction": question(n), "input": "", "output": answer(n)} for n in range(12)]
    path = write(json.dumps(values, indent=indent, ensure_ascii=False).encode(encoding), "alpaca.json")
    done, found = converted(path)
    assert done.rows == 12 and found == rows(12)


def test_rows_that_cannot_be_converted_are_told_with_their_lines(write: Callable[..., Path]) -> None:
    good_one = {"conversations": [{"from": "human", "value": "Où ?"}, {"from": "gpt", "value": "Là."}]}
    bad = [
        {"conversations": []},
        {"conversations": [{"from": "robot", "value": "x"}]},
        {"conversations": ["text"]},
        {"conversations": [{"from": "human", "value": 3}]},
        {"conversations": [{"from": "function_call", "value": "find()"}]},
        {**good_one, "tools": "find"},
        good(3, "kto"),
        [1],
    ]
    data = (
        lines([good_one])
        + b"\n{broken\n"
        + lines(bad)
        + b'{"conversations": [{"from": "human", "value": "\\ud800"}]}\n'
    )
    done, found = converted(write(data))
    assert done.rows == len(found) == 1
    assert [one.line for one in done.skipped] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    reasons = " | ".join(one.reason for one in done.skipped)
    expected = (
        "does not parse", "no list under conversations", "robot", "no message", "no text under value",
        "no call of a function", "the tools are no JSON", "another kind", "half of a character",
    )  # fmt: skip
    for words in expected:
        assert words in reasons
    assert done.to_json()["skipped"][0]["line"] == 3


def test_more_rows_than_the_sample_are_converted(write: Callable[..., Path]) -> None:
    values = [{"prompt": question(n), "completion": answer(n)} for n in range(450)]
    done, found = converted(write(values))
    assert done.rows == 450 and found[-1] == good(449)


def test_one_mistral_row_among_openai_ones_makes_the_file_mistral(write: Callable[..., Path]) -> None:
    mistral = next(row for name, row, _ in CASES if name == "mistral")
    done, found = converted(write([*rows(5), mistral]))
    assert done.source == "mistral" and found == [*rows(5), WITH_TOOL]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([{"a": 1, "b\x1b[31m": 2}], "its keys are: a, b\ufffd"),
        ([{"text": "Il était une fois."}], "no answer to learn from"),
        (b"[1, 2", "is none"),
        (b"", "not known"),
        (b'[{"instruction": "a"}]', "not known"),
        ([{"conversations": []}], "no row could be converted from ShareGPT. Line 1"),
    ],
)
def test_a_file_that_cannot_be_converted_says_why(
    content: Any, said: str, write: Callable[..., Path]
) -> None:
    path = write(content)
    with pytest.raises(InvalidInputError, match=said.replace("[", r"\[")):
        converted(path)
    assert not path.with_name("out.jsonl").exists()


def test_the_result_is_not_the_source(write: Callable[..., Path]) -> None:
    path = write(rows())
    with pytest.raises(InvalidInputError, match="Name another one"):
        convert_file(path, path)
    with pytest.raises(InvalidInputError, match="cannot be written"):
        convert_file(path, path / "x")
    assert len(path.read_bytes().splitlines()) == 12
