"""Whether examples are in what the result will be measured with: the validation file, and files of questions.

A question is the same when its words are; nearly the same by `similarity`. A model that has seen what it is measured
with measures nothing.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etabli.training.data.similarity import SignatureList
from etabli.training.data.texts import question_end, question_key

MOST_BYTES = 64 << 20
TRAINING_QUESTIONS = ".training.jsonl"
"""Ending of the files of questions that training examples are made of: nothing is measured with them."""
_SUFFIXES = (".jsonl", ".csv")


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """Questions that measure a model.

    Args:
        name: of the file, for people.
        questions: as they are asked.
    """

    name: str
    questions: tuple[str, ...]


@dataclass
class Known:
    """Questions that no training may hold, by their words and by their likeness.

    Args:
        names: of the files, by the number of a question.
        texts: of the questions.
        keys: words of a question to its number.
        signatures: of the questions that are long enough.
    """

    names: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    signatures: SignatureList = field(default_factory=SignatureList)

    def add(self, name: str, question: str, *, alike: bool = True) -> None:
        """Remember a question.

        Args:
            name: of its file.
            question: all that is asked.
            alike: whether questions that are nearly the same will be looked for.
        """
        key = question_key(question)
        if key and key not in self.keys:
            self.keys[key] = number = len(self.texts)
            self.names.append(name)
            self.texts.append(question_end(question))
            if alike:
                self.signatures.add(number, question)

    def find(self, keys: Iterable[str]) -> int | None:
        """The number of the first question among these keys."""
        return min((self.keys[key] for key in keys if key in self.keys), default=None)


def known_questions(files: Iterable[QuestionFile]) -> Known:
    """All questions of these files."""
    known = Known()
    for file in files:
        for question in file.questions:
            known.add(file.name, question)
    return known


def question_files(folder: Path, *, without: Sequence[str] = ()) -> tuple[QuestionFile, ...]:
    """The question files of a folder: evaluation and certification read the same ones.

    Lines that cannot be read are passed over: whoever evaluates with the file is told of them.

    Args:
        folder: `*.jsonl` and `*.csv`; it need not be there.
        without: endings of names that are not for measuring.
    """
    if not folder.is_dir():
        return ()
    paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES and path.is_file()]
    found = [
        QuestionFile(path.name, tuple(_questions(path)))
        for path in paths
        if not path.name.endswith(tuple(without))
    ]
    return tuple(one for one in found if one.questions)


def _questions(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        text = file.read(MOST_BYTES).decode("utf-8-sig", "replace")
    rows = _csv_rows(text) if path.suffix.lower() == ".csv" else _json_rows(text)
    for row in rows:
        question = row.get("question")
        if isinstance(question, str) and question.strip() and row.get("state") != "dropped":
            yield question


def _json_rows(text: str) -> Iterator[dict[str, Any]]:
    for line in text.split("\n"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _csv_rows(text: str) -> Iterator[dict[str, Any]]:
    head = text.partition("\n")[0]
    delimiter = max((";", ",", "\t"), key=head.count)
    try:
        for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield {str(name).strip(): cell for name, cell in row.items()}
    except csv.Error:
        return
