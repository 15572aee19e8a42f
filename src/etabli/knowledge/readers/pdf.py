"""PDF documents: lines with boxes from PDFium, OCR for the pages that have no usable text.

Order of work: every page is read, running headers go, each page is put in reading order, then blocks are
made over the whole document so that a paragraph may run over a page's end.
"""

import ctypes
import re
from dataclasses import replace
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import ocr, quality, refusals
from etabli.knowledge.readers.building import DocumentBuilder, Fragment
from etabli.knowledge.readers.limits import ReaderLimits
from etabli.knowledge.readers.pdf_blocks import BlockMaker, outline_key, typography
from etabli.knowledge.readers.pdf_furniture import drop_furniture
from etabli.knowledge.readers.pdf_order import reading_order
from etabli.knowledge.readers.pdf_page import Line, Page, read_page
from etabli.messages import tr

_HYPHENATED = re.compile("[^\\W\\d_]+-[^\\W\\d_]+")
_JUNK_TITLE = re.compile(
    r"(microsoft word|untitled|sans titre|document\d*$|\(?(anonymous|unspecified)\)?$"
    r"|.*\.(docx?|odt|pdf|indd|xlsx?|pptx?|rtf)$)",
    re.I,
)
_SCANNED_SHARE = 0.3
_MAX_OUTLINE = 5_000
_MAX_ANNOTATIONS = 2_000


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read a PDF.

    Args:
        data: the file.
        limits: bounds.

    Raises:
        DocumentError: `encrypted`, `broken`, `too_large`, `needs_ocr`, `timeout` or `empty`.
    """
    document = open_document(data)
    try:
        count = len(document)
        if count > limits.max_pages:
            raise refusals.too_many_pages(count, limits.max_pages)
        pages, notes = _read_pages(document, limits)
        outline = _outline(document)
        title = document.get_metadata_value("Title").strip()
    finally:
        document.close()
    drop_furniture(pages)
    ordered = [reading_order(page) for page in pages]
    builder = DocumentBuilder(limits, hyphenated=_hyphenated(pages))
    builder.notes += notes
    maker = BlockMaker(builder, typography(unit for units in ordered for unit in units), outline)
    for units in ordered:
        maker.add(units)
    maker.flush()
    return builder.finish(
        "application/pdf", title=None if _JUNK_TITLE.match(title) else title, page_count=count
    )


def open_document(source: bytes | Path) -> pdfium.PdfDocument:
    """Open a PDF from its bytes, or from its file, of which only what is needed is read.

    Raises:
        DocumentError: `encrypted` or `broken`.
    """
    try:
        document = pdfium.PdfDocument(source)
    except pdfium.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise refusals.encrypted() from None
        raise refusals.broken("PDF") from None
    if len(document) == 0:
        document.close()
        raise refusals.broken("PDF")
    return document


def _read_pages(document: pdfium.PdfDocument, limits: ReaderLimits) -> tuple[list[Page], list[str]]:
    """All pages, by their text or by OCR, and notes on those that could not be read."""
    started = ocr.cpu_time()
    pages: list[Page] = []
    missing: list[int] = []
    unread: list[int] = []
    damaged: list[int] = []
    for number in range(1, len(document) + 1):
        try:
            page = page_with_fields(document, number - 1)
        except pdfium.PdfiumError:
            damaged.append(number)
            continue
        try:
            content = read_page(page, number)
            verdict = quality.judge(content.text)
            if verdict == "garbage" or (verdict == "empty" and content.image_share >= _SCANNED_SHARE):
                if limits.tesseract is None:
                    missing.append(number)
                    if verdict == "garbage":
                        content.lines = []
                elif not ocr.has_time(limits, started):
                    unread.append(number)
                else:
                    _recognise(page, content, limits, unread)
            pages.append(content)
        finally:
            page.close()
    if len(damaged) == len(document):
        raise refusals.broken("PDF")
    if not any(page.lines for page in pages):
        if missing:
            raise refusals.needs_ocr(len(missing))
        if unread:
            raise refusals.timeout(limits.cpu_seconds)
    return pages, _notes(missing, unread, damaged)


def page_with_fields(document: pdfium.PdfDocument, index: int) -> pdfium.PdfPage:
    """A page on which what people typed into form fields is text like any other.

    Raises:
        PdfiumError: the page is damaged.
    """
    page = document[index]
    for number in range(min(raw.FPDFPage_GetAnnotCount(page.raw), _MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, number)
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        raw.FPDFPage_CloseAnnot(annotation)
        if kind in (raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT):
            if raw.FPDFPage_Flatten(page.raw, raw.FLAT_NORMALDISPLAY) == raw.FLATTEN_SUCCESS:
                page.close()
                page = document[index]
            break
    return page


def _recognise(page: pdfium.PdfPage, content: Page, limits: ReaderLimits, unread: list[int]) -> None:
    """Replace a page's lines by what OCR reads on its image."""
    scale = ocr.DPI / 72
    pixels = content.width * content.height * scale * scale
    if pixels > limits.max_image_pixels:
        scale *= (limits.max_image_pixels / pixels) ** 0.5
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        width, height, stride = bitmap.width, bitmap.height, bitmap.stride
        buffer = bytes(bitmap.buffer)
    finally:
        bitmap.close()
    if stride != width:
        buffer = b"".join(buffer[row * stride : row * stride + width] for row in range(height))
    try:
        result = ocr.recognise(
            ocr.gray_image(buffer, width, height),
            limits.tesseract or "tesseract",
            scale=1 / scale,
            page=content.number,
            dpi=round(72 * scale),
        )
    except ocr.OcrFailedError:
        unread.append(content.number)
        return
    content.lines = [replace(line, paragraph=paragraph + 1) for line, paragraph in result.lines]
    _level_sizes(content.lines)


def _level_sizes(lines: list[Line]) -> None:
    """Heights of recognised lines vary with their letters: near sizes are made equal."""
    if not lines:
        return
    sizes = sorted(line.size for line in lines)
    middle = sizes[len(sizes) // 2]
    for line in lines:
        if 0.6 * middle < line.size < 1.45 * middle:
            line.size = middle


def _outline(document: pdfium.PdfDocument) -> dict[str, int]:
    """Levels from 1 of the outline's titles."""
    levels: dict[str, int] = {}
    try:
        for index, item in enumerate(document.get_toc(max_depth=6)):
            if index >= _MAX_OUTLINE:
                break
            key = outline_key(item.get_title())
            if len(key) > 2:
                levels.setdefault(key, item.level + 1)
    except (pdfium.PdfiumError, ValueError, ctypes.ArgumentError):
        return levels
    return levels


def _hyphenated(pages: list[Page]) -> frozenset[str]:
    """Words that the document writes with a hyphen inside a line."""
    words: set[str] = set()
    for page in pages:
        for line in page.lines:
            if "-" in line.text:
                words.update(word.lower() for word in _HYPHENATED.findall(line.text))
    return frozenset(words)


def _notes(missing: list[int], unread: list[int], damaged: list[int]) -> list[str]:
    notes = []
    if missing:
        notes.append(
            tr(
                "Pages without text, not read because no text recognition is installed: {pages}. Install "
                "it with: apt-get install tesseract-ocr tesseract-ocr-fra",
                pages=_ranges(missing),
            )
        )
    if unread:
        notes.append(
            tr(
                "Scanned pages that could not be recognised in the time allowed: {pages}.",
                pages=_ranges(unread),
            )
        )
    if damaged:
        notes.append(tr("Damaged pages, not read: {pages}.", pages=_ranges(damaged)))
    return notes


def _ranges(numbers: list[int]) -> str:
    """Page numbers for people.

    >>> _ranges([1, 2, 3, 7])
    '1–3, 7'
    """
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{a}–{b}" if b > a else str(a) for a, b in parts)


def recognised_blocks(builder: DocumentBuilder, result: ocr.ReadImage) -> None:
    """Add the lines of an image, a block for each paragraph that OCR saw."""
    paragraph: list[Fragment] = []
    current = -1
    for line, number in result.lines:
        if number != current and paragraph:
            builder.add_fragments("paragraph", paragraph)
            paragraph = []
        current = number
        paragraph.append(Fragment(line.text, line.page, line.x0, line.y0, line.x1, line.y1))
    if paragraph:
        builder.add_fragments("paragraph", paragraph)
