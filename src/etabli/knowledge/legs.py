"""The two legs of a search: exact BM25 and dense vectors, each one statement run as the reader's role.

So row-level security, not this code, decides what is seen. Each gives its best chunks with their scores.
"""

from collections.abc import Sequence
from concurrent.futures import Executor

import psycopg
from psycopg import sql

from etabli.knowledge.bm25 import sparse_literal
from etabli.knowledge.census import Census, few_visible
from etabli.knowledge.query import Asked, Needed, QueryWeights, Scope, vector_literal
from etabli.storage.database import Database

DEPTH = 100
"""How many passages each leg brings to the fusion."""
FIRST_SHARE = 0.03
"""The first candidates of the lexical leg come from the rarest terms, in about this share of all chunks."""
SHARE_GROWTH = 5
"""By how much that share grows while there are too few candidates."""
OVERLAP = sql.SQL("&&&")
"""Of arrays that have an element in common: the index serves it under row-level security."""

# Adding zero keeps the planner from the HNSW index. The inner statement sorts what it gives, so that each distance
# is computed once.
_NEAREST_EXACT = sql.SQL(
    "SELECT chunk_id, -distance FROM ("
    " SELECT chunk_id, (vector <#> %(vector)s::halfvec) + 0 AS distance FROM {table} WHERE {condition}"
    " ORDER BY distance, chunk_id LIMIT %(depth)s) nearest"
)
_NEAREST_BY_INDEX = sql.SQL(
    "SELECT chunk_id, -(vector <#> %(vector)s::halfvec) FROM {table} WHERE {condition}"
    " ORDER BY vector <#> %(vector)s::halfvec LIMIT %(depth)s"
)


class LexicalLeg:
    """The words. Thread-safe.

    Args:
        database: the index.
        overlap: the operator of arrays that have an element in common.
    """

    def __init__(self, database: Database, *, overlap: sql.SQL = OVERLAP) -> None:
        self._database = database
        self._overlap = overlap

    def best(self, weights: QueryWeights, scope: Scope) -> dict[int, float]:
        """The best chunks by exact BM25.

        Candidates come from the rarest terms first. The last score found then says which terms a better chunk must
        have one of, and which of them only together with others (MaxScore; Turtle and Flood, 1995): when those are
        more, the search is done again with them. So the scores and their order are always exact.
        """
        share = FIRST_SHARE
        needed = weights.rarest(share)
        if not needed.terms:
            return {}
        with self._database.reader(scope.principals) as connection:
            found = self._candidates(connection, weights, needed, scope)
            while needed.terms < len(weights.weights):
                if len(found) == DEPTH:
                    wider = weights.needed(min(found.values()))
                    if wider.terms > needed.terms:
                        found = _best(found | self._candidates(connection, weights, wider, scope))
                    break
                while (wider := weights.rarest(share)).terms <= needed.terms:
                    share *= SHARE_GROWTH
                needed = wider
                found = self._candidates(connection, weights, needed, scope)
        return found

    def _candidates(
        self, connection: psycopg.Connection, weights: QueryWeights, needed: Needed, scope: Scope
    ) -> dict[int, float]:
        query = sql.SQL(
            "SELECT id, -(weights <#> %(query)s::sparsevec) AS score FROM chunk"
            " WHERE ({}) AND {} ORDER BY score DESC, id LIMIT %(depth)s"
        ).format(self._condition(needed), scope.condition())
        rows = connection.execute(
            query,
            {
                "query": sparse_literal(weights.weights),
                "depth": DEPTH,
                "collections": list(scope.collection_ids or ()),
            },
        )
        return {chunk_id: float(score) for chunk_id, score in rows}

    def _condition(self, needed: Needed) -> sql.Composable:
        alternatives = [self._one_of(needed.alone)] if needed.alone else []
        for term, others in needed.together:
            alternatives.append(sql.SQL("({} AND {})").format(self._one_of([term]), self._one_of(others)))
        return sql.SQL(" OR ").join(alternatives)

    def _one_of(self, terms: Sequence[int]) -> sql.Composable:
        return sql.SQL("terms {} {}::int[]").format(self._overlap, sql.Literal(list(terms)))


def _best(found: dict[int, float]) -> dict[int, float]:
    """The `DEPTH` with the highest scores; of equal ones those with the lowest ids."""
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return dict(ranked[:DEPTH])


class DenseLeg:
    """The vectors. Thread-safe.

    Args:
        database: the index.
        pool: runs the census in the background.
    """

    def __init__(self, database: Database, pool: Executor) -> None:
        self._database = database
        self._census = Census(database, pool)

    def nearest(self, asked: Asked, scope: Scope) -> tuple[dict[int, float], str]:
        """The nearest chunks by cosine, exactly or through HNSW, and which of the two."""
        space = asked.space
        if space is None or asked.vector is None:
            return {}, "none"
        values = {
            "vector": vector_literal(asked.vector),
            "depth": DEPTH,
            "collections": list(scope.collection_ids or ()),
        }
        counts = self._census.counts(space) if space.indexed else None
        with self._database.reader(scope.principals) as connection:
            exact = counts is None or few_visible(connection, counts, scope)
            if not exact:
                connection.execute(
                    "SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.ef_search = 400"
                )
            query = _NEAREST_EXACT if exact else _NEAREST_BY_INDEX
            rows = connection.execute(
                query.format(table=space.table, condition=scope.condition()), values
            ).fetchall()
        return {chunk_id: float(score) for chunk_id, score in rows}, "exact" if exact else "hnsw"
