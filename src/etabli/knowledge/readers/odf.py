"""LibreOffice documents: texts, spreadsheets and presentations, read from `content.xml`.

Format: OASIS OpenDocument 1.3, part 3. Values of a spreadsheet are taken as shown, since the file keeps both.
"""

import re
from collections.abc import Iterator

from lxml import etree

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.archive import Archive, attribute, child, descendants, local
from etabli.knowledge.readers.building import DocumentBuilder
from etabli.knowledge.readers.detection import MEDIA_TYPES
from etabli.knowledge.readers.limits import ReaderLimits
from etabli.knowledge.readers.xlsx import add_sheet

_SKIPPED = frozenset(
    {"annotation", "tracked-changes", "note-citation", "bookmark", "sequence-decls", "forms", "script"}
)
_CONTAINERS = frozenset(
    {
        "section",
        "list-header",
        "index-body",
        "text-box",
        "frame",
        "table-of-content",
        "custom-shape",
        "g",
        "a",
        "p",
    }
)
_MAX_REPEAT = 200
_MAX_NESTING = 40


def read_text(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read an .odt text.

    Raises:
        DocumentError: `broken`, `encrypted`, `unsafe`, `too_large` or `empty`.
    """
    archive, body = _open(data, limits, "text")
    builder = DocumentBuilder(limits)
    _add_content(builder, body)
    return builder.finish(MEDIA_TYPES["odt"], title=_title(archive))


def read_sheets(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read an .ods spreadsheet: a sheet is a page.

    Raises:
        DocumentError: as `read_text`.
    """
    archive, body = _open(data, limits, "spreadsheet")
    builder = DocumentBuilder(limits)
    sheets = body.findall("{*}table")
    if len(sheets) > limits.max_pages:
        raise refusals.too_many_pages(len(sheets), limits.max_pages)
    for number, sheet in enumerate(sheets, 1):
        rows = _rows(sheet)
        if any(cell for row in rows for cell in row):
            builder.add("heading", attribute(sheet, "name") or str(number), level=1, page=number)
            add_sheet(builder, rows, number)
    return builder.finish(MEDIA_TYPES["ods"], title=_title(archive), page_count=len(sheets))


def read_slides(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read an .odp presentation: a slide is a page.

    Raises:
        DocumentError: as `read_text`.
    """
    archive, body = _open(data, limits, "presentation")
    builder = DocumentBuilder(limits)
    slides = body.findall("{*}page")
    if len(slides) > limits.max_pages:
        raise refusals.too_many_pages(len(slides), limits.max_pages)
    for number, slide in enumerate(slides, 1):
        for frame in slide:
            if local(frame) == "notes":
                _add_content(builder, frame, page=number)
                continue
            is_title = attribute(frame, "class") == "title"
            if is_title:
                text = " ".join(_text(p) for p in descendants(frame, "p"))
                builder.add("heading", text, level=1, page=number)
            else:
                _add_content(builder, frame, page=number)
    return builder.finish(MEDIA_TYPES["odp"], title=_title(archive), page_count=len(slides))


def _open(data: bytes, limits: ReaderLimits, kind: str) -> tuple[Archive, etree._Element]:
    archive = Archive(data, limits, format_name="LibreOffice")
    manifest = archive.optional_xml("META-INF/manifest.xml")
    if manifest is not None and next(descendants(manifest, "encryption-data"), None) is not None:
        raise refusals.encrypted()
    body = child(archive.xml("content.xml"), "body", kind)
    if body is None:
        raise refusals.broken("LibreOffice")
    return archive, body


def _title(archive: Archive) -> str | None:
    title = child(archive.optional_xml("meta.xml"), "meta", "title")
    return title.text if title is not None else None


def _add_content(
    builder: DocumentBuilder,
    parent: etree._Element,
    *,
    page: int | None = None,
    list_depth: int = 0,
    nesting: int = 0,
) -> None:
    if nesting > _MAX_NESTING:
        return
    for element in parent:
        name = local(element)
        if name == "h":
            level = attribute(element, "outline-level") or "1"
            builder.add(
                "heading", _text(element), level=int(level) if level in tuple("123456") else 6, page=page
            )
        elif name == "p":
            text = _text(element)
            if not list_depth and _is_title(element):
                builder.add("heading", text, level=1, page=page)
            elif list_depth:
                builder.add("list_item", text, level=min(6, list_depth), page=page)
            else:
                builder.add("paragraph", text, page=page)
            for box in descendants(element, "text-box"):
                _add_content(builder, box, page=page, nesting=nesting + 1)
            for note in descendants(element, "note-body"):
                _add_content(builder, note, page=page, nesting=nesting + 1)
        elif name == "list":
            for item in element:
                _add_content(builder, item, page=page, list_depth=list_depth + 1, nesting=nesting + 1)
        elif name == "table":
            builder.add_table(_rows(element), page=page)
        elif name in _CONTAINERS:
            _add_content(builder, element, page=page, list_depth=list_depth, nesting=nesting + 1)


def _is_title(paragraph: etree._Element) -> bool:
    """Whether a paragraph has the style of the document's title, itself or through an automatic style."""
    style = attribute(paragraph, "style-name")
    if style is None or style == "Title":
        return style is not None
    if not re.fullmatch(r"P\d+", style):
        return False
    automatic = child(paragraph.getroottree().getroot(), "automatic-styles")
    return automatic is not None and any(
        attribute(item, "name") == style and attribute(item, "parent-style-name") == "Title"
        for item in automatic
    )


def _text(element: etree._Element) -> str:
    return "".join(_runs(element))


def _runs(element: etree._Element) -> Iterator[str]:
    """Text with its spaces, tabs and line breaks; notes and boxes are blocks of their own."""
    yield _collapse(element.text)
    for item in element:
        name = local(item)
        if name == "s":
            count = attribute(item, "c") or "1"
            yield " " * (min(100, int(count)) if count.isascii() and count.isdigit() else 1)
        elif name == "tab":
            yield "\t"
        elif name == "line-break":
            yield "\n"
        elif name not in _SKIPPED and name not in ("note", "frame", "custom-shape"):
            yield from _runs(item)
        yield _collapse(item.tail)


def _collapse(text: str | None) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text) if text else ""


def _rows(table: etree._Element) -> list[list[str]]:
    """Cells as shown; repeated empty cells and rows are not multiplied."""
    rows: list[list[str]] = []
    for row in table.iter("{*}table-row"):
        if next(row.iterancestors("{*}table")) is not table:
            continue
        if attribute(row, "visibility") in ("collapse", "filter"):
            continue
        cells: list[str] = []
        for cell in row:
            if local(cell) not in ("table-cell", "covered-table-cell"):
                continue
            text = "\n".join(_text(p) for p in descendants(cell, "p"))
            if not text:
                text = attribute(cell, "string-value") or ""
            if local(cell) == "covered-table-cell":
                text = ""
            cells += [text] * _repeat(cell, "number-columns-repeated")
        while cells and not cells[-1]:
            cells.pop()
        rows += [cells] * (_repeat(row, "number-rows-repeated") if any(cells) else 1)
    return rows


def _repeat(element: etree._Element, name: str) -> int:
    value = attribute(element, name) or "1"
    return (
        min(_MAX_REPEAT, max(1, int(value))) if value.isascii() and value.isdigit() and len(value) < 9 else 1
    )
