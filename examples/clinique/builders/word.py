"""Blocks to Word (DOCX)."""

import io

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph as WordParagraph

from . import palette
from .archive import normalise
from .blocks import Block, Heading, ItemList, Line, Notice, PageBreak, Paragraph, Source, Table

_KEPT_TABLE_STYLES = {"TableNormal", "TableGrid"}


def render(source: Source) -> bytes:
    """The DOCX of a source."""
    document = Document()
    _styles(document, source.language)
    _margins(document, source)
    document.core_properties.title = source.title
    document.core_properties.author = palette.CLINIC
    document.core_properties.comments = palette.FICTION[source.language]
    document.add_paragraph(source.title, style="Title")
    if source.subtitle:
        document.add_paragraph(source.subtitle, style="Subtitle")
    about = f"{source.reference} – {source.version} – {palette.OWNER[source.language]}\u00a0: {source.owner}"
    document.add_paragraph(about).runs[0].font.color.rgb = RGBColor.from_string(palette.GREY)
    for block in source.blocks:
        _add(document, block)
    buffer = io.BytesIO()
    document.save(buffer)
    return normalise(buffer.getvalue())


def _styles(document: WordDocument, language: str) -> None:
    element = document.styles.element
    for style in element.findall(qn("w:style")):
        if style.get(qn("w:type")) == "table" and style.get(qn("w:styleId")) not in _KEPT_TABLE_STYLES:
            element.remove(style)
    for lang in element.iter(qn("w:lang")):
        lang.set(qn("w:val"), "fr-FR" if language == "fr" else "en-GB")
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(11)
    normal.paragraph_format.space_after = Pt(6)
    for name, size in (("Title", 24), ("Subtitle", 13), ("Heading 1", 15), ("Heading 2", 12.5)):
        font = document.styles[name].font
        font.name, font.size, font.color.rgb = "Calibri", Pt(size), RGBColor.from_string(palette.DARK)
        fonts = document.styles[name].element.rPr.rFonts
        for attribute in [key for key in fonts.attrib if key.endswith("Theme")]:
            del fonts.attrib[attribute]


def _margins(document: WordDocument, source: Source) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.2)
    section.header.paragraphs[0].text = f"{palette.CLINIC} – {source.title} – {source.reference}"
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    foot.add_run(f"{palette.FICTION[source.language]} – {source.version} – ")
    before, between = palette.PAGE_OF[source.language].split("{page}")
    foot.add_run(before)
    _field(foot, "PAGE")
    foot.add_run(between.replace("{total}", ""))
    _field(foot, "NUMPAGES")


def _field(paragraph: WordParagraph, instruction: str) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    run = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._p.append(field)


def _add(document: WordDocument, block: Block) -> None:
    match block:
        case Heading(level, text):
            document.add_heading(text, level)
        case Paragraph(line):
            _write(document.add_paragraph(), line)
        case Notice(line):
            paragraph = document.add_paragraph()
            _shade(paragraph._p.get_or_add_pPr(), palette.LIGHT)
            _write(paragraph, line)
        case ItemList(items, ordered):
            for number, item in enumerate(items, start=1):
                paragraph = document.add_paragraph(style=None if ordered else "List Bullet")
                if ordered:
                    paragraph.paragraph_format.left_indent = Cm(0.6)
                    paragraph.add_run(f"{number}. ")
                _write(paragraph, item)
        case Table():
            _add_table(document, block)
        case PageBreak():
            document.add_page_break()


def _add_table(document: WordDocument, block: Table) -> None:
    table = document.add_table(rows=0, cols=len(block.head), style="Table Grid")
    for index, row in enumerate((block.head, *block.rows)):
        for cell, line in zip(table.add_row().cells, row, strict=True):
            _write(cell.paragraphs[0], line)
            if index == 0:
                _shade(cell._tc.get_or_add_tcPr(), palette.LIGHT)
                for run in cell.paragraphs[0].runs:
                    run.bold = True
    document.add_paragraph()


def _shade(properties: BaseOxmlElement, colour: str) -> None:
    shade = OxmlElement("w:shd")
    shade.set(qn("w:val"), "clear")
    shade.set(qn("w:fill"), colour)
    properties.append(shade)


def _write(paragraph: WordParagraph, line: Line) -> None:
    for run in line:
        written = paragraph.add_run(run.text)
        written.bold, written.italic = run.bold or None, run.italic or None
