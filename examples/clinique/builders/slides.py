"""Blocks to slides (PPTX): each ``##`` is a slide, a block quote becomes the speaker's notes."""

import io

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.presentation import Presentation as Slides
from pptx.shapes.autoshape import Shape
from pptx.slide import Slide
from pptx.text.text import TextFrame
from pptx.util import Cm, Length, Pt

from . import palette
from .archive import normalise
from .blocks import Block, Heading, ItemList, Line, Notice, Paragraph, Source, Table, plain

WIDTH, HEIGHT = Cm(33.867), Cm(19.05)
_TITLE_AND_CONTENT, _TITLE_ONLY = 1, 5


def render(source: Source) -> bytes:
    """The PPTX of a source."""
    slides = Presentation()
    slides.slide_width, slides.slide_height = WIDTH, HEIGHT
    slides.core_properties.title = source.title
    slides.core_properties.author = palette.CLINIC
    _opening(slides, source)
    groups: list[list[Block]] = []
    for block in source.blocks:
        if isinstance(block, Heading):
            groups.append([])
        groups[-1].append(block)
    for number, group in enumerate(groups, start=2):
        _slide(slides, source, number, group)
    buffer = io.BytesIO()
    slides.save(buffer)
    return normalise(buffer.getvalue())


def _opening(slides: Slides, source: Source) -> None:
    slide = slides.slides.add_slide(slides.slide_layouts[0])
    band = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, 0, 0, WIDTH, Cm(1.2))
    _fill(band)
    title, subtitle = slide.shapes.title, slide.placeholders[1]
    title.left, title.top, title.width, title.height = Cm(3), Cm(5), Cm(28), Cm(4)
    subtitle.left, subtitle.top, subtitle.width, subtitle.height = Cm(3), Cm(9.5), Cm(28), Cm(4)
    title.text = source.title
    title.text_frame.paragraphs[0].runs[0].font.color.rgb = RGBColor.from_string(palette.DARK)
    subtitle.text = (
        f"{source.subtitle}\n{palette.CLINIC} – {source.owner} – {source.version} – {source.reference}"
    )
    for paragraph in subtitle.text_frame.paragraphs:
        paragraph.runs[0].font.size = Pt(18)


def _slide(slides: Slides, source: Source, number: int, group: list[Block]) -> None:
    table = next((block for block in group if isinstance(block, Table)), None)
    layout = slides.slide_layouts[_TITLE_ONLY if table else _TITLE_AND_CONTENT]
    slide = slides.slides.add_slide(layout)
    title = slide.shapes.title
    title.left, title.top, title.width, title.height = Cm(1.5), Cm(0.6), Cm(30.8), Cm(2.4)
    title.text = group[0].text if isinstance(group[0], Heading) else ""
    run = title.text_frame.paragraphs[0].runs[0]
    run.font.size, run.font.bold, run.font.color.rgb = Pt(30), True, RGBColor.from_string(palette.DARK)
    if table:
        _table(slide, table)
    lines = [line for block in group for line in _lines(block)]
    if lines:
        _text(slide, lines, top=Cm(13.5) if table else Cm(3.4), has_placeholder=table is None)
    for block in group:
        if isinstance(block, Notice):
            slide.notes_slide.notes_text_frame.text = plain(block.line)
    _foot(slide, f"{palette.FICTION[source.language]} – {source.reference} – {number}")


def _lines(block: Block) -> list[Line]:
    if isinstance(block, ItemList):
        return list(block.items)
    return [block.line] if isinstance(block, Paragraph) else []


def _text(slide: Slide, lines: list[Line], *, top: Length, has_placeholder: bool) -> None:
    if has_placeholder:
        box = slide.placeholders[1]
        box.left, box.top, box.width, box.height = Cm(1.5), top, Cm(30.8), Cm(13.5)
    else:
        box = slide.shapes.add_textbox(Cm(1.5), top, Cm(30.8), Cm(4))
    frame: TextFrame = box.text_frame
    frame.word_wrap = True
    for index, line in enumerate(lines):
        paragraph = frame.paragraphs[0] if index == 0 else frame.add_paragraph()
        paragraph.space_after = Pt(8)
        for run in line:
            written = paragraph.add_run()
            written.text = run.text
            written.font.size = Pt(20 if has_placeholder else 16)
            written.font.bold = run.bold


def _table(slide: Slide, table: Table) -> None:
    rows = (table.head, *table.rows)
    shape = slide.shapes.add_table(
        len(rows), len(table.head), Cm(1.5), Cm(3.4), Cm(30.8), Length(Cm(1.1) * len(rows))
    )
    for index, row in enumerate(rows):
        for column, line in enumerate(row):
            cell = shape.table.cell(index, column)
            cell.text = plain(line)
            cell.fill.solid()
            shade = palette.DARK if index == 0 else palette.LIGHT if index % 2 else "FFFFFF"
            cell.fill.fore_color.rgb = RGBColor.from_string(shade)
            for run in cell.text_frame.paragraphs[0].runs:
                run.font.size, run.font.bold = Pt(15), index == 0
                run.font.color.rgb = RGBColor.from_string("FFFFFF" if index == 0 else "202020")


def _fill(shape: Shape) -> None:
    shape.fill.solid()
    shape.fill.fore_color.rgb = RGBColor.from_string(palette.DARK)
    shape.line.fill.background()


def _foot(slide: Slide, text: str) -> None:
    box = slide.shapes.add_textbox(Cm(1.5), Cm(17.8), Cm(30.8), Cm(0.9))
    run = box.text_frame.paragraphs[0].add_run()
    run.text = text
    run.font.size, run.font.color.rgb = Pt(11), RGBColor.from_string(palette.GREY)
