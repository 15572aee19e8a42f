"""Blocks to PDF: cover, contents, running head and foot, outline.

The fonts are the fourteen that every PDF reader has; WinAnsi covers French, with œ and €. Page streams are left
uncompressed for the same reason as in `archive`.
"""

import io
from collections.abc import Sequence
from xml.sax.saxutils import escape

from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    HRFlowable,
    KeepTogether,
    ListFlowable,
    ListItem,
    NextPageTemplate,
    PageTemplate,
    Spacer,
)
from reportlab.platypus import PageBreak as PdfPageBreak
from reportlab.platypus import Paragraph as PdfParagraph
from reportlab.platypus import Table as PdfTable
from reportlab.platypus.tableofcontents import TableOfContents

from . import palette
from .blocks import Block, Heading, ItemList, Line, Notice, PageBreak, Paragraph, Source, Table

rl_config.useA85 = 0

DARK = HexColor("#" + palette.DARK)
ACCENT = HexColor("#" + palette.ACCENT)
LIGHT = HexColor("#" + palette.LIGHT)
GREY = HexColor("#" + palette.GREY)

MARGIN = 22 * mm
WIDTH = A4[0] - 2 * MARGIN
HEADING_NEEDS = 36 * mm
WHOLE_TABLE_ROWS = 9

BODY = ParagraphStyle(
    "body", fontName="Helvetica", fontSize=10.5, leading=15.2, spaceAfter=6, alignment=TA_LEFT
)
ITEM = ParagraphStyle("item", parent=BODY, spaceAfter=2.5)
CELL = ParagraphStyle("cell", parent=BODY, fontSize=9.3, leading=12, spaceAfter=0)
CELL_HEAD = ParagraphStyle("cell-head", parent=CELL, fontName="Helvetica-Bold", textColor=HexColor("#FFFFFF"))
SMALL = ParagraphStyle("small", parent=BODY, fontSize=9, leading=12.5, textColor=GREY)
TITLE = ParagraphStyle(
    "title", fontName="Helvetica-Bold", fontSize=23, leading=28, textColor=DARK, spaceAfter=4
)
SUBTITLE = ParagraphStyle(
    "subtitle", fontName="Helvetica", fontSize=13, leading=18, textColor=GREY, spaceAfter=8
)
HEADINGS = (
    ParagraphStyle("h1", fontName="Helvetica-Bold", fontSize=15, leading=19, textColor=DARK, spaceBefore=14,
                   spaceAfter=6, keepWithNext=1),
    ParagraphStyle("h2", fontName="Helvetica-Bold", fontSize=12, leading=15.5, textColor=DARK, spaceBefore=9,
                   spaceAfter=4, keepWithNext=1),
    ParagraphStyle("h3", fontName="Helvetica-BoldOblique", fontSize=10.8, leading=14, textColor=GREY,
                   spaceBefore=6, spaceAfter=3, keepWithNext=1),
)  # fmt: skip


class _PagedCanvas(Canvas):  # type: ignore[misc]
    """Draws the running head and foot once the number of pages is known."""

    source: Source

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._pages: list[dict[str, object]] = []

    def showPage(self) -> None:
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            if not (self.source.cover and number == 1):
                self._running(number, len(self._pages))
            super().showPage()
        super().save()

    def _running(self, number: int, total: int) -> None:
        source = self.source
        top, bottom = A4[1] - 13 * mm, 12 * mm
        self.saveState()
        self.setFont("Helvetica", 8)
        self.setFillColor(GREY)
        self.drawString(MARGIN, top, f"{palette.CLINIC} – {source.title}")
        self.drawRightString(A4[0] - MARGIN, top, source.reference)
        self.drawString(MARGIN, bottom, f"{palette.FICTION[source.language]} – {source.version}")
        page_of = palette.PAGE_OF[source.language].format(page=number, total=total)
        self.drawRightString(A4[0] - MARGIN, bottom, page_of)
        self.setStrokeColor(ACCENT)
        self.setLineWidth(0.8)
        self.line(MARGIN, top - 2.5 * mm, A4[0] - MARGIN, top - 2.5 * mm)
        self.restoreState()


class _Document(BaseDocTemplate):  # type: ignore[misc]
    """Puts every heading in the outline and, where there is one, in the table of contents."""

    def afterFlowable(self, flowable: Flowable) -> None:
        level = getattr(flowable, "outline_level", None)
        if level is None:
            return
        text = flowable.getPlainText()
        key = f"heading-{self.seq.nextf('heading')}"
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(text, key, level=level, closed=level > 0)
        if level == 0:
            self.notify("TOCEntry", (0, text, self.page, key))

    def beforeDocument(self) -> None:
        self.seq.reset("heading")


def render(source: Source) -> bytes:
    """The PDF of a source."""
    buffer = io.BytesIO()
    document = _Document(
        buffer,
        pagesize=A4,
        title=source.title,
        author=palette.CLINIC,
        subject=palette.FICTION[source.language],
        lang=source.language,
        invariant=1,
        pageCompression=0,
    )
    frame = Frame(MARGIN, 20 * mm, WIDTH, A4[1] - 42 * mm, 0, 0, 0, 0)
    document.addPageTemplates(
        [
            PageTemplate("plain", [frame]),
            PageTemplate("cover", [frame], onPage=_draw_cover),
        ]
    )
    story: list[Flowable] = [*_opening(source), *_story(source)]
    canvas_class = type("Canvas", (_PagedCanvas,), {"source": source})
    if source.cover:
        document.pageTemplates.reverse()
    document.multiBuild(story, canvasmaker=canvas_class)
    return buffer.getvalue()


def _draw_cover(canvas: Canvas, document: BaseDocTemplate) -> None:
    canvas.saveState()
    canvas.setFillColor(DARK)
    canvas.rect(0, A4[1] - 62 * mm, A4[0], 62 * mm, stroke=0, fill=1)
    canvas.setFillColor(ACCENT)
    canvas.rect(0, A4[1] - 65 * mm, A4[0], 3 * mm, stroke=0, fill=1)
    canvas.setFillColor(HexColor("#FFFFFF"))
    canvas.setFont("Helvetica-Bold", 20)
    canvas.drawString(MARGIN, A4[1] - 40 * mm, palette.CLINIC)
    canvas.restoreState()


def _opening(source: Source) -> list[Flowable]:
    about = f"{source.reference} – {source.version} – {palette.OWNER[source.language]}\u00a0: {source.owner}"
    title = [PdfParagraph(escape(source.title), TITLE)]
    if source.subtitle:
        title.append(PdfParagraph(escape(source.subtitle), SUBTITLE))
    title.append(PdfParagraph(escape(about), SMALL))
    if not source.cover:
        return [*title, HRFlowable(width="100%", thickness=1.2, color=ACCENT, spaceAfter=8)]
    contents = TableOfContents()
    contents.levelStyles = [ParagraphStyle("toc", parent=BODY, spaceAfter=2)]
    contents.dotsMinLevel = 0
    return [
        Spacer(1, 85 * mm),
        *title,
        Spacer(1, 10 * mm),
        PdfParagraph(palette.CONTENTS[source.language], HEADINGS[1]),
        contents,
        NextPageTemplate("plain"),
        PdfPageBreak(),
    ]


def _story(source: Source) -> list[Flowable]:
    story: list[Flowable] = []
    widths = iter(source.widths)
    previous: Block | None = None
    for block in source.blocks:
        if isinstance(block, Heading) and not isinstance(previous, Heading):
            story.append(CondPageBreak(HEADING_NEEDS))
        if isinstance(block, Table):
            table = _table(block, next(widths, None))
            whole = len(block.rows) <= WHOLE_TABLE_ROWS
            story += [KeepTogether([*_last_headings(story), table]) if whole else table, Spacer(1, 8)]
        else:
            story.extend(_flowables(block))
        previous = block
    return story


def _last_headings(story: list[Flowable]) -> list[Flowable]:
    """Take the headings off the end of the story, so that they go with the table they announce."""
    start = len(story)
    while start and hasattr(story[start - 1], "outline_level"):
        start -= 1
    headings = story[start:]
    del story[start:]
    return headings


def _flowables(block: Block) -> list[Flowable]:
    match block:
        case Heading(level, text):
            heading = PdfParagraph(escape(text), HEADINGS[level - 1])
            heading.outline_level = level - 1
            return [heading]
        case Paragraph(line):
            return [PdfParagraph(_markup(line), BODY)]
        case Notice(line):
            return [_notice(line), Spacer(1, 8)]
        case ItemList(items, ordered):
            entries = [ListItem(PdfParagraph(_markup(item), ITEM)) for item in items]
            kind = (
                {"bulletType": "1", "bulletFormat": "%s."}
                if ordered
                else {"bulletType": "bullet", "start": "•"}
            )
            return [
                ListFlowable(entries, leftIndent=16, bulletColor=DARK, bulletFontSize=10.5, **kind),
                Spacer(1, 5),
            ]
        case PageBreak():
            return [PdfPageBreak()]
    raise ValueError(f"no rendering for {block!r}")


def _markup(line: Line) -> str:
    pieces = []
    for run in line:
        text = escape(run.text)
        text = f"<b>{text}</b>" if run.bold else text
        pieces.append(f"<i>{text}</i>" if run.italic else text)
    return "".join(pieces)


def _notice(line: Line) -> PdfTable:
    frame = PdfTable(
        [[PdfParagraph(_markup(line), ParagraphStyle("notice", parent=BODY, spaceAfter=0))]], [WIDTH]
    )
    frame.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, -1), LIGHT),
            ("LINEBEFORE", (0, 0), (0, -1), 3, ACCENT),
            ("LEFTPADDING", (0, 0), (-1, -1), 10),
            ("TOPPADDING", (0, 0), (-1, -1), 6),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
        ]
    )
    return frame


def _table(table: Table, shares: Sequence[float] | None) -> PdfTable:
    columns = len(table.head)
    shares = shares or [1.0] * columns
    widths = [WIDTH * share / sum(shares) for share in shares]
    cells = [[PdfParagraph(_markup(cell), CELL_HEAD) for cell in table.head]]
    cells += [[PdfParagraph(_markup(cell), CELL) for cell in row] for row in table.rows]
    flowable = PdfTable(cells, widths, repeatRows=1)
    flowable.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, 0), DARK),
            ("ROWBACKGROUNDS", (0, 1), (-1, -1), [HexColor("#FFFFFF"), LIGHT]),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, ACCENT),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
        ]
    )
    return flowable
