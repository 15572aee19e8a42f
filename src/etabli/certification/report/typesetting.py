"""Fonts, colours and the small parts of which the PDF is set. What is not ours is always escaped."""

import io
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, Table, TableStyle

SANS, BOLD, MONO = "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"
INK, MUTED, LINE, SOFT, ACCENT = "#1d2125", "#5b636b", "#e4e1da", "#f4f2ee", "#17605a"
GOOD, WEAK, BAD = "#1c6b43", "#8a5a00", "#a3312a"
MARKS = {"passed": GOOD, "failed": BAD, "inconclusive": WEAK, "awaiting": WEAK}
VERDICTS = {"CERTIFIED": GOOD, "CONDITIONAL": WEAK, "REFUSED": BAD, "INCONCLUSIVE": MUTED}
MARGIN = 18 * mm
WIDTH = A4[0] - 2 * MARGIN
_BOX = "□"


@cache
def register_fonts() -> None:
    """Make the fonts known to the typesetter, once."""
    folder = resources.files("etabli.conversations") / "fonts"
    for name in (SANS, BOLD, MONO):
        pdfmetrics.registerFont(TTFont(name, io.BytesIO((folder / f"{name}.ttf").read_bytes())))
    pdfmetrics.registerFontFamily(SANS, normal=SANS, bold=BOLD, italic=SANS, boldItalic=BOLD)


def escaped(text: str) -> str:
    """Text that is no markup, with a box for what the font lacks. Lines would break at narrow spaces."""
    glyphs = pdfmetrics.getFont(SANS).face.charToGlyph
    text = text.replace("\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}")
    return escape("".join(one if ord(one) in glyphs else " " if one.isspace() else _BOX for one in text))


def text(words: str, name: str = "body", **changes: Any) -> Paragraph:
    """A paragraph of text that is no markup."""
    return Paragraph(escaped(words), style(name, **changes))


def bullets(lines: Sequence[str], name: str = "bullet") -> list[Flowable]:
    """One paragraph a line, each with a dot before it."""
    return [Paragraph(escaped(line), style(name), bulletText="•") for line in lines]


def style(name: str, **changes: Any) -> ParagraphStyle:
    """A style of the report, with some of its values changed."""
    return _style(name, tuple(sorted(changes.items())))


@cache
def _style(name: str, changes: tuple[tuple[str, Any], ...]) -> ParagraphStyle:
    base: dict[str, Any] = {
        "fontName": SANS, "fontSize": 8.6, "leading": 12, "textColor": colors.HexColor(INK), "spaceAfter": 2.5,
        "splitLongWords": True,
    }  # fmt: skip
    kinds: dict[str, dict[str, Any]] = {
        "title": {"fontName": BOLD, "fontSize": 17, "leading": 21, "spaceAfter": 1},
        "h1": {"fontName": BOLD, "fontSize": 14, "leading": 18, "spaceAfter": 5},
        "h2": {"fontName": BOLD, "fontSize": 9.6, "leading": 12, "spaceBefore": 7, "spaceAfter": 3,
               "textColor": colors.HexColor(ACCENT), "keepWithNext": True},
        "lead": {"fontSize": 9.6, "leading": 13.6},
        "muted": {"fontSize": 7.6, "leading": 10.4, "textColor": colors.HexColor(MUTED)},
        "bullet": {"leftIndent": 9, "bulletIndent": 1, "spaceAfter": 1.5},
        "cell": {"fontSize": 7.4, "leading": 9.8, "spaceAfter": 0},
        "note": {"fontSize": 6.6, "leading": 8.6, "spaceAfter": 0, "textColor": colors.HexColor(MUTED)},
        "end": {"fontSize": 7.4, "leading": 9.8, "spaceAfter": 0, "alignment": 2},
        "head": {"fontName": BOLD, "fontSize": 6.2, "leading": 8.2, "spaceAfter": 0,
                 "textColor": colors.HexColor(MUTED)},
        "head_end": {"fontName": BOLD, "fontSize": 5.9, "leading": 7.6, "spaceAfter": 0, "alignment": 2,
                     "textColor": colors.HexColor(MUTED)},
        "mono": {"fontName": MONO, "fontSize": 6.8, "leading": 9.2, "spaceAfter": 0},
        "command": {"fontName": MONO, "fontSize": 7.4, "leading": 10, "backColor": colors.HexColor(SOFT),
                    "borderPadding": 4, "spaceBefore": 4, "spaceAfter": 7},
    }  # fmt: skip
    return ParagraphStyle(name, **{**base, **kinds.get(name, {}), **dict(changes)})


def ruled(rows: Sequence[Sequence[Any]], widths: Sequence[float | str], *, head: bool = True) -> Table:
    """A table with thin lines between its rows; its head stands again on every page."""
    table = Table([list(row) for row in rows], colWidths=list(widths), repeatRows=int(head), splitInRow=1)
    commands: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor(LINE)),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 2.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
    ]
    if head:
        commands.append(("BACKGROUND", (0, 0), (-1, 0), colors.HexColor(SOFT)))
    table.setStyle(TableStyle(commands))
    return table


class Seal(Flowable):  # type: ignore[misc]
    """The seal: a ring, and in it what the verdict is."""

    def __init__(self, verdict: str, size: float = 19 * mm) -> None:
        super().__init__()
        self.verdict, self.size = verdict, size

    def wrap(self, *_: float) -> tuple[float, float]:
        """Its size, whatever room there is."""
        return self.size, self.size

    def draw(self) -> None:
        """Draw it."""
        canvas, middle = self.canv, self.size / 2
        canvas.setStrokeColor(colors.HexColor(VERDICTS[self.verdict]))
        canvas.setFillColor(colors.HexColor(VERDICTS[self.verdict]))
        canvas.setLineWidth(1.1)
        canvas.circle(middle, middle, middle - 1, stroke=1, fill=0)
        canvas.circle(middle, middle, middle - 4, stroke=0, fill=1)
        canvas.setStrokeColor(colors.white)
        canvas.setLineWidth(2.6)
        canvas.setLineCap(1)
        canvas.setLineJoin(1)
        unit = self.size / 19
        for start, *others in VERDICT_SIGNS[self.verdict]:
            path = canvas.beginPath()
            path.moveTo(start[0] * unit, start[1] * unit)
            for x, y in others:
                path.lineTo(x * unit, y * unit)
            canvas.drawPath(path, stroke=1, fill=0)


_TICK = ((5.6, 9.4), (8.4, 6.6), (13.6, 12.4))
VERDICT_SIGNS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "CERTIFIED": (_TICK,),
    "CONDITIONAL": (((9.5, 13.4), (9.5, 8.6)), ((9.5, 5.6), (9.5, 5.5))),
    "REFUSED": (((6.3, 6.3), (12.7, 12.7)), ((6.3, 12.7), (12.7, 6.3))),
    "INCONCLUSIVE": (((6, 9.5), (13, 9.5)),),
}
"""What stands in the seal: lines on a square of 19, from its lower left corner."""


def counted_canvas(foot: Callable[[Canvas, int, int], None]) -> type[Canvas]:
    """A canvas that knows, when it writes the foot of a page, how many pages there are."""

    class Counted(Canvas):  # type: ignore[misc]
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._kept: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for page, kept in enumerate(self._kept, 1):
                self.__dict__.update(kept)
                foot(self, page, len(self._kept))
                super().showPage()
            super().save()

    return Counted
