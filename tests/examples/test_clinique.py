"""The demo clinic: its questions are about its documents, and its documents come from its sources."""

import json
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from clinique_text import collapse, pages

CLINIC = Path(__file__).resolve().parents[2] / "examples" / "clinique"
DOCUMENTS = CLINIC / "documents"
FIELDS = {
    "id", "question", "language", "answerable", "source", "page", "quote", "answer", "keywords", "audience"
}  # fmt: skip
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (CLINIC / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]
ANSWERABLE = [question for question in QUESTIONS if question["answerable"]]
READABLE = [question for question in ANSWERABLE if not question.get("needs_ocr")]
SCANNED = [question for question in ANSWERABLE if question.get("needs_ocr")]


def _identify(question: dict[str, Any]) -> str:
    return str(question["id"])


def _document_paths() -> list[Path]:
    return sorted(path for path in DOCUMENTS.rglob("*") if path.is_file())


@cache
def _collapsed(path: Path) -> tuple[str, ...]:
    return tuple(collapse(text) for text in pages(path))


def test_there_are_sixty_questions_without_character_recognition() -> None:
    assert len(READABLE) + len(QUESTIONS) - len(ANSWERABLE) == 60
    assert len(QUESTIONS) - len(ANSWERABLE) >= 10
    assert 1 <= len(SCANNED) <= 2
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS)
    assert len({question["question"] for question in QUESTIONS}) == len(QUESTIONS)


def test_questions_have_the_documented_fields() -> None:
    for question in QUESTIONS:
        assert set(question) - {"also", "needs_ocr"} == FIELDS, question["id"]
        assert question["language"] in {"fr", "en"}
        assert question["audience"] in {"all", "doctors"}
        in_doctors_folder = str(question["source"]).startswith("medecins/")
        assert in_doctors_folder == (question["audience"] == "doctors"), question["id"]


def test_questions_cross_languages_and_formats() -> None:
    languages = Counter(question["language"] for question in QUESTIONS)
    assert languages["en"] >= 8
    crossed = {
        (question["language"], str(question["source"]).startswith("english/")) for question in ANSWERABLE
    }
    assert crossed == {("fr", False), ("fr", True), ("en", False), ("en", True)}
    asked = {Path(question["source"]).suffix for question in READABLE}
    assert asked == {path.suffix for path in _document_paths()}


@pytest.mark.parametrize("question", READABLE, ids=_identify)
def test_quote_is_in_the_source(question: dict[str, Any]) -> None:
    source = DOCUMENTS / question["source"]
    assert len(question["quote"]) <= 200
    texts = _collapsed(source)
    if source.suffix in {".pdf", ".pptx"}:
        texts = (texts[question["page"] - 1],)
    else:
        assert question["page"] is None
    assert any(collapse(question["quote"]) in text for text in texts)
    assert question["keywords"], "a benchmark needs something to look for"
    for keyword in question["keywords"]:
        assert keyword in question["answer"]
    for other in question.get("also", ()):
        assert (DOCUMENTS / other).is_file()


@pytest.mark.parametrize("question", SCANNED, ids=_identify)
def test_scanned_source_has_no_text_layer(question: dict[str, Any]) -> None:
    source = DOCUMENTS / question["source"]
    with pypdfium2.PdfDocument(source) as document:
        assert len(document) == question["page"] == 1
        assert document[0].get_textpage().count_chars() == 0
    written = CLINIC / "source" / Path(question["source"]).with_suffix(".scan.md")
    assert question["quote"] in collapse(written.read_text(encoding="utf-8"))


def test_unanswerable_questions_name_no_source() -> None:
    for question in QUESTIONS:
        if not question["answerable"]:
            found = (question["source"], question["page"], question["quote"], question["keywords"])
            assert found == (None, None, None, []), question["id"]


def test_documents_are_numerous_small_and_listed() -> None:
    paths = _document_paths()
    assert 24 <= len(paths) <= 28
    assert sum(path.stat().st_size for path in paths) <= 3_000_000
    readme = (CLINIC / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([^`]+\.[a-z]+)` \|", readme, flags=re.MULTILINE))
    assert listed == {str(path.relative_to(DOCUMENTS)) for path in paths}


def test_care_documents_say_that_they_are_fiction() -> None:
    for path in _document_paths():
        if (
            path.relative_to(DOCUMENTS).parts[0] in {"soins", "medecins", "hygiene"}
            and path.suffix != ".xlsx"
        ):
            text = " ".join(_collapsed(path))
            assert re.search(r"[Dd]ocument de démonstration fictif", text), path


def test_pdfs_have_an_outline_and_page_numbers() -> None:
    for path in DOCUMENTS.rglob("*.pdf"):
        if path.name.startswith("note-service"):
            continue
        with pypdfium2.PdfDocument(path) as document:
            assert 3 <= len(document) <= 8, path
            assert len(list(document.get_toc())) >= 5, path
            last = collapse(document[len(document) - 1].get_textpage().get_text_bounded())
            assert re.search(rf"Page {len(document)} (sur|of) {len(document)}", last), path


@pytest.mark.slow
def test_build_reproduces_the_committed_bytes(tmp_path: Path) -> None:
    pytest.importorskip("reportlab", reason="building the demo documents needs reportlab")
    command = [sys.executable, str(CLINIC / "build.py"), "--output", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    built = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(built) == len([path for path in (CLINIC / "source").rglob("*") if path.is_file()])
    different = [
        str(path) for path in built if (tmp_path / path).read_bytes() != (DOCUMENTS / path).read_bytes()
    ]
    assert different == []
