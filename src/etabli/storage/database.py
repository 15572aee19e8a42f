"""Connections to the workspace's PostgreSQL: as the owner, or as a reader who sees what a caller may see."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import psycopg
from psycopg_pool import ConnectionPool

from etabli.errors import StorageError
from etabli.messages import tr
from etabli.settings import Settings
from etabli.storage.embedded import EmbeddedPostgres
from etabli.storage.migrations import migrate

Configure = Callable[[psycopg.Connection], None]

EVERYONE = "group:everyone"
"""The principal that every caller has."""


class Database:
    """A pool of connections to one migrated database. Thread-safe.

    Args:
        conninfo: PostgreSQL connection string or URL.
        embedded: the server behind it, when it is ours to stop.
        most_connections: size of the pool.
        configure: called with every new connection of the pool.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        embedded: EmbeddedPostgres | None = None,
        most_connections: int = 12,
        configure: Configure | None = None,
    ) -> None:
        self.conninfo = conninfo
        self.embedded = embedded
        try:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                migrate(connection)
        except psycopg.OperationalError as error:
            raise StorageError(
                tr(
                    "The database does not answer: {reason} Is ETABLI_DATABASE_URL right?",
                    reason=str(error).strip(),
                )
            ) from None
        except psycopg.errors.UndefinedFile:
            raise StorageError(
                tr("This PostgreSQL has no pgvector extension. Install pgvector 0.8 or later on the server.")
            ) from None
        self._pool = ConnectionPool(
            conninfo,
            min_size=1,
            max_size=most_connections,
            kwargs={"autocommit": True},
            configure=configure,
            open=True,
        )

    @classmethod
    def open(cls, settings: Settings, *, configure: Configure | None = None) -> Self:
        """Open the workspace's database, starting the embedded server where no other is configured.

        Args:
            settings: of the workspace.
            configure: called with every new connection of the pool.

        Raises:
            StorageError: it does not start, does not answer, or is newer than this program.
        """
        if settings.database_url is not None:
            return cls(settings.database_url.get_secret_value(), configure=configure)
        embedded = EmbeddedPostgres(
            settings.data_dir / "postgres",
            run_dir=settings.run_dir,
            log_path=settings.logs_dir / "postgres.log",
            memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        )
        embedded.start()
        try:
            return cls(embedded.conninfo, embedded=embedded, configure=configure)
        except BaseException:
            embedded.stop()
            raise

    @contextmanager
    def owner(self) -> Iterator[psycopg.Connection]:
        """A transaction with all rights, for our own bookkeeping. Never for answering a caller."""
        with self._pool.connection() as connection, connection.transaction():
            yield connection

    @contextmanager
    def statement_by_statement(self) -> Iterator[psycopg.Connection]:
        """A connection with all rights and no transaction, for what PostgreSQL allows in none (index builds)."""
        with self._pool.connection() as connection:
            yield connection

    @contextmanager
    def reader(self, principals: Sequence[str]) -> Iterator[psycopg.Connection]:
        """A read-only transaction that sees what these principals may see, and nothing else.

        Args:
            principals: names such as `group:everyone`. None at all sees nothing.
        """
        with self._pool.connection() as connection, connection.transaction():
            connection.execute(
                "SELECT set_config('role', 'etabli_reader', true), set_config('transaction_read_only', 'on', true),"
                " set_config('etabli.principals', %s, true)",
                ("\n".join(principals),),
            )
            yield connection

    def close(self) -> None:
        """Close the pool and leave the embedded server. Safe to call twice."""
        self._pool.close()
        if self.embedded is not None:
            self.embedded.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def file_of_hash(files_dir: Path, sha256: str) -> Path:
    """Where the original of a document lies: `<files>/<first two digits>/<sha256>`."""
    return files_dir / sha256[:2] / sha256
