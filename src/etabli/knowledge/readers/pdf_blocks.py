"""Lines in reading order to headings, paragraphs, list items and tables."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from etabli.knowledge.readers.building import DocumentBuilder, Fragment
from etabli.knowledge.readers.pdf_order import Unit
from etabli.knowledge.readers.pdf_page import Line
from etabli.knowledge.readers.pdf_tables import Table

BULLET = re.compile("[_•‣▪▫◦●○■□◆◇➢➤✓✔∙·\uf0b7\uf0a7\uf0d8\uf02d\uf0fc*–—-]\\s*(?=\\S)")
_SPACED_BULLET = re.compile("[_*–—-]\\S")
NUMBERED_ITEM = re.compile(r"(?:\(?\d{1,2}[.)]|\(?[a-zA-Z][.)]|\d{1,2}°)\s+(?=\S)")
HEADING_NUMBER = re.compile(
    r"(?:(?P<digits>\d{1,2}(?:\.\d{1,2}){0,4})\.?|(?P<roman>[IVX]{1,5})\s?[.)–—-]|(?P<letter>[A-Z])\s?[.)–—-])\s+(?=\S)"
)
NAMED_HEADING = re.compile(
    r"(?:article|art\.|chapitre|titre|section|annexe|partie|préambule|chapter|appendix)"
    r"\s+(?:[IVXLC]+\b|\d+|premier|unique|[A-Z]\b)",
    re.I,
)
_LEADER = re.compile(r"(?:\s?[.…]){4,}\s*[\divxl]{0,5}$")
_SENTENCE_END = re.compile(r"[.!?:;…]['\"»”)\]]*\s*$")
_NOT_HEADING_END = (".", ",", ";")
_MAX_HEADING = 160


@dataclass(slots=True)
class Typography:
    """What is ordinary in a document: body size and weight, distance between lines."""

    size: float
    bold: bool
    step: float
    styles: list[tuple[float, bool]]


def typography(units: Iterable[Unit]) -> Typography:
    """Measure a document: the body is the style that most characters have."""
    lines = [unit for unit in units if isinstance(unit, Line)]
    weight: Counter[tuple[float, bool]] = Counter()
    steps = []
    for above, below in zip([None, *lines], lines, strict=False):
        weight[_style(below)] += len(below.text)
        if above is not None and above.page == below.page and above.size == below.size:
            step = (below.middle - above.middle) / max(below.size, 1.0)
            if 0.8 < step < 2.5:
                steps.append(step)
    size, bold = weight.most_common(1)[0][0] if weight else (10.0, False)
    styles = sorted((style for style in weight if _stands_out(style, size, bold)), reverse=True)
    return Typography(size, bold, median(steps) if steps else 1.25, styles)


def _style(line: Line) -> tuple[float, bool]:
    return round(line.size * 2) / 2, line.bold


def _stands_out(style: tuple[float, bool], size: float, bold: bool) -> bool:
    return style[0] >= 1.12 * size or (style[1] and not bold and style[0] >= 0.95 * size)


class BlockMaker:
    """Groups lines into blocks and gives them to a builder.

    Args:
        builder: takes the blocks.
        look: the document's typography.
        outline: levels from 1 of the titles in the PDF's outline, by their text as `outline_key` gives it.
    """

    def __init__(self, builder: DocumentBuilder, look: Typography, outline: Mapping[str, int]) -> None:
        self._builder = builder
        self._look = look
        self._outline = outline
        self._group: list[Line] = []

    def add(self, units: Iterable[Unit]) -> None:
        """Take the next page's lines and tables."""
        for unit in units:
            if isinstance(unit, Table):
                self.flush()
                self._builder.add_fragment_table(
                    [[[fragment(line) for line in cell] for cell in row] for row in unit.rows]
                )
                continue
            if self._group and self._breaks(self._group, unit):
                self.flush()
            self._group.append(unit)

    def flush(self) -> None:
        """End the block under way."""
        if not self._group:
            return
        lines, self._group = self._group, []
        level = self._heading_level(lines)
        if level:
            self._builder.add_fragments("heading", [fragment(line) for line in lines], level=level)
            return
        marker = _bullet(lines[0].text)
        if marker is not None:
            first = fragment(lines[0], skip=marker)
            rest = [fragment(line) for line in lines[1:]]
            self._builder.add_fragments("list_item", [first, *rest] if first.text else rest, level=1)
        elif NUMBERED_ITEM.match(lines[0].text):
            self._builder.add_fragments("list_item", [fragment(line) for line in lines], level=1)
        else:
            self._builder.add_fragments("paragraph", [fragment(line) for line in lines])

    def _breaks(self, group: Sequence[Line], line: Line) -> bool:
        """Whether a line begins another block than the group under way."""
        last = group[-1]
        size = max(last.size, line.size, 1.0)
        if last.paragraph != line.paragraph and last.page == line.page:
            return True
        if abs(last.size - line.size) > 0.25 * size:
            return not (len(last.text) < 4 or len(line.text) < 4)
        if _starts_item(line.text) and not (last.broken and last.page == line.page):
            return True
        runs_on = last.broken or (not _SENTENCE_END.search(last.text) and line.text[:1].islower())
        if abs(last.size - line.size) > 0.08 * size and not runs_on:
            return not (len(last.text) < 4 or len(line.text) < 4)
        if _LEADER.search(last.text):
            return True
        if last.page != line.page or line.middle < last.middle - 2 * size:
            # The top of the next column or page.
            return not (runs_on and not self._is_display(group))
        if abs(line.middle - last.middle) < 0.45 * size:
            return False
        step = (line.middle - last.middle) / size
        if step > max(1.25 * self._look.step, self._look.step + 0.2):
            return True
        if last.bold != line.bold and all(item.bold == last.bold for item in group) and not runs_on:
            return True
        return self._ends_paragraph(group, line, runs_on)

    @staticmethod
    def _ends_paragraph(group: Sequence[Line], line: Line, runs_on: bool) -> bool:
        """First-line indents, and last lines that stop short."""
        last, first = group[-1], group[0]
        if runs_on:
            return False
        ended = bool(_SENTENCE_END.search(last.text))
        left = min(item.x0 for item in group)
        right = max(max(item.x1 for item in group), line.x1)
        if ended and _starts_item(first.text) and line.x0 < first.x0 + 2 and len(group) > 1:
            return min(item.x0 for item in group[1:]) > first.x0 + 2
        if ended and not _starts_item(first.text) and line.x0 > left + 0.8 * line.size:
            return True
        return ended and last.x1 < left + 0.75 * (right - left) and line.text[:1].isupper()

    def _is_display(self, lines: Sequence[Line]) -> bool:
        return all(_stands_out(_style(line), self._look.size, self._look.bold) for line in lines)

    def _heading_level(self, lines: Sequence[Line]) -> int:
        """Level of the heading that the lines make, 0 when they are none."""
        text = " ".join(line.text for line in lines)
        if len(text) > _MAX_HEADING or sum(character.isalpha() for character in text) < 2:
            return 0
        known = self._outline.get(outline_key(text))
        if _LEADER.search(text):
            return 0
        if known is not None and len(lines) <= 3:
            return min(6, known)
        if len(lines) > 3 or text.endswith(_NOT_HEADING_END):
            return 0
        if self._is_display(lines) and _bullet(text) is None and not (text[:1].islower() and len(lines) == 1):
            return self._style_level(lines[0], text)
        if len(lines) == 1 and len(text) <= 90 and not text.endswith((":", "!", "?")):
            if NAMED_HEADING.match(text) and not re.search(r"\b(?:du|de la|des) (?:code|loi)\b", text):
                return min(6, len(self._look.styles) + 1)
            letters = [character for character in text if character.isalpha()]
            if len(letters) >= 6 and text.isupper() and " " in text:
                return min(6, len(self._look.styles) + 1)
        return 0

    def _style_level(self, line: Line, text: str) -> int:
        style = _style(line)
        level = 1 + sum(other > style for other in self._look.styles)
        number = HEADING_NUMBER.match(text)
        if number is not None and number["digits"]:
            level += number["digits"].count(".") if not style[0] >= 1.12 * self._look.size else 0
        return min(6, level)


def outline_key(text: str) -> str:
    """The text of a title without what an outline and a page write differently: case, spaces, numbers."""
    text = HEADING_NUMBER.sub("", text.strip(), count=1)
    return re.sub(r"[\W_]+", "", text).casefold()


def fragment(line: Line, *, skip: int = 0) -> Fragment:
    """A line as the builder takes it, without its first `skip` characters."""
    return Fragment(line.text[skip:], line.page, line.x0, line.y0, line.x1, line.y1)


def _bullet(text: str) -> int | None:
    """Length of the bullet that a line begins with, None when there is none."""
    match = BULLET.match(text)
    if match is None or (_SPACED_BULLET.match(text) and match.end() == 1):
        return 1 if len(text) == 1 and BULLET.match(text + "x") else None
    return match.end()


def _starts_item(text: str) -> bool:
    return _bullet(text) is not None or NUMBERED_ITEM.match(text) is not None
