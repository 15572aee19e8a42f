"""Files that were sent to the API, and those that jobs write: a row in the database, the bytes under `uploads`.

A file never changes. What uses it is asked before it is deleted. Blocks: call it from a thread.
"""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from etabli.errors import ConflictError, InvalidInputError, NotFoundError
from etabli.messages import kept, told, tr
from etabli.storage.database import Database

GIVEN_PURPOSES = ("assistants", "batch", "evals", "fine-tune", "user_data", "vision")
"""What a caller may send a file for."""
TRAINING = "fine-tune"
RESULTS = "fine-tune-results"
"""What a job measured at each step, written by the job itself."""
Status = Literal["uploaded", "processed", "error"]
MOST_BYTES = 512 * 2**20
"""Of one file, as at OpenAI."""
COPY_KEPT = timedelta(days=30)
"""Copies that a correction, a conversion, a split or a recipe makes: what they were made of is somewhere else."""
_BLOCK = 1 << 20
_COLUMNS = "id, filename, purpose, bytes, sha256, status, detail, created_at, expires_at"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """One file.

    Attributes:
        id: `file-…`.
        filename: as it was called where it came from; never a path of ours.
        purpose: what it is for.
        bytes: its size.
        sha256: of its content.
        status: `uploaded` while it is looked at, then `processed` or `error`.
        detail: why it cannot be used, as it is kept: see `reason`.
        expires_at: when it is deleted by itself; None for never.
    """

    id: str
    filename: str
    purpose: str
    bytes: int
    sha256: str
    status: Status
    detail: Any
    created_at: datetime
    expires_at: datetime | None

    @property
    def copy_kept(self) -> timedelta:
        """How long a copy of it is kept: never longer than itself."""
        if self.expires_at is None:
            return COPY_KEPT
        return min(COPY_KEPT, max(timedelta(0), self.expires_at - datetime.now(UTC)))

    @property
    def reason(self) -> str | None:
        """Why it cannot be used, in the reader's language."""
        return told(self.detail) if self.detail is not None else None


@dataclass(frozen=True, slots=True)
class FilePage:
    """Some files of a list, and whether there are more."""

    files: tuple[UploadedFile, ...]
    has_more: bool


class UploadedFiles:
    """The files of a workspace. Thread-safe.

    Args:
        database: where their rows are.
        folder: where their bytes are.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self.folder = folder

    def path(self, file_id: str) -> Path:
        """Where the bytes of a known file are."""
        return self.folder / file_id

    def add(
        self,
        received: Path,
        *,
        filename: str,
        purpose: str,
        sha256: str,
        status: Status = "processed",
        account_id: int | None = None,
        expires_in: timedelta | None = None,
    ) -> UploadedFile:
        """Keep a file that lies in `folder` or on the same disk: it is moved.

        Args:
            received: where it is now.
            filename: for people.
            purpose: what it is for.
            sha256: of its content.
            status: `uploaded` where somebody still has to look at it.
            account_id: whose it is.
            expires_in: after how long it is deleted by itself.
        """
        file_id = f"file-{secrets.token_hex(12)}"
        size = received.stat().st_size
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.replace(received, self.path(file_id))
        expires = datetime.now(UTC) + expires_in if expires_in is not None else None
        try:
            with self._database.owner() as connection, connection.cursor(row_factory=_ROW) as cursor:
                cursor.execute(
                    "INSERT INTO uploaded_file (id, filename, purpose, bytes, sha256, status, account_id, expires_at)"
                    f" VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
                    (file_id, filename, purpose, size, sha256, status, account_id, expires),
                )
                row: UploadedFile | None = cursor.fetchone()
        except BaseException:
            self.path(file_id).unlink(missing_ok=True)
            raise
        assert row is not None
        return row

    def add_copy(
        self,
        source: Path,
        *,
        filename: str,
        purpose: str,
        account_id: int | None = None,
        expires_in: timedelta | None = None,
    ) -> UploadedFile:
        """Keep a copy of somebody else's file; the arguments are those of `add`."""
        with self.incoming() as place:
            digest = hashlib.sha256()
            with source.open("rb") as reader, place.open("xb") as writer:
                while block := reader.read(_BLOCK):
                    digest.update(block)
                    writer.write(block)
            return self.add(
                place,
                filename=filename,
                purpose=purpose,
                sha256=digest.hexdigest(),
                account_id=account_id,
                expires_in=expires_in,
            )

    def add_text(self, text: str, *, filename: str, purpose: str) -> UploadedFile:
        """Keep a text as a file."""
        with self.incoming() as place:
            content = text.encode()
            place.write_bytes(content)
            return self.add(
                place, filename=filename, purpose=purpose, sha256=hashlib.sha256(content).hexdigest()
            )

    @contextlib.contextmanager
    def incoming(self) -> Iterator[Path]:
        """A place for a file that is being written; whatever is still there afterwards is deleted."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place = self.folder / f".{os.getpid()}-{secrets.token_hex(6)}"
        try:
            yield place
        finally:
            place.unlink(missing_ok=True)

    def get(self, file_id: str) -> UploadedFile:
        """One file.

        Raises:
            NotFoundError: there is none of this id.
        """
        with self._database.owner() as connection, connection.cursor(row_factory=_ROW) as cursor:
            row: UploadedFile | None = cursor.execute(
                f"SELECT {_COLUMNS} FROM uploaded_file WHERE id = %s", (file_id,)
            ).fetchone()
        if row is None or not self.path(row.id).is_file():
            raise NotFoundError(tr("There is no file {id}.", id=file_id))
        return row

    def list(
        self,
        *,
        purpose: str | None = None,
        after: str | None = None,
        limit: int = 10_000,
        newest_first: bool = True,
    ) -> FilePage:
        """A page of files.

        Raises:
            InvalidInputError: `after` is no file.
        """
        direction, sign = ("DESC", "<") if newest_first else ("ASC", ">")
        with self._database.owner() as connection, connection.cursor(row_factory=_ROW) as cursor:
            start = None
            if after is not None:
                found = connection.execute(
                    "SELECT number FROM uploaded_file WHERE id = %s", (after,)
                ).fetchone()
                if found is None:
                    raise unknown_cursor(after)
                start = found[0]
            rows = cursor.execute(
                f"SELECT {_COLUMNS} FROM uploaded_file WHERE (%(purpose)s::text IS NULL OR purpose = %(purpose)s)"
                f" AND (%(start)s::bigint IS NULL OR number {sign} %(start)s) ORDER BY number {direction}"
                " LIMIT %(limit)s",
                {"purpose": purpose, "start": start, "limit": limit + 1},
            ).fetchall()
        return FilePage(tuple(rows[:limit]), len(rows) > limit)

    def judge(self, file_id: str, fault: str | None) -> None:
        """Note that a file was looked at, and what is wrong with it."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE uploaded_file SET status = %s, detail = %s WHERE id = %s",
                (
                    "processed" if fault is None else "error",
                    Jsonb(kept(fault)) if fault is not None else None,
                    file_id,
                ),
            )

    def delete(self, file_id: str) -> None:
        """Delete a file.

        Raises:
            NotFoundError: there is none of this id.
            ConflictError: a job that is not finished needs it.
        """
        with self._database.owner() as connection:
            # Jobs take a share of the row's lock when they are made: neither can overlook the other.
            row = connection.execute(
                "SELECT id FROM uploaded_file WHERE id = %s FOR UPDATE", (file_id,)
            ).fetchone()
            if row is None:
                raise NotFoundError(tr("There is no file {id}.", id=file_id))
            job = connection.execute(
                "SELECT id FROM training_job WHERE state NOT IN ('succeeded', 'failed', 'cancelled')"
                " AND (training_file = %s OR validation_file = %s) LIMIT 1",
                (file_id, file_id),
            ).fetchone()
            if job is not None:
                raise ConflictError(
                    tr(
                        "The job {job} needs the file {id}. Cancel the job, or wait for it.",
                        job=job[0],
                        id=file_id,
                    )
                )
            connection.execute("DELETE FROM uploaded_file WHERE id = %s", (file_id,))
        self.path(file_id).unlink(missing_ok=True)

    def delete_expired(self) -> int:
        """Delete the files whose time is over and that no job needs; says how many."""
        with self._database.owner() as connection:
            rows = connection.execute("SELECT id FROM uploaded_file WHERE expires_at < now()").fetchall()
        gone = 0
        for (file_id,) in rows:
            with contextlib.suppress(ConflictError, NotFoundError):
                self.delete(file_id)
                gone += 1
        return gone


_ROW: Callable[..., Any] = class_row(UploadedFile)


def unknown_cursor(after: str) -> InvalidInputError:
    """The error for a place in a list that does not exist."""
    return InvalidInputError(
        tr("{id} is not in this list. Send the last id of the page before as “after”.", id=after),
        param="after",
    )


def checked_purpose(given: str | None) -> str:
    """A purpose that a caller may name.

    Raises:
        InvalidInputError: it is none of them.
    """
    if given in GIVEN_PURPOSES:
        return given
    raise InvalidInputError(
        tr(
            "“purpose” is {found}; it must be one of {allowed}.",
            found=given if given is not None else tr("none"),
            allowed=", ".join(GIVEN_PURPOSES),
        ),
        param="purpose",
    )
