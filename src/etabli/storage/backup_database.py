"""The database's part of a backup: one consistent view of every table out, and the same rows into an empty one.

Out: one read-only transaction at REPEATABLE READ, so that all tables are of the same instant while others write.
In: the schema of that time is made anew by its migrations, the rows are copied, then later migrations run; all in
one transaction. Why not `pg_dump`: `docs/decisions/backup.md`. Source: PostgreSQL 18 manual, COPY and 13.2.2.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from etabli.errors import BackupError, StorageError
from etabli.messages import tr
from etabli.settings import Settings
from etabli.storage.backup_format import (
    Manifest,
    StoredSequence,
    StoredSpace,
    StoredTable,
)
from etabli.storage.embedded import EmbeddedPostgres
from etabli.storage.migrations import available, migrate

_BOOKKEEPING = "migration"
_PASSING = ("session", "sign_in_link")
"""Not in a backup: who signed out must not be signed in again by a restore."""
_VECTOR_INDEX = re.compile(
    r"CREATE INDEX (\w+) ON (?:\w+\.)?(embedding_\d+) USING hnsw \(vector (halfvec_\w+_ops)\)"
    r" WITH \(m='?(\d+)'?, ef_construction='?(\d+)'?\)"
)
_OWN = (
    "c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
    " AND d.deptype = 'e')"
)
"""Relations of our schema that no extension made."""

Store = Callable[[Iterable[bytes]], str]
"""Keeps a content and gives its SHA-256."""


@dataclass(frozen=True, slots=True)
class Dump:
    """What was read from a database."""

    migration: int
    tables: tuple[StoredTable, ...]
    sequences: tuple[StoredSequence, ...]
    spaces: tuple[StoredSpace, ...]
    originals: frozenset[str]
    """SHA-256 of every file that a document or one of its versions was read from."""


@contextlib.contextmanager
def connect(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection in autocommit mode with all rights; starts the embedded server where none runs, migrates nothing.

    Raises:
        StorageError: the database does not answer.
    """
    with contextlib.ExitStack() as closing:
        if settings.database_url is None:
            server = EmbeddedPostgres(
                settings.data_dir / "postgres",
                run_dir=settings.run_dir,
                log_path=settings.logs_dir / "postgres.log",
                memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            )
            closing.callback(server.stop)
            conninfo = server.start()
        else:
            conninfo = settings.database_url.get_secret_value()
        try:
            connection = closing.enter_context(psycopg.connect(conninfo, autocommit=True))
        except psycopg.OperationalError as error:
            raise StorageError(
                tr(
                    "The database does not answer: {reason} Is ETABLI_DATABASE_URL right?",
                    reason=str(error).strip(),
                )
            ) from None
        yield connection


@contextlib.contextmanager
def snapshot(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction in which the database stands still for us, and for nobody else."""
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    with connection.transaction():
        # A policy that would hide rows becomes an error instead of a backup that lacks them.
        connection.execute(
            "SET LOCAL row_security = off; SET LOCAL statement_timeout = 0; SET LOCAL client_encoding = 'UTF8';"
            " SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL extra_float_digits = 1"
        )
        yield


def size_bytes(connection: psycopg.Connection) -> int:
    """Bytes of all tables on the disk, without indexes; their copy takes less once compressed."""
    row = connection.execute(
        f"SELECT coalesce(sum(pg_table_size(c.oid)), 0) FROM pg_class c WHERE c.relkind = 'r' AND {_OWN}"
    ).fetchone()
    return int(row[0]) if row else 0


def dump(connection: psycopg.Connection, store: Store, progress: Callable[[int], None]) -> Dump:
    """Read every table, within `snapshot`.

    Args:
        connection: with all rights.
        store: keeps the rows of each table.
        progress: told the bytes read since the last time.

    Raises:
        BackupError: the database is newer than this program.
    """
    columns = _columns(connection)
    migration = _migration(connection, columns)
    for name in (_BOOKKEEPING, *_PASSING):
        columns.pop(name, None)
    if columns:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names))
    tables = tuple(_dump_table(connection, name, columns[name], store, progress) for name in columns)
    return Dump(
        migration=migration,
        tables=tables,
        sequences=_sequences(connection),
        spaces=_spaces(connection, columns),
        originals=_originals(connection, columns),
    )


def require_empty(connection: psycopg.Connection) -> None:
    """Raise unless the database holds no table of anybody.

    Raises:
        BackupError: it does; nothing is ever restored over something else.
    """
    found = _columns(connection)
    if found:
        raise BackupError(
            tr(
                "The database at this address holds {count} tables already (the first: {name}). A backup is "
                "only restored into an empty database: make one and name it in ETABLI_DATABASE_URL, or restore "
                "into the embedded one with --embedded.",
                count=len(found),
                name=min(found),
            )
        )


def load(
    connection: psycopg.Connection,
    manifest: Manifest,
    content: Callable[[str], Iterator[bytes]],
    *,
    workspace: Path,
    progress: Callable[[int], None],
) -> None:
    """Fill an empty database from a backup and bring it to this program's schema: all or nothing.

    Args:
        connection: in autocommit mode, with all rights.
        manifest: of the backup.
        content: gives the rows of a table by their SHA-256.
        workspace: where the workspace will be, for documents that lie in it.
        progress: told the bytes written since the last time.

    Raises:
        BackupError: the backup's tables are not those of its migration.
        StorageError: this PostgreSQL lacks pgvector.
    """
    try:
        with connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL client_encoding = 'UTF8'")
            migrate(connection, up_to=manifest.migration)
            for space in manifest.spaces:
                connection.execute("CALL create_embedding_table(%s, %s)", (space.id, space.dimensions))
            known = _columns(connection)
            for table in manifest.tables:
                if not set(table.columns) <= set(known.get(table.name, ())):
                    raise BackupError(
                        tr(
                            "The table {name} of this backup is not one of migration {number}. It was made by a "
                            "development version: restore it with that one.",
                            name=table.name,
                            number=manifest.migration,
                        )
                    )
            with _bare(connection, [table.name for table in manifest.tables]):
                for table in manifest.tables:
                    _load_table(connection, table, content(table.sha256), progress)
            _set_sequences(connection, manifest.sequences)
            _index_vectors(connection, manifest.spaces)
            _move_roots(connection, manifest, workspace)
            migrate(connection)
    except psycopg.errors.UndefinedFile:
        raise StorageError(
            tr("This PostgreSQL has no pgvector extension. Install pgvector 0.8 or later on the server.")
        ) from None
    connection.execute("ANALYZE")


def _columns(connection: psycopg.Connection) -> dict[str, tuple[str, ...]]:
    """Tables of our schema and their columns that hold data of their own, in order."""
    rows = connection.execute(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        f" AND a.attgenerated = '' WHERE c.relkind = 'r' AND {_OWN} GROUP BY c.relname ORDER BY c.relname"
    ).fetchall()
    return {name: tuple(columns) for name, columns in rows}


def _migration(connection: psycopg.Connection, columns: dict[str, tuple[str, ...]]) -> int:
    if _BOOKKEEPING not in columns:
        return 0
    row = connection.execute("SELECT coalesce(max(number), 0) FROM migration").fetchone()
    found, known = int(row[0]) if row else 0, max(available())
    if found > known:
        raise BackupError(
            tr(
                "The database has migration {found}, this program knows up to {known}. "
                "Make the backup with the version of Établi that made it.",
                found=found,
                known=known,
            )
        )
    return found


def _dump_table(
    connection: psycopg.Connection,
    name: str,
    columns: Sequence[str],
    store: Store,
    progress: Callable[[int], None],
) -> StoredTable:
    cursor = connection.cursor()

    def blocks() -> Iterator[bytes]:
        with cursor.copy(sql.SQL("COPY {} ({}) TO STDOUT").format(*_names(name, columns))) as copy:
            for block in copy:
                progress(len(block))
                yield bytes(block)

    sha256 = store(blocks())
    return StoredTable(name=name, columns=tuple(columns), rows=max(0, cursor.rowcount), sha256=sha256)


def _load_table(
    connection: psycopg.Connection,
    table: StoredTable,
    blocks: Iterator[bytes],
    progress: Callable[[int], None],
) -> None:
    cursor = connection.cursor()
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(*_names(table.name, table.columns))) as copy:
        for block in blocks:
            copy.write(block)
            progress(len(block))
    if cursor.rowcount != table.rows:
        raise BackupError(
            tr(
                "The table {name} has {found} rows instead of {wanted}. Nothing was restored.",
                name=table.name,
                found=cursor.rowcount,
                wanted=table.rows,
            )
        )


def _names(table: str, columns: Sequence[str]) -> tuple[sql.Composable, sql.Composable]:
    return sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))


@contextlib.contextmanager
def _bare(connection: psycopg.Connection, tables: Sequence[str]) -> Iterator[None]:
    """Take foreign keys and plain indexes off the emptied tables, and make them anew afterwards.

    Foreign keys go round in circles (document and version), and rows go faster into a table without indexes.
    """
    keys = connection.execute(
        "SELECT k.conrelid::regclass::text, quote_ident(k.conname), pg_get_constraintdef(k.oid) FROM pg_constraint k"
        f" JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'f' AND k.conparentid = 0 AND {_OWN}"
    ).fetchall()
    indexes = connection.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indrelid AND c.relkind = 'r' WHERE NOT i.indisprimary"
        f" AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid) AND {_OWN}"
    ).fetchall()
    for table, name, _ in keys:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    if tables:
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, tables))))
    yield
    for _, definition in indexes:
        connection.execute(definition.encode())
    for table, name, definition in keys:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}".encode())


def _sequences(connection: psycopg.Connection) -> tuple[StoredSequence, ...]:
    """Where sequences stand; they move outside transactions, so this is read after the rows."""
    names = connection.execute(
        f"SELECT c.relname FROM pg_class c WHERE c.relkind = 'S' AND {_OWN} ORDER BY c.relname"
    ).fetchall()
    found = []
    for (name,) in names:
        row = connection.execute(
            sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))
        ).fetchone()
        assert row is not None
        found.append(StoredSequence(name=name, last_value=row[0], is_called=row[1]))
    return tuple(found)


def _set_sequences(connection: psycopg.Connection, sequences: Sequence[StoredSequence]) -> None:
    for each in sequences:
        connection.execute(
            "SELECT setval(quote_ident(%s)::regclass, %s, %s)", (each.name, each.last_value, each.is_called)
        )


def _spaces(connection: psycopg.Connection, columns: dict[str, tuple[str, ...]]) -> tuple[StoredSpace, ...]:
    if "vector_space" not in columns:
        return ()
    rows = connection.execute("SELECT id, dimensions FROM vector_space ORDER BY id").fetchall()
    found = []
    for number, dimensions in rows:
        table = f"embedding_{number}"
        if table in columns:
            index = connection.execute(
                "SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
                " JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam"
                " WHERE c.relname = %s AND i.indisvalid AND a.amname = 'hnsw'"
                f" AND {_OWN} ORDER BY 1 LIMIT 1",
                (table,),
            ).fetchone()
            found.append(StoredSpace(id=number, dimensions=dimensions, index=index[0] if index else None))
    return tuple(found)


def _index_vectors(connection: psycopg.Connection, spaces: Sequence[StoredSpace]) -> None:
    """Build the vector indexes again. A definition is read, never run: a backup brings data and no statements."""
    for space in spaces:
        match = _VECTOR_INDEX.fullmatch(space.index or "")
        if match is not None and match[2] == f"embedding_{space.id}":
            connection.execute(
                sql.SQL(
                    "CREATE INDEX {} ON {} USING hnsw (vector {}) WITH (m = {}, ef_construction = {})"
                ).format(
                    *map(sql.Identifier, match.groups()[:3]),
                    *(sql.Literal(int(n)) for n in match.groups()[3:]),
                )
            )
        else:  # without it searches are exact, and the worker builds one where it pays
            connection.execute("UPDATE vector_space SET indexed = false WHERE id = %s", (space.id,))


def _originals(connection: psycopg.Connection, columns: dict[str, tuple[str, ...]]) -> frozenset[str]:
    found: set[str] = set()
    for table in ("document", "version"):
        if "sha256" in columns.get(table, ()):
            rows = connection.execute(sql.SQL("SELECT DISTINCT sha256 FROM {}").format(sql.Identifier(table)))
            found.update(row[0] for row in rows)
    return frozenset(found)


def _move_roots(connection: psycopg.Connection, manifest: Manifest, workspace: Path) -> None:
    """Documents that lay in the old workspace's folder now lie in the new one's."""
    if any(table.name == "document" and "root" in table.columns for table in manifest.tables):
        connection.execute(
            "UPDATE document SET root = %(new)s || substr(root, length(%(old)s) + 1)"
            " WHERE root = %(old)s OR starts_with(root, %(old)s || '/')",
            {"old": manifest.workspace, "new": str(workspace)},
        )
