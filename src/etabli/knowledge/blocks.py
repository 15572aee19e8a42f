"""What reading a document gives: one canonical text, and blocks that are ranges in it.

The canonical text is stored once. A chunk, a citation and a highlight are character ranges in it, so that a
quote can always be shown literally and at its place on the page. Knows no file format and no storage.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "paragraph", "list_item", "table", "code"]


@dataclass(frozen=True, slots=True)
class Box:
    """One line of text on a page.

    `x0, y0, x1, y1` are in points (1/72 inch) from the top-left corner of the page; `page` counts from 1;
    `char_start:char_end` is the line's range in the canonical text.
    """

    page: int
    x0: float
    y0: float
    x1: float
    y1: float
    char_start: int
    char_end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A structural unit: a heading, a paragraph, a list item, a table, code.

    Args:
        kind: what it is.
        char_start: where it begins in the canonical text.
        char_end: where it ends (exclusive); `text[char_start:char_end]` is the block.
        level: 1–6 for headings, nesting from 1 for list items, else 0.
        page: page, slide or sheet number from 1; None where the format has none.
        boxes: its lines on the page, where the format has pages.
        cells: rows of a table, header first; the canonical text has one row a line, cells joined by " | ".
    """

    kind: Kind
    char_start: int
    char_end: int
    level: int = 0
    page: int | None = None
    boxes: tuple[Box, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """One document as text.

    Args:
        text: the canonical text: blocks separated by blank lines, Unicode NFC, soft hyphens dropped, words
            broken at line ends joined, no control character but newline.
        blocks: in reading order, not overlapping.
        media_type: as detected from the content, for example `application/pdf`.
        title: the document's own title, when it says one.
        language: `fr` or `en`, by its words.
        page_count: pages, slides or sheets; None where the format has none.
        notes: sentences for people about what was left out (for example pages without text).
    """

    text: str
    blocks: tuple[Block, ...]
    media_type: str
    title: str | None = None
    language: str = "fr"
    page_count: int | None = None
    notes: tuple[str, ...] = ()
