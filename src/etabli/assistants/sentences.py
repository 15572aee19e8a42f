"""Where sentences, lines and table rows begin and end, in documents and in answers. French and English."""

import re
from dataclasses import dataclass

_ABBREVIATIONS = frozenset(
    "m mm mme mlle dr dre pr me st ste art al ex cf p pp n no vol fig ch chap env max min tel tél réf ref av bd "
    "mr mrs ms prof etc e.g i.e vs approx dept inc ltd jr sr".split()
)
_TERMINATOR = re.compile(r"[.!?…]+[»”\"')\]]*")
_LAST_WORD = re.compile(r"[\w.]+$")
_LIST_NUMBER = re.compile(r"^\s*(?:[-*•–]\s*)?\d{1,3}$")


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, a line or a table row of a document.

    Args:
        char_start: where it begins in the canonical text.
        char_end: where it ends (exclusive).
        text: the literal text of that range.
        header: position, among the units it was cut with, of the row or lead-in that explains it.
        heading: whether it is a heading over what follows.
        row: whether it is a table row (cells joined by " | ").
    """

    char_start: int
    char_end: int
    text: str
    header: int | None = None
    heading: bool = False
    row: bool = False


def is_end(text: str, end: int, *, after: int) -> bool:
    """Whether a terminator that ends at `end` in `text` closes a sentence.

    Args:
        text: the text; what follows `end` must be white space or nothing.
        end: just behind the terminator and its closing quotes.
        after: where the terminator begins.

    >>> is_end("M. Durand", 2, after=1), is_end("Il part. Elle", 8, after=7)
    (False, True)
    """
    if end < len(text) and not text[end].isspace():
        return False
    if not text.startswith(".", after) or text.startswith("..", after):
        return True
    before = text[max(0, after - 20) : after]
    word = _LAST_WORD.search(before)
    if word is not None and word.group().lower().strip(".") in _ABBREVIATIONS:
        return False
    if word is not None and len(word.group()) == 1 and word.group().isupper():
        return False
    line = text[text.rfind("\n", 0, after) + 1 : after]
    return _LIST_NUMBER.match(line) is None


def sentence_ranges(text: str) -> list[tuple[int, int]]:
    """Ranges of the sentences of one paragraph or line, without the white space around them.

    >>> text = "M. Durand part. Il revient à 9.30 ! Fin"
    >>> [text[a:b] for a, b in sentence_ranges(text)]
    ['M. Durand part.', 'Il revient à 9.30 !', 'Fin']
    """
    ranges = []
    start = 0
    for match in _TERMINATOR.finditer(text):
        if is_end(text, match.end(), after=match.start()):
            ranges.append((start, match.end()))
            start = match.end()
    ranges.append((start, len(text)))
    return [
        (a + len(text[a:b]) - len(text[a:b].lstrip()), b - (len(text[a:b]) - len(text[a:b].rstrip())))
        for a, b in ranges
        if text[a:b].strip()
    ]


def units_of(text: str, *, offset: int) -> list[Unit]:
    """Cut a passage into units.

    Args:
        text: the passage, lines as in the canonical text: one table row a line, blocks apart by blank lines.
        offset: where the passage begins in the canonical text.

    >>> [unit.text for unit in units_of("Tarifs\\n\\nLit | Prix\\nseul | 10 €\\n\\nIl part. Elle reste.", offset=7)]
    ['Tarifs', 'Lit | Prix', 'seul | 10 €', 'Il part.', 'Elle reste.']
    """
    units: list[Unit] = []
    table: int | None = None
    lead: int | None = None
    for start, end in _lines(text):
        line = text[start:end]
        row = " | " in line
        if row:
            units.append(Unit(offset + start, offset + end, line, table, row=True))
            table = len(units) - 1 if table is None else table
            continue
        table = None
        ranges = sentence_ranges(line)
        heading = len(ranges) == 1 and _looks_like_heading(line, text[end : end + 2])
        for a, b in ranges:
            header = lead if lead is not None and len(units) - lead <= 8 and len(line) <= 220 else None
            units.append(Unit(offset + start + a, offset + start + b, line[a:b], header, heading))
        if line.rstrip().endswith(":") and not heading:
            lead = len(units) - 1
        elif len(line) > 220 or heading:
            lead = None
    return units


def _lines(text: str) -> list[tuple[int, int]]:
    ranges = []
    start = 0
    for line in text.split("\n"):
        if line.strip():
            ranges.append((start, start + len(line)))
        start += len(line) + 1
    return ranges


def _looks_like_heading(line: str, following: str) -> bool:
    """A short line without an end, and a blank line after it."""
    return following == "\n\n" and len(line) <= 120 and line.rstrip()[-1] not in ".!?…;:,»"
