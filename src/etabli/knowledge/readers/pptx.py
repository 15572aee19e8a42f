"""PowerPoint presentations: a slide is a page, its title a heading; tables and notes too.

Read from the XML. Format: ECMA-376 part 1, PresentationML and DrawingML.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set

from lxml import etree

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import refusals
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
from etabli.messages import tr

_PRESENTATION = "ppt/presentation.xml"
_TITLES = ("title", "ctrTitle")
_DECORATION = ("dt", "ftr", "sldNum", "hdr", "sldImg")
_MAX_NESTING = 30


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read a presentation.

    Raises:
        DocumentError: `broken`, `encrypted`, `unsafe`, `too_large` or `empty`.
    """
    archive = Archive(data, limits, format_name="PowerPoint")
    targets = relations(archive, _PRESENTATION)
    order = [
        targets[identifier][1]
        for item in descendants(archive.xml(_PRESENTATION), "sldId")
        for identifier in [next((v for k, v in item.attrib.items() if k.endswith("}id")), "")]
        if identifier in targets
    ]
    if len(order) > limits.max_pages:
        raise refusals.too_many_pages(len(order), limits.max_pages)
    builder = DocumentBuilder(limits)
    slides = [archive.optional_xml(part) for part in order]
    repeated = _repeated([slide for slide in slides if slide is not None])
    for number, (part, slide) in enumerate(zip(order, slides, strict=True), 1):
        if slide is None:
            builder.notes.append(tr("Damaged pages, not read: {pages}.", pages=number))
            continue
        if attribute(slide, "show") == "0":
            builder.notes.append(tr("Slide {number} is hidden in the presentation.", number=number))
        _add_slide(builder, slide, number, repeated)
        notes_part = next(
            (path for kind, path in relations(archive, part).values() if kind == "notesSlide"), ""
        )
        notes = archive.optional_xml(notes_part)
        if notes is not None:
            for shape in _shapes(notes):
                if _placeholder(shape) not in _DECORATION:
                    _add_text(builder, shape, number, plain=True)
    return builder.finish(MEDIA_TYPES["pptx"], title=core_title(archive), page_count=len(order))


def _repeated(slides: Sequence[etree._Element]) -> frozenset[str]:
    """Texts that stand on more than 60 % of the slides, digits aside: footers drawn as ordinary text."""
    counts: Counter[str] = Counter()
    for slide in slides:
        counts.update({_signature(shape) for shape in _shapes(slide) if _placeholder(shape) == ""})
    needed = max(3.0, 0.6 * len(slides))
    return frozenset(text for text, count in counts.items() if count >= needed and len(text) <= 150)


def _signature(shape: etree._Element) -> str:
    return re.sub(r"\d+", "#", " ".join(_texts(shape))).strip()


def _add_slide(builder: DocumentBuilder, slide: etree._Element, number: int, repeated: Set[str]) -> None:
    shapes = [
        shape
        for shape in _shapes(slide)
        if _placeholder(shape) not in _DECORATION and _signature(shape) not in repeated
    ]
    titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
    for shape in titles:
        text = " ".join(_texts(shape))
        builder.add("heading", text, level=1, page=number)
    for shape in sorted((s for s in shapes if s not in titles), key=_place):
        table = next(descendants(shape, "tbl"), None) if local(shape) == "graphicFrame" else None
        if table is not None:
            rows = [
                ["\n".join(_texts(cell)) for cell in row.findall("{*}tc")] for row in table.findall("{*}tr")
            ]
            builder.add_table(rows, page=number)
        else:
            _add_text(builder, shape, number, plain=_placeholder(shape) == "subTitle")


def _shapes(slide: etree._Element) -> list[etree._Element]:
    """Shapes and frames, those inside groups too."""
    tree = child(slide, "cSld", "spTree")
    return list(_walk(tree, 0)) if tree is not None else []


def _walk(parent: etree._Element, nesting: int) -> Iterator[etree._Element]:
    for element in parent:
        name = local(element)
        if name in ("sp", "graphicFrame"):
            yield element
        elif name == "grpSp" and nesting < _MAX_NESTING:
            yield from _walk(element, nesting + 1)
        elif name == "AlternateContent":
            choice = child(element, "Choice")
            if choice is not None and nesting < _MAX_NESTING:
                yield from _walk(choice, nesting + 1)


def _placeholder(shape: etree._Element) -> str:
    """The role of a shape: `title`, `body`, `ftr`…; empty for a free one."""
    found = next(descendants(shape, "ph"), None)
    return (attribute(found, "type") or "body") if found is not None else ""


def _place(shape: etree._Element) -> tuple[int, int]:
    """Rows of about a centimetre and a half from the top, then from the left; inherited places come first."""
    offset = next(descendants(shape, "off"), None)
    if offset is None:
        return (0, 0)
    x, y = attribute(offset, "x") or "0", attribute(offset, "y") or "0"
    number = [int(value) if value.lstrip("-").isdigit() and len(value) < 12 else 0 for value in (x, y)]
    return number[1] // 540_000, number[0]


def _add_text(builder: DocumentBuilder, shape: etree._Element, page: int, *, plain: bool) -> None:
    body = child(shape, "txBody")
    if body is None:
        return
    in_list = _placeholder(shape) == "body" and len(body.findall("{*}p")) > 1
    for paragraph in body.findall("{*}p"):
        text = "".join(_runs(paragraph))
        properties = child(paragraph, "pPr")
        depth = (attribute(properties, "lvl") or "0") if properties is not None else "0"
        bulleted = properties is not None and any(local(e) in ("buChar", "buAutoNum") for e in properties)
        bare = properties is not None and child(properties, "buNone") is not None
        if not plain and not bare and (in_list or bulleted):
            level = 1 + (int(depth) if depth in tuple("012345678") else 0)
            builder.add("list_item", text, level=min(6, level), page=page)
        else:
            builder.add("paragraph", text, page=page)


def _texts(element: etree._Element) -> Iterator[str]:
    for paragraph in descendants(element, "p"):
        yield "".join(_runs(paragraph))


def _runs(paragraph: etree._Element) -> Iterator[str]:
    for element in paragraph.iter("{*}t", "{*}br"):
        yield "\n" if local(element) == "br" else element.text or ""
