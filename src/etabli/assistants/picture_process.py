"""The child process that opens a picture nobody trusts: `python -m etabli.assistants.picture_process`.

It reads the bytes of one picture from its input and writes 256 × 256 pixels as PNG, or one word that says why not.
What it does not need it takes away from itself first, as the processes that read documents do.
"""

import io
import sys

from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from etabli.knowledge.readers.sandbox import confine, limit_cpu

SIDE = 256
MAX_BYTES = 1_000_000
MAX_PIXELS = 24_000_000
"""A photograph of a telephone has less; more is a bomb, or needs no avatar made of it."""
FORMATS = (PngImagePlugin.PngImageFile, JpegImagePlugin.JpegImageFile, WebPImagePlugin.WebPImageFile)
_CPU_S = 15


def main() -> None:
    """Answer once."""
    Image.preinit()  # nothing is imported afterwards
    confine(tesseract=None)
    limit_cpu(_CPU_S)
    sys.stdout.buffer.write(reencode(sys.stdin.buffer.read(MAX_BYTES + 1)))


def reencode(data: bytes) -> bytes:
    """The picture, cut square around its middle, without anything that came with its pixels; or the word.

    Args:
        data: of a PNG, JPEG or WebP file.

    Returns:
        A PNG; or `kind`, `pixels` or `broken`.
    """
    Image.MAX_IMAGE_PIXELS = None  # our own bound is checked below, before any pixel is read
    try:
        image = Image.open(io.BytesIO(data), formats=[str(kind.format) for kind in FORMATS])
    except Exception:  # a decoder may raise anything over bytes that were made to break it
        return b"kind"
    if image.width * image.height > MAX_PIXELS:
        return b"pixels"
    try:
        image.draft("RGB", (2 * SIDE, 2 * SIDE))
        upright = ImageOps.exif_transpose(image)
        colours = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        square = ImageOps.fit(colours, (SIDE, SIDE), Image.Resampling.LANCZOS)
        square.info = {}
        out = io.BytesIO()
        square.save(out, "PNG")
    except Exception:
        return b"broken"
    return out.getvalue()


if __name__ == "__main__":
    main()
