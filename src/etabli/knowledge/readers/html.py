"""Web pages: the main content, without scripts, navigation and what is hidden from the eye."""

import re
from collections.abc import Iterator

from lxml import etree

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.archive import parse_xml
from etabli.knowledge.readers.building import DocumentBuilder
from etabli.knowledge.readers.encoding import decode, detect_encoding
from etabli.knowledge.readers.limits import ReaderLimits

_DROPPED = frozenset(
    "script style noscript template svg math iframe object embed canvas audio video map form button select "
    "input textarea nav aside dialog head link meta".split()
)
_DROPPED_ROLES = frozenset(
    "navigation banner contentinfo search complementary menu menubar alert dialog toolbar".split()
)
_BLOCKS = frozenset(
    "p div section article main header footer address figure figcaption blockquote dl dt dd ul ol li table "
    "h1 h2 h3 h4 h5 h6 pre hr details summary fieldset body center caption".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.I)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
_MAIN_SHARE = 0.3
_MAX_DEPTH = 200


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read a web page.

    Raises:
        DocumentError: `unsupported` when the bytes are no text, `empty`, `too_large`.
    """
    text = _decode(data)
    if text is None:
        raise refusals.unsupported()
    builder = DocumentBuilder(limits)
    root = _parse(text)
    title = None
    if root is not None:
        found = root.find(".//title")
        title = found.text if found is not None else None
        add_element(builder, _main(root))
    return builder.finish("text/html", title=title)


def read_xml(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read XML of no known vocabulary: each element that holds text itself becomes a paragraph.

    Raises:
        DocumentError: `unsafe` when it declares entities, `broken`, `empty`, `too_large`.
    """
    builder = DocumentBuilder(limits)
    root = parse_xml(data, format_name="XML")
    for element in root.iter(etree.Element):
        if element.text and element.text.strip():
            builder.add("paragraph", element.text)
        if element.tail and element.tail.strip():
            builder.add("paragraph", element.tail)
    return builder.finish("application/xml")


def add_html_text(builder: DocumentBuilder, markup: str) -> None:
    """Add a piece of HTML as blocks."""
    root = _parse(markup)
    if root is not None:
        add_element(builder, root)


def add_element(builder: DocumentBuilder, element: etree._Element) -> None:
    """Add an HTML element's content as blocks."""
    walker = _Walker(builder)
    walker.walk(element, depth=0, list_depth=0)
    walker.flush()


def _decode(data: bytes) -> str | None:
    """The text, by its byte order mark, by what the page declares, else by its bytes."""
    declared = _META_CHARSET.search(data[:4096])
    if declared is not None and detect_encoding(data) not in (None, "utf-8", "utf-8-sig", "utf-16"):
        try:
            return data.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeDecodeError):
            pass
    return decode(data)


def _parse(text: str) -> etree._Element | None:
    parser = etree.HTMLParser(
        encoding="utf-8",
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=True,
    )
    content = text.encode("utf-8", "replace")
    try:
        return etree.fromstring(content, parser) if content.strip() else None
    except (etree.XMLSyntaxError, ValueError):
        return None


def _main(root: etree._Element) -> etree._Element:
    """`<main>`, `role=main` or the only `<article>` when it holds a good part of the page's text."""
    body = root.find(".//body")
    body = root if body is None else body
    whole = sum(map(len, _texts(body)))
    articles = body.findall(".//article")
    candidates = [
        *body.findall(".//main"),
        *body.findall(".//*[@role='main']"),
        *articles[: len(articles) == 1],
    ]
    for candidate in candidates:
        if sum(map(len, _texts(candidate))) >= _MAIN_SHARE * whole:
            return candidate
    return body


def _texts(element: etree._Element) -> Iterator[str]:
    for child in element.iter(etree.Element):
        if child.tag not in ("script", "style") and child.text:
            yield child.text
        if child.tail and child is not element:
            yield child.tail


def _is_dropped(element: etree._Element, list_depth: int) -> bool:
    tag = element.tag
    if not isinstance(tag, str) or tag.lower() in _DROPPED:
        return True
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if _HIDDEN_STYLE.search(element.get("style") or ""):
        return True
    if (element.get("role") or "").lower() in _DROPPED_ROLES:
        return True
    # The header and footer of the page go, those of an article stay.
    return tag in ("header", "footer") and (
        element.getparent() is not None and element.getparent().tag == "body"
    )


class _Walker:
    """Goes through a tree and cuts its text into blocks."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._text: list[str] = []
        self._kind: tuple[str, int] = ("paragraph", 0)

    def flush(self) -> None:
        """End the block under way."""
        text, self._text = "".join(self._text), []
        kind, level = self._kind
        if kind == "heading":
            self._builder.add("heading", text, level=level)
        elif kind == "list_item":
            self._builder.add("list_item", text, level=level)
        else:
            self._builder.add("paragraph", text)

    def walk(self, element: etree._Element, *, depth: int, list_depth: int) -> None:
        """Take an element's text and children."""
        tag = element.tag.lower() if isinstance(element.tag, str) else ""
        if depth > _MAX_DEPTH:
            self._text.append(" ".join(_texts(element)))
            return
        if tag == "table" and self._add_table(element):
            return
        if tag == "pre":
            self._begin("paragraph", 0)
            self._builder.add("code", "".join(element.itertext()))
            return
        if tag == "br":
            self._text.append("\n")
        if tag == "img" and element.get("alt"):
            self._text.append(f" {element.get('alt')} ")
        outer = self._kind
        is_block = tag in _BLOCKS
        if is_block:
            begins_item = outer[0] == "list_item" and not "".join(self._text).strip()
            if tag in _HEADINGS:
                self._begin("heading", _HEADINGS[tag])
            elif tag in ("li", "dt", "dd"):
                self._begin("list_item", max(1, list_depth))
            elif begins_item and tag in ("p", "div"):
                self._begin(*outer)
            else:
                self._begin("paragraph", 0)
        self._add_text(element.text)
        deeper = list_depth + (tag in ("ul", "ol", "dl"))
        for child in element:
            if not _is_dropped(child, list_depth):
                self.walk(child, depth=depth + 1, list_depth=deeper)
            self._add_text(child.tail)
        if is_block:
            self._begin("paragraph", 0)

    def _begin(self, kind: str, level: int) -> None:
        self.flush()
        self._kind = (kind, level)

    def _add_text(self, text: str | None) -> None:
        if text:
            self._text.append(re.sub(r"[ \t\r\n\f]+", " ", text))

    def _add_table(self, table: etree._Element) -> bool:
        """Add a table of data; False when it is only used for layout."""
        rows = [row for row in table.iter("tr") if next(row.iterancestors("table")) is table]
        width = max((len(row.findall("td")) + len(row.findall("th")) for row in rows), default=0)
        if width < 2 or table.find(".//table") is not None:
            return False
        caption = table.find("caption")
        self.flush()
        if caption is not None:
            self._builder.add("paragraph", " ".join(_texts(caption)))
        self._kind = ("paragraph", 0)
        self._builder.add_table(_spread(rows))
        return True


def _spread(rows: list[etree._Element]) -> list[list[str]]:
    """Cells of a table; one that spans several has its text in the first."""
    table: list[list[str]] = []
    taken: dict[tuple[int, int], str] = {}
    for index, row in enumerate(rows):
        cells: list[str] = []
        for cell in row:
            if cell.tag not in ("td", "th"):
                continue
            while (index, len(cells)) in taken:
                cells.append(taken[index, len(cells)])
            text = " ".join(part.strip() for part in _visible(cell) if part.strip())
            start = len(cells)
            columns, height = _span(cell, "colspan"), _span(cell, "rowspan")
            cells += [text] + [""] * (columns - 1)
            for below in range(1, min(height, len(rows) - index)):
                for column in range(columns):
                    taken[index + below, start + column] = ""
        table.append(cells)
    return table


def _visible(element: etree._Element) -> Iterator[str]:
    if element.text:
        yield element.text
    for child in element:
        if not _is_dropped(child, 0):
            yield from _visible(child)
        if child.tail:
            yield child.tail


def _span(cell: etree._Element, name: str) -> int:
    value = cell.get(name) or "1"
    return min(100, max(1, int(value))) if value.isascii() and value.isdigit() else 1
