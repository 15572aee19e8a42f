"""Putting blocks one after the other into the canonical text, by the rules written in `blocks.py`.

Every reader gives its text to a `DocumentBuilder`; none computes a character range itself.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace

from etabli.knowledge.blocks import Block, Box, Kind, ParsedDocument
from etabli.knowledge.language import detect
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.limits import ReaderLimits

CELL_SEPARATOR = " | "

# Printable Latin text, the usual case, is left alone; everything else goes through `_normalise`.
_PLAIN = re.compile("[ -~\n\u00a0-\u00ac\u00ae-\u02ff\u2010-\u2027\u202f\u2030-\u205e\u20ac]*")
_SPACES = re.compile(r"[ \t]+")
_LEADERS = re.compile(r"(?:\s?\.){6,}\s*")
_AROUND_NEWLINE = re.compile(r"[ \t]*\n[ \t]*")
_NEWLINES = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")

# Characters that show nothing and would only hide text from people or break words: soft hyphen, zero-width
# space and joiners used as such, byte order mark, directional controls, tag characters.
_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF]
    + list(range(0x202A, 0x202F))
    + list(range(0x2061, 0x2070))
    + list(range(0xE0000, 0xE0080))
    + [code for code in range(0xA0) if unicodedata.category(chr(code)) == "Cc" and code not in (9, 10)]
)
_INVISIBLE_BUT_TAB = {**_INVISIBLE, 9: " "}

_LINE_END_HYPHEN = re.compile("([^\\W\\d_]+)[-\u2010\u00ad]$")
_LOWER_START = re.compile(r"([^\W\d_]+)")
# Words that keep their hyphen when a line ends on it (peut-être, dit-il, celui-ci, sous-traitant).
_KEEPS_HYPHEN_BEFORE = frozenset(
    "être ce ci là je tu il elle on nous vous ils elles moi toi lui leur y en même mêmes dire vis uns unes "
    "clé clés verbal verbaux midi circuit".split()
)
_KEEPS_HYPHEN_AFTER = frozenset(
    "non demi semi mi sous vice ex au ci là avant après arrière contre quasi peut grand rendez mot plus "
    "est sont sera soit fut doit faut t celui celle ceux celles lui eux moi nous vous non-".split()
)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of text and, where the format has pages, its box: points from the top-left corner."""

    text: str
    page: int | None = None
    x0: float = 0.0
    y0: float = 0.0
    x1: float = 0.0
    y1: float = 0.0


def clean(text: str, *, keep_spaces: bool = False) -> str:
    """Text by the rules of the canonical text: NFC, no invisible or control character but newline.

    Args:
        text: anything.
        keep_spaces: keep runs of spaces and indentation (code).

    >>> clean("a\u0300  b\\x00\\t c\u00ad")
    'à b c'
    """
    if not _PLAIN.fullmatch(text):
        text = _NEWLINES.sub("\n", text)
        if keep_spaces:
            text = text.replace("\t", "    ")
        text = text.translate(_INVISIBLE_BUT_TAB)
        text = text.encode("utf-8", "replace").decode("utf-8")
        text = unicodedata.normalize("NFC", text)
    if keep_spaces:
        return text.strip("\n").rstrip()
    if "  " in text:
        text = _SPACES.sub(" ", text)
    if "......" in text or ". . . ." in text:
        text = _LEADERS.sub(" … ", text)
    if "\n" in text:
        text = _AROUND_NEWLINE.sub("\n", text)
    return text.strip()


def one_line(text: str) -> str:
    """Clean text without newlines, as in a heading or a cell."""
    text = clean(text)
    return " ".join(text.split("\n")) if "\n" in text else text


def joins_word(left: str, right: str, hyphenated: Set[str] = frozenset()) -> tuple[bool, bool]:
    """Whether a line end splits a word, and whether the hyphen belongs to the word.

    Args:
        left: the line that ends.
        right: the line that follows.
        hyphenated: lower-case words seen elsewhere in the document with their hyphen.

    Returns:
        (the two are one word, its hyphen is dropped).

    >>> joins_word("le règle-", "ment"), joins_word("peut-", "être"), joins_word("fin.", "Le")
    ((True, True), (True, False), (False, False))
    """
    before = _LINE_END_HYPHEN.search(left)
    after = _LOWER_START.match(right)
    if before is None or after is None:
        return False, False
    head, tail = before[1].lower(), after[1]
    if not tail[0].islower() or unicodedata.combining(right[0]):
        # « Saint-Denis », « Île-de-France »: one word, its own hyphen.
        return bool(tail[0].isupper() and before[1][0].isupper()), False
    if f"{head}-{tail}" in hyphenated or tail in _KEEPS_HYPHEN_BEFORE or head in _KEEPS_HYPHEN_AFTER:
        return True, False
    chained = before.start() > 0 and left[before.start() - 1] in "-\u2010"
    return True, not chained


class DocumentBuilder:
    """Collects blocks in reading order and gives the document.

    Args:
        limits: bounds; passing `max_text_chars` raises `DocumentError`.
        hyphenated: lower-case words known to be written with a hyphen.
    """

    def __init__(self, limits: ReaderLimits, *, hyphenated: Set[str] = frozenset()) -> None:
        self.limits = limits
        self.hyphenated = hyphenated
        self.notes: list[str] = []
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0

    def __len__(self) -> int:
        return len(self._blocks)

    def add(self, kind: Kind, text: str, *, level: int = 0, page: int | None = None) -> None:
        """Append one block; text that is empty once cleaned adds nothing."""
        text = one_line(text) if kind == "heading" else clean(text, keep_spaces=kind == "code")
        if kind != "code":
            text = re.sub(r"\n{2,}", "\n", text)
        self._append(kind, text, level=level, page=page)

    def add_fragments(
        self, kind: Kind, fragments: Sequence[Fragment], *, level: int = 0, separator: str = " "
    ) -> None:
        """Append one block made of lines with their places, joining words broken at line ends."""
        text, spans = self._join(fragments, separator)
        page = next((fragment.page for fragment in fragments), None)
        self._append(kind, text, level=level, page=page, boxes=self._boxes(fragments, spans))

    def add_table(self, rows: Iterable[Iterable[str]], *, page: int | None = None) -> None:
        """Append a table; empty rows and empty columns at its right end are dropped."""
        cells = [[one_line(cell) for cell in row] for row in rows]
        cells = [row for row in cells if any(row)]
        width = max((i + 1 for row in cells for i, cell in enumerate(row) if cell), default=0)
        table = tuple(tuple((row + [""] * width)[:width]) for row in cells)
        self._append("table", "\n".join(map(_row_text, table)), page=page, cells=table)

    def add_fragment_table(self, rows: Sequence[Sequence[Sequence[Fragment]]]) -> None:
        """Append a table whose cells are made of lines with their places."""
        text, position = [], 0
        boxes: list[Box] = []
        table: list[tuple[str, ...]] = []
        for row in rows:
            cells = []
            for column, fragments in enumerate(row):
                cell, spans = self._join(fragments, " ")
                position += len(CELL_SEPARATOR) if column else 0
                boxes += [
                    replace(box, char_start=box.char_start + position, char_end=box.char_end + position)
                    for box in self._boxes(fragments, spans)
                ]
                position += len(cell)
                cells.append(cell)
            table.append(tuple(cells))
            text.append(_row_text(cells))
            position += 1
        if not any(any(row) for row in table):
            return
        page = next((f.page for row in rows for cell in row for f in cell), None)
        self._append("table", "\n".join(text), page=page, boxes=tuple(boxes), cells=tuple(table))

    def extend(self, document: ParsedDocument) -> None:
        """Append the blocks of another document, without places: the pages are not this document's."""
        for block in document.blocks:
            text = document.text[block.char_start : block.char_end]
            self._append(block.kind, text, level=block.level, cells=block.cells)

    def finish(
        self, media_type: str, *, title: str | None = None, page_count: int | None = None
    ) -> ParsedDocument:
        """The document.

        Raises:
            DocumentError: no block was added.
        """
        if not self._blocks:
            raise refusals.no_text()
        text = "\n\n".join(self._parts)
        title = one_line(title or "")[:300] or self._first_heading()
        return ParsedDocument(
            text=text,
            blocks=tuple(self._blocks),
            media_type=media_type,
            title=title,
            language=detect(text[:20_000]) or "fr",
            page_count=page_count,
            notes=tuple(self.notes),
        )

    def _append(
        self,
        kind: Kind,
        text: str,
        *,
        level: int = 0,
        page: int | None = None,
        boxes: tuple[Box, ...] = (),
        cells: tuple[tuple[str, ...], ...] = (),
    ) -> None:
        if not text:
            return
        start = self._length + (2 if self._parts else 0)
        end = start + len(text)
        if end > self.limits.max_text_chars:
            raise refusals.too_much_text(self.limits.max_text_chars)
        moved = tuple(
            Box(b.page, b.x0, b.y0, b.x1, b.y1, b.char_start + start, b.char_end + start) for b in boxes
        )
        self._parts.append(text)
        self._length = end
        self._blocks.append(Block(kind, start, end, level=level, page=page, boxes=moved, cells=cells))

    def _join(self, fragments: Sequence[Fragment], separator: str) -> tuple[str, list[tuple[int, int]]]:
        """One text out of lines, and the range of each line in it."""
        pieces: list[str] = []
        spans: list[tuple[int, int]] = []
        length = 0
        last = ""
        for fragment in fragments:
            text = one_line(fragment.text)
            if text and last:
                one_word, drop_hyphen = joins_word(last, text, self.hyphenated)
                if drop_hyphen and len(last) > 1:
                    pieces[-1] = pieces[-1][:-1]
                    length -= 1
                    start, _ = spans[-1]
                    spans[-1] = (start, length)
                if not one_word:
                    pieces.append(separator)
                    length += len(separator)
            spans.append((length, length + len(text)))
            if text:
                pieces.append(text)
                length += len(text)
                last = text
        return "".join(pieces), spans

    @staticmethod
    def _boxes(fragments: Sequence[Fragment], spans: Sequence[tuple[int, int]]) -> tuple[Box, ...]:
        return tuple(
            Box(f.page, f.x0, f.y0, f.x1, f.y1, start, end)
            for f, (start, end) in zip(fragments, spans, strict=True)
            if f.page is not None and end > start
        )

    def _first_heading(self) -> str | None:
        for block, text in zip(self._blocks[:20], self._parts[:20], strict=True):
            if block.kind == "heading":
                return text[:300]
        return None


def _row_text(cells: Iterable[str]) -> str:
    return CELL_SEPARATOR.join(cells)
