"""Each leg of a search alone, and beside it the way it is usually done with the same tables.

The peers are not another product: they show what two decisions are worth. Under row-level security PostgreSQL
uses an index for an operator only when that is declared leakproof; and a planner that is left alone takes an HNSW
index with its default width (`ef_search` 40) however little the caller sees.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from psycopg import sql

from etabli.knowledge.index import VectorSpace
from etabli.knowledge.legs import DEPTH, DenseLeg, LexicalLeg
from etabli.knowledge.query import Asked, Scope, vector_literal
from etabli.storage.database import Database

Leg = Callable[[Asked, Sequence[str]], dict[int, float]]
"""Finds the best passages that these principals may see: their scores by number."""


def our_lexical(leg: LexicalLeg) -> Leg:
    """The product's."""
    return lambda asked, principals: leg.best(asked.weights, Scope(tuple(principals), None))


def our_dense(leg: DenseLeg) -> Leg:
    """The product's."""
    return lambda asked, principals: leg.nearest(asked, Scope(tuple(principals), None))[0]


def plain_lexical(database: Database) -> Leg:
    """The same with the array operator that PostgreSQL brings."""
    return our_lexical(LexicalLeg(database, overlap=sql.SQL("&&")))


def naive_dense(database: Database) -> Leg:
    """The nearest by whatever plan the planner likes, with the defaults of pgvector."""
    return _nearest(database, sql.SQL("vector <#> %(vector)s::halfvec"))


def exact_dense(database: Database) -> Leg:
    """The nearest of all that is visible: the truth."""
    return _nearest(database, sql.SQL("(vector <#> %(vector)s::halfvec) + 0"))


def _nearest(database: Database, order: sql.Composable) -> Leg:
    def find(asked: Asked, principals: Sequence[str]) -> dict[int, float]:
        assert asked.space is not None and asked.vector is not None
        query = sql.SQL(
            "SELECT chunk_id, -(vector <#> %(vector)s::halfvec) FROM {} ORDER BY {} LIMIT %(depth)s"
        ).format(asked.space.table, order)
        with database.reader(principals) as connection:
            rows = connection.execute(
                query, {"vector": vector_literal(asked.vector), "depth": DEPTH}
            ).fetchall()
        return {chunk_id: float(score) for chunk_id, score in rows}

    return find


@contextmanager
def peer_indexes(database: Database, space: VectorSpace) -> Iterator[None]:
    """The indexes that the peers use, while this lasts; an HNSW index only where the product has none."""
    statements = ["CREATE INDEX peer_terms ON chunk USING gin (terms) WITH (fastupdate = off)"]
    if not space.indexed:
        statements.append(
            f"CREATE INDEX peer_hnsw ON {space.table_name} USING hnsw (vector halfvec_ip_ops)"
            " WITH (m = 16, ef_construction = 64)"
        )
    with database.statement_by_statement() as connection:
        for statement in (*statements, "ANALYZE"):
            connection.execute(statement.encode())
    yield
    with database.statement_by_statement() as connection:
        connection.execute("DROP INDEX IF EXISTS peer_terms, peer_hnsw")
