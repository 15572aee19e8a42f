"""`etabli data` at the command line: checked, corrected, converted, taken from thumbs, made from documents."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from etabli.cli.main import app
from etabli.conversations.conversations import Conversations
from etabli.conversations.items import identified, new_key
from etabli.conversations.turns import Turns
from etabli.conversations.values import NewTurn
from etabli.engines.fake import FakeEngine
from etabli.errors import InvalidInputError, NotFoundError
from etabli.evaluation.generated import GeneratedFile
from etabli.storage.database import Database
from product import QUESTION, fake_endpoints

Run = Callable[..., Result]


def example(number: int) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": f"Que faire du dossier numéro {number * 7919} de la semaine ?"},
            {"role": "assistant", "content": f"Portez-le au bureau {number * 31}, puis notez l’heure {number}."},
        ]
    }  # fmt: skip


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(example(number)) + "\n" for number in range(12)), encoding="utf-8")
    return path


def add(path: Path, *values: Any) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in values)


def test_a_good_file_ends_with_0(etabli: Run, rows: Path) -> None:
    done = etabli("data", "check", str(rows))
    assert done.exit_code == 0, done.output
    assert "12 of 12 lines are examples that can be used (supervised)" in done.stdout
    assert "Nothing stands in the way" in done.stdout
    assert "evaluation_not_checked" in done.stdout and "-w FOLDER" in done.stdout


def test_faults_are_told_by_rule_with_their_first_lines_and_end_with_3(
    etabli: Run, rows: Path, tmp_path: Path
) -> None:
    add(rows, *["{broken"] * 5, {"messages": [{"role": "user", "content": "Où ?"}]}, example(3))
    done = etabli("data", "check", str(rows), "--corrected", str(tmp_path / "good.jsonl"))
    assert done.exit_code == 3, done.output
    assert "Errors: 6" in done.stdout and "Warnings: 1" in done.stdout
    assert "invalid_json × 5" in done.stdout and "line 13: It does not parse at character 2" in done.stdout
    assert "and 2 more" in done.stdout and "line 17" not in done.stdout
    assert "exact_duplicate" in done.stdout and "The same as line 4." in done.stdout
    assert "12 lines as they were, 0 mended" in done.stdout and "Left out: 7 lines" in done.stdout
    assert (tmp_path / "good.jsonl").read_bytes() == b"".join(
        rows.read_bytes().splitlines(keepends=True)[:12]
    )
    assert etabli("data", "check", str(tmp_path / "good.jsonl")).exit_code == 0


def test_all_of_it_is_json(etabli: Run, rows: Path, tmp_path: Path) -> None:
    add(rows, *["{broken"] * 5)
    out = tmp_path / "good.jsonl"
    done = etabli("data", "check", str(rows), "--format", "json", "--corrected", str(out))
    assert done.exit_code == 3
    told = json.loads(done.stdout)
    assert [one["line"] for one in told["findings"] if one["rule"] == "invalid_json"] == [13, 14, 15, 16, 17]
    assert told["errors"] == 5 and told["corrected_copy"]["left_out"] == {"invalid_json": 5}
    reasons = Path(told["corrected_copy"]["reasons"])
    assert len(reasons.read_bytes().splitlines()) == 5


def test_it_speaks_french(etabli: Run, rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETABLI_LANGUAGE", "fr")
    add(rows, "{broken", example(2))
    done = etabli("data", "check", str(rows))
    assert "Erreurs\u00a0: 1" in done.stdout and "Identique à la ligne 3." in done.stdout
    assert "il manque une clé entre guillemets droits" in done.stdout
    assert "Ce fichier ne peut pas servir tel quel" in done.stdout


def test_text_of_a_file_is_no_markup_of_the_terminal(etabli: Run, rows: Path) -> None:
    add(rows, {"messages": [{"role": "[red]\x1b[2Jx[/red]", "content": "a"}]})
    done = etabli("data", "check", str(rows))
    assert "[red]" in done.stdout and "\x1b[2J" not in done.stdout


def test_held_out_examples_and_the_questions_of_the_workspace_are_compared(
    in_office: Run, office: Path, rows: Path, tmp_path: Path
) -> None:
    (office / "questions").mkdir()
    question = {"question": QUESTION, "language": "en", "keywords": ["10"]}
    (office / "questions" / "office.jsonl").write_text(json.dumps(question) + "\n", encoding="utf-8")
    (office / "questions" / "office.training.jsonl").write_text(
        json.dumps({"question": example(1)["messages"][0]["content"]}) + "\n", encoding="utf-8"
    )
    held = tmp_path / "held.jsonl"
    add(held, example(4))
    add(
        rows,
        {
            "messages": [
                {"role": "user", "content": QUESTION.upper()},
                {"role": "assistant", "content": "10."},
            ]
        },
    )
    done = in_office("data", "check", str(rows), "--validation", str(held), "--format", "json")
    told = {(one["line"], one["rule"]) for one in json.loads(done.stdout)["findings"] if one["line"]}
    assert told == {(5, "in_validation"), (13, "in_evaluation")}


def test_what_cannot_be_done_is_said(etabli: Run, rows: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
    for words, said in (
        (("check", "absent.jsonl"), "cannot be read"),
        (("check", str(rows), "--corrected", str(rows)), "Name another one"),
        (("convert", "odd.jsonl", "x.jsonl"), "not known"),
    ):
        done = etabli("data", *words)
        assert isinstance(done.exception, InvalidInputError | NotFoundError), done.output
        assert said in str(done.exception)
    assert etabli("data", "check", str(rows), "--method", "ppo").exit_code == 2
    assert etabli("data", "convert", str(rows), "x", "--from", "csv").exit_code == 2


def test_a_model_that_is_not_here_is_named(etabli: Run, rows: Path) -> None:
    pytest.importorskip("torch", reason="tokens are counted with the extra: pip install 'etabli[training]'")
    done = etabli("data", "check", str(rows), "--model", "no-such-model")
    assert isinstance(done.exception, InvalidInputError | NotFoundError), done.output
    assert "no-such-model" in str(done.exception)


def test_rows_of_another_format_are_converted(etabli: Run, tmp_path: Path) -> None:
    values = [{"instruction": f"Question {n} ?", "input": "", "output": f"Réponse {n}."} for n in range(7)]
    path = tmp_path / "alpaca.json"
    path.write_text(json.dumps([*values, *[{"instruction": 3, "output": "x"}] * 6]), encoding="utf-8")
    done = etabli("data", "convert", str(path), "rows.jsonl")
    assert done.exit_code == 0, done.output
    assert "7 rows for supervised, from Alpaca" in done.stdout and "Not converted: 6 rows" in done.stdout
    assert "line 8: no text under instruction: 3" in done.stdout and "All of them: --json" in done.stdout
    told = json.loads(etabli("data", "convert", str(path), "rows.jsonl", "--json").stdout)
    assert told["rows"] == 7 and [one["line"] for one in told["skipped"]] == [8, 9, 10, 11, 12, 13]
    assert len((tmp_path / "rows.jsonl").read_bytes().splitlines()) == 7


class Owner:
    account_id, principals = 1, ("group:everyone", "user:1")


def judge(database: Database, answer: str, rating: str | None) -> None:
    turns, conversation = Turns(database), Conversations(database).create(Owner())
    key = new_key("resp")
    asked = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Où aller ?"}]}]
    new = NewTurn(
        key, "office", "office", "fake", {}, identified(asked, key), conversation_id=conversation.id
    )
    said = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": answer}]}]
    turn = replace(turns.begin(new, Owner()), status="completed", output=said, completed_at=datetime.now(UTC))
    turns.finish(turn, None)
    if rating is not None:
        turns.judge(key, Owner(), {"rating": rating})


def test_thumbs_become_rows(in_office: Run, database_url: str, tmp_path: Path) -> None:
    nothing = in_office("data", "feedback", "thumbs.jsonl")
    assert isinstance(nothing.exception, InvalidInputError) and "nothing to write" in str(nothing.exception)
    assert not (tmp_path / "thumbs.jsonl").exists()
    with Database(database_url) as database:
        judge(database, "Au sous-sol.", "up")
        judge(database, "Demandez à anne@hopital.fr.", "down")
        judge(database, "À droite.", None)
        judge(database, "À gauche.", "down")
    done = in_office("data", "feedback", "thumbs.jsonl", "--assistant", "office")
    assert done.exit_code == 0, done.output
    assert "2 rows of 3 judged answers, 1 of them liked" in done.stdout
    assert "1  with personal data in it" in done.stdout
    rows = [json.loads(line) for line in (tmp_path / "thumbs.jsonl").read_bytes().splitlines()]
    assert [(row["completion"][0]["content"], row["label"]) for row in rows] == [
        ("Au sous-sol.", True), ("À gauche.", False)
    ]  # fmt: skip
    assert oct((tmp_path / "thumbs.jsonl").stat().st_mode)[-3:] == "600"
    told = json.loads(in_office("data", "feedback", "all.jsonl", "--with-personal-data", "--json").stdout)
    assert told["rows"] == 3 and told["left_out"] == {}
    unknown = in_office("data", "feedback", "x.jsonl", "--assistant", "nobody")
    assert "nobody" in str(unknown.exception)


def test_examples_are_made_of_documents_after_a_review(
    in_office: Run, office: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert in_office("documents", "add", str(office / "documents" / "general")).exit_code == 0
    words = {"question": "How much does it cost to replace a lost badge?"}
    with fake_endpoints(FakeEngine([json.dumps(words)])) as url:
        monkeypatch.setenv("ETABLI_ENGINE_URL", url)
        first = in_office("data", "generate", "office", "rows.jsonl", "--count", "1")
        assert first.exit_code == 0, first.output
        assert "0 kept, 1 to look at" in first.stdout and "etabli data review office" in first.stdout
        assert not (tmp_path / "rows.jsonl").exists()
        reviewed = CliRunner().invoke(app, ["data", "review", "office"], input="k")
        assert "1 kept, 0 dropped, 0 to look at" in reviewed.output, reviewed.output
        told = json.loads(
            in_office("data", "generate", "office", "rows.jsonl", "--count", "1", "--json").stdout
        )
    path = office / "questions" / "office.training.jsonl"
    assert told["kept"] == 1 and [row.state for row in GeneratedFile(path).rows()].count("kept") == 1
    assert told["examples"]["rows"] + sum(told["examples"]["left_out"].values()) == 1
    assert told["examples"]["rows"] == 1, told
    if told["examples"]["rows"]:
        (row,) = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_bytes().splitlines()]
        assert row["messages"][-1]["content"].startswith("“")


def test_help_names_the_commands(etabli: Run) -> None:
    done = etabli("data", "--help")
    assert all(name in done.output for name in ("check", "convert", "feedback", "generate", "review"))
    assert "--corrected" in etabli("data", "check", "--help").output
