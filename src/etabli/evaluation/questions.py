"""Question files: what is asked of an assistant, and what a right answer holds. JSON lines, or CSV of a spreadsheet.

The fields are those that certification reads (`certification.probes.reading`), so that one file serves both. A file
is read whole or not at all: a line that cannot be used is an error that names it. Knows nothing of assistants.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from etabli.assistants.claims import fold
from etabli.certification.base import Language
from etabli.certification.probes.base import Question
from etabli.certification.probes.reading import QuestionRow, question_of
from etabli.errors import InvalidInputError
from etabli.messages import tr

MOST_BYTES = 20 << 20
LIST_SEPARATOR = "|"
"""Between the entries of a list in a cell of a CSV file."""
_LISTS = frozenset({"keywords", "also"})
_SUFFIXES = (".jsonl", ".csv")
_SHOWN = 60
_TRUE = frozenset("true yes oui vrai 1".split())
_FALSE = frozenset("false no non faux 0".split())
T = TypeVar("T")
_EXAMPLE = '{"question": "…", "language": "fr", "source": "rh/guide.pdf", "quote": "…", "keywords": ["10 €"]}'


@dataclass(frozen=True, slots=True)
class Item:
    """One question of an evaluation.

    Args:
        key: names the question and what is expected of it: equal in two runs where both asked the same.
        id: as its author calls it; the key where they do not.
        question: what is asked, and what a right answer holds.
    """

    key: str
    id: str
    question: Question

    @property
    def documents(self) -> tuple[str, ...]:
        """Names of the documents that hold the answer."""
        return tuple(name for name in (self.question.document, *self.question.also) if name)


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """What one evaluation asks.

    Args:
        name: of the file.
        items: in its order.
        left_out: how many were not taken: for other people, or about what needs character recognition.
    """

    name: str
    items: tuple[Item, ...]
    left_out: int = 0

    @property
    def digest(self) -> str:
        """Over the keys, in order."""
        return hashlib.sha256("\n".join(item.key for item in self.items).encode()).hexdigest()

    def spread(self, limit: int | None) -> "QuestionSet":
        """At most `limit` of them, at equal distances."""
        return QuestionSet(self.name, tuple(spread(self.items, limit)), self.left_out)


def spread(values: Sequence[T], limit: int | None) -> list[T]:
    """`limit` of the values at equal distances; all where there are fewer, or without a limit.

    >>> spread([0, 1, 2, 3, 4, 5], 3)
    [0, 2, 4]
    """
    if limit is None or limit >= len(values):
        return list(values)
    return [values[index * len(values) // limit] for index in range(limit)]


def read_question_file(path: Path, *, audiences: Sequence[str] = ("all",)) -> QuestionSet:
    """The questions of a file, for these audiences.

    Args:
        path: `.jsonl` (one JSON object a line) or `.csv` (a line of field names first; `;`, `,` or tabs between the
            cells; `|` between the entries of a list), UTF-8, at most 20 MB.
        audiences: whose questions are taken; those that need character recognition never are.

    Raises:
        InvalidInputError: the file, or a line of it, cannot be used; the message names the line, what was found and
            what is allowed.
    """
    text = _text_of(path)
    numbered = _csv_rows(path, text) if path.suffix.lower() == ".csv" else _json_rows(path, text)
    rows = [(number, checked_row(path, number, value)) for number, value in numbered]
    items = make_items(path, rows, audiences=audiences)
    if not rows:
        raise InvalidInputError(
            tr("{path} holds no question. Write one JSON object a line, such as {example}",
               path=path, example=_EXAMPLE)
        )  # fmt: skip
    return QuestionSet(path.name, items, len(rows) - len(items))


def make_items(
    path: Path, rows: Sequence[tuple[int, QuestionRow]], *, audiences: Sequence[str]
) -> tuple[Item, ...]:
    """Items of rows with their line numbers.

    Raises:
        InvalidInputError: two lines ask the same.
    """
    lines: dict[str, int] = {}
    items = []
    for number, row in rows:
        item = item_of(row)
        if item.key in lines:
            raise InvalidInputError(
                tr("{path}, line {line}: this asks the same as line {other}. Remove one of them.",
                   path=path, line=number, other=lines[item.key])
            )  # fmt: skip
        lines[item.key] = number
        if row.audience in audiences and not row.needs_ocr:
            items.append(item)
    return tuple(items)


def item_of(row: QuestionRow) -> Item:
    """One question with its key."""
    question = replace(question_of(row), question=row.question.strip())
    key = key_of(question)
    return Item(key, row.id or key, question)


def key_of(question: Question) -> str:
    """The same for the same question of which the same is expected, on every machine; 12 hexadecimal digits."""
    expected = [
        fold(question.question), question.language, question.answerable, sorted(question.keywords), question.document,
        sorted(question.also),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(expected, ensure_ascii=False).encode()).hexdigest()[:12]


def checked_row(path: Path, number: int, value: Any, kind: type[QuestionRow] = QuestionRow) -> QuestionRow:
    """A row of a file as what `kind` allows.

    Raises:
        InvalidInputError: it is not; the message names the line, what was found and what is allowed.
    """
    try:
        row = kind.model_validate(value)
    except ValidationError as error:
        raise InvalidInputError(_fault(path, number, kind, error)) from None
    if row.answerable and not (row.keywords or row.source):
        raise InvalidInputError(
            tr("{path}, line {line}: nothing can be checked in the answer. Add keywords that any right answer holds, "
               "or the document that holds it (source), or set answerable to false.", path=path, line=number)
        )  # fmt: skip
    return row


def _text_of(path: Path) -> str:
    if path.suffix.lower() not in _SUFFIXES:
        raise InvalidInputError(
            tr("{path} is no question file: its name ends in {found}. Allowed are {allowed}.",
               path=path, found=path.suffix or "–", allowed=", ".join(_SUFFIXES))
        )  # fmt: skip
    try:
        data = path.read_bytes()
        if len(data) > MOST_BYTES:
            raise InvalidInputError(
                tr("{path} is larger than 20 MB. Split it into several question files.", path=path)
            )
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInputError(
            tr("{path} is not in UTF-8. Save it again as UTF-8 (in a spreadsheet: “CSV UTF-8”).", path=path)
        ) from None
    except OSError as error:
        raise InvalidInputError(
            tr(
                "{path} cannot be read as a question file: {reason}.",
                path=path,
                reason=error.strerror or error,
            )
        ) from None


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise InvalidInputError(_no_object(path, number, line))
        yield number, value


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    head = text.split("\n", 1)[0]
    delimiter = max((";", ",", "\t"), key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        unknown = next((name for name in names if name not in QuestionRow.model_fields), None)
        if unknown is not None:
            raise InvalidInputError(_unknown_field(path, 1, unknown, QuestionRow))
        begins = reader.line_num + 1
        for cells in reader:
            number, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(names):
                raise InvalidInputError(
                    tr("{path}, line {line}: {found} cells, but the first line names {allowed} fields. Put cells "
                       "that hold the separator in quotes.",
                       path=path, line=number, found=len(cells), allowed=len(names))
                )  # fmt: skip
            given = zip(names, (cell.strip() for cell in cells), strict=False)
            yield number, {name: _cell(name, cell) for name, cell in given if cell}
    except csv.Error as error:
        raise InvalidInputError(
            tr("{path}, line {line}: this is no CSV ({reason}). Save it again from the spreadsheet.",
               path=path, line=reader.line_num, reason=error)
        ) from None  # fmt: skip


def _cell(name: str, cell: str) -> Any:
    if name in _LISTS:
        return [part.strip() for part in cell.split(LIST_SEPARATOR) if part.strip()]
    if name in ("answerable", "needs_ocr") and cell.lower() in _TRUE | _FALSE:
        return cell.lower() in _TRUE
    return cell


def _fault(path: Path, number: int, kind: type[QuestionRow], error: ValidationError) -> str:
    first = error.errors()[0]
    if not first["loc"]:
        return _no_object(path, number, first["input"])
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return _unknown_field(path, number, name, kind)
    if first["type"] == "missing":
        return tr("{path}, line {line}: {field} is missing; allowed is {allowed}.",
                  path=path, line=number, field=name, allowed=_allowed(name))  # fmt: skip
    return tr("{path}, line {line}: {field} is {found}; allowed is {allowed}.",
              path=path, line=number, field=name, found=_shown(first["input"]), allowed=_allowed(name))  # fmt: skip


def _no_object(path: Path, number: int, line: Any) -> str:
    return tr("{path}, line {line}: {found} is no JSON object. Write one a line, such as {example}",
              path=path, line=number, found=_shown(line), example=_EXAMPLE)  # fmt: skip


def _unknown_field(path: Path, number: int, name: str, kind: type[QuestionRow]) -> str:
    return tr("{path}, line {line}: there is no field {field}. Allowed are {allowed}.",
              path=path, line=number, field=_shown(name), allowed=", ".join(kind.model_fields))  # fmt: skip


def _allowed(name: str) -> str:
    """What a field may hold, for people."""
    if name == "language":
        return tr("fr or en")
    if name in ("answerable", "needs_ocr", "found"):
        return tr("true or false")
    if name in _LISTS:
        return tr("a list of texts")
    if name == "page":
        return tr("a whole number")
    if name == "state":
        return tr("proposed, kept or dropped")
    return tr("a text of 1 to 4,000 characters") if name == "question" else tr("a text")


def _shown(value: Any) -> str:
    """A value as the file has it, on one line and short."""
    text = value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return f"“{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}”"


def audiences_of(groups: Sequence[str]) -> tuple[str, ...]:
    """Whose questions an assistant for these groups is asked.

    >>> audiences_of(["group:everyone", "group:doctors"])
    ('all', 'everyone', 'doctors')
    """
    return ("all", *(name.removeprefix("group:") for name in groups))


def languages_of(items: Sequence[Item]) -> tuple[Language, ...]:
    """The languages that are asked in, the most frequent first."""
    counts: dict[Language, int] = {}
    for item in items:
        counts[item.question.language] = counts.get(item.question.language, 0) + 1
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))
