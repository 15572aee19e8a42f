"""A YAML source to a workbook (XLSX).

The source has `title` and `sheets`; a sheet has `name`, `title`, `widths`, `head`, `rows` and `notes`. A number in
a row stays a number; `formats` gives the number format of a column by its place (1 is the first).
"""

import io
from pathlib import Path
from typing import Any

import yaml
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from . import palette
from .archive import normalise
from .typography import typeset

_HEAD_ROW = 3


def render(path: Path) -> bytes:
    """The XLSX of a YAML source."""
    source: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title = typeset(source["title"])
    book.properties.creator = palette.CLINIC
    for sheet in source["sheets"]:
        _fill(book.create_sheet(sheet["name"]), sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return normalise(buffer.getvalue())


def _fill(page: Worksheet, sheet: dict[str, Any]) -> None:
    page["A1"] = typeset(sheet["title"])
    page["A1"].font = Font(bold=True, size=15, color=palette.DARK)
    rule = Border(bottom=Side(style="thin", color=palette.ACCENT))
    formats: dict[int, str] = sheet.get("formats", {})
    for column, (name, width) in enumerate(zip(sheet["head"], sheet["widths"], strict=True), start=1):
        cell = page.cell(_HEAD_ROW, column, typeset(name))
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor=palette.DARK)
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        page.column_dimensions[get_column_letter(column)].width = width
    for number, row in enumerate(sheet["rows"], start=_HEAD_ROW + 1):
        for column, value in enumerate(row, start=1):
            cell = page.cell(number, column, typeset(value) if isinstance(value, str) else value)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.border = rule
            if column in formats:
                cell.number_format = formats[column]
    first_note = _HEAD_ROW + len(sheet["rows"]) + 2
    for number, note in enumerate(sheet.get("notes", ()), start=first_note):
        page.cell(number, 1, typeset(note)).font = Font(italic=True, color=palette.GREY)
    page.freeze_panes = page.cell(_HEAD_ROW + 1, 1)
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
