import json
from pathlib import Path

import pytest

from etabli.certification.probes.reading import read_questions
from etabli.errors import InvalidInputError
from etabli.evaluation.questions import read_question_file, spread

DEMO = Path(__file__).parents[2] / "examples" / "clinique" / "questions.jsonl"
ROW = {"question": "Quel préavis ?", "language": "fr", "keywords": ["2 mois"]}


def written(folder: Path, text: str, name: str = "q.jsonl") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_demo_questions_are_those_that_certification_reads() -> None:
    read = read_question_file(DEMO)
    assert [item.question.question for item in read.items] == [one.question for one in read_questions(DEMO)]
    assert len(read.items) + read.left_out == len(DEMO.read_text(encoding="utf-8").splitlines())
    assert read.items[0].id == "tilleuls-01" and any(not item.question.answerable for item in read.items)
    doctors = read_question_file(DEMO, audiences=("all", "doctors"))
    assert len(doctors.items) > len(read.items) and doctors.digest != read.digest


def test_a_key_names_what_is_asked_and_what_is_expected(tmp_path: Path) -> None:
    (one,) = read_question_file(written(tmp_path, json.dumps(ROW))).items
    (same,) = read_question_file(
        written(tmp_path, json.dumps({**ROW, "id": "7", "question": "quel  préavis ?"}))
    ).items
    (other,) = read_question_file(written(tmp_path, json.dumps({**ROW, "keywords": ["3 mois"]}))).items
    assert one.key == same.key == one.id != other.key and same.id == "7"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"language": "de"}, "language is “de”; allowed is fr or en"),
        ({"colour": "blue"}, "no field “colour”. Allowed are question, language"),
        ({"question": ""}, "question is “”; allowed is a text of 1 to 4,000 characters"),
        ({"keywords": "2 mois"}, "keywords is “2 mois”; allowed is a list of texts"),
        ({"answerable": "perhaps"}, "answerable is “perhaps”; allowed is true or false"),
        ({"keywords": []}, "nothing can be checked in the answer"),
    ],
)
def test_a_bad_line_is_named_with_what_was_found(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    text = json.dumps(ROW) + "\n\n" + json.dumps({**ROW, "question": "Autre ?", **change}, ensure_ascii=False)
    with pytest.raises(InvalidInputError) as caught:
        read_question_file(written(tmp_path, text))
    assert "line 3: " in str(caught.value) and said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no question"),
        ("[1]", "line 1: “[1]” is no JSON object"),
        ('{"language": "fr"}', "question is missing"),
        (f"{json.dumps(ROW)}\n{json.dumps(ROW)}", "line 2: this asks the same as line 1"),
    ],
)
def test_what_is_no_question_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_question_file(written(tmp_path, text))
    assert said in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"its name ends in \.xlsx\. Allowed are \.jsonl, \.csv"):
        read_question_file(written(tmp_path, "", "q.xlsx"))
    (tmp_path / "q.csv").write_bytes("question;language\nOù ça é;fr".encode("cp1252"))
    with pytest.raises(InvalidInputError, match="not in UTF-8"):
        read_question_file(tmp_path / "q.csv")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_question_file(tmp_path / "absent.jsonl")


def test_a_spreadsheet_gives_the_same_questions(tmp_path: Path) -> None:
    text = (
        "\ufeffquestion;language;answerable;source;keywords\r\n"
        '"Quand, et où ?\r\nEn deux lignes";fr;;rh/guide.pdf;13 juin | 8 €\r\n'
        ";;;;\r\n"
        "Which company?;en;non;;\r\n"
    )
    first, second = read_question_file(written(tmp_path, text, "q.csv")).items
    assert first.question.keywords == ("13 juin", "8 €") and first.question.document == "rh/guide.pdf"
    assert first.question.question == "Quand, et où ?\r\nEn deux lignes"
    assert not second.question.answerable and second.question.language == "en"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question,lang\nx,fr", "line 1: there is no field “lang”"),
        ("question,language,keywords\nA ?,fr,b\nC, d ?,fr,e", "line 3: 4 cells, but the first line names 3"),
        ('question,language\n"A ?,fr', "this is no CSV"),
        ('question,language,keywords\n"A\nB ?",fr,x\nD ?,de,x', "line 4: language is “de”"),
    ],
)
def test_a_bad_spreadsheet(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_question_file(written(tmp_path, text, "q.csv"))
    assert said in str(caught.value)


def test_a_sample_is_spread() -> None:
    assert spread(list(range(10)), 5) == [0, 2, 4, 6, 8]
    assert spread([1, 2], 5) == spread([1, 2], None) == [1, 2]
