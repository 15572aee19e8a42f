"""The certification log: append-only and chained, so that what was registered before a run can be shown after it.

Each entry's hash covers the one before. Changing or taking out an entry breaks every later hash; an auditor who kept
one hash can tell. Blocks: call it from a thread.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from etabli.certification.certificate.canonical import canonical_json
from etabli.errors import IntegrityError
from etabli.messages import tr
from etabli.storage.database import Database

JSON = dict[str, Any]
START = "0" * 64
_LOCK = 0x6365_7274  # an arbitrary number, the same for every process


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log; `at` is UTC to the second."""

    number: int
    at: datetime
    kind: str
    body: JSON
    previous: str
    sha256: str


def append(connection: psycopg.Connection, kind: str, body: JSON) -> Entry:
    """Add an entry in the caller's transaction.

    Args:
        connection: the owner's.
        kind: `protocol`, `verdict`, `certificate`, `revocation`, `publication`, `break-glass`,
            `suspension`, `seed`.
        body: what is recorded; canonical JSON must be able to hold it.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    last = connection.execute(
        "SELECT number, sha256 FROM certification_log ORDER BY number DESC LIMIT 1"
    ).fetchone()
    number, previous = (int(last[0]) + 1, str(last[1])) if last is not None else (1, START)
    at = datetime.now(UTC).replace(microsecond=0)
    entry = Entry(number, at, kind, body, previous, _digest(number, at, kind, body, previous))
    connection.execute(
        "INSERT INTO certification_log (number, at, kind, body, previous, sha256) VALUES (%s, %s, %s, %s, %s, %s)",
        (entry.number, entry.at, entry.kind, Jsonb(entry.body), entry.previous, entry.sha256),
    )
    return entry


def entries(database: Database) -> list[Entry]:
    """The whole log, the oldest first."""
    with database.owner() as connection:
        return (
            connection.cursor(row_factory=class_row(Entry))
            .execute("SELECT number, at, kind, body, previous, sha256 FROM certification_log ORDER BY number")
            .fetchall()
        )


def check(log: list[Entry]) -> None:
    """Recompute the chain.

    Raises:
        IntegrityError: an entry was changed, taken out or put in.
    """
    previous = START
    for number, entry in enumerate(log, 1):
        found = _digest(entry.number, entry.at.astimezone(UTC), entry.kind, entry.body, entry.previous)
        if entry.number != number or entry.previous != previous or found != entry.sha256:
            raise IntegrityError(
                tr(
                    "The certification log is broken at entry {number}: it was changed after it was written. Compare "
                    "it with a backup, and do not trust certificates that were issued after it.",
                    number=number,
                )
            )
        previous = entry.sha256


def _digest(number: int, at: datetime, kind: str, body: JSON, previous: str) -> str:
    value = {
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "body": body, "kind": kind, "number": number, "previous": previous
    }  # fmt: skip
    return hashlib.sha256(canonical_json(value)).hexdigest()
