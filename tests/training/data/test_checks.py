"""Every rule is broken by a file made for it, and by nothing else; files without a fault have no findings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etabli.errors import EtabliError, InvalidInputError
from etabli.messages import speaking
from etabli.training.data import checks, scanning
from etabli.training.data.checks import check_file
from etabli.training.data.leakage import QuestionFile
from etabli.training.data.rows import Row, read_rows
from etabli.training.data.rules import RULES
from etabli.training.data.tokens import TokenCount

from .conftest import Check, answer, assistant, good, lines, question, rows, user

CALL = {"id": "c1", "type": "function", "function": {"name": "find_bed", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "find_bed", "parameters": {"type": "object"}}}
CITED = (
    "<documents>\n# Livret\n[1] Le badge perdu coûte 10 €.\n[2] La cantine ouvre à midi.\n"
    "</documents>\n\nQuestion : "
)


def talk(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


def asks(text: str = "Comment obtenir une blouse propre pour demain matin ?") -> dict[str, Any]:
    return user(text)


def says(
    text: str = "Descendez à la lingerie du sous-sol avant dix-sept heures.", **more: Any
) -> dict[str, Any]:
    return assistant(text, **more)


LINES: dict[str, tuple[str, Any]] = {
    "invalid_json": ("supervised", b'{"messages": [}'),
    "duplicate_key": ("supervised", b'{"messages": [], "messages": []}'),
    "data_type": ("supervised", [1, 2]),
    "not_utf8": ("supervised", b'{"messages": "\xe9t\xe9"}'),
    "blank_line": ("supervised", b"  "),
    "missing_messages_list": ("supervised", {"messages": []}),
    "example_missing_assistant_message": ("supervised", talk(asks())),
    "last_role_not_assistant": ("supervised", talk(asks(), says(), user("Merci bien."))),
    "example_unrecognized_key": ("supervised", talk(asks(), says(), source="wiki")),
    "system_not_first": ("supervised", talk(asks(), {"role": "system", "content": "Sois bref."}, says())),
    "roles_do_not_alternate": ("supervised", talk(asks(), user("Alors ?"), says())),
    "message_missing_key": ("supervised", talk(asks(), {"role": "assistant"})),
    "message_unrecognized_key": ("supervised", talk(asks(), says(date="2026-01-01"))),
    "unrecognized_role": ("supervised", talk(asks(), {"role": "gpt", "content": "Oui."})),
    "missing_content": ("supervised", talk(asks(), says("  "))),
    "content_not_text": ("supervised", talk(asks(), {"role": "assistant", "content": 3})),
    "nul_character": ("supervised", talk(asks(), says("La lingerie\0 du sous-sol."))),
    "lone_surrogate": ("supervised", b'{"messages": [{"role": "user", "content": "a\\ud83d"}]}'),
    "invalid_weight": ("supervised", talk(asks(), says(weight=0.5))),
    "malformed_tool_call": ("supervised", talk(asks(), says(tool_calls=[{"id": "c1"}]))),
    "malformed_function": ("supervised", talk(asks(), says(), tools=[{"type": "function"}])),
    "tool_call_unmatched": (
        "supervised",
        talk(asks(), {"role": "tool", "content": "12", "tool_call_id": "c9"}, says()),
    ),
    "tool_not_declared": (
        "supervised",
        talk(asks(), says(tool_calls=[CALL]), {"role": "tool", "content": "12", "tool_call_id": "c1"}, says()),
    ),
    "nothing_trained": ("supervised", talk(asks(), says(weight=0))),
    "everything_trained": ("supervised", talk(says())),
    "missing_preference_key": ("dpo", {"input": {"messages": [asks()]}, "preferred_output": [says()]}),
    "prompt_last_role": ("kto", {"prompt": [asks(), says("Oui.")], "completion": [says()], "label": True}),
    "output_not_one_answer": ("kto", {"prompt": [asks()], "completion": [says(), says("Non.")], "label": True}),
    "chosen_equals_rejected": (
        "dpo",
        {
            "input": {"messages": [asks()]},
            "preferred_output": [says("Oui.")],
            "non_preferred_output": [says("Oui. ")],
        },
    ),
    "label_not_boolean": ("kto", {"prompt": [asks()], "completion": [says()], "label": "good"}),
    "secret": ("supervised", talk(asks(), says("La clé est AKIAIOSFODNN7EXAMPLE, gardez-la."))),
    "personal_data": ("supervised", talk(asks(), says("Appelez Anne Petit au 06 12 34 56 78 avant midi."))),
    "language_differs": ("supervised", talk(asks(), says("You should go to the laundry before the day is over."))),
    "answer_unsupported": ("supervised", talk(user(CITED + "Combien ?"), says("Le badge perdu coûte 25 € [1]."))),
    "exact_duplicate": ("supervised", good(3)),
    "near_duplicate": ("supervised", talk(user(question(3) + " Merci"), assistant(answer(3)))),
}  # fmt: skip
WHOLE = {
    "empty_file", "byte_order_mark", "not_json_lines", "foreign_format", "too_few_examples", "file_too_small",
    "too_many_lines", "file_too_large", "line_too_long", "tokenization_failed", "example_too_long",
    "round_trip_differs", "tokens_not_checked", "labels_one_sided", "longer_preferred", "near_not_checked",
    "language_mix", "answer_length_skew", "in_validation", "near_validation", "in_evaluation", "near_evaluation",
    "evaluation_not_checked",
}  # fmt: skip
"""Those that tests of their own break."""


def test_every_rule_is_broken_by_a_test() -> None:
    assert LINES.keys() | WHOLE == RULES.keys() and not LINES.keys() & WHOLE


@pytest.mark.parametrize("rule", LINES)
def test_a_broken_line_is_found_with_its_number(rule: str, check: Check) -> None:
    method, fault = LINES[rule]
    data = lines(rows(12, method)) + (fault if isinstance(fault, bytes) else lines([fault]).strip()) + b"\n"
    report = check(data, method=method)
    (found,) = [one for one in report.findings if one.severity != "note"]
    assert (found.rule, found.line, found.file) == (rule, 13, "rows.jsonl")
    for language in ("en", "fr"):
        with speaking(language):
            said = found.told()
        assert said.expected and said.found and said.fix and "{" not in said.fix.replace("{ }", "")
    assert report.counts[rule] == 1


@pytest.mark.parametrize("method", ["supervised", "dpo", "kto"])
def test_a_good_file_has_no_findings_and_can_be_read(method: str, check: Check) -> None:
    report = check(rows(12, method))
    assert {one.severity for one in report.findings} == {"note"} and not report.errors and not report.warnings
    assert (report.method, report.lines, report.examples, report.kept) == (method, 12, 12, 12)
    assert len(list(read_rows(report.path, report.method))) == 12


def test_everything_an_example_may_have_is_allowed(check: Check) -> None:
    system = {"role": "system", "content": "Tu réponds en une phrase."}
    result = {"role": "tool", "content": "", "tool_call_id": "c1"}
    rich = talk(
        system, asks(), {"role": "assistant", "content": None, "tool_calls": [CALL]}, result, says(),
        user("Et après ?"), says("Rapportez-la le soir.", weight=0), tools=[TOOL], parallel_tool_calls=False,
    )  # fmt: skip
    rich["messages"][-1]["weight"] = 1
    rich["messages"][1]["name"] = "anne"
    report = check([*rows(), rich])
    assert not report.errors and not report.warnings


def test_the_method_is_what_most_rows_are_unless_it_is_named(check: Check) -> None:
    mixed = [*rows(9, "kto"), good(20)]
    assert check(mixed).method == "kto"
    report = check(mixed, method="supervised")
    assert report.method == "supervised" and report.counts["missing_messages_list"] == 9


def test_places_within_an_example_are_told(check: Check) -> None:
    report = check([*rows(), talk(asks(), {"role": "robot", "content": "Oui."})])
    (found,) = report.errors
    assert found.place == "messages[1].role" and "robot" in found.told().found
    told = found.to_json()
    assert (told["line"], told["severity"], told["group"]) == (13, "error", "message")
    with speaking("fr"):
        assert found.to_json()["expected"] == "Un des rôles system, user, assistant, tool."


def test_several_faults_of_one_example_are_all_told(check: Check) -> None:
    bad = talk(asks(), {"role": "USER", "content": 5, "when": 1}, says(weight=3))
    report = check([*rows(), bad])
    assert {one.rule for one in report.findings if one.line == 13} == {
        "unrecognized_role", "message_unrecognized_key", "content_not_text", "invalid_weight"
    }  # fmt: skip


def test_few_examples_and_small_files(check: Check) -> None:
    report = check([good(1)])
    assert report.counts == {
        "too_few_examples": 1, "file_too_small": 1, "tokens_not_checked": 1, "evaluation_not_checked": 1
    }  # fmt: skip
    assert "1 of 1 lines" in report.errors[0].told().found
    assert check(b" \n\n").errors[0].rule == "empty_file"
    assert check(b"").errors[0].rule == "empty_file"


def test_a_list_over_lines_and_other_formats_are_named_once(check: Check) -> None:
    values = [{"instruction": "Traduis.", "input": "oui", "output": "yes"}] * 20
    for data in (
        json.dumps(values).encode(),
        json.dumps(values, indent=1).encode(),
        b"{\n" + lines([good(1)]),
    ):
        assert [one.rule for one in check(data).findings] == ["not_json_lines"]
    (found,) = check(values).findings
    assert found.rule == "foreign_format" and "Alpaca" in found.told().found
    assert "etabli data convert rows.jsonl" in found.told().fix


def test_limits_of_size(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MOST_LINES", 11)
    report = check(rows(12))
    assert report.counts["too_many_lines"] == 1 and report.lines == 11
    monkeypatch.setattr(checks, "MOST_BYTES", 100)
    (found,) = check(rows(12)).findings
    assert found.rule == "file_too_large"


def test_what_cannot_be_read_at_all_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.jsonl"):
        with pytest.raises(InvalidInputError, match="cannot be read"):
            check_file(path)


class Counter:
    """Implements `TokenCounter`: words are tokens."""

    base = "words"
    most_tokens = 60

    def count(self, row: Row) -> TokenCount:
        text = " ".join(one.content for one in row.messages)
        if "casse" in text:
            raise EtabliError("the template refuses it")
        if "tout" in text:
            return TokenCount(5, 5)
        trained = 0 if "rien" in text else 3
        return TokenCount(len(text.split()), trained, "autre" not in text)


def test_tokens_are_counted_where_somebody_can(check: Check) -> None:
    bad = [
        talk(asks("Cela casse la machine à laver le linge ?"), says()),
        talk(asks("Est-ce un autre chariot que celui du couloir ?"), says()),
        talk(asks("Et rien de plus pour la salle de garde ?"), says()),
        talk(asks("Faut-il tout ranger avant de partir du bloc ?"), says()),
        talk(asks(" ".join(f"mot{n}" for n in range(70))), says()),
    ]
    report = check([*rows(), *bad], counter=Counter())
    told = [(one.line, one.rule) for one in report.errors]
    assert told == [
        (13, "tokenization_failed"), (14, "round_trip_differs"), (15, "nothing_trained"),
        (16, "everything_trained"), (17, "example_too_long"),
    ]  # fmt: skip
    assert "the template refuses it" in report.errors[0].told().found
    assert "tokens_not_checked" not in report.counts
    assert report.statistics.longest_example and report.statistics.longest_example > 60


def test_why_tokens_are_not_counted_is_told(check: Check) -> None:
    (note, _) = check(rows(), counter_missing="no torch here").notes
    assert note.rule == "tokens_not_checked" and "no torch here" in note.told().found


def test_validation_is_checked_and_must_not_be_in_the_training_data(
    check: Check, write: Callable[..., Path]
) -> None:
    held = [*rows(3), {"messages": []}, talk(user(question(20) + " Merci"), assistant(answer(20)))]
    path = write(held, "held.jsonl")
    report = check([*rows(12)[2:], good(20)], validation=path)
    told = {(one.file, one.line, one.rule) for one in report.findings if one.severity != "note"}
    assert told == {
        ("held.jsonl", 4, "missing_messages_list"), ("rows.jsonl", 1, "in_validation"),
        ("rows.jsonl", 11, "near_validation"),
    }  # fmt: skip
    assert report.findings[0].file == "rows.jsonl" and report.validation == path
    assert question(2) in report.errors[0].told().found
    assert report.left_out() == {"in_validation": 1}


def test_questions_that_measure_must_not_be_in_the_training_data(check: Check) -> None:
    asked = "Combien coûte le remplacement d’un badge perdu ?"
    other = "Quel est le délai pour demander une formation à l’extérieur de la clinique ?"
    files = [QuestionFile("clinique.jsonl", (asked, other))]
    within = f"<documents>\n[1] Un badge.\n</documents>\n\nQuestion : {asked.upper()}"
    near = "Quel est le délai pour demander une formation à l’extérieur de la clinique SVP ?"
    report = check(
        [*rows(), talk(user(within), says()), talk(user(near), says("Trois mois."))], contamination=files
    )
    told = [(one.line, one.rule) for one in report.findings if one.line]
    assert told == [(13, "in_evaluation"), (14, "near_evaluation")]
    assert "clinique.jsonl" in report.errors[0].told().found
    assert "evaluation_not_checked" not in report.counts
    assert "evaluation_not_checked" in check(rows(), contamination=[]).counts


def test_progress_goes_over_both_files(write: Callable[..., Path]) -> None:
    path, held = write(rows(1200)), write(rows(40, "supervised")[30:], "held.jsonl")
    told: list[tuple[int, int]] = []
    check_file(path, validation=held, progress=lambda done, total: told.append((done, total)))
    total = path.stat().st_size + held.stat().st_size
    assert (
        told[-1] == (total, total)
        and [one for one, _ in told] == sorted(one for one, _ in told)
        and len(told) > 3
    )


def test_the_report_is_json(check: Check) -> None:
    report = check([*rows(), {"messages": []}])
    told = json.loads(json.dumps(report.to_json()))
    assert (told["errors"], told["warnings"], told["examples"], told["lines"]) == (1, 0, 12, 13)
    assert told["counts"]["missing_messages_list"] == 1
    assert told["corrected"] == {"kept": 12, "mended": 0, "left_out": {"missing_messages_list": 1}}
    assert told["findings"][-1]["rule"] == "missing_messages_list" and told["statistics"]["answers"] == 12
