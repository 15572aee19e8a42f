"""Photographs and scans of text: read by OCR; a point of their boxes is a pixel of the image."""

import struct

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import ocr, refusals
from etabli.knowledge.readers.building import DocumentBuilder
from etabli.knowledge.readers.detection import image_type
from etabli.knowledge.readers.limits import ReaderLimits
from etabli.knowledge.readers.pdf import recognised_blocks


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read the text of a PNG, JPEG or TIFF image.

    Raises:
        DocumentError: `needs_ocr`, `broken`, `too_large`, or `empty` when no word is seen.
    """
    pixels = pixel_count(data)
    if pixels is not None and pixels > limits.max_image_pixels:
        raise refusals.too_many_pixels(pixels, limits.max_image_pixels)
    if limits.tesseract is None:
        raise refusals.needs_ocr(1)
    try:
        result = ocr.recognise(data, limits.tesseract, scale=1.0, page=1)
    except ocr.OcrFailedError:
        raise refusals.broken("an image") from None
    builder = DocumentBuilder(limits)
    recognised_blocks(builder, result)
    return builder.finish(image_type(data) or "image/png", page_count=result.page_count)


def pixel_count(data: bytes) -> int | None:
    """Width times height as the header of a PNG, JPEG or TIFF says; None when it does not."""
    try:
        if data.startswith(b"\x89PNG"):
            width, height = struct.unpack(">II", data[16:24])
            return int(width * height)
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        return _tiff(data)
    except struct.error:
        return None


def _jpeg(data: bytes) -> int | None:
    """The first start-of-frame segment has the size (ITU T.81, B.2.2)."""
    position = 2
    while position + 9 < len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return int(width * height)
        (length,) = struct.unpack(">H", data[position + 2 : position + 4])
        position += 2 + length
    return None


def _tiff(data: bytes) -> int | None:
    """Tags 256 and 257 of the first directory (TIFF 6.0, section 2)."""
    order = "<" if data.startswith(b"II") else ">"
    (offset,) = struct.unpack(order + "I", data[4:8])
    (count,) = struct.unpack(order + "H", data[offset : offset + 2])
    size: dict[int, int] = {}
    for index in range(count):
        start = offset + 2 + 12 * index
        tag, kind = struct.unpack(order + "HH", data[start : start + 4])
        if tag in (256, 257):
            form = "H" if kind == 3 else "I"
            (size[tag],) = struct.unpack(order + form, data[start + 8 : start + 8 + struct.calcsize(form)])
    return size[256] * size[257] if len(size) == 2 else None
