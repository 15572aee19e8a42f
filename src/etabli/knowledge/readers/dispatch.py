"""From a file to the reader of its format. The only list of formats is here."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from etabli.errors import DocumentError
from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import (
    csv,
    docx,
    email,
    epub,
    html,
    image,
    markdown,
    odf,
    pdf,
    pptx,
    refusals,
    rtf,
    text,
    xlsx,
)
from etabli.knowledge.readers.detection import Format, detect_format
from etabli.knowledge.readers.limits import ReaderLimits

Reader = Callable[[bytes, ReaderLimits], ParsedDocument]

READERS: dict[Format, Reader] = {
    "pdf": pdf.read,
    "docx": docx.read,
    "xlsx": xlsx.read,
    "pptx": pptx.read,
    "odt": odf.read_text,
    "ods": odf.read_sheets,
    "odp": odf.read_slides,
    "epub": epub.read,
    "html": html.read,
    "xml": html.read_xml,
    "markdown": markdown.read,
    "text": text.read,
    "csv": csv.read,
    "eml": email.read,
    "rtf": rtf.read,
    "image": image.read,
}


def read_file(path: Path, limits: ReaderLimits, *, name: str | None = None) -> ParsedDocument:
    """Read a file in this process.

    Args:
        path: where it is.
        limits: bounds.
        name: its name, when `path` does not have it.

    Raises:
        DocumentError: it cannot be read; its `state` says why.
    """
    size = path.stat().st_size
    if size > limits.max_bytes:
        raise refusals.too_many_bytes(size, limits.max_bytes)
    return read_bytes(path.read_bytes(), limits, name=name or path.name)


def read_bytes(data: bytes, limits: ReaderLimits, *, name: str, depth: int = 0) -> ParsedDocument:
    """Read a file's content; `depth` is 1 inside a message, whose own attachments are not opened.

    Raises:
        DocumentError: it cannot be read; its `state` says why.
        MemoryError: it needs more memory than the process may have.
    """
    found = detect_format(data, name)
    if found == "eml" and depth == 0:
        return email.read(data, limits, read_attachment=partial(_read_attachment, limits))
    try:
        return READERS[found](data, limits)
    except DocumentError:
        raise
    except RecursionError:
        raise refusals.broken(found.upper()) from None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError):
        # Readers meet files that no test foresaw; one bad file must not look like a fault of the service.
        raise refusals.broken(found.upper()) from None


def _read_attachment(limits: ReaderLimits, data: bytes, name: str) -> ParsedDocument:
    return read_bytes(data, limits, name=name, depth=1)
