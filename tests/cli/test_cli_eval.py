"""`etabli eval` at the command line, over a workspace with documents and scripted engines."""

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import Result

from etabli.cli.main import app
from etabli.engines.fake import FakeEngine
from etabli.errors import InvalidInputError, NotFoundError
from etabli.evaluation.generated import GeneratedFile, GeneratedRow
from product import FACT, QUESTION, fake_endpoints

Run = Callable[..., Result]
GOOD = {"id": "badge", "question": QUESTION, "language": "en", "source": "badges.md", "quote": "10 euros"}
ROWS = [
    {**GOOD, "keywords": ["10 euros"]},
    {
        "id": "pool",
        "question": "How much does the staff swimming pool cost?",
        "language": "en",
        "answerable": False,
    },
]


@pytest.fixture
def filled(in_office: Run, office: Path) -> Run:
    """An office with its documents and two questions."""
    assert in_office("documents", "add", str(office / "documents" / "general")).exit_code == 0
    write_questions(office)
    return in_office


def write_questions(office: Path) -> None:
    (office / "questions").mkdir()
    text = "\n".join(json.dumps(row) for row in ROWS)
    (office / "questions" / "office.jsonl").write_text(text, encoding="utf-8")


def test_from_nothing_to_a_compared_result(filled: Run, office: Path, tmp_path: Path) -> None:
    first = filled("eval", "office", "--output", str(tmp_path / "out" / "one.json"))
    assert first.exit_code == 0, first.output
    assert "office-1: office, version 1, with fake" in first.stdout
    assert "2 questions of office.jsonl" in first.stdout and "95 % interval" in first.stdout
    assert "expected words in the answer" in first.stdout and "1/1" in first.stdout
    yaml = office / "assistants" / "office.yaml"
    yaml.write_text(yaml.read_text(encoding="utf-8") + "instructions: Be brief.\n", encoding="utf-8")
    second = filled("eval", "office", "--compare", "office-1", "--json")
    assert second.exit_code == 0, second.output
    told = json.loads(second.stdout)
    assert told["run"]["id"] == "office-2" and told["run"]["version"] == 2
    assert told["comparison"]["changed_parts"] == ["instructions"] and told["comparison"]["common"] == 2
    shown = filled("eval", "show", "office-2", "--compare", str(tmp_path / "out" / "one.json"))
    assert "office-2 against office-1: 2 questions" in shown.stdout and "no difference shown" in shown.stdout
    listed = filled("eval", "list")
    assert listed.stdout.index("office-2") < listed.stdout.index("office-1") and "finished" in listed.stdout
    rows = json.loads(filled("eval", "list", "office", "--json").stdout)
    assert [one["id"] for one in rows] == ["office-2", "office-1"] and rows[0]["summary"]["questions"] == 2


def test_what_is_required_and_not_shown_ends_with_3(filled: Run, tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    done = filled(
        "eval", "office", "--require", "correct>=0.9", "--require", "found>=0", "--junit", str(junit)
    )
    assert done.exit_code == 3
    assert "correct is at least 90.0 %: not shown. 1 of 1 allow as little as" in done.stdout
    root = ElementTree.fromstring(junit.read_bytes())
    assert (root.attrib["tests"], root.attrib["failures"]) == ("2", "1")
    again = filled("eval", "show", "office-1", "--require", "correct>=0.01")
    assert again.exit_code == 0 and "shown (1 of 1" in again.stdout


def test_the_same_command_goes_on_unless_the_assistant_changed(filled: Run, office: Path) -> None:
    assert filled("eval", "office").exit_code == 0
    folder = office / "data" / "evaluations" / "office-1"

    def interrupt() -> None:
        run = json.loads((folder / "run.json").read_bytes())
        (folder / "run.json").write_text(json.dumps({**run, "state": "running"}), encoding="utf-8")
        answers = (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
        (folder / "answers.jsonl").write_text(answers[0] + "\n", encoding="utf-8")

    interrupt()
    shown = filled("eval", "show", "office-1")
    assert "Not finished: 1 of 2 answers." in shown.stdout
    again = filled("eval", "office")
    assert again.exit_code == 0 and "office-1: office" in again.stdout and "Not finished" not in again.stdout
    interrupt()
    yaml = office / "assistants" / "office.yaml"
    yaml.write_text(yaml.read_text(encoding="utf-8") + "instructions: Be brief.\n", encoding="utf-8")
    anew = filled("eval", "office")
    assert "office-1 was interrupted, but the assistant changed since (instructions)" in anew.stderr
    assert "office-2: office" in anew.stdout


def test_a_spreadsheet_and_a_sample(filled: Run, tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"
    path.write_text(f"question;language;keywords\n{QUESTION};en;20 euros\nWho runs it?;en;Bob\n", "utf-8")
    done = filled("eval", "run", "office", "--questions", str(path), "--limit", "1", "--repeat", "2")
    assert done.exit_code == 0, done.output
    assert "1 questions of ours.csv" in done.stdout and "Went wrong: 1" in done.stdout
    assert "It lacks “20 euros”." in done.stdout
    assert "asked 2 times: right in any of 2 0/1" in done.stdout
    assert FACT.split(",")[0] in filled("eval", "show", "office-1", "--wrong").stdout


def test_mistakes_are_said(in_office: Run, office: Path) -> None:
    write_questions(office)
    for words, said in (
        (("nobody",), "nobody"),
        (("office", "--questions", "absent.jsonl"), "cannot be read as a question file"),
        (("office", "--questions", "a.jsonl", "--generated"), "not both"),
        (("office", "--generated"), "has no question to ask"),
        (("office", "--require", "speed>=1"), "is no requirement"),
        (("office", "--compare", "office-9"), "There is no evaluation office-9"),
        (("show", "office-9"), "There is no evaluation office-9"),
        (("review", "office"), "has no generated questions"),
    ):
        done = in_office("eval", *words)
        assert isinstance(done.exception, InvalidInputError | NotFoundError), done.output
        assert said in str(done.exception)


def test_without_questions_it_says_how_to_get_some(in_office: Run) -> None:
    done = in_office("eval", "office")
    assert isinstance(done.exception, NotFoundError)
    assert "etabli eval office --generate 40" in str(done.exception)
    assert "There is no evaluation yet" in in_office("eval", "list").stdout


def test_help_names_the_commands(etabli: Run) -> None:
    done = etabli("eval", "--help")
    assert done.exit_code == 0
    assert all(name in done.output for name in ("run", "review", "list", "show"))
    assert "--generate" in etabli("eval", "run", "--help").output


def test_questions_are_proposed_reviewed_and_asked(
    filled: Run, office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"question": "How much does it cost to replace a lost badge?"}
    with fake_endpoints(FakeEngine([json.dumps(words)])) as url:
        monkeypatch.setenv("ETABLI_ENGINE_URL", url)
        made = filled("eval", "office", "--generate", "1")
    assert made.exit_code == 0, made.output
    assert "1 questions are proposed or kept" in made.stdout and "etabli eval review office" in made.stdout
    path = office / "questions" / "office.generated.jsonl"
    assert [row.state for row in GeneratedFile(path).rows()].count("proposed") == 1
    from typer.testing import CliRunner

    reviewed = CliRunner().invoke(app, ["eval", "review", "office"], input="xk")
    assert reviewed.exit_code == 0, reviewed.output
    assert "badges.md" in reviewed.output and "1 kept, 0 dropped, 0 to look at" in reviewed.output
    asked = filled("eval", "office", "--generated", "--json")
    assert asked.exit_code == 0, asked.output
    (row,) = GeneratedFile(path).rows()
    assert json.loads(asked.stdout)["run"]["items"][0]["id"] == row.id == "g1"


def row(number: int) -> GeneratedRow:
    return GeneratedRow(
        id="–", question=f"How much is number {number}?", language="en", source="a.md", quote="10 euros",
        answer="10 euros", keywords=("10 euros",),
    )  # fmt: skip


def test_a_review_goes_on_where_it_was_left(in_office: Run, office: Path) -> None:
    from typer.testing import CliRunner

    file = GeneratedFile(office / "questions" / "office.generated.jsonl")
    for number in range(4):
        file.add(row(number))
    first = CliRunner().invoke(app, ["eval", "review", "office"], input="Kdq")
    assert "1 kept, 1 dropped, 2 to look at" in first.output
    second = CliRunner().invoke(
        app, ["eval", "review", "office"], input="eWhat is the fee?\n\n12 euros | fee\nq"
    )
    assert "2 kept, 1 dropped, 1 to look at" in second.output, second.output
    edited = file.rows()[2]
    assert (edited.question, edited.answer, edited.keywords) == (
        "What is the fee?",
        "10 euros",
        ("12 euros", "fee"),
    )
