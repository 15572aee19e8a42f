"""The public corpora that retrieval is measured on, each with its protocol. What they are: `SOURCE.txt` beside each.

A document here is what a question's answer is looked for in: a Wikipedia paragraph (piaf), a section of a
practical sheet (labour), an administrative sheet (service-public). Titles that the protocol withholds are not
read at all.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etabli.knowledge.blocks import Block, ParsedDocument
from etabli.knowledge.readers import markdown
from etabli.knowledge.readers.limits import ReaderLimits


@dataclass(frozen=True)
class Document:
    """A document: its id, what stands above it in breadcrumbs, and its text as read."""

    id: str
    title: str
    parsed: ParsedDocument


@dataclass(frozen=True)
class Corpus:
    """Documents and questions, each question with the ids of the documents that answer it."""

    name: str
    documents: list[Document]
    questions: list[tuple[str, frozenset[str]]]


def piaf(data: Path) -> Corpus:
    """Paragraphs as they are; every question, its own paragraph is relevant."""
    content = json.loads((data / "piaf" / "piaf-v1.1.json").read_text(encoding="utf-8"))
    documents: list[Document] = []
    questions: list[tuple[str, frozenset[str]]] = []
    for article in content["data"]:
        for paragraph in article["paragraphs"]:
            name = str(len(documents))
            documents.append(Document(name, "", _paragraphs(paragraph["context"])))
            questions += [(question["question"], frozenset([name])) for question in paragraph["qas"]]
    return Corpus("piaf", documents, questions)


@dataclass(frozen=True)
class Span:
    """A question whose answer is marked: in which document, from which character to which (exclusive)."""

    question: str
    document: str
    start: int
    end: int
    text: str


def piaf_paragraphs(path: Path) -> tuple[Corpus, list[Span]]:
    """PIAF's paragraphs as `piaf` has them, and its questions with their first marked answer."""
    documents: list[Document] = []
    spans: list[Span] = []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for paragraph in article["paragraphs"]:
            name = str(len(documents))
            documents.append(Document(name, "", _paragraphs(paragraph["context"])))
            for one in paragraph["qas"]:
                text = one["answers"][0]["text"].strip()
                start = one["answers"][0]["answer_start"]
                spans.append(Span(one["question"], name, start, start + len(text), text))
    return Corpus("piaf", documents, []), spans


def labour(data: Path) -> Corpus:
    """Sections under the title of their sheet; a section's own title, which is the question, is withheld."""
    folder = data / "code-du-travail"
    documents = [
        Document(row["id"], row["doc_title"], _paragraphs(row["text"]))
        for row in _rows(folder / "fiches_sections.jsonl.gz")
    ]
    questions = [
        (row["question"], frozenset(row["relevant_sections"])) for row in _rows(folder / "questions.jsonl")
    ]
    return Corpus("labour", documents, questions)


def service_public(data: Path) -> Corpus:
    """Sheets under their path without first and last step; no sheet's title or description is read."""
    folder = data / "service-public"
    limits = ReaderLimits()
    documents = [
        Document(row["id"], " > ".join(row["path"][1:-1]), markdown.read(row["text"].encode(), limits))
        for row in _rows(folder / "docs.jsonl.gz")
    ]
    questions = [
        (row["question"], frozenset(row["relevant"])) for row in _rows(folder / "questions_titles.jsonl")
    ]
    return Corpus("service-public", documents, questions)


CORPORA: dict[str, Callable[[Path], Corpus]] = {
    "piaf": piaf,
    "labour": labour,
    "service-public": service_public,
}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as lines:
        for line in lines:
            yield json.loads(line)


def _paragraphs(text: str) -> ParsedDocument:
    """A text without structure: one paragraph a line."""
    blocks, position = [], 0
    for line in text.split("\n"):
        if line.strip():
            blocks.append(Block("paragraph", position, position + len(line)))
        position += len(line) + 1
    return ParsedDocument(text, tuple(blocks), "text/plain", language="fr")
