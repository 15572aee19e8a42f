"""What a plain reader finds in each document of the demo clinic: one text a page, or one for the whole file.

Written apart from the product's readers on purpose: the questions are checked against the files, not against them.
"""

import email.policy
import re
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import docx
import docx.table
import openpyxl
import pptx
import pypdfium2
from lxml import etree, html

_OFFICE_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def collapse(text: str) -> str:
    """One space for every run of white space, the no-break space included."""
    return re.sub(r"\s+", " ", text).strip()


def pages(path: Path) -> list[str]:
    """The texts of a document, a page (PDF) or a slide (PPTX) each; one text for the other formats."""
    match path.suffix:
        case ".pdf":
            with pypdfium2.PdfDocument(path) as document:
                return [page.get_textpage().get_text_bounded() for page in document]
        case ".pptx":
            return ["\n".join(_slide(slide)) for slide in pptx.Presentation(str(path)).slides]
        case ".docx":
            return ["\n".join(_word(path))]
        case ".xlsx":
            return ["\n".join(_workbook(path))]
        case ".odt":
            with zipfile.ZipFile(path) as archive:
                content = etree.fromstring(archive.read("content.xml"))
            lines = content.iter(_OFFICE_TEXT + "p", _OFFICE_TEXT + "h")
            return ["\n".join("".join(line.itertext()) for line in lines)]
        case ".html":
            return [" ".join(html.fromstring(path.read_bytes()).itertext())]
        case ".eml":
            message = message_from_bytes(path.read_bytes(), policy=email.policy.default)
            return [f"{message['subject']}\n{message.get_content()}"]
        case _:
            return [path.read_text(encoding="utf-8")]


def _word(path: Path) -> Iterator[str]:
    document = docx.Document(str(path))
    for block in document.iter_inner_content():
        if isinstance(block, docx.table.Table):
            for row in block.rows:
                yield " ".join(cell.text for cell in row.cells)
        else:
            yield block.text


def _slide(slide: Any) -> Iterator[str]:
    for shape in slide.shapes:
        if shape.has_text_frame:
            yield shape.text_frame.text
        if shape.has_table:
            for row in shape.table.rows:
                yield " ".join(cell.text for cell in row.cells)


def _workbook(path: Path) -> Iterator[str]:
    book = openpyxl.load_workbook(path, read_only=True)
    for sheet in book.worksheets:
        for row in sheet.iter_rows(values_only=True):
            yield " ".join(str(value) for value in row if value is not None)
    book.close()
