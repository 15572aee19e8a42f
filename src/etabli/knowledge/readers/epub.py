"""Electronic books: the chapters in the order of the spine, each read as a web page."""

from lxml import etree

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.archive import Archive, attribute, child, descendants
from etabli.knowledge.readers.building import DocumentBuilder
from etabli.knowledge.readers.detection import MEDIA_TYPES
from etabli.knowledge.readers.html import add_html_text
from etabli.knowledge.readers.limits import ReaderLimits


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read an .epub book.

    Raises:
        DocumentError: `broken`, `encrypted`, `unsafe`, `too_large` or `empty`.
    """
    archive = Archive(data, limits, format_name="EPUB")
    if "META-INF/encryption.xml" in archive.names and "META-INF/rights.xml" in archive.names:
        raise refusals.encrypted()
    rootfile = next(descendants(archive.xml("META-INF/container.xml"), "rootfile"), None)
    part = attribute(rootfile, "full-path") if rootfile is not None else None
    if not part:
        raise refusals.broken("EPUB")
    package = archive.xml(part)
    folder = part.rpartition("/")[0]
    items = {
        attribute(item, "id") or "": attribute(item, "href") or "" for item in descendants(package, "item")
    }
    builder = DocumentBuilder(limits)
    for reference in descendants(package, "itemref"):
        name = f"{folder}/{items.get(attribute(reference, 'idref') or '', '')}".lstrip("/")
        if name in archive.names:
            add_html_text(builder, archive.read(name).decode("utf-8", "replace"))
    return builder.finish(MEDIA_TYPES["epub"], title=_title(package))


def _title(package: etree._Element) -> str | None:
    title = child(package, "metadata", "title")
    return title.text if title is not None else None
