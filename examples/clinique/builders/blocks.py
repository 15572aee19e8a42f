"""A Markdown source with a YAML head, read into a few plain kinds of block.

Every format is rendered from these blocks, so that one source reads the same in PDF, Word or OpenDocument.
The subset: headings, paragraphs, flat lists, tables, block quotes (shown as a framed notice) and ``---``
(a page break). Inside a line: bold and italic.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from .typography import typeset


@dataclass(frozen=True)
class Run:
    """A stretch of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False


Line = tuple[Run, ...]


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is a chapter (``##`` in the source: ``#`` is never used, the title is in the head)."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    line: Line


@dataclass(frozen=True)
class Notice:
    """A framed paragraph that must not be missed."""

    line: Line


@dataclass(frozen=True)
class ItemList:
    """A flat list, numbered from one when `ordered`."""

    items: tuple[Line, ...]
    ordered: bool


@dataclass(frozen=True)
class Table:
    """A table; the first row is its head."""

    head: tuple[Line, ...]
    rows: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True)
class PageBreak:
    """What follows starts on a new page."""


Block = Heading | Paragraph | Notice | ItemList | Table | PageBreak


@dataclass(frozen=True)
class Source:
    """One document: what its head says, and its blocks."""

    title: str
    reference: str
    version: str
    owner: str
    language: str
    subtitle: str
    cover: bool
    widths: tuple[tuple[float, ...], ...]
    blocks: tuple[Block, ...]


def plain(line: Line) -> str:
    """The text of a line without its styles."""
    return "".join(run.text for run in line)


def load(path: Path) -> Source:
    """Read a Markdown source.

    Raises:
        ValueError: the file has no YAML head, or a Markdown construct outside the subset.
    """
    text = path.read_text(encoding="utf-8")
    if not text.startswith("---\n") or "\n---\n" not in text[4:]:
        raise ValueError(f"{path}: found no YAML head; start the file with '---', the fields and '---'.")
    head, body = text[4:].split("\n---\n", 1)
    fields: dict[str, Any] = yaml.safe_load(head)
    language = fields.get("language", "fr")
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    return Source(
        title=typeset(fields["title"], language=language),
        reference=fields["reference"],
        version=typeset(str(fields["version"]), language=language),
        owner=typeset(fields["owner"], language=language),
        language=language,
        subtitle=typeset(fields.get("subtitle", ""), language=language),
        cover=fields.get("cover", False),
        widths=tuple(tuple(row) for row in fields.get("widths", ())),
        blocks=tuple(_blocks(tokens, language)),
    )


def _blocks(tokens: Sequence[Token], language: str) -> Iterator[Block]:
    position = 0
    while position < len(tokens):
        token = tokens[position]
        end = _closing(tokens, position)
        inner = tokens[position + 1 : end]
        match token.type:
            case "heading_open":
                yield Heading(int(token.tag[1]) - 1, plain(_line(inner[0], language)))
            case "paragraph_open":
                yield Paragraph(_line(inner[0], language))
            case "blockquote_open":
                for inline in _inlines(inner):
                    yield Notice(_line(inline, language))
            case "bullet_list_open" | "ordered_list_open":
                items = tuple(_line(inline, language) for inline in _inlines(inner))
                yield ItemList(items, ordered=token.type == "ordered_list_open")
            case "table_open":
                yield _table(inner, language)
            case "hr":
                yield PageBreak()
            case other:
                raise ValueError(f"found '{other}' at line {token.map}; see the subset in blocks.py")
        position = end + 1


def _closing(tokens: Sequence[Token], position: int) -> int:
    depth = 0
    for index in range(position, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    raise ValueError("unbalanced Markdown tokens")


def _inlines(tokens: Sequence[Token]) -> list[Token]:
    return [token for token in tokens if token.type == "inline"]


def _table(tokens: Sequence[Token], language: str) -> Table:
    rows: list[list[Line]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_line(token, language))
    return Table(head=tuple(rows[0]), rows=tuple(tuple(row) for row in rows[1:]))


def _line(inline: Token, language: str) -> Line:
    """Typeset the whole line first, so that a style change in its middle hides nothing from the rules."""
    runs: list[Run] = []
    bold = italic = False
    for child in inline.children or ():
        match child.type:
            case "strong_open" | "strong_close":
                bold = child.type == "strong_open"
            case "em_open" | "em_close":
                italic = child.type == "em_open"
            case "text":
                runs.append(Run(child.content, bold, italic))
            case "softbreak" | "hardbreak":
                runs.append(Run(" ", bold, italic))
            case other:
                raise ValueError(f"found '{other}' inside a line; see the subset in blocks.py")
    text = "".join(run.text for run in runs)
    typeset_text = typeset(text, language=language)
    if len(typeset_text) != len(text):
        raise ValueError(f"typesetting changed the length of {text!r}")
    pieces: list[Run] = []
    start = 0
    for run in runs:
        end = start + len(run.text)
        if end > start:
            pieces.append(Run(typeset_text[start:end], run.bold, run.italic))
        start = end
    return tuple(pieces)
