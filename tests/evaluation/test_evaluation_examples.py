"""Training examples from documents: built over the small corpus with a scripted engine, and their parts."""

import asyncio
import json
from pathlib import Path
from typing import Any

from etabli.assistants.prompting import ABSENT
from etabli.evaluation.evaluating import training_file
from etabli.evaluation.examples import REASONS, Built, passage_with, reason_label, without_answer
from etabli.evaluation.generated import GeneratedRow
from etabli.training.data.checks import check_file

from .conftest import Bench

PROMPT = [
    {"role": "system", "content": "[9] Pas un passage."},
    {
        "role": "user",
        "content": (
            "<documents>\n# Livret\n[1] Le badge : Un badge perdu coûte 10 €. … Il se rend.\n"
            "[2] La cantine ouvre à midi.\n"
            "# Tarifs\n[3] Tarifs :\nObjet : Clé ; Prix : 5 €\nObjet : Casier ; Prix : 3 €\n</documents>\n\n"
            "Question : [4] combien ?"
        ),
    },
]


def row(**more: Any) -> GeneratedRow:
    values = {
        "id": "–", "question": "Combien coûte le remplacement d’un badge perdu ?", "language": "fr",
        "source": "badge.md", "quote": "Un badge perdu coûte 10 €.", "answer": "10 €", "keywords": ("10 €",),
        "state": "kept",
    }  # fmt: skip
    return GeneratedRow.model_validate({**values, **more})


def build(bench: Bench, *rows: GeneratedRow, **options: Any) -> Built:
    file = training_file(bench.folder / "questions", "rh")
    for one in rows:
        file.add(one)
    return asyncio.run(bench.evaluator.examples(bench.assistant, **options))


def test_the_passage_with_a_sentence_or_a_row_is_found() -> None:
    assert passage_with(PROMPT, "Un badge perdu\ncoûte 10 €.") == (1, "Un badge perdu coûte 10 €.")
    assert passage_with(PROMPT, "Casier | 3 €") == (3, "Objet : Casier ; Prix : 3 €")
    assert passage_with(PROMPT, "Un badge perdu coûte 12 €.") is None
    assert passage_with(PROMPT, "Pas un passage.") is None and passage_with(PROMPT, " | ") is None


def test_a_passage_is_taken_out_with_everything_that_holds_the_answer() -> None:
    changed = without_answer(PROMPT, row())
    assert changed is not None
    text = changed[1]["content"]
    assert "10 €" not in text and "[2] La cantine" in text and "[3] Tarifs" in text and "# Livret" in text
    assert text.endswith("</documents>\n\nQuestion : [4] combien ?") and "10 €" in PROMPT[1]["content"]
    only = [
        {
            "role": "user",
            "content": "<documents>\n# Livret\n[1] Un badge perdu coûte 10 €.\n</documents>\n\n?",
        }
    ]
    assert without_answer(only, row()) is None
    tariffs = without_answer(PROMPT, row(quote="Clé | 5 €", keywords=("5 €",)))
    assert tariffs is not None and "Tarifs" not in tariffs[1]["content"]


def test_an_example_is_the_prompt_of_answering_and_a_quotation_with_its_number(bench: Bench) -> None:
    quote = "le remplacement coûte 10 €"
    text = bench.corpus.database  # the sentence as the document has it
    with text.owner() as connection:
        found = connection.execute("SELECT text FROM version WHERE text LIKE %s", (f"%{quote}%",)).fetchone()
    assert found is not None
    sentence = next(one for one in found[0].replace("\n", " ").split(". ") if quote in one).strip()
    built = build(bench, row(quote=sentence))
    assert (built.answered, built.left_out) == (1, {})
    (example,) = built.rows
    system, asked, said = example["messages"]
    assert system["role"] == "system" and "<documents>" in asked["content"]
    assert said["content"].startswith("«\N{NO-BREAK SPACE}") and quote in said["content"]
    number = said["content"].rpartition("[")[2].partition("]")[0]
    assert f"[{number}] " in asked["content"]
    assert bench.engine.bodies == [], "no model is asked"


def test_what_cannot_be_built_is_left_out_with_its_reason(bench: Bench) -> None:
    built = build(
        bench,
        row(quote="Une phrase qui ne figure dans aucun document."),
        row(
            question="Qui dirige la fanfare municipale ?",
            answerable=False,
            keywords=(),
            quote=None,
            source=None,
        ),
        row(question="Combien coûte le badge, hélas ?", state="dropped"),
        row(question="Combien coûte un badge neuf ?", state="proposed"),
    )
    assert built.left_out["not_in_prompt"] == 1 and built.left_out["not_asked"] + built.absent == 1
    assert sum(built.left_out.values()) + len(built.rows) == 2
    assert all(reason_label(reason) != reason for reason in REASONS)
    for one in built.rows:
        assert one["messages"][-1]["content"] == ABSENT
    again = build(bench, unreviewed=True)
    assert sum(again.left_out.values()) + len(again.rows) == 3, "one more: proposed, and looked at by nobody"


def test_the_same_question_twice_is_one_example(bench: Bench) -> None:
    quote = "le remplacement coûte 10 €"
    built = build(bench, row(quote=quote), row(quote=quote))
    assert len(built.rows) == 1 and built.left_out["duplicate"] == 1


def test_questions_for_training_avoid_those_that_measure(bench: Bench, tmp_path: Path) -> None:
    folder = bench.folder / "questions"
    folder.mkdir()
    asked = "Combien coûte le remplacement d’un badge perdu ?"
    own = {"question": asked, "language": "fr", "source": "badge.md", "keywords": ["10 €"]}
    (folder / "rh.jsonl").write_text(json.dumps(own) + "\n", encoding="utf-8")
    bench.engine.replies = [json.dumps({"question": asked})]
    made = asyncio.run(bench.evaluator.generate(bench.assistant, 2, for_training=True))
    assert made.dropped["duplicate"] >= 1
    rows = training_file(folder, "rh").rows()
    assert rows and not [one for one in rows if one.question == asked and one.state != "dropped"]
    assert not (folder / "rh.generated.jsonl").exists()


def test_what_is_written_passes_the_checks(bench: Bench, tmp_path: Path) -> None:
    built = build(bench, row(quote="le remplacement coûte 10 €"))
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in built.rows), encoding="utf-8")
    rules = {one.rule for one in check_file(path).errors}
    assert rules <= {"too_few_examples", "file_too_small"}
