"""The documents of a workspace: adding files and folders, what became of each, removing, opening old versions.

Adding a folder again touches only what changed: a file of the same size and modification time is left alone, one
of the same SHA-256 too. The original bytes are kept by hash, so that reading can be repeated and a citation's
page shown, whatever happens to the folder. Reading and embedding are jobs (`ingestion`).
"""

import hashlib
import os
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import psycopg
from psycopg.rows import dict_row

from etabli.errors import InvalidInputError, NotFoundError
from etabli.jobs.queue import enqueue
from etabli.knowledge.index import remove_chunks
from etabli.messages import told, tr
from etabli.storage.database import EVERYONE, Database, file_of_hash

MAX_NAME = 100
"""Longest name of a collection, in characters."""
WAITING_STATES = ("queued", "reading")
"""Not yet searchable."""
LIVE_STATES = ("searchable", "ready")
"""Searchable by words; `ready` by vectors too. Any other state says why a document could not be read."""
READ_JOB = "read"
_IGNORED_SUFFIXES = (".tmp", ".part", ".crdownload", ".swp")


@dataclass(frozen=True, slots=True)
class Document:
    """One document as people see it."""

    id: int
    collection: str
    name: str
    state: str
    message: str | None
    size_bytes: int
    media_type: str | None
    title: str | None
    page_count: int | None
    chunks: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """What adding a file or a folder changed, as names within the collection."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


class Library:
    """The documents of one workspace.

    Args:
        database: where they are known.
        files_dir: where their bytes are kept.
    """

    def __init__(self, database: Database, files_dir: Path) -> None:
        self._database = database
        self._files_dir = files_dir

    def add(
        self,
        path: Path,
        *,
        collection: str,
        progress: Callable[[int, int], None] | None = None,
        unasked: bool = False,
    ) -> Changes:
        """Add a file or everything in a folder, and forget what the folder no longer holds.

        Args:
            path: a file or a folder; hidden files and links that lead out of the folder are left out.
            collection: made when it does not exist.
            progress: called with files looked at and files in all.
            unasked: nobody asked for it now, so that what a person deleted or replaced is left as it is.

        Raises:
            NotFoundError: nothing is there.
            InvalidInputError: the collection's name cannot be used.
        """
        path = path.expanduser()
        if not path.exists():
            raise NotFoundError(tr("{path} does not exist. Give a file or a folder.", path=path))
        root = path.resolve() if path.is_dir() else None
        if unasked and self._was_deleted(collection):
            return Changes((), (), (), ())
        found = dict(_files(path))
        collection_id = self.collection(collection)
        known = self._known(collection_id)
        if unasked:
            left_alone = self._left_alone(collection_id)
            found = {name: file for name, file in found.items() if name not in left_alone}
        outcome: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
        for count, (name, file) in enumerate(found.items(), 1):
            outcome[self._add_file(collection_id, name, file, root, known.get(name))].append(name)
            if progress is not None:
                progress(count, len(found))
        gone = [
            name for name, row in known.items() if root and row["root"] == str(root) and name not in found
        ]
        for name in gone:
            self._remove(known[name]["id"])
        return Changes(
            tuple(outcome["added"]), tuple(outcome["changed"]), tuple(outcome["unchanged"]), tuple(gone)
        )

    def collection(self, name: str) -> int:
        """The number of a collection, made when it does not exist; everyone may read it.

        Raises:
            InvalidInputError: the name is empty, too long or has control characters.
        """
        name = collection_name(name)
        with self._database.owner() as connection:
            acl_set = acl_set_of(connection, [EVERYONE])
            row = connection.execute(
                "INSERT INTO collection (name, acl_set) VALUES (%s, %s)"
                " ON CONFLICT (name) WHERE conversation_id IS NULL AND removed_at IS NULL"
                " DO UPDATE SET name = excluded.name RETURNING id",
                (name, acl_set),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def conversation_collection(self, conversation_id: str, account_id: int) -> int:
        """The number of a conversation's own collection, made when it does not exist; only its account sees it.

        Args:
            conversation_id: of a conversation that is this account's.
            account_id: whose documents they will be.

        Raises:
            NotFoundError: the collection is another account's.
        """
        with self._database.owner() as connection:
            acl_set = acl_set_of(connection, [f"user:{account_id}"])
            row = connection.execute(
                "INSERT INTO collection (name, acl_set, conversation_id) VALUES (%(id)s, %(acl_set)s, %(id)s)"
                " ON CONFLICT (conversation_id) DO UPDATE SET name = excluded.name RETURNING id, acl_set",
                {"id": conversation_id, "acl_set": acl_set},
            ).fetchone()
        assert row is not None
        if row[1] != acl_set:
            raise NotFoundError(tr("There is no such conversation, or it is not for you."))
        return int(row[0])

    def collections(self) -> dict[str, int]:
        """Documents per collection that is listed."""
        with self._database.owner() as connection:
            rows = connection.execute(
                "SELECT c.name, count(d.id) FROM collection c LEFT JOIN document d"
                " ON d.collection_id = c.id AND d.removed_at IS NULL"
                " WHERE c.conversation_id IS NULL AND c.removed_at IS NULL GROUP BY c.name ORDER BY c.name"
            ).fetchall()
        return {name: count for name, count in rows}

    def documents(self, *, collection: str | None = None, state: str | None = None) -> list[Document]:
        """The documents, by collection and name."""
        with self._database.owner() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            rows = cursor.execute(
                "SELECT d.id, c.name AS collection, d.name, d.state, d.message, d.size_bytes, v.media_type,"
                " v.title, v.page_count, d.updated_at,"
                " (SELECT count(*) FROM chunk k WHERE k.document_id = d.id) AS chunks"
                " FROM document d JOIN collection c ON c.id = d.collection_id"
                " LEFT JOIN version v ON v.id = d.version_id WHERE d.removed_at IS NULL"
                " AND (%(collection)s::text IS NULL OR c.name = %(collection)s)"
                " AND (%(state)s::text IS NULL OR d.state = %(state)s) ORDER BY c.name, d.name",
                {"collection": collection, "state": state},
            ).fetchall()
        return [Document(**{**row, "message": told(row["message"]) or None}) for row in rows]

    def states(self) -> dict[str, int]:
        """Documents per state."""
        with self._database.owner() as connection:
            rows = connection.execute(
                "SELECT state, count(*) FROM document WHERE removed_at IS NULL GROUP BY state ORDER BY state"
            ).fetchall()
        return {state: count for state, count in rows}

    def remove(self, name: str, *, collection: str | None = None) -> Document:
        """Take a document out of search at once. Its versions stay for old citations.

        Args:
            name: its name in its collection, or its number.
            collection: needed when several collections have the name.

        Raises:
            NotFoundError: there is none, or several.
        """
        documents = self.documents(collection=collection)
        matches = [item for item in documents if item.name == name or str(item.id) == name]
        if len(matches) != 1:
            raise NotFoundError(
                tr(
                    "{count} documents are called “{name}”. See `etabli documents list`; give --collection "
                    "or the document's number.",
                    count=len(matches),
                    name=name,
                )
            )
        self._remove(matches[0].id, by_person=True)
        return matches[0]

    def read_again(self, *, states: Sequence[str] | None = None) -> int:
        """Ask for documents to be read anew, for example after OCR was installed.

        Args:
            states: those in these states; all if None.
        """
        with self._database.owner() as connection:
            rows = connection.execute(
                "UPDATE document SET state = 'queued', message = NULL, updated_at = now()"
                " WHERE removed_at IS NULL AND (%(states)s::text[] IS NULL OR state = ANY (%(states)s)) RETURNING id",
                {"states": None if states is None else list(states)},
            ).fetchall()
            for (document_id,) in rows:
                enqueue(connection, READ_JOB, key=str(document_id))
        return len(rows)

    def _was_deleted(self, collection: str) -> bool:
        """Whether a person deleted the collection of this name, and nobody made it again."""
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT bool_and(removed_at IS NOT NULL) FROM collection"
                " WHERE name = %s AND conversation_id IS NULL",
                (unicodedata.normalize("NFC", collection.strip()),),
            ).fetchone()
        return row is not None and row[0] is True

    def _left_alone(self, collection_id: int) -> set[str]:
        """Names that a person deleted, or gave other contents than a folder's."""
        with self._database.owner() as connection:
            rows = connection.execute(
                "SELECT name FROM document WHERE collection_id = %s GROUP BY name"
                " HAVING bool_or(removed_at IS NULL AND root IS NULL)"
                " OR (bool_and(removed_at IS NOT NULL)"
                "  AND (array_agg(removed_by_person ORDER BY removed_at DESC))[1])",
                (collection_id,),
            ).fetchall()
        return {name for (name,) in rows}

    def _known(self, collection_id: int) -> dict[str, dict[str, Any]]:
        with self._database.owner() as connection:
            rows = connection.execute(
                "SELECT name, id, root, sha256, size_bytes, modified_ns FROM document"
                " WHERE collection_id = %s AND removed_at IS NULL",
                (collection_id,),
            ).fetchall()
        names = ("id", "root", "sha256", "size_bytes", "modified_ns")
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}

    def _add_file(
        self, collection_id: int, name: str, file: Path, root: Path | None, known: dict[str, Any] | None
    ) -> str:
        """Add or update one file; says what that was."""
        status = file.stat()
        stamp = (status.st_size, status.st_mtime_ns)
        if known is not None and (known["size_bytes"], known["modified_ns"]) == stamp:
            return "unchanged"
        sha256 = self._keep(file)
        values = {
            "collection": collection_id,
            "name": name,
            "root": None if root is None else str(root),
            "sha": sha256,
            "size": status.st_size,
            "modified": status.st_mtime_ns,
            "id": known["id"] if known else None,
        }
        with self._database.owner() as connection:
            if known is not None and known["sha256"] == sha256:
                connection.execute("UPDATE document SET modified_ns = %(modified)s WHERE id = %(id)s", values)
                return "unchanged"
            if known is not None:
                connection.execute(
                    "UPDATE document SET sha256 = %(sha)s, size_bytes = %(size)s, modified_ns = %(modified)s,"
                    " root = %(root)s, state = 'queued', message = NULL, updated_at = now() WHERE id = %(id)s",
                    values,
                )
                enqueue(connection, READ_JOB, key=str(known["id"]))
                return "changed"
            row = connection.execute(
                "INSERT INTO document (collection_id, acl_set, name, root, sha256, size_bytes, modified_ns, state)"
                " SELECT id, acl_set, %(name)s, %(root)s, %(sha)s, %(size)s, %(modified)s, 'queued'"
                " FROM collection WHERE id = %(collection)s RETURNING id",
                values,
            ).fetchone()
            assert row is not None
            enqueue(connection, READ_JOB, key=str(row[0]))
        return "added"

    def _keep(self, file: Path) -> str:
        """Copy a file's bytes under their SHA-256, whole or not at all."""
        self._files_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._files_dir / f".{os.getpid()}-{os.urandom(6).hex()}"
        digest = hashlib.sha256()
        try:
            with file.open("rb") as source, temporary.open("xb") as target:
                while block := source.read(1 << 20):
                    digest.update(block)
                    target.write(block)
            kept = file_of_hash(self._files_dir, digest.hexdigest())
            kept.parent.mkdir(exist_ok=True)
            shutil.move(temporary, kept)
        finally:
            temporary.unlink(missing_ok=True)
        return digest.hexdigest()

    def _remove(self, document_id: int, *, by_person: bool = False) -> None:
        with self._database.owner() as connection:
            remove_chunks(connection, document_id)
            connection.execute(
                "UPDATE document SET removed_at = now(), updated_at = now(), removed_by_person = %s WHERE id = %s",
                (by_person, document_id),
            )


def collection_name(name: str) -> str:
    """A name as it is stored.

    Raises:
        InvalidInputError: it is empty, too long or has control characters.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInputError(
            tr("“{name}” cannot name a collection. Use 1 to 100 printable characters.", name=name[:MAX_NAME]),
            param="name",
        )
    return name


def acl_set_of(connection: psycopg.Connection, principals: Sequence[str]) -> int:
    """The number of the set of these principals, made when it does not exist."""
    connection.execute(
        "INSERT INTO principal (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", (list(principals),)
    )
    row = connection.execute(
        "INSERT INTO acl_set (principals)"
        " SELECT array_agg(id ORDER BY id) FROM principal WHERE name = ANY (%s)"
        " ON CONFLICT (principals) DO UPDATE SET principals = excluded.principals RETURNING id",
        (list(principals),),
    ).fetchone()
    assert row is not None
    return int(row[0])


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Names and paths of the regular files at `path`, sorted; a name is relative, with `/`, in NFC."""
    if path.is_file():
        yield unicodedata.normalize("NFC", path.name), path
        return
    root = path.resolve()
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = Path(folder) / name
            if name.startswith((".", "~$")) or name.lower().endswith(_IGNORED_SUFFIXES):
                continue
            if file.is_file() and file.resolve().is_relative_to(root):
                relative = PurePosixPath(file.relative_to(root)).as_posix()
                yield unicodedata.normalize("NFC", relative), file
