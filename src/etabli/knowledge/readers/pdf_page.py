"""One PDF page as lines with boxes, ruling lines and images, straight from PDFium.

PDFium gives the text of a page in one call, with a line break where its own line ends. Boxes and fonts are
then asked once a line; characters are looked at one by one only where a line hides a gap (table cells,
columns). Coordinates leave this module as points from the top-left corner of the page as it is displayed.
"""

import ctypes
import math
import re
from dataclasses import dataclass, field
from functools import lru_cache

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from etabli.knowledge.readers.pdf_rules import Region, Rule, find_regions

LINE_END_HYPHEN = "\ufffe"
"""What PDFium puts in place of a hyphen that ends a line; it gives no line break there."""

_BOLD_NAME = re.compile(r"bold|black|heavy|semibold|demi|(?:^|[-,])bd", re.I)
_LINE = re.compile(f"[^\r\n{LINE_END_HYPHEN}]+{LINE_END_HYPHEN}?")
_LABEL = re.compile(r"(?:[^\w\s(]|\(?\w{1,4}[.)]|[\d.]{2,8}|[IVX]+\s?[.–—-])$")
_FORCE_BOLD = 1 << 18
_CELL_GAP_EM = 1.6
_BAND_GAP_EM = 0.8
_LABEL_GAP_EM = 5.0
_MAX_OBJECTS = 20_000
_MAX_PATHS = 2_500


@dataclass(slots=True)
class Line:
    """A line of text, or the part of it before a wide gap.

    `size` is the font's height in points; `broken` says that a word goes on in the next line; `paragraph` is
    the number that OCR gave to its paragraph, else 0.
    """

    text: str
    page: int
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    bold: bool
    broken: bool = False
    vertical: bool = False
    paragraph: int = 0

    @property
    def middle(self) -> float:
        """Height of its middle."""
        return (self.y0 + self.y1) / 2


@dataclass(slots=True)
class Page:
    """What is on a page, in the order in which it was drawn.

    `image_share` is the part of the page under the largest image, from 0 to 1.
    """

    number: int
    width: float
    height: float
    lines: list[Line] = field(default_factory=list)
    horizontal: list[Rule] = field(default_factory=list)
    vertical: list[Rule] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    image_share: float = 0.0

    @property
    def text(self) -> str:
        """All its words, for the quality gate."""
        return "\n".join(line.text for line in self.lines)


class _Geometry:
    """From PDF user space to points from the displayed top-left corner."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        left, bottom, right, top = page.get_bbox()
        self.left, self.bottom, self.right, self.top = left, bottom, right, top
        self.rotation = raw.FPDFPage_GetRotation(page.raw)
        width, height = right - left, top - bottom
        self.width, self.height = (height, width) if self.rotation % 2 else (width, height)

    def place(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """A box (any two opposite corners) to (x0, y0, x1, y1) with y downwards."""
        if x1 < x0:
            x0, x1 = x1, x0
        if y1 < y0:
            y0, y1 = y1, y0
        if self.rotation == 0:
            return x0 - self.left, self.top - y1, x1 - self.left, self.top - y0
        if self.rotation == 1:
            return y0 - self.bottom, x0 - self.left, y1 - self.bottom, x1 - self.left
        if self.rotation == 2:
            return self.right - x1, y0 - self.bottom, self.right - x0, y1 - self.bottom
        return self.top - y1, self.right - x1, self.top - y0, self.right - x0


class _TextProbe:
    """The per-page calls to PDFium's text interface, with their out-parameters made once."""

    def __init__(self, textpage: pdfium.PdfTextPage, geometry: _Geometry) -> None:
        self._raw = textpage.raw
        self._geometry = geometry
        self._values = [ctypes.c_double() for _ in range(4)]
        self._refs = [ctypes.byref(value) for value in self._values]
        self._matrix = raw.FS_MATRIX()
        self._matrix_ref = ctypes.byref(self._matrix)
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()
        self._flags_ref = ctypes.byref(self._flags)

    def text(self) -> str:
        """The whole text, `\\r\\n` between lines."""
        count = raw.FPDFText_CountChars(self._raw)
        if count <= 0:
            return ""
        buffer = (ctypes.c_ushort * (2 * count + 2))()
        written = raw.FPDFText_GetText(self._raw, 0, count, buffer)
        return bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "replace")

    def char_index(self, text_index: int) -> int:
        """PDFium's own index of a character, which also counts those without text."""
        return int(raw.FPDFText_GetCharIndexFromTextIndex(self._raw, text_index))

    def rectangles(self, start: int, count: int) -> list[tuple[float, float, float, float]]:
        """Boxes of a range of characters, one a run of text."""
        left, top, right, bottom = self._values
        boxes = []
        for index in range(raw.FPDFText_CountRects(self._raw, start, count)):
            raw.FPDFText_GetRect(self._raw, index, *self._refs)
            boxes.append(self._geometry.place(left.value, top.value, right.value, bottom.value))
        return boxes

    def char_box(self, index: int) -> tuple[float, float, float, float] | None:
        """The box of one character, None for those that PDFium made up (spaces)."""
        left, right, bottom, top = self._values
        if not raw.FPDFText_GetCharBox(self._raw, index, *self._refs):
            return None
        if left.value == right.value and top.value == bottom.value:
            return None
        return self._geometry.place(left.value, top.value, right.value, bottom.value)

    def font(self, index: int) -> tuple[float, bool]:
        """Displayed size in points and boldness at a character."""
        size = raw.FPDFText_GetFontSize(self._raw, index)
        if raw.FPDFText_GetMatrix(self._raw, index, self._matrix_ref):
            matrix = self._matrix
            size *= math.hypot(matrix.c, matrix.d) or 1.0
        length = raw.FPDFText_GetFontInfo(self._raw, index, self._name, 128, self._flags_ref)
        heavy = raw.FPDFText_GetFontWeight(self._raw, index) >= 600 or bool(self._flags.value & _FORCE_BOLD)
        return size, heavy or (0 < length <= 128 and _is_bold_name(self._name.value))


@lru_cache(maxsize=4096)
def _is_bold_name(name: bytes) -> bool:
    return _BOLD_NAME.search(name.decode("latin-1")) is not None


def read_page(page: pdfium.PdfPage, number: int) -> Page:
    """Read one page.

    Args:
        page: an open page.
        number: its number from 1.
    """
    geometry = _Geometry(page)
    content = Page(number, geometry.width, geometry.height)
    _read_objects(page, geometry, content)
    textpage = page.get_textpage()
    try:
        _read_lines(_TextProbe(textpage, geometry), content)
    finally:
        textpage.close()
    return content


def _read_lines(probe: _TextProbe, content: Page) -> None:
    text = probe.text()
    count = raw.FPDFText_CountChars(probe._raw)
    exact = len(text) == count
    for match in _LINE.finditer(text):
        line = match[0]
        stripped = line.strip()
        if not stripped or stripped == LINE_END_HYPHEN:
            continue
        start = match.start() + len(line) - len(line.lstrip())
        index = start if exact else probe.char_index(start)
        if index < 0:
            continue
        boxes = probe.rectangles(index, len(stripped))
        if not boxes:
            continue
        size, bold = probe.font(index)
        if len(boxes) > 1:
            # The last character has the size of the text (the first may be a bullet), and a line is only
            # bold when it ends bold.
            last = start + len(stripped) - 1 - stripped.endswith(LINE_END_HYPHEN)
            size, ends_bold = probe.font(last if exact else max(index, probe.char_index(last)))
            bold = bold and ends_bold
        if _must_split(boxes, size, content):
            pieces = _split(probe, stripped, start, exact, size, content)
        else:
            x0, y0 = min(box[0] for box in boxes), min(box[1] for box in boxes)
            x1, y1 = max(box[2] for box in boxes), max(box[3] for box in boxes)
            pieces = [(stripped, x0, y0, x1, y1)]
        for piece, x0, y0, x1, y1 in pieces:
            broken = piece.endswith(LINE_END_HYPHEN)
            tall = len(piece) > 3 and y1 - y0 > 3 * max(size, 1.0) and y1 - y0 > 2 * (x1 - x0)
            shown = piece[:-1] + "-" if broken else piece
            content.lines.append(
                Line(
                    shown,
                    content.number,
                    round(x0, 2),
                    round(y0, 2),
                    round(x1, 2),
                    round(y1, 2),
                    round(size, 1),
                    bold,
                    broken,
                    tall,
                )
            )


def _must_split(boxes: list[tuple[float, float, float, float]], size: float, content: Page) -> bool:
    """Whether a line has a gap as wide as between cells, or a ruling line through it."""
    gap = _cell_gap(boxes[0], size, content)
    for before, after in zip(boxes, boxes[1:], strict=False):
        if after[0] - before[2] > gap or after[2] < before[0] or after[1] > before[3] or after[3] < before[1]:
            return True
    if not content.vertical:
        return False
    x0, x1 = boxes[0][0], boxes[-1][2]
    middle = (boxes[0][1] + boxes[0][3]) / 2
    return any(x0 + 2 < rule.x0 < x1 - 2 and rule.y0 <= middle <= rule.y1 for rule in content.vertical)


def _cell_gap(box: tuple[float, float, float, float], size: float, content: Page) -> float:
    """The distance between parts of a line that belong to different cells: less between ruling lines."""
    middle = (box[1] + box[3]) / 2
    banded = any(region.holds(box[0], middle) for region in content.regions)
    return (_BAND_GAP_EM if banded else _CELL_GAP_EM) * max(size, 4.0)


def _split(
    probe: _TextProbe, text: str, start: int, exact: bool, size: float, content: Page
) -> list[tuple[str, float, float, float, float]]:
    """Cut a line where characters stand apart or a ruling line passes between them."""
    gap = 0.0
    pieces: list[tuple[str, float, float, float, float]] = []
    begin = 0
    box: tuple[float, float, float, float] | None = None
    for offset, character in enumerate(text):
        if character.isspace():
            continue
        index = start + offset if exact else probe.char_index(start + offset)
        found = probe.char_box(index)
        if found is None:
            continue
        if box is None:
            box = found
            gap = _cell_gap(found, size, content)
            continue
        distance = found[0] - box[2]
        apart = distance > gap or found[2] < box[0] or found[1] > box[3] + size or found[3] < box[1] - size
        if distance > gap and not pieces and _LABEL.fullmatch(text[begin:offset].strip()):
            apart = distance > _LABEL_GAP_EM * max(size, 4.0)
        if not apart and distance > 1 and content.vertical:
            middle = (found[1] + found[3]) / 2
            apart = any(
                box[2] - 1 <= rule.x0 <= found[0] + 1 and rule.y0 <= middle <= rule.y1
                for rule in content.vertical
            )
        if apart:
            pieces.append((text[begin:offset].strip(), *box))
            begin, box = offset, found
        else:
            box = min(box[0], found[0]), min(box[1], found[1]), max(box[2], found[2]), max(box[3], found[3])
    if box is not None:
        pieces.append((text[begin:].strip(), *box))
    return [piece for piece in pieces if piece[0]]


def _read_objects(page: pdfium.PdfPage, geometry: _Geometry, content: Page) -> None:
    """Ruling lines and the share of the page under an image."""
    values = [ctypes.c_float() for _ in range(4)]
    refs = [ctypes.byref(value) for value in values]
    area = max(1.0, geometry.width * geometry.height)
    paths = 0
    for index in range(min(raw.FPDFPage_CountObjects(page.raw), _MAX_OBJECTS)):
        thing = raw.FPDFPage_GetObject(page.raw, index)
        kind = raw.FPDFPageObj_GetType(thing)
        if kind == raw.FPDF_PAGEOBJ_TEXT or not raw.FPDFPageObj_GetBounds(thing, *refs):
            continue
        left, bottom, right, top = (value.value for value in values)
        box = geometry.place(left, bottom, right, top)
        width, height = box[2] - box[0], box[3] - box[1]
        if kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_FORM):
            content.image_share = max(content.image_share, min(1.0, width * height / area))
        elif kind == raw.FPDF_PAGEOBJ_PATH and width * height < 0.9 * area:
            paths += 1
            _add_rules(content, box, width, height, thing)
    if paths > _MAX_PATHS:
        # A drawing, not a table: its lines would cost more than they tell.
        content.horizontal.clear()
        content.vertical.clear()
    content.regions = find_regions(content.horizontal, content.vertical)


def _add_rules(
    content: Page, box: tuple[float, float, float, float], width: float, height: float, thing: object
) -> None:
    x0, y0, x1, y1 = box
    if height <= 3 and width >= 12:
        middle = (y0 + y1) / 2
        content.horizontal.append(Rule(x0, middle, x1, middle))
    elif width <= 3 and height >= 6:
        middle = (x0 + x1) / 2
        content.vertical.append(Rule(middle, y0, middle, y1))
    elif width > 12 and height > 6 and raw.FPDFPath_CountSegments(thing) <= 6:
        content.horizontal += [Rule(x0, y0, x1, y0), Rule(x0, y1, x1, y1)]
        content.vertical += [Rule(x0, y0, x0, y1), Rule(x1, y0, x1, y1)]
