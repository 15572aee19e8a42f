"""What PostgreSQL knows of the tables of documents: counted anew once much was added.

Autovacuum does the same, up to a minute later, and until then the list of documents is planned for tables that it
believes empty: seconds instead of milliseconds after a large upload.
"""

import logging
import threading
import time

import psycopg

from etabli.storage.database import Database

_TABLES = ("document", "version", "chunk", "document_profile")
_CHECK_EVERY_S = 2.0
log = logging.getLogger(__name__)
_LEAST_CHANGES, _SHARE = 100, 0.2
"""A table is counted again after so many changes and a fifth of its rows: ten thousand files are some 25 times."""


class TableStatistics:
    """Keeps the planner's statistics near the truth while documents come in. Thread-safe.

    Args:
        database: whose.
        check_every_s: how often the changes are looked at, at most.
    """

    def __init__(self, database: Database, *, check_every_s: float = _CHECK_EVERY_S) -> None:
        self._database = database
        self._check_every_s = check_every_s
        self._lock = threading.Lock()
        self._checked = -check_every_s

    def keep(self) -> list[str]:
        """Count the tables that changed much, if nobody looked a moment ago; gives their names."""
        with self._lock:
            now = time.monotonic()
            if now - self._checked < self._check_every_s:
                return []
            self._checked = now
        try:
            with self._database.statement_by_statement() as connection:
                return _count(connection)
        except psycopg.Error:
            log.warning("the statistics of tables could not be brought up to date", exc_info=True)
            return []


def _count(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_stat_user_tables WHERE schemaname = current_schema()"
        " AND relname = ANY (%s) AND n_mod_since_analyze >= %s + %s * n_live_tup ORDER BY relname",
        (list(_TABLES), _LEAST_CHANGES, _SHARE),
    ).fetchall()
    for (name,) in rows:
        connection.execute(f"ANALYZE {name}".encode())  # one of ours
    return [str(name) for (name,) in rows]
