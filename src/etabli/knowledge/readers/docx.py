"""Word documents, read from their XML: headings by style, lists with their numbers, tables, footnotes.

Own reading instead of a library: deleted text of tracked changes, text boxes, content controls and automatic
numbers all matter to a reader and are seen here. Format: ECMA-376 part 1, WordprocessingML.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from etabli.knowledge.blocks import Kind, ParsedDocument
from etabli.knowledge.readers.archive import (
    Archive,
    attribute,
    child,
    core_title,
    descendants,
    local,
    relations,
)
from etabli.knowledge.readers.building import DocumentBuilder
from etabli.knowledge.readers.detection import MEDIA_TYPES
from etabli.knowledge.readers.limits import ReaderLimits
from etabli.knowledge.readers.numbering import Numbering

_HEADING_NAME = re.compile(r"(?:heading|titre|überschrift)\s*([1-9])$", re.I)
_TITLE_NAMES = {"title": 1, "titre": 1}
_SKIPPED = frozenset({"del", "moveFrom", "instrText", "delText", "rPr", "pPr", "sdtPr", "fldData"})
_MAX_NESTING = 40


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph style says: a heading level (0 for none), a list, code."""

    level: int = 0
    number_id: str | None = None
    number_level: int = 0
    is_code: bool = False
    is_list: bool = False


@dataclass(slots=True)
class _Context:
    builder: DocumentBuilder
    styles: dict[str, Style]
    numbering: Numbering
    footnotes: dict[str, str] = field(default_factory=dict)
    pending_notes: list[str] = field(default_factory=list)


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read a Word document.

    Raises:
        DocumentError: `broken`, `encrypted`, `unsafe`, `too_large` or `empty`.
    """
    archive = Archive(data, limits, format_name="Word")
    part = next((path for kind, path in relations(archive, "").values() if kind == "officeDocument"), None)
    part = part if part in archive.names else "word/document.xml"
    linked = {kind: path for kind, path in relations(archive, part).values()}
    root = archive.xml(part)
    context = _Context(
        DocumentBuilder(limits),
        _styles(archive.optional_xml(linked.get("styles", "word/styles.xml"))),
        Numbering(archive.optional_xml(linked.get("numbering", "word/numbering.xml"))),
    )
    for kind in ("footnotes", "endnotes"):
        notes = archive.optional_xml(linked.get(kind, f"word/{kind}.xml"))
        for note in notes if notes is not None else ():
            if attribute(note, "type") in (None, "normal"):
                text = "\n".join(_paragraph_text(p, None) for p in descendants(note, "p"))
                context.footnotes[f"{kind[:-1]}:{attribute(note, 'id')}"] = text
    body = child(root, "body")
    if body is not None:
        _add_content(context, body)
    return context.builder.finish(MEDIA_TYPES["docx"], title=core_title(archive))


def _styles(root: etree._Element | None) -> dict[str, Style]:
    """Paragraph styles by id, each with what it inherits."""
    raw: dict[str, tuple[str | None, etree._Element]] = {}
    for style in descendants(root, "style") if root is not None else ():
        based = child(style, "basedOn")
        raw[attribute(style, "styleId") or ""] = (
            attribute(based, "val") if based is not None else None,
            style,
        )
    return {identifier: _resolve(identifier, raw) for identifier in raw}


def _resolve(identifier: str, raw: dict[str, tuple[str | None, etree._Element]]) -> Style:
    level, number_id, number_level = 0, None, 0
    is_code = is_list = False
    current: str | None = identifier
    for _ in range(20):
        if current is None or current not in raw:
            break
        parent, element = raw[current]
        name_element = child(element, "name")
        name = (attribute(name_element, "val") or "") if name_element is not None else ""
        match = _HEADING_NAME.match(name)
        outline = child(element, "pPr", "outlineLvl")
        if not level:
            level = min(6, int(match[1])) if match else _TITLE_NAMES.get(name.lower(), 0)
        if not level and outline is not None and (attribute(outline, "val") or "9") in "012345":
            level = int(attribute(outline, "val") or "9") + 1
        is_code = is_code or bool(re.search(r"code|preformatted|source|html pr", name, re.I))
        is_list = is_list or name.lower().startswith(("list ", "liste"))
        found = child(element, "pPr", "numPr", "numId")
        if number_id is None and found is not None:
            number_id = attribute(found, "val")
            depth = child(element, "pPr", "numPr", "ilvl")
            number_level = _integer(attribute(depth, "val")) if depth is not None else 0
        current = parent
    return Style(level, number_id, number_level, is_code, is_list)


def _integer(value: str | None) -> int:
    return int(value) if value is not None and re.fullmatch(r"\d{1,6}", value) else 0


def _add_content(context: _Context, parent: etree._Element, *, nesting: int = 0) -> None:
    """Paragraphs and tables of a body, a content control or a text box, in order."""
    if nesting > _MAX_NESTING:
        return
    for element in parent:
        match local(element):
            case "p":
                _add_paragraph(context, element, nesting)
            case "tbl":
                _add_table(context, element, nesting)
            case "sdt" | "sdtContent" | "customXml" | "ins" | "moveTo" | "smartTag":
                _add_content(context, element, nesting=nesting + 1)


def _add_paragraph(context: _Context, paragraph: etree._Element, nesting: int) -> None:
    references: list[str] = []
    text = _paragraph_text(paragraph, references)
    if text.strip():
        kind, level, label = _kind(context, paragraph)
        context.builder.add(kind, label + text, level=level)
    for box in descendants(paragraph, "txbxContent"):
        if not _is_fallback(box):
            _add_content(context, box, nesting=nesting + 1)
    for reference in references:
        context.builder.add("paragraph", context.footnotes.pop(reference, ""))


def _is_fallback(element: etree._Element) -> bool:
    """Old drawings repeat the content of new ones for old programs."""
    return any(local(parent) == "Fallback" for parent in element.iterancestors())


def _kind(context: _Context, paragraph: etree._Element) -> tuple[Kind, int, str]:
    properties = child(paragraph, "pPr")
    style_element = child(properties, "pStyle")
    style = context.styles.get(
        (attribute(style_element, "val") if style_element is not None else "") or "", Style()
    )
    number_element = child(properties, "numPr", "numId")
    number_id = attribute(number_element, "val") if number_element is not None else style.number_id
    depth_element = child(properties, "numPr", "ilvl")
    depth = _integer(attribute(depth_element, "val")) if depth_element is not None else style.number_level
    label = context.numbering.label(number_id, depth) if number_id not in (None, "0") else None
    outline = child(properties, "outlineLvl")
    level = style.level
    if not level and outline is not None and (attribute(outline, "val") or "9") in "012345":
        level = int(attribute(outline, "val") or "9") + 1
    if level:
        return "heading", level, f"{label} " if label else ""
    if style.is_code:
        return "code", 0, ""
    if label is not None or style.is_list:
        return "list_item", min(6, depth + 1), f"{label} " if label else ""
    return "paragraph", 0, ""


def _paragraph_text(paragraph: etree._Element, references: list[str] | None) -> str:
    return "".join(_runs(paragraph, references))


def _runs(element: etree._Element, references: list[str] | None) -> Iterator[str]:
    """Text in order: inserted text counts, deleted text does not; text boxes are blocks of their own."""
    for item in element:
        name = local(item)
        if name == "t":
            yield item.text or ""
        elif name in ("tab", "ptab"):
            yield "\t"
        elif name in ("br", "cr"):
            yield "\n"
        elif name == "noBreakHyphen":
            yield "-"
        elif name == "sym":
            yield " "
        elif name in ("footnoteReference", "endnoteReference"):
            if references is not None:
                references.append(f"{name[:-9]}:{attribute(item, 'id')}")
        elif name not in _SKIPPED and name not in (
            "drawing",
            "pict",
            "txbxContent",
            "AlternateContent",
            "tbl",
        ):
            yield from _runs(item, references)


def _add_table(context: _Context, table: etree._Element, nesting: int) -> None:
    rows: list[list[str]] = []
    references: list[str] = []
    for row in table.iter("{*}tr"):
        if next(row.iterancestors("{*}tbl")) is not table or child(row, "trPr", "del") is not None:
            continue
        cells: list[str] = []
        for cell in row.iter("{*}tc"):
            if next(cell.iterancestors("{*}tr")) is not row:
                continue
            merged = child(cell, "tcPr", "vMerge")
            goes_on = merged is not None and attribute(merged, "val") != "restart"
            text = "\n".join(_paragraph_text(p, references) for p in descendants(cell, "p"))
            span = child(cell, "tcPr", "gridSpan")
            width = min(60, max(1, _integer(attribute(span, "val")))) if span is not None else 1
            cells += ["" if goes_on else text] + [""] * (width - 1)
        rows.append(cells)
    filled = [cell for row in rows for cell in row if cell.strip()]
    if len(filled) == 1:
        # A frame around a text, not a table.
        _add_content_of_frame(context, table, nesting)
    else:
        context.builder.add_table(rows)
    for reference in references:
        context.builder.add("paragraph", context.footnotes.pop(reference, ""))


def _add_content_of_frame(context: _Context, table: etree._Element, nesting: int) -> None:
    for cell in table.iter("{*}tc"):
        if next(cell.iterancestors("{*}tbl")) is table:
            _add_content(context, cell, nesting=nesting + 1)
