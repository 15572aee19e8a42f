"""Excel workbooks: a sheet is a page and a heading, its used cells a table.

Read from the XML, so that a value is shown as the sheet shows it (dates, percents, decimals with a comma)
without ever losing digits that were typed. Format: ECMA-376 part 1, SpreadsheetML.
"""

import re

from lxml import etree

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.archive import Archive, attribute, child, core_title, descendants, relations
from etabli.knowledge.readers.building import DocumentBuilder
from etabli.knowledge.readers.cells import CellFormats, show_boolean
from etabli.knowledge.readers.detection import MEDIA_TYPES
from etabli.knowledge.readers.limits import ReaderLimits
from etabli.messages import tr

_WORKBOOK = "xl/workbook.xml"
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_MAX_COLUMNS = 500
_MAX_CELLS = 5_000_000


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read a workbook.

    Raises:
        DocumentError: `broken`, `encrypted`, `unsafe`, `too_large` or `empty`.
    """
    archive = Archive(data, limits, format_name="Excel")
    book = archive.xml(_WORKBOOK)
    targets = relations(archive, _WORKBOOK)
    linked = {kind: path for kind, path in targets.values()}
    strings = _shared_strings(archive.optional_xml(linked.get("sharedStrings", "xl/sharedStrings.xml")))
    properties = child(book, "workbookPr")
    since_1904 = properties is not None and attribute(properties, "date1904") in ("1", "true")
    formats = CellFormats(archive.optional_xml(linked.get("styles", "xl/styles.xml")), since_1904=since_1904)
    sheets = list(descendants(book, "sheet"))
    if len(sheets) > limits.max_pages:
        raise refusals.too_many_pages(len(sheets), limits.max_pages)
    builder = DocumentBuilder(limits)
    for number, sheet in enumerate(sheets, 1):
        identifier = next((v for k, v in sheet.attrib.items() if k.endswith("}id")), "")
        name = attribute(sheet, "name") or str(number)
        kind, part = targets.get(identifier, ("", ""))
        if kind != "worksheet":
            continue
        if attribute(sheet, "state") in ("hidden", "veryHidden"):
            builder.notes.append(tr("Sheet “{name}” is hidden in the workbook and was not read.", name=name))
            continue
        rows = _rows(archive.xml(part), strings, formats)
        if any(cell for row in rows for cell in row):
            builder.add("heading", name, level=1, page=number)
            add_sheet(builder, rows, number)
    return builder.finish(MEDIA_TYPES["xlsx"], title=core_title(archive), page_count=len(sheets))


def add_sheet(builder: DocumentBuilder, rows: list[list[str]], page: int) -> None:
    """Add a sheet: stretches between empty rows are tables, lines of a single cell are paragraphs."""
    stretch: list[list[str]] = []
    for row in [*rows, []]:
        if any(row):
            stretch.append(row)
            continue
        while stretch and sum(map(bool, stretch[0])) == 1:
            builder.add("paragraph", next(filter(None, stretch.pop(0))), page=page)
        if stretch:
            first = min(next(i for i, cell in enumerate(line) if cell) for line in stretch)
            builder.add_table([line[first:] for line in stretch], page=page)
        stretch = []


def _shared_strings(root: etree._Element | None) -> list[str]:
    """The workbook's strings; phonetic guides are left out."""
    if root is None:
        return []
    return [
        "".join(
            t.text or "" for t in item.iter("{*}t") if "}rPh" not in str(getattr(t.getparent(), "tag", ""))
        )
        for item in root.findall("{*}si")
    ]


def _rows(sheet: etree._Element, strings: list[str], formats: CellFormats) -> list[list[str]]:
    rows: list[list[str]] = []
    seen = 0
    for row in descendants(sheet, "row"):
        number = attribute(row, "r") or ""
        index = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else len(rows) + 1
        if attribute(row, "hidden") in ("1", "true"):
            continue
        # An empty row separates tables; ten thousand of them say nothing more.
        if index > len(rows) + 1 and rows and any(rows[-1]):
            rows.append([])
        cells: list[str] = []
        for cell in row.findall("{*}c"):
            seen += 1
            if seen > _MAX_CELLS:
                raise refusals.too_much_text(_MAX_CELLS)
            match = _REFERENCE.match(cell.get("r", ""))
            column = _column(match[1]) if match else len(cells)
            if column >= _MAX_COLUMNS:
                continue
            while len(cells) < column:
                cells.append("")
            value = _value(cell, strings, formats)
            if column < len(cells):
                cells[column] = value
            else:
                cells.append(value)
        rows.append(cells)
    return rows


def _column(letters: str) -> int:
    """Index from 0 of a column.

    >>> _column("A"), _column("AB")
    (0, 27)
    """
    index = 0
    for letter in letters:
        index = 26 * index + ord(letter) - 64
    return index - 1


def _value(cell: etree._Element, strings: list[str], formats: CellFormats) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(t.text or "" for t in descendants(cell, "t"))
    element = child(cell, "v")
    value = (element.text or "") if element is not None else ""
    if not value:
        return ""
    if kind == "s":
        return (
            strings[int(value)] if value.isascii() and value.isdigit() and int(value) < len(strings) else ""
        )
    if kind == "b":
        return show_boolean(value == "1")
    if kind in ("str", "e", "d"):
        return value
    return formats.show(value, cell.get("s", "0"))
