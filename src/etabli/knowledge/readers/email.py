"""E-mails: who wrote to whom, when and about what; the text; attachments one level deep."""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage, Message, MIMEPart
from email.utils import parsedate_to_datetime

from etabli.errors import DocumentError
from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.language import detect
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.building import DocumentBuilder, one_line
from etabli.knowledge.readers.html import add_html_text
from etabli.knowledge.readers.limits import ReaderLimits
from etabli.knowledge.readers.text import add_text
from etabli.messages import tr

ReadAttachment = Callable[[bytes, str], ParsedDocument]

_SHOWN = ("From", "To", "Cc")
_LABELS = {
    "fr": {
        "From": "De\u00a0:",
        "To": "À\u00a0:",
        "Cc": "Copie\u00a0:",
        "Date": "Date\u00a0:",
        "attachment": "Pièce jointe\u00a0:",
        "format": "%d/%m/%Y %H:%M",
    },
    "en": {
        "From": "From:",
        "To": "To:",
        "Cc": "Cc:",
        "Date": "Date:",
        "attachment": "Attachment:",
        "format": "%Y-%m-%d %H:%M",
    },
}
_MAX_HEADER = 2_000


def read(
    data: bytes, limits: ReaderLimits, *, read_attachment: ReadAttachment | None = None
) -> ParsedDocument:
    """Read a message.

    Args:
        data: the file.
        limits: bounds.
        read_attachment: reads the content of an attachment, given its name; None leaves attachments out.

    Raises:
        DocumentError: `broken` when it has no headers, `empty`, `too_large`.
    """
    message = message_from_bytes(data, policy=policy.default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise refusals.broken("EML")
    builder = DocumentBuilder(limits)
    subject = _header(message, "Subject")
    body, is_html = _body(message)
    # The words between the parts follow the message, not the person who reads: the text is stored once.
    labels = _LABELS[detect(f"{subject} {body[:2_000]}") or "fr"]
    builder.add("heading", subject, level=1)
    shown = [(labels[name], _header(message, name)) for name in _SHOWN]
    shown.append((labels["Date"], _date(message, labels["format"])))
    builder.add("paragraph", "\n".join(f"{label} {value}" for label, value in shown if value))
    if is_html:
        add_html_text(builder, body)
    else:
        add_text(builder, re.sub(r"^(?:>[ \t]?)+", "", body, flags=re.M))
    _add_attachments(builder, message, limits, read_attachment, labels["attachment"])
    return builder.finish("message/rfc822", title=subject)


def _header(message: EmailMessage, name: str) -> str:
    try:
        value = one_line(str(message.get(name, "")))[:_MAX_HEADER]
    except (ValueError, TypeError, AttributeError, IndexError):
        # The header parser of the standard library fails on some malformed addresses.
        raw = next((text for key, text in message.raw_items() if key.lower() == name.lower()), "")
        value = one_line(str(raw))[:_MAX_HEADER]
    return value


def _date(message: EmailMessage, form: str) -> str:
    value = _header(message, "Date")
    try:
        return parsedate_to_datetime(value).strftime(form)
    except (ValueError, TypeError, IndexError):
        return value


def _body(message: EmailMessage) -> tuple[str, bool]:
    """The plain text, or the HTML when there is no plain text, and which of both; a quoted thread stays."""
    part = message.get_body(preferencelist=("plain", "html"))
    return (_content(part), part.get_content_type() == "text/html") if part is not None else ("", False)


def _content(part: MIMEPart) -> str:
    try:
        content = part.get_content()
    except (LookupError, ValueError, UnicodeError):
        payload = part.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return content if isinstance(content, str) else ""


def _add_attachments(
    builder: DocumentBuilder,
    message: EmailMessage,
    limits: ReaderLimits,
    read_attachment: ReadAttachment | None,
    label: str,
) -> None:
    left_out: list[str] = []
    for index, part in enumerate(message.iter_attachments()):
        name = one_line(part.get_filename() or "")[:200] or f"{index + 1}"
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes) and part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            first = inner[0] if isinstance(inner, list) and inner else None
            payload = first.as_bytes() if isinstance(first, Message) else None
            name = name if name.endswith(".eml") else f"{name}.eml"
        if not isinstance(payload, bytes) or not payload:
            continue
        if index >= limits.max_attachments or read_attachment is None:
            left_out.append(name)
            continue
        try:
            document = read_attachment(payload, name)
        except DocumentError as error:
            builder.notes.append(
                tr("Attachment “{name}” was not read: {reason}", name=name, reason=str(error))
            )
            continue
        builder.add("heading", f"{label} {name}", level=1)
        builder.extend(document)
    if left_out:
        builder.notes.append(tr("Attachments left out: {names}.", names=", ".join(left_out[:20])))
