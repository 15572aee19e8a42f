"""What a file is, by its content; the extension only decides between kinds of plain text."""

import io
import re
import zipfile
from pathlib import PurePosixPath
from typing import Literal

from etabli.errors import DocumentError
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.encoding import detect_encoding

Format = Literal[
    "pdf",
    "docx",
    "xlsx",
    "pptx",
    "odt",
    "ods",
    "odp",
    "epub",
    "html",
    "markdown",
    "text",
    "csv",
    "eml",
    "rtf",
    "image",
    "xml",
]

MEDIA_TYPES: dict[str, str] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "epub": "application/epub+zip",
    "html": "text/html",
    "markdown": "text/markdown",
    "text": "text/plain",
    "csv": "text/csv",
    "eml": "message/rfc822",
    "rtf": "application/rtf",
    "xml": "application/xml",
}
IMAGE_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_OFFICE_PARTS: tuple[tuple[str, Format], ...] = (
    ("word/", "docx"),
    ("xl/", "xlsx"),
    ("ppt/", "pptx"),
)
_ODF_TYPES: dict[str, Format] = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.text-template": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/epub+zip": "epub",
}
_OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("WordDocument", "Word", ".docx"),
    ("Workbook", "Excel", ".xlsx"),
    ("PowerPoint Document", "PowerPoint", ".pptx"),
    ("Book", "Excel", ".xlsx"),
    ("__substg1.0_", "Outlook", ".eml"),
)
_EXTENSIONS: dict[str, Format] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".tsv": "csv",
    ".eml": "eml",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".txt": "text",
}
_MAIL_HEADER = re.compile(
    r"^(from|to|subject|date|received|mime-version|message-id|return-path|delivered-to|de|x-[\w-]+):", re.I
)
_HTML_START = re.compile(r"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!doctype\s+html|<html[\s>])", re.I | re.S)
_HTML_TAG = re.compile(r"</?(p|div|table|body|head|h[1-6]|ul|li|span|br|section|article)\b[^>]*>", re.I)
_MARKDOWN_LINE = re.compile(r"#{1,6} \S|```|\|.+\|$|[-*] \[[ xX]\] |\[.+\]\(.+\)")


def detect_format(data: bytes, name: str) -> Format:
    """The format of a file.

    Args:
        data: its whole content.
        name: its name, used only for its extension and only for plain text.

    Raises:
        DocumentError: `empty`, `unsupported`, or `encrypted` for a protected Office file.
    """
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise refusals.empty()
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_format(data)
    if data.startswith(_OLE_MARK):
        raise _ole_refusal(data)
    if data.startswith(b"{\\rtf"):
        return "rtf"
    if image_type(data) is not None:
        return "image"
    encoding = detect_encoding(data)
    if encoding is None:
        raise refusals.unsupported()
    text = data[:65_536].decode(encoding, "ignore")
    return _text_format(text, PurePosixPath(name).suffix.lower())


def image_type(data: bytes) -> str | None:
    """The media type of an image that OCR reads, or None."""
    return next((media_type for mark, media_type in IMAGE_MARKS if data.startswith(mark)), None)


def _zip_format(data: bytes) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            first = names[0] if names else ""
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                declared = archive.read("mimetype").decode("ascii", "replace").strip()
                if declared in _ODF_TYPES:
                    return _ODF_TYPES[declared]
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError):
        raise refusals.broken("ZIP") from None
    if "[Content_Types].xml" in names or first.startswith("_rels"):
        for folder, found in _OFFICE_PARTS:
            if any(member.startswith(folder) for member in names):
                return found
    raise refusals.unsupported()


def _ole_refusal(data: bytes) -> DocumentError:
    """The names of the streams tell which program wrote an OLE compound file; they are stored in UTF-16."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return refusals.encrypted()
    for stream, program, extension in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            return refusals.old_office(program, extension)
    return refusals.unsupported()


def _text_format(text: str, extension: str) -> Format:
    hint = _EXTENSIONS.get(extension)
    head = text.lstrip("\ufeff \t\r\n")
    if _HTML_START.match(head) or (head.startswith("<") and len(_HTML_TAG.findall(head[:20_000])) > 3):
        return "html"
    if head.startswith("<?xml"):
        return "xml"
    lines = head.splitlines()[:60]
    if _is_mail(lines):
        return "eml"
    if hint in ("markdown", "text"):
        return hint
    if _is_table(lines, hinted=hint == "csv"):
        return "csv"
    if sum(bool(_MARKDOWN_LINE.match(line)) for line in lines) >= 3 and extension == "":
        return "markdown"
    return "text"


def _is_mail(lines: list[str]) -> bool:
    headers = 0
    for line in lines:
        if not line.strip():
            break
        if line[0] in " \t":
            continue
        if not re.match(r"[\w-]+:", line):
            return False
        headers += bool(_MAIL_HEADER.match(line))
    return headers >= 2


def _is_table(lines: list[str], *, hinted: bool) -> bool:
    filled = [line for line in lines if line.strip()]
    if hinted:
        return any(separator in line for line in filled[:5] for separator in ";,\t|")
    if len(filled) < 3:
        return False
    return any(filled[0].count(s) >= 1 and len({line.count(s) for line in filled[:10]}) == 1 for s in ";\t")
