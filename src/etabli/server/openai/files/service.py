"""Files over the API: taken in as they arrive, looked at where they are for training, given back byte for byte."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import PurePosixPath

from etabli.errors import InvalidInputError, NotFoundError, RequestTooLargeError
from etabli.messages import message_of, tr
from etabli.server.auth import Caller
from etabli.server.documents.receiving import receive_upload
from etabli.server.openai.files.protocol import FileDeleted, FileList, FileObject
from etabli.server.training.services import Training
from etabli.training.checking import Look
from etabli.training.files import MOST_BYTES, TRAINING, UploadedFile, checked_purpose

_SOON_S = 2.0
"""An upload waits so long for what is found in the file; a large one is told as `uploaded` and looked at on."""
_EXPIRES = ("expires_after[anchor]", "expires_after[seconds]")
_SHORTEST_S, _LONGEST_S = 3_600, 2_592_000
_MOST_NAME = 255
log = logging.getLogger(__name__)


class Files:
    """The endpoints.

    Args:
        training: parts of the workspace.
    """

    def __init__(self, training: Training) -> None:
        self._training = training
        self._files = training.files
        self._looking: set[asyncio.Task[None]] = set()

    async def create(self, body: AsyncIterator[bytes], content_type: str, caller: Caller) -> FileObject:
        """Take in a file.

        Raises:
            InvalidInputError: the form or a field of it cannot be used.
            RequestTooLargeError: the file is too large.
            DiskSpaceError: the disk is full.
        """
        try:
            upload = await receive_upload(
                body, content_type, folder=self._files.folder, max_bytes=MOST_BYTES, check=_any_file
            )
        except RequestTooLargeError:
            raise RequestTooLargeError(
                tr(
                    "The file is larger than {most} MB, which is the most that is kept.",
                    most=MOST_BYTES // 2**20,
                ),
                param="file",
            ) from None
        received = upload.received
        try:
            purpose = checked_purpose(upload.fields.get("purpose"))
            expires_in = _expiry(upload.fields)
            file = await asyncio.to_thread(
                self._files.add,
                received.path,
                filename=_name(upload.filename),
                purpose=purpose,
                sha256=received.sha256,
                status="uploaded" if purpose == TRAINING else "processed",
                account_id=caller.account_id,
                expires_in=expires_in,
            )
        finally:
            received.path.unlink(missing_ok=True)
        if purpose == TRAINING:
            await self._look(file)
            file = await asyncio.to_thread(self._files.get, file.id)
        return file_object(file)

    def list(self, *, purpose: str | None, after: str | None, limit: int, newest_first: bool) -> FileList:
        """A page of files. Blocks.

        Raises:
            InvalidInputError: `after` is no file.
        """
        page = self._files.list(purpose=purpose, after=after, limit=limit, newest_first=newest_first)
        data = [file_object(file) for file in page.files]
        return FileList(
            data=data,
            first_id=data[0].id if data else None,
            last_id=data[-1].id if data else None,
            has_more=page.has_more,
        )

    def get(self, file_id: str) -> FileObject:
        """One file. Blocks.

        Raises:
            NotFoundError: there is none of this id.
        """
        return file_object(self._files.get(file_id))

    def content(self, file_id: str) -> tuple[UploadedFile, str]:
        """A file and where its bytes are. Blocks.

        Raises:
            NotFoundError: there is none of this id.
        """
        file = self._files.get(file_id)
        return file, str(self._files.path(file.id))

    def delete(self, file_id: str) -> FileDeleted:
        """Delete a file. Blocks.

        Raises:
            NotFoundError: there is none of this id.
            ConflictError: a job needs it.
        """
        self._files.delete(file_id)
        return FileDeleted(id=file_id)

    async def _look(self, file: UploadedFile) -> None:
        """Have a training file looked at, and wait a moment for what is found."""
        task = asyncio.create_task(asyncio.to_thread(self._judge, file))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)
        await asyncio.wait([task], timeout=_SOON_S)

    def _judge(self, file: UploadedFile) -> None:
        try:
            found = self._training.checks(Look(self._files.path(file.id), {file.id: file.filename}))
            self._files.judge(file.id, found.fault)
        except NotFoundError:
            return  # deleted meanwhile
        except Exception as error:
            log.exception("the file %s could not be looked at", file.id)
            self._files.judge(
                file.id, tr("It could not be looked at: {reason}", reason=message_of(error)[:300])
            )


def file_object(file: UploadedFile) -> FileObject:
    """A file on the wire."""
    return FileObject(
        id=file.id,
        bytes=file.bytes,
        created_at=int(file.created_at.timestamp()),
        expires_at=int(file.expires_at.timestamp()) if file.expires_at is not None else None,
        filename=file.filename,
        purpose=file.purpose,
        status=file.status,
        status_details=file.reason,
    )


def _any_file(beginning: bytes, filename: str) -> None:
    """Every file is kept; only an empty one is nobody's wish."""
    if not beginning:
        raise InvalidInputError(tr("The file is empty. Send one with content."), param="file")


def _name(sent: str) -> str:
    """The file's own name, without folders and without what a terminal would obey."""
    name = PurePosixPath(sent.replace("\\", "/")).name
    return re.sub(r"[\x00-\x1f\x7f]", "", name)[:_MOST_NAME] or "file"


def _expiry(fields: dict[str, str]) -> timedelta | None:
    anchor, seconds = (fields.get(name) for name in _EXPIRES)
    if anchor is None and seconds is None:
        return None
    if anchor != "created_at":
        raise InvalidInputError(
            tr("“{param}” is {found}; it must be {allowed}.", param=_EXPIRES[0], found=anchor or tr("none"),
               allowed="created_at"),
            param="expires_after",
        )  # fmt: skip
    if seconds is None or not seconds.isascii() or not seconds.isdigit() or len(seconds) > 9:
        seconds = "0"
    if not _SHORTEST_S <= int(seconds) <= _LONGEST_S:
        raise InvalidInputError(
            tr("“{param}” must be a number of seconds from {low} to {high}.", param=_EXPIRES[1], low=_SHORTEST_S,
               high=_LONGEST_S),
            param="expires_after",
        )  # fmt: skip
    return timedelta(seconds=int(seconds))
