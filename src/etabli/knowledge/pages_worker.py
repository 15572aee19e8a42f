"""The child process that draws pages: `python -m etabli.knowledge.pages_worker`.

As confined as the one that reads (`readers.worker`), whose protocol it speaks, and it sees a page as that one does:
a point of a PDF page is 1/72 inch from its displayed top-left corner, a point of an image is one of its pixels.
"""

import base64
import io
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from PIL import (
    Image,
    ImageChops,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
)

from etabli.knowledge.readers import refusals, worker
from etabli.knowledge.readers.limits import ReaderLimits
from etabli.knowledge.readers.pdf import open_document, page_with_fields

PDF = "application/pdf"
_PLUGINS = (
    PngImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,  # what a camera makes of a JPEG; opened as one
    TiffImagePlugin,
)
"""Loaded before the process is confined; no other decoder is ever asked."""
_IMAGE_FORMATS = ("PNG", "JPEG", "TIFF")
_COMPRESSION = 3
"""Level of zlib: higher ones take several times as long for a few percent."""
_MAX_PIXELS = 40_000_000
"""Largest picture that is made, for pages that are much higher than wide."""


def draw(request: dict[str, Any], limits: ReaderLimits) -> dict[str, Any]:
    """The sizes of all pages, or the picture of one.

    Args:
        request: `path`, `media_type` and either nothing else or `page` (from 1) and `width` in pixels.
        limits: bounds.

    Returns:
        `{"sizes": [[width, height], …]}` in points, or `{"picture": …}`: a PNG in base64, `width` wide where the
        page allows it. A page that does not exist gives `{"picture": null}`.

    Raises:
        DocumentError: the file cannot be opened, or is too large.
    """
    pages = _Pdf(request["path"]) if request["media_type"] == PDF else _Pictures(request["path"], limits)
    with pages:
        if "page" not in request:
            return {"sizes": pages.sizes()[: limits.max_pages]}
        if not 1 <= request["page"] <= pages.count:
            return {"picture": None}
        image = pages.picture(request["page"] - 1, request["width"])
        return {"picture": base64.b64encode(_png(image)).decode("ascii")}


class _Pdf:
    """The pages of a PDF."""

    def __init__(self, path: str) -> None:
        self._document = open_document(Path(path))
        self.count = len(self._document)

    def __enter__(self) -> "_Pdf":
        return self

    def __exit__(self, *_: object) -> None:
        self._document.close()

    def sizes(self) -> list[tuple[float, float]]:
        found = []
        for index in range(self.count):
            width, height = self._document.get_page_size(index)
            found.append((round(width, 2), round(height, 2)))
        return found

    def picture(self, index: int, width: int) -> Image.Image:
        try:
            page = page_with_fields(self._document, index)
        except pdfium.PdfiumError:
            raise refusals.broken("PDF") from None
        try:
            across, down = page.get_size()
            scale = width / max(across, 1.0)
            scale = min(scale, (_MAX_PIXELS / max(across * down, 1.0)) ** 0.5)
            bitmap = page.render(scale=scale)
            try:
                image: Image.Image = bitmap.to_pil()
                return image.copy()  # its bytes are the bitmap's, which is closed
            finally:
                bitmap.close()
        finally:
            page.close()


class _Pictures:
    """The frames of an image: one, but for a TIFF of many pages."""

    def __init__(self, path: str, limits: ReaderLimits) -> None:
        Image.MAX_IMAGE_PIXELS = None  # bounded here, where the refusal says what to do
        self._limits = limits
        try:
            self._image = Image.open(path, formats=_IMAGE_FORMATS)
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
            raise refusals.broken("an image") from None
        self.count = int(getattr(self._image, "n_frames", 1))

    def __enter__(self) -> "_Pictures":
        return self

    def __exit__(self, *_: object) -> None:
        self._image.close()

    def sizes(self) -> list[tuple[float, float]]:
        found = []
        for index in range(min(self.count, self._limits.max_pages)):
            self._image.seek(index)
            found.append((float(self._image.width), float(self._image.height)))
        return found

    def picture(self, index: int, width: int) -> Image.Image:
        image = self._image
        try:
            image.seek(index)
            pixels = image.width * image.height
            if pixels > self._limits.max_image_pixels:
                raise refusals.too_many_pixels(pixels, self._limits.max_image_pixels)
            height = max(1, round(image.height * width / image.width))
            if width < image.width:
                image.draft(None, (width, height))  # a JPEG is decoded near that size, where that is quicker
            shown = _on_white(image)
        except (OSError, ValueError, SyntaxError, EOFError):
            raise refusals.broken("an image") from None
        if width < shown.width:
            shown = shown.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
        return shown


def _on_white(image: Image.Image) -> Image.Image:
    """An image in gray or RGB, on white where it lets through."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        lowest, highest = image.convert("F").getextrema()
        scale = 255 / (highest - lowest) if highest > lowest else 1.0  # type: ignore[operator]
        return image.convert("F").point(lambda value: (value - lowest) * scale).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _png(image: Image.Image) -> bytes:
    """As PNG; in gray where there is no colour, which takes a third."""
    if image.mode == "RGB":
        red, green, blue = image.split()
        if ImageChops.difference(red, green).getbbox() is None and (
            ImageChops.difference(red, blue).getbbox() is None
        ):
            image = red
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=_COMPRESSION)
    return buffer.getvalue()


if __name__ == "__main__":
    worker.main(task=draw, niceness=0)
