"""Files that people send: what they may be called, what is refused at once, and how one becomes a document.

A name is a label within its collection and never a path on this machine: bytes are kept by their hash.
"""

import os
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from etabli.errors import ConflictError, InvalidInputError, NotFoundError
from etabli.jobs.queue import enqueue
from etabli.knowledge.index import remove_chunks
from etabli.knowledge.library import LIVE_STATES, READ_JOB, WAITING_STATES
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.detection import image_type
from etabli.knowledge.readers.encoding import detect_encoding
from etabli.messages import tr
from etabli.storage.database import Database, file_of_hash

BEGINNING = 4_096
"""After so many bytes it is known whether a file can be of a format that is read."""
_MAX_NAME = 1_000
_MAX_STEPS = 32
_OLD_OFFICE = {".doc": ("Word", ".docx"), ".xls": ("Excel", ".xlsx"), ".ppt": ("PowerPoint", ".pptx")}
_OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIPPED = frozenset({".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub"})
_OTHER_ZIPS = frozenset({".zip", ".jar", ".apk", ".xpi", ".whl", ".key", ".numbers", ".pages"})
_JUNK = frozenset({"thumbs.db", "desktop.ini"})
_JUNK_SUFFIXES = (".tmp", ".part", ".crdownload", ".swp")

Outcome = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Received:
    """A file that was sent, in a temporary place that is ours to move or delete."""

    path: Path
    sha256: str
    size_bytes: int


def document_name(sent: str) -> str:
    """What a file that somebody sent is called in its collection.

    Args:
        sent: a file's name, or its path within the folder that was sent, with `/` or `\\`.

    Raises:
        InvalidInputError: it leads out of the folder, is too long or empty, or names a hidden or temporary file.

    >>> document_name("rh\\\\congés payés.pdf"), document_name("./notes//2026/a.md")
    ('rh/congés payés.pdf', 'notes/2026/a.md')
    """
    visible = "".join(char for char in sent if unicodedata.category(char)[0] != "C")
    name = unicodedata.normalize("NFC", visible).replace("\\", "/")
    steps = [step.strip() for step in name.split("/")]
    steps = [step for step in steps if step not in ("", ".")]
    if ".." in steps or name.startswith("/") or re.match(r"[A-Za-z]:/", name):
        raise InvalidInputError(
            tr("“{name}” cannot name a document: it leads out of its folder.", name=name[:100]),
            param="relative_path",
        )
    if not steps or len(steps) > _MAX_STEPS or len("/".join(steps)) > _MAX_NAME:
        raise InvalidInputError(
            tr(
                "The name of the file is empty or too long: at most {characters} characters and {folders} "
                "folders are kept.",
                characters=_MAX_NAME,
                folders=_MAX_STEPS,
            ),
            param="file",
        )
    last = steps[-1].lower()
    if any(step.startswith(".") for step in steps) or last.startswith("~$") or last in _JUNK:
        raise _hidden(steps[-1])
    if last.endswith(_JUNK_SUFFIXES):
        raise _hidden(steps[-1])
    return "/".join(steps)


def check_beginning(beginning: bytes, name: str) -> None:
    """Refuse early what no reader can open; the rest is found out when it is read, in a confined process.

    Args:
        beginning: the first `BEGINNING` bytes, or all of a smaller file.
        name: of the document.

    Raises:
        DocumentError: `unsupported` or `empty`.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if not beginning:
        raise refusals.empty()
    if b"%PDF-" in beginning[:1024] or beginning.startswith(b"{\\rtf") or image_type(beginning) is not None:
        return
    if beginning.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if suffix in _OTHER_ZIPS:
            raise refusals.unsupported()
        return
    if beginning.startswith(_OLE_MARK):
        if suffix in _OLD_OFFICE:
            raise refusals.old_office(*_OLD_OFFICE[suffix])
        if suffix in _ZIPPED:  # a modern format under a password; the reader says so
            return
        raise refusals.unsupported()
    # A character may be cut in two at the end of the sample.
    whole = beginning if len(beginning) < BEGINNING else beginning[:-4]
    if not any(detect_encoding(whole[: len(whole) - cut]) for cut in range(4)):
        raise refusals.unsupported()


class Uploads:
    """Turns files that were sent into documents, and takes documents away. Every method blocks.

    Args:
        database: where documents are known.
        files_dir: where their bytes are kept.
    """

    def __init__(self, database: Database, files_dir: Path) -> None:
        self._database = database
        self._files_dir = files_dir

    def keep(self, received: Received, *, collection_id: int, name: str) -> tuple[int, Outcome]:
        """Make a file a document, or a new version of the one that has its name. Who may is the caller's to decide.

        Args:
            received: the file, which is moved or deleted in any case.
            collection_id: where it goes.
            name: from `document_name`.

        Returns:
            The document's number, and whether it is new, changed, or the same file as before.

        Raises:
            NotFoundError: there is no such collection.
        """
        try:
            kept = file_of_hash(self._files_dir, received.sha256)
            kept.parent.mkdir(exist_ok=True)
            os.replace(received.path, kept)
        finally:
            received.path.unlink(missing_ok=True)
        values = {
            "collection": collection_id,
            "name": name,
            "sha": received.sha256,
            "size": received.size_bytes,
            "healthy": [*LIVE_STATES, *WAITING_STATES],
        }
        with self._database.owner() as connection:
            if not connection.execute(
                "SELECT FROM collection WHERE id = %(collection)s AND removed_at IS NULL FOR SHARE", values
            ).rowcount:
                raise NotFoundError(tr("There is no such collection, or it is not for you."))
            row = connection.execute(
                "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
                " SELECT id, acl_set, %(name)s, %(sha)s, %(size)s, 'queued' FROM collection"
                " WHERE id = %(collection)s"
                " ON CONFLICT (collection_id, name) WHERE removed_at IS NULL DO UPDATE SET"
                " sha256 = excluded.sha256, size_bytes = excluded.size_bytes, modified_ns = NULL, root = NULL,"
                " state = 'queued', message = NULL, updated_at = now()"
                " WHERE document.sha256 <> excluded.sha256 OR document.state <> ALL (%(healthy)s)"
                " RETURNING id, xmax = 0",
                values,
            ).fetchone()
            if row is None:
                same = connection.execute(
                    "SELECT id FROM document WHERE collection_id = %(collection)s AND name = %(name)s"
                    " AND removed_at IS NULL",
                    values,
                ).fetchone()
                assert same is not None, "the statement above met it, and holds it"
                return int(same[0]), "unchanged"
            enqueue(connection, READ_JOB, key=str(row[0]))
        return int(row[0]), "added" if row[1] else "changed"

    def remove(self, document_ids: Sequence[int]) -> None:
        """Take documents out of search at once. Their versions stay for old citations."""
        with self._database.owner() as connection:
            rows = connection.execute(
                "UPDATE document SET removed_at = now(), updated_at = now(), removed_by_person = true"
                " WHERE id = ANY (%s) AND removed_at IS NULL RETURNING id",
                (list(document_ids),),
            ).fetchall()
            remove_chunks(connection, *(document_id for (document_id,) in rows))

    def restore(self, document_id: int) -> None:
        """Undo `remove`: the document is read again.

        Raises:
            ConflictError: its collection is gone, or another document has its name now.
        """
        collided = False
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT d.name, d.removed_at IS NULL, c.removed_at IS NULL, EXISTS ("
                "  SELECT FROM document o WHERE o.collection_id = d.collection_id AND o.name = d.name"
                "  AND o.removed_at IS NULL AND o.id <> d.id)"
                " FROM document d JOIN collection c ON c.id = d.collection_id WHERE d.id = %s FOR UPDATE",
                (document_id,),
            ).fetchone()
            if row is None or row[1]:
                return
            collided = row[3] or not row[2]
            if not collided:
                connection.execute(
                    "UPDATE document SET removed_at = NULL, removed_by_person = false, state = 'queued',"
                    " message = NULL, updated_at = now() WHERE id = %s",
                    (document_id,),
                )
                enqueue(connection, READ_JOB, key=str(document_id))
        if collided:
            raise ConflictError(
                tr(
                    "“{name}” cannot come back: its collection was deleted, or another document has its name.",
                    name=row[0],
                )
            )

    def read_again(self, document_id: int) -> None:
        """Have a document read anew; until then it is found as it was."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE document SET state = 'queued', message = NULL, updated_at = now()"
                " WHERE id = %s AND removed_at IS NULL",
                (document_id,),
            )
            enqueue(connection, READ_JOB, key=str(document_id))


def _hidden(name: str) -> InvalidInputError:
    return InvalidInputError(
        tr("“{name}” is a hidden or temporary file and is not a document. Leave it out.", name=name[:100]),
        param="file",
    )
