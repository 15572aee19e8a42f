"""From a parsed document to chunks: retrievable passages that are ranges of its canonical text.

A chunk never crosses a heading of level 1 or 2, ends at a block's end where it can (a long block is cut between
lines or sentences), does not overlap the next, and carries its breadcrumb: the document's title and the trail of
headings above it, plus the header row where it begins inside a table. The breadcrumb is indexed with the chunk
and never cited. Sizes follow what was measured on French administrative text (`benchmarks/retrieval.py`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from etabli.knowledge.blocks import Block, ParsedDocument

TARGET_CHARS = 1400
"""A chunk is closed before it would pass this size; about 350 tokens of French."""
_SECTION_LEVEL = 2
_SMALLEST_CUT = 400
_SENTENCE_END = re.compile(r"(?<=[.!?;:…»])\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One retrievable passage: `text[char_start:char_end]` of the version's canonical text.

    Args:
        ordinal: its place in the document, from 0.
        char_start: where it begins.
        char_end: where it ends (exclusive).
        page: the page, slide or sheet it begins on, from 1; None where the format has none.
        breadcrumb: what stands above it, " > " between the steps.
    """

    ordinal: int
    char_start: int
    char_end: int
    page: int | None
    breadcrumb: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block, or a part of one that is too long."""

    start: int
    end: int
    page: int | None
    trail: tuple[str, ...]
    closes: bool
    glued: bool


def chunk(document: ParsedDocument, *, title: str, target_chars: int = TARGET_CHARS) -> list[Chunk]:
    """Cut a document into chunks.

    Args:
        document: what a reader gave.
        title: its name in breadcrumbs.
        target_chars: size that a chunk should not pass.
    """
    groups: list[list[_Piece]] = []
    current: list[_Piece] = []
    for piece in _pieces(document, target_chars):
        if current and (piece.closes or piece.end - current[0].start > target_chars):
            kept = len(current)
            while kept and current[kept - 1].glued:
                kept -= 1
            if kept:
                groups.append(current[:kept])
                current = current[kept:]
        current.append(piece)
    if current:
        groups.append(current)
    return [_chunk(ordinal, pieces, title) for ordinal, pieces in enumerate(groups)]


def _chunk(ordinal: int, pieces: list[_Piece], title: str) -> Chunk:
    """The chunk that these pieces make together."""
    first = pieces[0]
    breadcrumb = " > ".join(step for step in (title, *first.trail) if step)
    return Chunk(ordinal, first.start, pieces[-1].end, first.page, breadcrumb)


def _pieces(document: ParsedDocument, target_chars: int) -> Iterator[_Piece]:
    """The document's blocks, long ones cut, each with the headings above it.

    A piece `closes` what came before it (a section heading) or is `glued` to what follows (a heading, the
    lead-in of a list), so that neither ends a chunk.
    """
    trail: list[tuple[int, str]] = []
    blocks = document.blocks
    for index, block in enumerate(blocks):
        text = document.text[block.char_start : block.char_end]
        if block.kind == "heading":
            above = tuple(step for level, step in trail if level < block.level)
            trail = [(level, step) for level, step in trail if level < block.level]
            trail.append((block.level, _one_line(text)))
            closes = block.level <= _SECTION_LEVEL
            yield _Piece(block.char_start, block.char_end, block.page, above, closes, True)
            continue
        steps = tuple(step for _, step in trail)
        following = blocks[index + 1].kind if index + 1 < len(blocks) else None
        lead_in = following in ("list_item", "table") and text.rstrip().endswith(":") and len(text) < 300
        yield from _cut(block, text, steps, target_chars, lead_in)


def _cut(
    block: Block, text: str, trail: tuple[str, ...], target_chars: int, lead_in: bool
) -> Iterator[_Piece]:
    """A block in pieces of at most `target_chars`; later pieces of a table name its header in their trail."""
    start = 0
    while len(text) - start > target_chars:
        end = _cut_position(text, start, start + target_chars)
        yield _Piece(block.char_start + start, block.char_start + end, block.page, trail, False, False)
        start = end
        while start < len(text) and text[start].isspace():
            start += 1
        if block.cells and len(trail) < 8:
            header = " | ".join(block.cells[0])
            trail = trail if trail and trail[-1] == header else (*trail, header)
    if start < len(text):
        yield _Piece(block.char_start + start, block.char_end, block.page, trail, False, lead_in)


def _cut_position(text: str, start: int, limit: int) -> int:
    """The best place to cut `text` before `limit`: after a line, a sentence, a word, or there."""
    line = text.rfind("\n", start + _SMALLEST_CUT, limit)
    if line > 0:
        return line
    ends = [match.start() for match in _SENTENCE_END.finditer(text, start + _SMALLEST_CUT, limit)]
    if ends:
        return ends[-1]
    space = text.rfind(" ", start + 1, limit)
    return space if space > 0 else limit


def _one_line(text: str) -> str:
    return " ".join(text.split())
