"""Collections as people handle them: who sees which, how far they are; new, renamed, deleted, brought back.

What is listed and found is decided by the database, as the reader who asks. A collection of one conversation is
found by its number only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.rows import class_row

from etabli.errors import ConflictError, NotFoundError
from etabli.jobs.queue import enqueue
from etabli.knowledge.index import remove_chunks
from etabli.knowledge.library import LIVE_STATES, READ_JOB, WAITING_STATES, acl_set_of, collection_name
from etabli.messages import tr
from etabli.storage.database import EVERYONE, Database

_ENTRIES = (
    "SELECT c.id, c.name, c.conversation_id, count(d.id) AS documents,"
    " count(d.id) FILTER (WHERE d.state = ANY (%(live)s)) AS ready,"
    " count(d.id) FILTER (WHERE d.state = ANY (%(waiting)s)) AS waiting,"
    " count(d.id) FILTER (WHERE d.state <> ALL (%(live)s) AND d.state <> ALL (%(waiting)s)) AS failed"
    " FROM collection c LEFT JOIN document d ON d.collection_id = c.id AND d.removed_at IS NULL"
    " WHERE c.removed_at IS NULL"
)
_STATES = {"live": list(LIVE_STATES), "waiting": list(WAITING_STATES)}


@dataclass(frozen=True, slots=True)
class CollectionEntry:
    """A collection and its documents: searchable, still waiting, and those that could not be read."""

    id: int
    name: str
    conversation_id: str | None
    documents: int
    ready: int
    waiting: int
    failed: int


class Collections:
    """The collections of one workspace. Every method blocks.

    Args:
        database: where they are known.
        documents_dir: the folder that every start looks through: its folders give collections their names.
    """

    def __init__(self, database: Database, documents_dir: Path) -> None:
        self._database = database
        self._documents_dir = documents_dir

    def listed(self, *, principals: Sequence[str]) -> list[CollectionEntry]:
        """Those that the principals may see, by name, without those of conversations."""
        with self._database.reader(principals) as connection:
            cursor = connection.cursor(row_factory=class_row(CollectionEntry))
            query = f"{_ENTRIES} AND c.conversation_id IS NULL GROUP BY c.id"
            entries = cursor.execute(query.encode(), _STATES).fetchall()
        return sorted(entries, key=lambda entry: entry.name.casefold())

    def entry(self, collection_id: int, *, principals: Sequence[str]) -> CollectionEntry:
        """One of them.

        Raises:
            NotFoundError: there is none, or it is not for them.
        """
        with self._database.reader(principals) as connection:
            cursor = connection.cursor(row_factory=class_row(CollectionEntry))
            query = f"{_ENTRIES} AND c.id = %(id)s GROUP BY c.id"
            entry = cursor.execute(query.encode(), {**_STATES, "id": collection_id}).fetchone()
        if entry is None:
            raise _absent()
        return entry

    def create(self, name: str) -> int:
        """A new collection that everyone may read; gives its number.

        Raises:
            InvalidInputError: the name cannot be used.
            ConflictError: another one has it.
        """
        name = collection_name(name)
        with self._database.owner() as connection:
            row = connection.execute(
                "INSERT INTO collection (name, acl_set) VALUES (%s, %s)"
                " ON CONFLICT (name) WHERE conversation_id IS NULL AND removed_at IS NULL DO NOTHING RETURNING id",
                (name, acl_set_of(connection, [EVERYONE])),
            ).fetchone()
        if row is None:
            raise _taken(name)
        return int(row[0])

    def rename(self, collection_id: int, name: str) -> None:
        """Give a collection another name. Who may is the caller's to decide.

        Raises:
            InvalidInputError: the name cannot be used.
            ConflictError: another one has it, or the collection follows a folder.
            NotFoundError: there is none.
        """
        name = collection_name(name)
        try:
            with self._database.owner() as connection:
                old = self._lock(connection, collection_id)
                if old == name:
                    return
                if self._follows_folder(connection, collection_id, old):
                    raise ConflictError(
                        tr(
                            "“{name}” follows the folder documents/{name} of the workspace and has its name. "
                            "Rename that folder, start Établi again, and delete this collection.",
                            name=old,
                        )
                    )
                connection.execute("UPDATE collection SET name = %s WHERE id = %s", (name, collection_id))
        except psycopg.errors.UniqueViolation:
            raise _taken(name) from None

    def remove(self, collection_id: int) -> None:
        """Take a collection and its documents out of everything at once. Old citations still open.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.owner() as connection:
            self._lock(connection, collection_id)
            rows = connection.execute(
                "UPDATE document SET removed_at = now(), updated_at = now(), removed_by_person = true"
                " WHERE collection_id = %s AND removed_at IS NULL RETURNING id",
                (collection_id,),
            ).fetchall()
            connection.execute("UPDATE collection SET removed_at = now() WHERE id = %s", (collection_id,))
            remove_chunks(connection, *(document_id for (document_id,) in rows))

    def restore(self, collection_id: int, *, principals: Sequence[str]) -> None:
        """Undo `remove`: the documents that went with the collection are read again.

        Raises:
            NotFoundError: no such collection was deleted, or it is not for them.
            ConflictError: another one has its name now.
        """
        with self._database.reader(principals) as connection:
            row = connection.execute(
                "SELECT name FROM collection WHERE id = %s AND removed_at IS NOT NULL", (collection_id,)
            ).fetchone()
        if row is None:
            raise _absent()
        try:
            with self._database.owner() as connection:
                restored = connection.execute(
                    "UPDATE document d SET removed_at = NULL, removed_by_person = false, state = 'queued',"
                    " message = NULL, updated_at = now() FROM collection c"
                    " WHERE c.id = %s AND d.collection_id = c.id AND d.removed_at = c.removed_at RETURNING d.id",
                    (collection_id,),
                ).fetchall()
                connection.execute("UPDATE collection SET removed_at = NULL WHERE id = %s", (collection_id,))
                for (document_id,) in restored:
                    enqueue(connection, READ_JOB, key=str(document_id))
        except psycopg.errors.UniqueViolation:
            raise _taken(row[0]) from None

    def _lock(self, connection: psycopg.Connection, collection_id: int) -> str:
        """The name of a live collection, which stays as it is until the transaction ends."""
        row = connection.execute(
            "SELECT name FROM collection WHERE id = %s AND removed_at IS NULL FOR UPDATE", (collection_id,)
        ).fetchone()
        if row is None:
            raise _absent()
        return str(row[0])

    def _follows_folder(self, connection: psycopg.Connection, collection_id: int, name: str) -> bool:
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM document WHERE collection_id = %s AND root = %s AND removed_at IS NULL)",
            (collection_id, str((self._documents_dir / name).resolve())),
        ).fetchone()
        return row is not None and bool(row[0])


def _absent() -> NotFoundError:
    return NotFoundError(tr("There is no such collection, or it is not for you."))


def _taken(name: str) -> ConflictError:
    return ConflictError(tr("There is a collection “{name}” already. Choose another name.", name=name))
