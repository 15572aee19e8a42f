"""Files for the tests of the readers, made on the spot: honest ones, damaged ones and hostile ones."""

import io
import zipfile
from collections.abc import Sequence
from email.message import EmailMessage

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import ListFlowable, ListItem, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from etabli.knowledge.blocks import ParsedDocument

SENTENCE = "L’établissement s’engage à protéger les données personnelles de chaque patient accueilli. "

Line = tuple[float, float, str]


def drawn_pdf(pages: Sequence[Sequence[Line]], *, font: str = "Helvetica", size: float = 11) -> bytes:
    """Pages of lines drawn at (x, y from the top)."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4)
    for lines in pages:
        canvas.setFont(font, size)
        for x, y, text in lines:
            canvas.drawString(x, A4[1] - y, text)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def report_pdf(sections: int = 4, *, title: str | None = None) -> bytes:
    """A report as an office writes them: title, numbered headings, lists, ruled tables, running footer."""
    styles = getSampleStyleSheet()
    story: list[object] = [Paragraph("Charte des données", styles["Title"])]
    for number in range(1, sections + 1):
        story += [
            Paragraph(f"{number}. Section {number}", styles["Heading1"]),
            Paragraph(SENTENCE * 5, styles["BodyText"]),
            Paragraph(f"{number}.1 Détail", styles["Heading2"]),
            Paragraph(SENTENCE * 3, styles["BodyText"]),
            ListFlowable(
                [ListItem(Paragraph(text, styles["BodyText"])) for text in ("premier point", "second point")],
                bulletType="bullet",
            ),
            Table(
                [
                    ["Nom", "Service", "Poste"],
                    [
                        "Anne Martin",
                        "Pharmacie",
                        Paragraph("4052, puis le poste de garde la nuit", styles["BodyText"]),
                    ],
                    ["Luc Petit", "Urgences", "4115"],
                ],
                colWidths=[120, 120, 100],
                style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)],
            ),
            Spacer(1, 20),
        ]

    def footer(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 8)
        canvas.drawString(60, 30, f"Clinique des Tilleuls – page {document.page}")
        canvas.restoreState()

    target = io.BytesIO()
    SimpleDocTemplate(target, pagesize=A4, title=title).build(story, onFirstPage=footer, onLaterPages=footer)
    return target.getvalue()


def striped_table_pdf() -> bytes:
    """A table without vertical rules whose first column wraps."""
    styles = getSampleStyleSheet()
    first = Paragraph("Cholécystectomie cœlioscopique sans facteur de risque", styles["BodyText"])
    table = Table(
        [["Intervention", "Molécule", "Dose"], [first, "Aucune", "–"], ["Hernie", "Céfazoline", "2 g IV"]],
        colWidths=[130, 90, 90],
        style=[("LINEBELOW", (0, i), (-1, i), 0.5, colors.grey) for i in range(3)]
        + [("LINEABOVE", (0, 0), (-1, 0), 0.5, colors.grey), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")],
    )
    target = io.BytesIO()
    SimpleDocTemplate(target).build([Paragraph(SENTENCE * 4, styles["BodyText"]), table, PageBreak()])
    return target.getvalue()


def encrypted_pdf() -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target, encrypt=StandardEncryption("secret", strength=128))
    canvas.drawString(72, 700, SENTENCE)
    canvas.save()
    return target.getvalue()


def scanned_pdf(text: Sequence[str], *, pages: int = 1) -> bytes:
    """Pages that are only an image of text."""
    picture = ImageReader(io.BytesIO(text_image(text)))
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4)
    for _ in range(pages):
        canvas.drawImage(picture, 0, 0, *A4)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def text_image(text: Sequence[str]) -> bytes:
    """A PNG of lines of text, as a scanner at 200 dpi gives an A4 page."""
    import pypdfium2

    page = pypdfium2.PdfDocument(
        drawn_pdf([[(72, 100 + 24 * i, line) for i, line in enumerate(text)]], size=14)
    )[0]
    target = io.BytesIO()
    page.render(scale=200 / 72, grayscale=True).to_pil().save(target, "PNG", dpi=(200, 200))
    return target.getvalue()


def looping_pdf() -> bytes:
    """A page tree whose child is its own parent, and a content stream that calls itself."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 5 0 R "
        b"/Resources << /XObject << /X 4 0 R >> /Font << /F 6 0 R >> >> >>",
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 300 300] /Resources << /XObject << /X 4 0 R >> >> "
        b"/Length 5 >>\nstream\n/X Do\nendstream",
        b"<< /Length 63 >>\nstream\nBT /F 12 Tf 20 200 Td (A page that calls itself for ever) Tj ET /X Do\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(body)
    return (
        body
        + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
        + table
        + b"trailer << /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    )


def zipped(members: dict[str, bytes | str], *, stored: bool = False) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


CONTENT_TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    + "]>"
)


def word_file(body: str, **parts: bytes | str) -> bytes:
    """A Word file around the XML of its body; `parts` are further members, `__` for `/`."""
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": CONTENT_TYPES,
        "word/document.xml": f"<w:document {WORD}><w:body>{body}</w:body></w:document>",
    }
    members.update({f"word/{name}.xml": content for name, content in parts.items()})
    return zipped(members)


def opendocument(kind: str, body: str, *, manifest: str = "<manifest/>") -> bytes:
    """An OpenDocument file of a kind (`text`, `spreadsheet`, `presentation`)."""
    spaces = " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for prefix, name in (
            ("office", "office"),
            ("text", "text"),
            ("table", "table"),
            ("draw", "drawing"),
            ("presentation", "presentation"),
            ("style", "style"),
        )
    )
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"<office:document-content {spaces}><office:body><office:{kind}>{body}"
            f"</office:{kind}></office:body></office:document-content>",
            "META-INF/manifest.xml": manifest,
        }
    )


def message(*, body: str, attachments: dict[str, bytes] | None = None, html: str | None = None) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Béatrice Nguyen <b.nguyen@tilleuls.example>"
    mail["To"] = "Équipe <equipe@tilleuls.example>"
    mail["Subject"] = "Les pompes à perfusion"
    mail["Date"] = "Wed, 11 Mar 2026 09:42:00 +0100"
    mail.set_content(body)
    if html is not None:
        mail.add_alternative(html, subtype="html")
    for name, content in (attachments or {}).items():
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def kinds(document: ParsedDocument) -> list[tuple[str, int, str]]:
    """Kind, level and text of each block."""
    return [(b.kind, b.level, document.text[b.char_start : b.char_end]) for b in document.blocks]


def check_invariants(document: ParsedDocument) -> None:
    """What `blocks.py` promises about every document."""
    import unicodedata

    text = document.text
    assert unicodedata.is_normalized("NFC", text)
    assert not [c for c in text if c != "\n" and unicodedata.category(c) == "Cc"]
    assert "\u00ad" not in text and "\ufffe" not in text
    position = 0
    for index, block in enumerate(document.blocks):
        assert block.char_start == position + (2 if index else 0)
        assert text[position : block.char_start] == ("\n\n" if index else "")
        position = block.char_end
        content = text[block.char_start : block.char_end]
        assert content.strip()
        assert (block.level > 0) == (block.kind in ("heading", "list_item"))
        if block.kind == "heading":
            assert "\n" not in content
        if block.kind == "table":
            assert content == "\n".join(" | ".join(row) for row in block.cells)
            assert len({len(row) for row in block.cells}) == 1
        else:
            assert block.cells == ()
        for box in block.boxes:
            assert block.char_start <= box.char_start < box.char_end <= block.char_end
            assert box.x0 <= box.x1 and box.y0 <= box.y1 and box.page >= 1
            assert text[box.char_start : box.char_end].strip()
    assert position == len(text)
    assert document.language in ("fr", "en")
