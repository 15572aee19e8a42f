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
_MIN_WRAP, _MAX_WRAP = 40, 130


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
    width = _wrap_width(lines)
    group: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            group.append(line)
        elif group:
            _add_group(builder, group, width)
            group = []


def _wrap_width(lines: Sequence[str]) -> int:
    """The width at which a program broke the lines, 0 when none did; the longest few may be addresses."""
    lengths = sorted((len(line.rstrip()) for line in lines if line.strip()), reverse=True)
    width = lengths[min(len(lengths) - 1, max(1, len(lengths) // 50))] if lengths else 0
    return width if _MIN_WRAP <= width <= _MAX_WRAP else 0


def _add_group(builder: DocumentBuilder, group: Sequence[str], width: int) -> None:
    """One stretch between blank lines."""
    if len(group) >= 2 and _UNDERLINE.match(group[1]) and len(group[0].strip()) <= _MAX_HEADING:
        builder.add("heading", group[0], level=1 if group[1].strip()[0] in "=#*" else 2)
        if len(group) > 2:
            _add_group(builder, group[2:], width)
        return
    if len(group) >= 2 and _is_capitals(group[0]):
        builder.add("heading", group[0], level=1)
        _add_group(builder, group[1:], width)
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
            _flush(builder, paragraph, item, item_level, width)
            item_level = 1 + min(4, len(match["indent"].expandtabs(4)) // 2)
            item.append((match["number"] or "") + line[match.end() :])
        elif _UNDERLINE.match(line):
            _flush(builder, paragraph, item, item_level, width)
        elif item and line[:1] in " \t":
            item.append(line)
        elif item:
            _flush(builder, paragraph, item, item_level, width)
            paragraph.append(line)
        else:
            paragraph.append(line)
    _flush(builder, paragraph, item, item_level, width)


def _flush(builder: DocumentBuilder, paragraph: list[str], item: list[str], level: int, width: int) -> None:
    if paragraph:
        builder.add("paragraph", _rejoin(paragraph, width))
        paragraph.clear()
    if item:
        builder.add("list_item", _rejoin(item, width), level=level)
        item.clear()


def _rejoin(lines: Sequence[str], width: int) -> str:
    """Lines broken at a width become one; a line that had room for the next word was ended on purpose."""
    text = lines[0].strip()
    for before, line in zip(lines, lines[1:], strict=False):
        stripped = line.strip()
        one_word, drop = joins_word(text, stripped)
        if one_word and width:
            text = (text[:-1] if drop else text) + stripped
        elif len(before.rstrip()) + 1 + len(stripped.split()[0]) > width > 0:
            text += " " + stripped
        else:
            text += "\n" + stripped
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
    return 1 if _is_capitals(line) else 0


def _is_capitals(line: str) -> bool:
    letters = [character for character in line if character.isalpha()]
    return len(letters) >= 4 and line.isupper() and len(line) <= _MAX_HEADING
