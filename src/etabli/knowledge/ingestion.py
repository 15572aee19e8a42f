"""What happens to a document in the background: read, cut, made searchable by words, then by vectors.

    queued → reading → searchable → ready          or a state that says why not, with a sentence

Each step ends in one transaction, so that a step that is interrupted has not happened. Reading and embedding are
separate jobs: words of every document are searchable before the vectors of the first large one are computed.
"""

from dataclasses import replace
from pathlib import PurePosixPath

import psycopg
from psycopg.types.json import Jsonb

from etabli.engines.base import Embedder
from etabli.engines.late_interaction import late_embedder
from etabli.errors import DocumentError
from etabli.jobs.queue import Job, JobQueue, enqueue
from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.chunking import chunk
from etabli.knowledge.index import (
    VectorSpace,
    index_vectors,
    open_space,
    pending_chunks,
    remove_chunks,
    reweigh,
    write_vectors,
    write_version,
)
from etabli.knowledge.library import READ_JOB
from etabli.knowledge.reading import DocumentReader
from etabli.knowledge.statistics import TableStatistics
from etabli.messages import kept, message_of, tr
from etabli.settings import Settings
from etabli.storage.database import Database, file_of_hash

EMBED_JOB = "embed"
TEND_JOB = "tend"
"""Keeping the index in shape: weights after the mean length has moved, the vector index of a large collection."""
_EMBEDDED_AT_ONCE = 32


class Ingestion:
    """The handlers of the jobs that make documents searchable.

    Args:
        database: the index.
        settings: where files are, and the bounds of one.
        reader: what reads files.
        embedder: what embeds passages.
    """

    def __init__(
        self, database: Database, settings: Settings, *, reader: DocumentReader, embedder: Embedder
    ) -> None:
        self._database = database
        self._settings = settings
        self._reader = reader
        self._embedder = embedder
        self._statistics = TableStatistics(database)

    def handle(self, job: Job) -> None:
        """Do one job, of one of the three kinds."""
        if job.kind == READ_JOB:
            self._read(int(job.key))
        elif job.kind == EMBED_JOB:
            self._embed(int(job.key))
        elif job.kind == TEND_JOB:
            reweigh(self._database)
            index_vectors(self._database, self._vector_space())
        self._statistics.keep()

    def abandon(self, job: Job, reason: str) -> None:
        """Say on the document that it could not be read; one without vectors stays searchable by words."""
        if job.kind == READ_JOB:
            with self._database.owner() as connection:
                connection.execute(
                    "UPDATE document SET state = 'broken', message = %s, updated_at = now()"
                    " WHERE id = %s AND state = 'reading'",
                    (Jsonb(kept(tr("Reading this file failed: {reason}", reason=reason))), int(job.key)),
                )

    def _read(self, document_id: int) -> None:
        with self._database.owner() as connection:
            row = connection.execute(
                "UPDATE document SET state = 'reading', message = NULL WHERE id = %s AND removed_at IS NULL"
                " RETURNING sha256, name",
                (document_id,),
            ).fetchone()
        if row is None:
            return
        sha256, name = row
        try:
            parsed = self._parse(sha256, name)
            chunks = chunk(parsed, title=parsed.title or readable_name(name))
            if not chunks:
                raise DocumentError(tr("The file has no text. Add a version that has some."), state="empty")
        except DocumentError as error:
            self._refuse(document_id, sha256, error)
            return
        with self._database.owner() as connection:
            if not self._still(connection, document_id, sha256):
                return
            version = write_version(connection, document_id, sha256=sha256, parsed=parsed, chunks=chunks)
            connection.execute(
                "UPDATE document SET state = 'searchable', message = %s, updated_at = now() WHERE id = %s",
                (Jsonb([kept(note) for note in parsed.notes]) if parsed.notes else None, document_id),
            )
            enqueue(connection, EMBED_JOB, key=str(version))

    def _parse(self, sha256: str, name: str) -> ParsedDocument:
        try:
            parsed = self._reader.read(file_of_hash(self._settings.files_dir, sha256), name=name)
        except FileNotFoundError:
            raise DocumentError(
                tr("The kept copy of this file is gone. Add the file or its folder again."), state="broken"
            ) from None
        # PostgreSQL stores no NUL; readers give none, and this keeps a mistake there from stopping the queue.
        return replace(parsed, text=parsed.text.replace("\x00", " "))

    def _refuse(self, document_id: int, sha256: str, error: DocumentError) -> None:
        """Note why a document cannot be read, and take what it was before out of search."""
        with self._database.owner() as connection:
            if self._still(connection, document_id, sha256):
                remove_chunks(connection, document_id)
                connection.execute(
                    "UPDATE document SET state = %s, message = %s, updated_at = now() WHERE id = %s",
                    (error.state, Jsonb(kept(message_of(error))), document_id),
                )

    @staticmethod
    def _still(connection: psycopg.Connection, document_id: int, sha256: str) -> bool:
        """Whether the document is there with these bytes; locks it. If not, another job deals with it."""
        return (
            connection.execute(
                "SELECT FROM document WHERE id = %s AND sha256 = %s AND removed_at IS NULL FOR UPDATE",
                (document_id, sha256),
            ).fetchone()
            is not None
        )

    def _embed(self, version_id: int) -> None:
        space = self._vector_space()
        pending = pending_chunks(self._database, space, version_id)
        late = late_embedder(self._embedder)
        for start in range(0, len(pending), _EMBEDDED_AT_ONCE):
            part = pending[start : start + _EMBEDDED_AT_ONCE]
            texts = [item.text for item in part]
            states = None
            if late is None:
                vectors = self._embedder.embed_passages(texts)
            else:
                vectors, states = late.embed_passages_with_states(texts)
            write_vectors(self._database, space, [item.id for item in part], vectors, states)
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE document SET state = 'ready', updated_at = now()"
                " WHERE version_id = %s AND state = 'searchable'",
                (version_id,),
            )
            enqueue(connection, TEND_JOB, key="index")

    def _vector_space(self) -> VectorSpace:
        """The live space, when this embedder filled it. Asked anew each time: it may get an index meanwhile."""
        return open_space(self._database, self._embedder.name, self._embedder.dimensions)


def refill(database: Database) -> int:
    """Ask for all live documents to be embedded anew, after `index.drop_spaces`.

    Returns:
        How many.
    """
    with database.owner() as connection:
        rows = connection.execute(
            "UPDATE document SET state = 'searchable' WHERE state = 'ready' AND removed_at IS NULL RETURNING id"
        ).fetchall()
        versions = connection.execute(
            "SELECT version_id FROM document WHERE state = 'searchable' AND removed_at IS NULL"
        ).fetchall()
        for (version_id,) in versions:
            enqueue(connection, EMBED_JOB, key=str(version_id))
    return len(rows)


def queue_is_busy(queue: JobQueue) -> bool:
    """Whether documents wait to be read or embedded."""
    return queue.pending([READ_JOB, EMBED_JOB]) > 0


def readable_name(name: str) -> str:
    """A title for a document that says none: its file name without ending, folders before it.

    >>> readable_name("rh/conges_payes-2026.pdf")
    'rh > conges payes 2026'
    """
    path = PurePosixPath(name)
    steps = [*path.parts[:-1], path.stem]
    return " > ".join(step.replace("_", " ").replace("-", " ").strip() for step in steps)
