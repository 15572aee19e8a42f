"""Files of the field's formats, turned into a file that training reads. Lines that cannot be are told, never dropped.

A file may be JSON lines, or one JSON list as Alpaca and ShareGPT are published.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

from etabli.errors import InvalidInputError
from etabli.messages import retold, tr
from etabli.training.base import Method
from etabli.training.data.conversion import NotConvertible, convert
from etabli.training.data.findings import JSON, Fault, Finding, shown
from etabli.training.data.formats import FORMATS, METHOD_OF, Format, format_among, format_label, format_of
from etabli.training.data.lines import LONGEST_LINE, open_source, read_lines
from etabli.training.data.parsing import parse
from etabli.training.data.writing import written_at_once

MOST_DOCUMENT_BYTES = 512 << 20
"""Of a file that is one JSON value, which is read whole."""
_SAMPLED = 50


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is not in the result.

    Args:
        line: of the file; in a JSON list the place of the row, from 1.
        reason: for people.
    """

    line: int
    reason: str


@dataclass
class Conversion:
    """What came of a conversion.

    Args:
        source: the format that was read.
        method: what the result is for.
        rows: written.
        skipped: not written.
    """

    source: Format
    method: Method
    rows: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    def to_json(self) -> JSON:
        """For programs."""
        return {
            "format": self.source,
            "method": self.method,
            "rows": self.rows,
            "skipped": [{"line": one.line, "reason": retold(one.reason)} for one in self.skipped],
        }


def convert_file(path: Path, out: Path, *, source: Format | None = None) -> Conversion:
    """Convert a file; `out` is replaced at the end or not at all.

    Args:
        path: of the rows.
        out: JSON lines that training reads.
        source: the format; else what most of the first rows have.

    Raises:
        InvalidInputError: it cannot be read, its format is not known, or no row of it can be converted.
    """
    if out.resolve() == path.resolve():
        raise InvalidInputError(
            tr("{path} is the file to convert. Name another one for the result.", path=path)
        )
    rows = iter(_rows(path))
    sample = list(islice(rows, _SAMPLED))
    found = source or _format_of([row for _, row in sample if isinstance(row, dict)])
    if found is None or found == "text":
        raise InvalidInputError(_unknown(path, sample, found))
    result = Conversion(found, METHOD_OF[found])
    with written_at_once(out) as file:
        for line in _converted(chain(sample, rows), result):
            file.write(line + b"\n")
        if not result.rows:
            first = result.skipped[0]
            raise InvalidInputError(
                tr("{path}: no row could be converted from {format}. Line {line}: {reason}.",
                   path=path, format=format_label(found), line=first.line, reason=first.reason)
            )  # fmt: skip
    return result


def _format_of(rows: Sequence[JSON]) -> Format | None:
    """That of most rows; where one of OpenAI's calls tools as Mistral's do, all are read as Mistral's."""
    found = format_among(rows)
    return "mistral" if found == "openai" and any(format_of(row) == "mistral" for row in rows) else found


def _converted(rows: Iterator[tuple[int, Any]], result: Conversion) -> Iterator[bytes]:
    for number, row in rows:
        try:
            if isinstance(row, Fault):
                raise NotConvertible(Finding(row.rule, "", number, params=row.params).told().found)
            own = format_of(row)
            if own is not None and METHOD_OF[own] != result.method:
                raise NotConvertible(tr("a row of another kind: {format}", format=format_label(own)))
            line = json.dumps(convert(row, result.source), ensure_ascii=False).encode()
        except NotConvertible as error:
            result.skipped.append(Skipped(number, error.args[0]))
            continue
        except UnicodeEncodeError:
            result.skipped.append(Skipped(number, tr("half of a character, which cannot be written")))
            continue
        result.rows += 1
        yield line


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Rows with their numbers: objects, or the fault of what is none."""
    source = open_source(path)
    document = _document(path, source.size, source.encoding)
    if document is not None:
        for number, row in enumerate(document, start=1):
            yield (
                number,
                row if isinstance(row, dict) else Fault("data_type", {"found": shown(row), "type": "–"}),
            )
        return
    for line in read_lines(source):
        if line.too_long:
            yield line.number, Fault("line_too_long", {"most": LONGEST_LINE})
        elif line.data.strip():
            yield line.number, parse(line.data)


def _document(path: Path, size: int, encoding: str) -> Sequence[Any] | None:
    """The rows of a file that is one JSON list; None where it is JSON lines."""
    with path.open("rb") as file:
        head = file.read(4096).decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    if not head.startswith("["):
        return None
    if size > MOST_DOCUMENT_BYTES:
        raise InvalidInputError(
            tr("{path} is one JSON list of more than {most} bytes. Split it, or write one object a line.",
               path=path, most=MOST_DOCUMENT_BYTES)
        )  # fmt: skip
    try:
        value = json.loads(path.read_text(encoding=encoding))
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            tr("{path} begins like a JSON list and is none: {reason}. Mend it, or write one object a line.",
               path=path, reason=shown(str(error)))
        ) from None  # fmt: skip
    return value if isinstance(value, list) else None


def _unknown(path: Path, sample: Sequence[tuple[int, Any]], found: Format | None) -> str:
    if found == "text":
        return tr("{path} holds {format}: there is no answer to learn from. Write conversations.",
                  path=path, format=format_label(found))  # fmt: skip
    keys = Counter(key for _, row in sample if isinstance(row, dict) for key in row)
    told = ", ".join(shown(key, most=30) for key, _ in keys.most_common(8)) or "–"
    return tr("{path} has a format that is not known; its keys are: {keys}. Known are {known}; name one with --from.",
              path=path, keys=told, known=", ".join(FORMATS))  # fmt: skip
