"""The history of assistants: every text that an assistant's file had, numbered, and the way back to each.

The file answers; the database remembers. A file that somebody edits, adds or removes by hand becomes a version when
it is next looked at, so that saving over it, or removing it, loses nothing. Blocks: call it from a thread.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from etabli.assistants.files import AssistantFiles, checked_name
from etabli.assistants.specification import AssistantSpecification, diagnose
from etabli.assistants.yaml_text import specification_yaml
from etabli.errors import ConfigurationError, ConflictError, InvalidInputError, NotFoundError
from etabli.messages import tr
from etabli.storage.database import Database

Kind = Literal["saved", "file", "restored", "deleted"]
MAX_NUMBER = 2**31 - 1
_LOCK = 0x6173_7374  # an arbitrary number, the same for every process
_COLUMNS = "name, number, kind, digest, note, restored_from, account_id, saved_at"


@dataclass(frozen=True, slots=True)
class Version:
    """One state of an assistant.

    Attributes:
        name: of the assistant.
        number: from 1, without gaps.
        kind: `saved` by the product, seen in the `file`, `restored` from an older one, or `deleted`.
        digest: SHA-256 of its text.
        note: what its author says of it.
        restored_from: number of the version whose text it took up again.
        account_id: who made it; None where nobody knows.
        saved_at: when it was made, or first seen.
    """

    name: str
    number: int
    kind: Kind
    digest: str
    note: str
    restored_from: int | None
    account_id: int | None
    saved_at: datetime


Versions = list[Version]


class VersionStore:
    """The versions of the assistants of a workspace. Thread-safe, among processes too.

    Args:
        database: where the history is.
        folder: where the files are.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._files = AssistantFiles(folder)

    def heads(self) -> dict[str, Version]:
        """The newest version of every assistant that is there, by name; looks at all files first."""
        with self._database.owner() as connection:
            known = {head.name: head for head in self._all_heads(connection)}
        heads = {}
        for name in sorted({*self._files.names(), *known}):
            head = known.get(name)
            if not self._is_as_known(name, head):
                with self._locked(name) as connection:
                    head = self._see(connection, name)
            if head is not None and head.kind != "deleted":
                heads[name] = head
        return heads

    def head(self, name: str) -> Version:
        """The newest version of one assistant; looks at its file first.

        Raises:
            NotFoundError: there is no such assistant.
        """
        with self._locked(name) as connection:
            return self._live(connection, name)

    def list(self, name: str) -> Versions:
        """All versions of an assistant, the newest first; also of a deleted one."""
        with self._database.owner() as connection:
            return (
                connection.cursor(row_factory=class_row(Version))
                .execute(
                    f"SELECT {_COLUMNS} FROM assistant_version WHERE name = %s ORDER BY number DESC".encode(),
                    (checked_name(name),),
                )
                .fetchall()
            )

    def deleted(self) -> Versions:
        """The last rows of the assistants that are deleted, the latest first."""
        with self._database.owner() as connection:
            gone = [head for head in self._all_heads(connection) if head.kind == "deleted"]
        return sorted(gone, key=lambda head: head.saved_at, reverse=True)

    def text(self, name: str, number: int) -> str:
        """The YAML of one version, as it was written.

        Raises:
            NotFoundError: there is no such version.
        """
        with self._database.owner() as connection:
            return self._text(connection, name, number)

    def get(self, name: str, number: int) -> AssistantSpecification:
        """What one version was, of an assistant that is still there.

        Raises:
            NotFoundError: there is no such assistant or version.
            ConfigurationError: that version cannot be used; the message is its first fault.
        """
        self.head(name)
        specification, faults = diagnose(self.text(name, number), f"{name}.yaml", name=name)
        if specification is None:
            raise ConfigurationError(faults[0].sentence)
        return specification

    def save(
        self,
        name: str,
        content: str | AssistantSpecification,
        *,
        note: str = "",
        account_id: int | None = None,
        based_on: int | None = None,
    ) -> Version:
        """Make `content` the assistant's newest version and its file. A text that is there already makes none.

        Args:
            name: of the assistant, new or not.
            content: YAML, kept as it is written; or a specification, written as YAML.
            note: what the author says of it.
            account_id: who saves.
            based_on: number of the version that the author began with, 0 for a new assistant; None does not ask.

        Raises:
            InvalidInputError: the text is no assistant; `param` is the field that is wrong.
            ConflictError: somebody saved, deleted or made it meanwhile.
            ConfigurationError: the file cannot be written.
        """
        text = content if isinstance(content, str) else specification_yaml(content)
        _require_usable(name, text)
        with self._locked(name) as connection:
            head = self._see(connection, name)
            _require_base(name, head, based_on)
            return self._put(connection, name, head, text, kind="saved", note=note, account_id=account_id)

    def restore(
        self,
        name: str,
        number: int | None = None,
        *,
        account_id: int | None = None,
        based_on: int | None = None,
    ) -> Version:
        """Make an older version the newest again, and bring back a deleted assistant.

        Args:
            name: of the assistant.
            number: of the version; the last one of a deleted assistant if None.
            account_id: who restores.
            based_on: as for `save`.

        Raises:
            NotFoundError: there is no such assistant or version.
            InvalidInputError: that version is no assistant by today's rules, or no number is given.
            ConflictError: somebody saved or deleted it meanwhile.
        """
        with self._locked(name) as connection:
            head = self._see(connection, name)
            _require_base(name, head, based_on)
            if number is None:
                last = self._newest(connection, name)
                if last is None:
                    raise _unknown(name)
                if head is not None:
                    raise InvalidInputError(
                        tr("{name} is not deleted. Say which of its versions to restore.", name=name),
                        param="number",
                    )
                number = last.number
            text = self._text(connection, name, number)
            _require_usable(name, text)
            return self._put(
                connection, name, head, text, kind="restored", restored_from=number, account_id=account_id
            )

    def delete(self, name: str, *, account_id: int | None = None) -> Version:
        """Remove an assistant's file. Its versions stay, and `restore` brings it back.

        Raises:
            NotFoundError: there is no such assistant.
            ConfigurationError: the file cannot be removed.
        """
        with self._locked(name) as connection:
            head = self._live(connection, name)
            text = self._text(connection, name, head.number)
            gone = self._insert(connection, name, text, kind="deleted", account_id=account_id)
            self._files.remove(name)
            return gone

    def _put(
        self, connection: psycopg.Connection, name: str, head: Version | None, text: str, **row: Any
    ) -> Version:
        """A new version and its file. Should the commit fail after that, the file is seen as a change by hand."""
        if head is not None and head.digest == _digest(text):
            return head
        version = self._insert(connection, name, text, **row)
        self._files.write(name, text)
        return version

    def _live(self, connection: psycopg.Connection, name: str) -> Version:
        head = self._see(connection, name)
        if head is None:
            raise _unknown(name)
        return head

    def _is_as_known(self, name: str, head: Version | None) -> bool:
        """Whether the file is what the newest version says; a file that cannot be read tells nothing new."""
        try:
            text = self._files.read(name)
        except ConfigurationError:
            return True
        if text is None:
            return head is None or head.kind == "deleted"
        return head is not None and head.kind != "deleted" and head.digest == _digest(text)

    def _see(self, connection: psycopg.Connection, name: str) -> Version | None:
        """Record what happened to the file by hand; gives the newest version, None where there is no assistant."""
        head = self._newest(connection, name)
        live = head is not None and head.kind != "deleted"
        text = self._files.read(name)
        if text is not None:
            if head is not None and live and head.digest == _digest(text):
                return head
            return self._insert(connection, name, text, kind="file")
        if head is not None and live:
            self._insert(connection, name, self._text(connection, name, head.number), kind="deleted")
        return None

    def _newest(self, connection: psycopg.Connection, name: str) -> Version | None:
        return (
            connection.cursor(row_factory=class_row(Version))
            .execute(
                f"SELECT {_COLUMNS} FROM assistant_version WHERE name = %s ORDER BY number DESC LIMIT 1".encode(),
                (name,),
            )
            .fetchone()
        )

    def _all_heads(self, connection: psycopg.Connection) -> Versions:
        return (
            connection.cursor(row_factory=class_row(Version))
            .execute(
                f"SELECT DISTINCT ON (name) {_COLUMNS} FROM assistant_version ORDER BY name, number DESC".encode()
            )
            .fetchall()
        )

    def _text(self, connection: psycopg.Connection, name: str, number: int) -> str:
        row = None
        if 0 < number <= MAX_NUMBER:
            row = connection.execute(
                "SELECT yaml FROM assistant_version WHERE name = %s AND number = %s", (name, number)
            ).fetchone()
        if row is None:
            raise NotFoundError(
                tr("The assistant {name} has no version {number}.", name=name[:80], number=number)
            )
        return str(row[0])

    def _insert(
        self,
        connection: psycopg.Connection,
        name: str,
        text: str,
        *,
        kind: Kind,
        note: str = "",
        restored_from: int | None = None,
        account_id: int | None = None,
    ) -> Version:
        version = (
            connection.cursor(row_factory=class_row(Version))
            .execute(
                "INSERT INTO assistant_version (name, number, kind, yaml, digest, note, restored_from, account_id)"
                " SELECT %s, coalesce(max(number), 0) + 1, %s, %s, %s, %s, %s, %s FROM assistant_version"
                f" WHERE name = %s RETURNING {_COLUMNS}".encode(),
                (name, kind, text, _digest(text), note, restored_from, account_id, name),
            )
            .fetchone()
        )
        assert version is not None
        return version

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[psycopg.Connection]:
        """A transaction that is alone with this assistant."""
        checked_name(name)
        with self._database.owner() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK, name))
            yield connection


def _require_usable(name: str, text: str) -> None:
    if not _can_be_kept(text):
        raise InvalidInputError(tr("The text holds characters that no text can have."), param="yaml")
    specification, faults = diagnose(text, f"{name}.yaml", name=name)
    if specification is None:
        raise InvalidInputError(faults[0].sentence, param=faults[0].field)


def _can_be_kept(text: str) -> bool:
    """Whether PostgreSQL and UTF-8 can hold it: no NUL, no half of a surrogate pair."""
    try:
        return b"\0" not in text.encode("utf-8")
    except UnicodeEncodeError:
        return False


def _require_base(name: str, head: Version | None, based_on: int | None) -> None:
    if based_on is None or based_on == (head.number if head is not None else 0):
        return
    if head is None:
        raise ConflictError(
            tr("{name} was deleted meanwhile. Restore it, or save what you have as a new one.", name=name)
        )
    if based_on == 0:
        raise ConflictError(tr("There is already an assistant named {name}. Choose another name.", name=name))
    raise ConflictError(
        tr(
            "{name} changed meanwhile: you began with version {yours}, and there is a version {newest} now. Look at "
            "what it says, then save again.",
            name=name,
            yours=based_on,
            newest=head.number,
        )
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(tr("There is no assistant {name}.", name=name[:80]))
