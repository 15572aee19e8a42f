"""Running headers, running footers and page numbers: found by place and repetition, then dropped."""

import re
from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from etabli.knowledge.readers.pdf_page import Line, Page

_SHARE = 0.6
_ZONE = 0.15
_NUMBER_ZONE = 0.1
_SAME_PLACE = 6.0
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(?:page|p\.)?\s*(?:\d{1,4}|[ivxl]{1,6})(?:\s*(?:/|sur|of|de)\s*\d{1,4})?[-–—\s]*", re.I
)


def drop_furniture(pages: Sequence[Page]) -> None:
    """Remove what is at the same place on more than 60 % of pages with the same text modulo digits.

    Left and right pages are also judged apart, since books alternate. Page numbers go wherever they stand
    alone in the outer margin.
    """
    doomed: set[int] = set()
    groups = [list(pages)]
    if len(pages) >= 6:
        groups += [list(pages[0::2]), list(pages[1::2])]
    for group in groups:
        doomed |= _repeated(group)
    for page in pages:
        page.lines = [line for line in page.lines if id(line) not in doomed and not _is_number(line, page)]


def _repeated(pages: Sequence[Page]) -> set[int]:
    if len(pages) < 2:
        return set()
    zone = _ZONE if len(pages) > 2 else _NUMBER_ZONE
    places: dict[str, list[tuple[int, Line]]] = defaultdict(list)
    for page in pages:
        top, bottom = zone * page.height, (1 - zone) * page.height
        for line in page.lines:
            if line.y1 < top or line.y0 > bottom:
                places[_DIGITS.sub("#", line.text)].append((page.number, line))
    doomed: set[int] = set()
    for found in places.values():
        if len(found) < 2:
            continue
        for top_half in (True, False):
            lines = [(n, line) for n, line in found if (line.y0 < 300) == top_half]
            if not lines:
                continue
            middle = median(line.y0 for _, line in lines)
            near = [(n, line) for n, line in lines if abs(line.y0 - middle) < _SAME_PLACE]
            needed = max(2, _SHARE * len(pages))
            if len({n for n, _ in near}) >= needed:
                doomed |= {id(line) for _, line in near}
    return doomed


def _is_number(line: Line, page: Page) -> bool:
    outer = line.y1 < _NUMBER_ZONE * page.height or line.y0 > (1 - _NUMBER_ZONE) * page.height
    return outer and bool(_PAGE_NUMBER.fullmatch(line.text)) and bool(line.text.strip())
