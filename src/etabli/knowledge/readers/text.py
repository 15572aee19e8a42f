"""Plain text: paragraphs at blank lines, headings by underlines, numbers and capitals, lists by their marks."""

import re
from collections.abc import Sequence

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.building import DocumentBuilder, joins_word
from etabli.knowledge.readers.encoding import decode
from etabli.knowledge.readers.limits import ReaderLimits

_UNDERLINE = re.compile(r"\s*([=\-~*_#])\1{2,}\s*$")
_BULLET = re.compile(r"(?P<indent>\s*)(?:[-*•–—‣▪◦]\s+|(?P<number>\(?\d{1,2}[.)]\s+|\(?[a-z][.)]\s+))(?=\S)")
_NUMBERED = re.compile(r"(?P<number>\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+(?=[^\W\d_])")
_NAMED = re.compile(
    r"(?:article|chapitre|titre|section|annexe|partie|chapter|appendix)\s+(?:[IVXLC]+\b|\d+|premier|[A-Z]\b)",
    re.I,
)
_MAX_HEADING = 100
_WRAPPED_WIDTH = 50


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read a text file.

    Raises:
        DocumentError: `unsupported` when the bytes are no text, `empty`, `too_large`.
    """
    text = decode(data)
    if text is None:
        raise refusals.unsupported()
    builder = DocumentBuilder(limits)
    add_text(builder, text)
    return builder.finish("text/plain")


def add_text(builder: DocumentBuilder, text: str) -> None:
    """Add plain text as blocks."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n\n").split("\n")
    group: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            group.append(line)
        elif group:
            _add_group(builder, group)
            group = []


def _add_group(builder: DocumentBuilder, group: Sequence[str]) -> None:
    """One stretch between blank lines."""
    if len(group) >= 2 and _UNDERLINE.match(group[1]) and len(group[0].strip()) <= _MAX_HEADING:
        builder.add("heading", group[0], level=1 if group[1].strip()[0] in "=#*" else 2)
        if len(group) > 2:
            _add_group(builder, group[2:])
        return
    if len(group) == 1:
        level = _heading_level(group[0].strip())
        if level:
            builder.add("heading", group[0].strip().lstrip("#").strip(), level=level)
            return
    paragraph: list[str] = []
    item: list[str] = []
    item_level = 1
    for line in group:
        match = _BULLET.match(line)
        if match is not None:
            _flush(builder, paragraph, item, item_level)
            item_level = 1 + min(4, len(match["indent"].expandtabs(4)) // 2)
            item.append((match["number"] or "") + line[match.end() :])
        elif _UNDERLINE.match(line):
            _flush(builder, paragraph, item, item_level)
        elif item and line[:1] in " \t":
            item.append(line)
        elif item:
            _flush(builder, paragraph, item, item_level)
            paragraph.append(line)
        else:
            paragraph.append(line)
    _flush(builder, paragraph, item, item_level)


def _flush(builder: DocumentBuilder, paragraph: list[str], item: list[str], level: int) -> None:
    if paragraph:
        builder.add("paragraph", _rejoin(paragraph))
        paragraph.clear()
    if item:
        builder.add("list_item", _rejoin(item), level=level)
        item.clear()


def _rejoin(lines: Sequence[str]) -> str:
    """Lines wrapped at a width become one; short lines, as in an address, stay lines."""
    stripped = [line.strip() for line in lines]
    wrapped = len(stripped) > 1 and sum(map(len, stripped[:-1])) / (len(stripped) - 1) >= _WRAPPED_WIDTH
    if not wrapped:
        return "\n".join(stripped)
    text = stripped[0]
    for line in stripped[1:]:
        one_word, drop = joins_word(text, line)
        text = (text[:-1] if drop else text) + ("" if one_word else " ") + line
    return text


def _heading_level(line: str) -> int:
    """Level of a line that stands alone, 0 when it is no heading."""
    if len(line) > _MAX_HEADING or line.endswith((".", ",", ";", "!", "?")):
        return 0
    marks = re.match(r"(#{1,6})\s+\S", line)
    if marks:
        return len(marks[1])
    numbered = _NUMBERED.match(line)
    if numbered:
        return min(6, 1 + numbered["number"].count("."))
    if _NAMED.match(line):
        return 2
    letters = [character for character in line if character.isalpha()]
    return 1 if len(letters) >= 4 and line.isupper() else 0
