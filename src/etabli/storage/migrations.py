"""Migrations: numbered SQL files, applied once each, in order, whoever starts first.

Each file runs in one transaction together with the note that it ran, under a lock that other processes wait
for. A database that is newer than this program is refused rather than guessed at.
"""

from importlib import resources

import psycopg
from psycopg import sql

from etabli.errors import StorageError
from etabli.messages import tr

_LOCK = 0x6574_6162  # an arbitrary number, the same for every process


def available() -> dict[int, str]:
    """All migrations by number, with their SQL."""
    folder = resources.files("etabli.storage") / "migrations"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return {int(entry.name.split("_")[0]): entry.read_text(encoding="utf-8") for entry in files}


def migrate(connection: psycopg.Connection, *, up_to: int | None = None) -> list[int]:
    """Bring the database to this program's schema.

    Args:
        connection: in autocommit mode.
        up_to: the last migration to apply, to rebuild an older schema; all if None.

    Returns:
        The numbers applied now; empty when there was nothing to do.

    Raises:
        StorageError: the database is newer than this program, or its user lacks a right.
    """
    try:
        return _apply(connection, up_to)
    except psycopg.errors.InsufficientPrivilege as error:
        raise StorageError(_missing_right(connection, error)) from None


def _apply(connection: psycopg.Connection, up_to: int | None) -> list[int]:
    migrations = available()
    applied: list[int] = []
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migration (number int PRIMARY KEY, applied_at timestamptz DEFAULT now())"
        )
        done = {row[0] for row in connection.execute("SELECT number FROM migration")}
        if unknown := done - migrations.keys():
            raise StorageError(
                tr(
                    "The database has migration {found}, this program knows up to {known}. "
                    "Install the newer version of Établi that made it.",
                    found=max(unknown),
                    known=max(migrations),
                )
            )
        wanted = {number for number in migrations if up_to is None or number <= up_to}
        for number in sorted(wanted - done):
            connection.execute(migrations[number].encode())
            connection.execute("INSERT INTO migration (number) VALUES (%s)", (number,))
            applied.append(number)
    return applied


def _missing_right(connection: psycopg.Connection, error: psycopg.Error) -> str:
    """What an administrator has to run, after a migration was refused."""
    row = connection.execute(
        "SELECT current_user, count(*) > 0, coalesce(bool_or(pg_has_role(current_user, oid, 'MEMBER')), false)"
        " FROM pg_roles WHERE rolname = 'etabli_reader'"
    ).fetchone()
    assert row is not None
    user, exists, granted = row
    if granted:
        return tr(
            "The database refuses: {reason} Have an administrator give that right to the user {user}.",
            reason=(error.diag.message_primary or str(error)).rstrip(".") + ".",
            user=user,
        )
    statements = [
        *([] if exists else ["CREATE ROLE etabli_reader NOLOGIN;"]),
        sql.SQL("GRANT etabli_reader TO {};").format(sql.Identifier(user)).as_string(connection),
    ]
    return tr(
        "The database user {user} needs the role etabli_reader, which keeps documents from those who may not see "
        "them, and may not make it. Have an administrator of that PostgreSQL run this once, then try again:\n{sql}",
        user=user,
        sql="\n".join(f"  {statement}" for statement in statements),
    )
