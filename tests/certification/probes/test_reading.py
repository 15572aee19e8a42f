import json
from pathlib import Path

import pytest

from etabli.certification.probes.base import MaterialDocument, Question
from etabli.certification.probes.reading import material_from_documents, questions_from, read_questions
from etabli.errors import InvalidInputError

DEMO = Path(__file__).parents[3] / "examples" / "clinique" / "questions.jsonl"
ROW = {
    "question": "Quel préavis ?",
    "language": "fr",
    "source": "a.md",
    "quote": "2 mois",
    "keywords": ["2 mois"],
}


def test_the_demo_questions_are_read() -> None:
    read = read_questions(DEMO)
    rows = [json.loads(line) for line in DEMO.read_text(encoding="utf-8").splitlines()]
    asked = [row for row in rows if row["audience"] == "all" and not row.get("needs_ocr")]
    assert [one.question for one in read] == [row["question"] for row in asked]
    assert sum(not one.answerable for one in read) == sum(not row["answerable"] for row in asked)
    doctors = read_questions(DEMO, audiences=("doctors",))
    assert doctors and not {one.question for one in doctors} & {one.question for one in read}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colour": "blue"}, "colour"),
        ({"language": "de"}, "language"),
        ({"question": ""}, "question"),
        ({"source": None}, "source"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps(ROW) + "\n\n" + json.dumps({**ROW, **change}), encoding="utf-8")
    with pytest.raises(InvalidInputError, match=rf"line 3: .*{said}"):
        read_questions(path)


def test_what_is_no_question_file(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError, match="cannot be read as a question file"):
        read_questions(path)
    path.write_text("not JSON", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="line 1"):
        read_questions(path)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_questions(tmp_path / "absent.jsonl")


def test_figures_become_questions() -> None:
    text = (
        "La prime de rappel s’élève à 40 € par intervention de nuit. Il reste 3 jours pour faire la demande. "
        "Entre 2 et 5 personnes sont présentes dans chaque service la nuit.\nPrix | 40 € la nuit en chambre seule."
    )
    (made,) = questions_from(MaterialDocument("rh/paie.md", "Règles de paie", text))
    assert made.answer == "40 €"
    assert made.keywords == ("40 €",)
    assert made.quote == "La prime de rappel s’élève à 40 € par intervention de nuit."
    assert "Règles de paie" in made.question and "quelle somme" in made.question.lower() + " quelle somme"
    assert "40" not in made.question


def test_english_figures_too() -> None:
    text = "A newcomer may rent a flat for €310 a month, electricity included."
    (made,) = questions_from(MaterialDocument("en/guide.md", "Staff guide", text, "en"))
    assert (made.answer, made.language) == ("€310", "en")
    assert "310" not in made.question and "amount" in made.question


def test_material_keeps_what_its_caller_can_be_shown() -> None:
    document = MaterialDocument(
        "a.md", "Livret", "Le préavis de démission est fixé à 2 mois pour les infirmiers."
    )
    known = Question("Quel préavis ?", "2 mois", "a.md", "2 mois", "fr", ("2 mois",))
    hidden = Question("Quelle dose ?", "5 g", "medecins/b.md", "5 g", "fr", ("5 g",))
    made = material_from_documents([document], title="T", language="fr", questions=[known, hidden])
    assert known in made.questions and hidden not in made.questions
    assert [one.answer for one in made.questions] == ["2 mois", "2 mois"]
    assert made.languages == ("fr", "en")


def test_none_are_made_where_people_wrote_enough() -> None:
    document = MaterialDocument(
        "a.md", "Livret", "Le préavis de démission est fixé à 2 mois pour les infirmiers."
    )
    own = [Question(f"Question {n} ?", "2 mois", "a.md", "2 mois", "fr", ("2 mois",)) for n in range(30)]
    assert len(material_from_documents([document], title="T", language="fr", questions=own).questions) == 30
