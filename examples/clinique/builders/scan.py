"""A note as it comes out of the photocopier: the page is drawn, photographed askew and put in a PDF as a picture.

The letters come from Bitstream Vera, which reportlab carries: the picture must not depend on the fonts of the
machine. The PDF has no text layer, so that only character recognition can read it.
"""

import io
from pathlib import Path

import numpy as np
import pypdfium2
import reportlab
from PIL import Image, ImageFilter
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import HRFlowable, SimpleDocTemplate
from reportlab.platypus import Paragraph as PdfParagraph

from . import palette
from .blocks import Heading, ItemList, Source, plain

DOTS_PER_INCH = 150
SKEW_DEGREES = 0.9
NOISE_LEVELS = 7.0
JPEG_QUALITY = 62


def render(source: Source) -> bytes:
    """A PDF of one page that holds only a grey picture."""
    document = pypdfium2.PdfDocument(_clean_page(source))
    picture = document[0].render(scale=DOTS_PER_INCH / 72, grayscale=True).to_pil()
    document.close()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1, pageCompression=0)
    canvas.setTitle(source.title)
    canvas.setAuthor(palette.CLINIC)
    jpeg = io.BytesIO()
    _photocopy(picture).save(jpeg, "JPEG", quality=JPEG_QUALITY)
    canvas.drawImage(ImageReader(jpeg), 0, 0, *A4)
    canvas.save()
    return buffer.getvalue()


def _photocopy(picture: Image.Image) -> Image.Image:
    turned = picture.rotate(SKEW_DEGREES, Image.Resampling.BICUBIC, fillcolor=250)
    levels = np.asarray(turned.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float64)
    noise = np.random.default_rng(1789).normal(0.0, NOISE_LEVELS, levels.shape)
    shadow = np.linspace(0.0, 14.0, levels.shape[1])[np.newaxis, :]
    return Image.fromarray(np.clip(levels * 0.93 + 14 - shadow + noise, 0, 255).astype(np.uint8))


def _clean_page(source: Source) -> bytes:
    fonts = Path(reportlab.__file__).parent / "fonts"
    pdfmetrics.registerFont(TTFont("Vera", fonts / "Vera.ttf"))
    pdfmetrics.registerFont(TTFont("VeraBd", fonts / "VeraBd.ttf"))
    body = ParagraphStyle("scan-body", fontName="Vera", fontSize=10.5, leading=16, spaceAfter=7)
    title = ParagraphStyle("scan-title", fontName="VeraBd", fontSize=16, leading=22, spaceAfter=6)
    heading = ParagraphStyle("scan-heading", parent=body, fontName="VeraBd", fontSize=12, spaceBefore=8)
    story = [
        PdfParagraph(palette.CLINIC, heading),
        PdfParagraph(source.title, title),
        PdfParagraph(f"{source.reference} – {source.version} – {source.owner}", body),
        HRFlowable(width="100%", thickness=1, spaceAfter=10),
    ]
    for block in source.blocks:
        match block:
            case Heading(_, text):
                story.append(PdfParagraph(text, heading))
            case ItemList(items, _):
                story += [PdfParagraph(f"–  {plain(item)}", body) for item in items]
            case other:
                story.append(PdfParagraph(plain(other.line), body))  # type: ignore[union-attr]
    buffer = io.BytesIO()
    SimpleDocTemplate(buffer, pagesize=A4, invariant=1, leftMargin=24 * mm, rightMargin=24 * mm).build(story)
    return buffer.getvalue()
