"""A file that comes as `multipart/form-data`: written to the disk as it arrives, hashed on the way.

Nothing of it is held in memory but the piece that is being written. What is too large or of no known format is
refused as soon as that is known. Source: RFC 7578.
"""

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from etabli.errors import DiskSpaceError, InvalidInputError, RequestTooLargeError
from etabli.knowledge.library_uploads import BEGINNING, Received, check_beginning, document_name
from etabli.messages import tr

ROOM_BYTES = 1 << 20
"""How much larger than its file a body may be: its fields and the marks between its parts."""
_PIECE = 1 << 20
_MAX_FIELD = 8_192
_MAX_PARTS = 10


@dataclass(frozen=True, slots=True)
class Upload:
    """A whole body: one file and the fields around it. The file is in a temporary place until somebody moves it."""

    received: Received
    filename: str
    fields: dict[str, str] = field(default_factory=dict)


def _check_document(beginning: bytes, filename: str) -> None:
    """Refuse what no reader can read."""
    check_beginning(beginning, document_name(filename))


async def receive_upload(
    body: AsyncIterator[bytes],
    content_type: str,
    *,
    folder: Path,
    max_bytes: int,
    check: Callable[[bytes, str], None] = _check_document,
) -> Upload:
    """Take in a body.

    Args:
        body: its pieces.
        content_type: of the request.
        folder: where the file is written, under a name of our own.
        max_bytes: of the file.
        check: given the first bytes of the file and its name as soon as they are known; raises where it is refused.

    Raises:
        InvalidInputError: the body is not such a form, or has not exactly one file, called `file`.
        RequestTooLargeError: the file is larger than `max_bytes`.
        DocumentError: the file is of no format that is read.
        DiskSpaceError: the disk is full.
    """
    form = _Form(content_type, max_bytes, check)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f".{os.getpid()}-{os.urandom(6).hex()}"
    digest = hashlib.sha256()
    whole = False
    try:
        with path.open("xb") as target:

            def write() -> None:
                piece = form.take()
                digest.update(piece)
                target.write(piece)

            async for piece in body:
                form.feed(piece)
                if len(form.pending) >= _PIECE:
                    await asyncio.to_thread(write)
            form.end()
            await asyncio.to_thread(write)
        whole = True
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskSpaceError(
            tr("There is no room left on the server's disk for this file. Tell your administrator.")
        ) from None
    finally:
        if not whole:
            path.unlink(missing_ok=True)
    return Upload(Received(path, digest.hexdigest(), form.size), form.filename or "", form.fields)


class _Form:
    """Takes a form apart; the file's bytes wait in `pending` to be taken.

    Args:
        content_type: of the request.
        max_bytes: of the file.
        check: given its first bytes and its name.
    """

    def __init__(self, content_type: str, max_bytes: int, check: Callable[[bytes, str], None]) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise InvalidInputError(
                tr("Send the file as multipart/form-data, in a part called “file”."), param="file"
            )
        self.pending = bytearray()
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        self.size = 0
        self._max_bytes = max_bytes
        self._judge = check
        self._parts = 0
        self._header = bytearray()
        self._value = bytearray()
        self._disposition = ""
        self._name = ""
        self._is_file = False
        self._field = bytearray()
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._add_header,
                    "on_header_value": self._add_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._add_data,
                    "on_part_end": self._part_ends,
                    "on_end": self._form_ends,
                },
            )
        except FormParserError as error:
            raise _unreadable(error) from None

    def feed(self, piece: bytes) -> None:
        """Take in a piece of the body."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _unreadable(error) from None

    def end(self) -> None:
        """The body is over.

        Raises:
            InvalidInputError: the form is not, or it holds no file.
        """
        if not self._ended:
            raise InvalidInputError(
                tr("The upload broke off before its end. Send the file again."), param="file"
            )
        if self.filename is None:
            raise InvalidInputError(
                tr("Send the file as multipart/form-data, in a part called “file”."), param="file"
            )

    def take(self) -> bytearray:
        """What waits to be written."""
        piece, self.pending = self.pending, bytearray()
        return piece

    def _part_begins(self) -> None:
        self._parts += 1
        self._disposition = ""
        self._field = bytearray()
        self._is_file = False
        self._header, self._value = bytearray(), bytearray()
        if self._parts > _MAX_PARTS:
            raise InvalidInputError(tr("The form has too many parts. Send one file at a time."), param="file")

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = self._value.decode("latin-1")
        self._header, self._value = bytearray(), bytearray()

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = _text(options.get(b"name", b""))
        if b"filename" not in options:
            return
        if self._name != "file" or self.filename is not None:
            raise InvalidInputError(tr("Send one file at a time, in a part called “file”."), param="file")
        # Browsers write quotation marks in names so (WHATWG HTML, multipart/form-data encoding algorithm).
        self.filename = _text(options[b"filename"]).replace("%22", '"')
        self._is_file = True

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._field += data[start:end]
            if len(self._field) > _MAX_FIELD:
                raise InvalidInputError(
                    tr("“{param}” is too long.", param=self._name[:100]), param=self._name
                )
            return
        before = self.size
        self.size += end - start
        if self.size > self._max_bytes:
            raise RequestTooLargeError(
                tr(
                    "The file has more than {allowed} MB, which is the most that is read. Split it, or have "
                    "max_document_bytes raised.",
                    allowed=round(self._max_bytes / 1e6, 1),
                ),
                param="file",
            )
        self.pending += data[start:end]
        if before < BEGINNING <= self.size:
            self._check()

    def _part_ends(self) -> None:
        if self._is_file:
            if self.size < BEGINNING:
                self._check()
        else:
            self.fields[self._name] = _text(bytes(self._field))

    def _check(self) -> None:
        """Only the first piece is ever checked, and it still waits whole: pieces are larger than a beginning."""
        self._judge(bytes(self.pending[:BEGINNING]), self.filename or "")

    def _form_ends(self) -> None:
        self._ended = True


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def _unreadable(error: Exception) -> InvalidInputError:
    return InvalidInputError(tr("The form cannot be read: {reason}.", reason=str(error)), param="file")
