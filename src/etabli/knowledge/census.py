"""Which plan the dense leg takes: exact comparison where little is visible, the HNSW index where much is.

An index asked under a filter silently loses results, most when little is visible.
"""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Executor

import psycopg
from psycopg import sql

from etabli.knowledge.index import EXACT_VECTORS, VectorSpace
from etabli.knowledge.query import Scope
from etabli.storage.database import Database

EXACT_SHARE = 0.2
"""Below this visible share of a large index the dense leg is exact too: HNSW loses most there."""
_CENSUS_S = 60.0
"""How old the numbers may be by which the dense leg is chosen."""


class Census:
    """How many vectors there are by permission set and collection, as of the last minute: it only chooses a plan.

    Counting what one caller sees takes as long as comparing it does. Thread-safe.
    """

    def __init__(self, database: Database, pool: Executor) -> None:
        self._database = database
        self._pool = pool
        self._known: dict[int, tuple[float, dict[tuple[int, int], int]]] = {}
        self._counting = threading.Lock()

    def counts(self, space: VectorSpace) -> dict[tuple[int, int], int]:
        """Vectors by (permission set, collection). Counted now the first time; later in the background."""
        known = self._known.get(space.id)
        if known is None:
            return self._count(space)
        if time.monotonic() - known[0] > _CENSUS_S and self._counting.acquire(blocking=False):
            self._pool.submit(self._count_again, space)
        return known[1]

    def _count_again(self, space: VectorSpace) -> None:
        try:
            self._count(space)
        finally:
            self._counting.release()

    def _count(self, space: VectorSpace) -> dict[tuple[int, int], int]:
        query = sql.SQL("SELECT acl_set, collection_id, count(*) FROM {} GROUP BY 1, 2").format(space.table)
        with self._database.owner() as connection:
            counts = {(row[0], row[1]): int(row[2]) for row in connection.execute(query)}
        self._known[space.id] = (time.monotonic(), counts)
        return counts


def few_visible(connection: psycopg.Connection, counts: Mapping[tuple[int, int], int], scope: Scope) -> bool:
    """Whether comparing all visible vectors is the right plan, by the census and what this reader sees."""
    row = connection.execute("SELECT visible_acl_sets()").fetchone()
    sets = frozenset(row[0]) if row else frozenset()
    seen = sum(
        count
        for (acl_set, collection), count in counts.items()
        if acl_set in sets and (scope.collection_ids is None or collection in scope.collection_ids)
    )
    return seen <= max(EXACT_VECTORS, int(sum(counts.values()) * EXACT_SHARE))
