"""Searching what a caller may see: exact BM25 and dense vectors in PostgreSQL, fused.

Each leg is one statement run as the reader's role, so that row-level security, not this code, decides what is
seen. Both legs run at once. The question's terms are looked up as the owner: their frequencies tell of all
documents, which is why raw scores are never shown to callers.

The dense leg is exact while few vectors are visible, and goes through the HNSW index when many are: an index
asked under a filter silently loses results, most when little is visible.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from etabli.engines.base import Embedder, FloatMatrix
from etabli.knowledge.analysis import query_terms
from etabli.knowledge.bm25 import K1, idf, sparse_literal
from etabli.knowledge.fusion import ALPHA, convex
from etabli.knowledge.index import EXACT_VECTORS, VectorSpace, live_space
from etabli.storage.database import Database

DEPTH = 100
"""How many passages each leg brings to the fusion."""
COMMON_TERM = 0.2
"""Terms in a larger share of all chunks do not make candidates; they still count in the score."""
EXACT_SHARE = 0.2
"""Below this visible share of a large index the dense leg is exact too: HNSW loses most there."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found. `score` is the fused one, in [0, 1]; the others explain it to operators."""

    chunk_id: int
    document_id: int
    version_id: int
    document_name: str
    collection_id: int
    title: str | None
    page: int | None
    char_start: int
    char_end: int
    breadcrumb: str
    text: str
    score: float
    lexical: float
    dense: float | None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Passages, best first, and how they were found.

    Args:
        passages: at most `limit`.
        terms: the question's terms that the index knows.
        dense_method: `exact`, `hnsw` or `none` (no vectors yet: lexical alone).
        times_ms: milliseconds per stage.
    """

    passages: tuple[Passage, ...]
    terms: tuple[str, ...]
    dense_method: str
    times_ms: dict[str, float] = field(default_factory=dict)


class Reranker(Protocol):
    """Scores passages against a question more carefully than the index can."""

    def score(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """One score a passage, higher is better."""
        ...


@dataclass(frozen=True, slots=True)
class _Scope:
    """What one search may look at."""

    principals: tuple[str, ...]
    collection_ids: tuple[int, ...] | None

    def condition(self) -> sql.Composable:
        return (
            sql.SQL("true")
            if self.collection_ids is None
            else sql.SQL("collection_id = ANY (%(collections)s)")
        )


class Searcher:
    """Search over one database. Thread-safe.

    Args:
        database: the index.
        embedder: what embeds questions; None searches lexically only.
        alpha: weight of the dense leg.
    """

    def __init__(self, database: Database, embedder: Embedder | None, *, alpha: float = ALPHA) -> None:
        self._database = database
        self._embedder = embedder
        self._alpha = alpha
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="search")

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown()

    def search(
        self,
        question: str,
        *,
        principals: Sequence[str],
        collection_ids: Sequence[int] | None = None,
        limit: int = 8,
    ) -> SearchResult:
        """Find the passages that answer a question best, among those the principals may see.

        Args:
            question: plain words, French or English.
            principals: who asks.
            collection_ids: where to look; everywhere if None.
            limit: how many passages to return.
        """
        scope = _Scope(tuple(principals), None if collection_ids is None else tuple(collection_ids))
        times: dict[str, float] = {}
        started = time.perf_counter()
        weights = self._query_weights(question)
        lexical_work = self._pool.submit(self._timed_lexical, weights, scope)
        space, vector = self._embed(question, times)
        dense: dict[int, float] = {}
        method = "none"
        if space is not None and vector is not None:
            began = time.perf_counter()
            dense, method = self._dense(space, vector, scope)
            times["dense"] = _since(began)
        lexical, times["lexical"] = lexical_work.result()
        began = time.perf_counter()
        passages = self._fuse(weights, space, vector, sorted(lexical.keys() | dense.keys()), scope, limit)
        times["fusion"] = _since(began)
        times["total"] = _since(started)
        return SearchResult(tuple(passages), tuple(weights.names), method, times)

    def _embed(self, question: str, times: dict[str, float]) -> tuple[VectorSpace | None, FloatMatrix | None]:
        """The live space and the question's vector in it; None where lexical search must do."""
        if self._embedder is None or not question.strip():
            return None, None
        with self._database.owner() as connection:
            space = live_space(connection)
        if space is None or space.embedder != self._embedder.name:
            return None, None
        began = time.perf_counter()
        vector = self._embedder.embed_queries([question])[0]
        times["embedding"] = _since(began)
        return space, vector

    def _query_weights(self, question: str) -> "_QueryWeights":
        """Terms of the question that the index knows, with their query half of BM25."""
        names = query_terms(question)
        with self._database.owner() as connection:
            rows = connection.execute(
                "SELECT t.id, t.text, t.df, l.chunks FROM term t, lexical_total l"
                " WHERE t.text = ANY (%s) AND t.df > 0",
                (names,),
            ).fetchall()
        total = rows[0][3] if rows else 0
        return _QueryWeights(
            names=[text for _, text, _, _ in rows],
            weights={term: idf(df, chunks) for term, _, df, chunks in rows},
            frequencies={term: df for term, _, df, _ in rows},
            chunks=total,
        )

    def _timed_lexical(self, weights: "_QueryWeights", scope: _Scope) -> tuple[dict[int, float], float]:
        began = time.perf_counter()
        return self._lexical(weights, scope), _since(began)

    def _lexical(self, weights: "_QueryWeights", scope: _Scope) -> dict[int, float]:
        """The best chunks by exact BM25.

        Candidates come from the rarer terms first. When a chunk without any of them could still belong to the
        list, the search is done again with all terms; so the scores and their order are always exact.
        """
        if not weights.weights:
            return {}
        rare = weights.rare_terms()
        with self._database.reader(scope.principals) as connection:
            found = self._candidates(connection, weights, rare, scope)
            omitted = sum(value * (K1 + 1) for term, value in weights.weights.items() if term not in rare)
            if omitted > 0 and (len(found) < DEPTH or omitted > min(found.values())):
                found = self._candidates(connection, weights, list(weights.weights), scope)
        return found

    def _candidates(
        self, connection: psycopg.Connection, weights: "_QueryWeights", terms: Sequence[int], scope: _Scope
    ) -> dict[int, float]:
        query = sql.SQL(
            "SELECT id, -(weights <#> %(query)s::sparsevec) AS score FROM chunk"
            " WHERE terms &&& %(terms)s::int[] AND {} ORDER BY score DESC, id LIMIT %(depth)s"
        ).format(scope.condition())
        rows = connection.execute(
            query,
            {
                "query": sparse_literal(weights.weights),
                "terms": list(terms),
                "depth": DEPTH,
                "collections": list(scope.collection_ids or ()),
            },
        )
        return {chunk_id: float(score) for chunk_id, score in rows}

    def _dense(self, space: VectorSpace, vector: FloatMatrix, scope: _Scope) -> tuple[dict[int, float], str]:
        """The nearest chunks by cosine, exactly or through HNSW, and which of the two."""
        values = {
            "vector": _vector_literal(vector),
            "depth": DEPTH,
            "collections": list(scope.collection_ids or ()),
        }
        with self._database.reader(scope.principals) as connection:
            exact = self._few_visible(connection, space, scope)
            if not exact:
                connection.execute(
                    "SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.ef_search = 400"
                )
            # Adding zero keeps the planner from the HNSW index.
            order = sql.SQL(
                "(vector <#> %(vector)s::halfvec) + 0" if exact else "vector <#> %(vector)s::halfvec"
            )
            query = sql.SQL(
                "SELECT chunk_id, -(vector <#> %(vector)s::halfvec) FROM {} WHERE {} ORDER BY {}, chunk_id"
                if exact
                else "SELECT chunk_id, -(vector <#> %(vector)s::halfvec) FROM {} WHERE {} ORDER BY {}"
            ).format(space.table, scope.condition(), order)
            rows = connection.execute(query + sql.SQL(" LIMIT %(depth)s"), values).fetchall()
        return {chunk_id: float(score) for chunk_id, score in rows}, "exact" if exact else "hnsw"

    def _few_visible(self, connection: psycopg.Connection, space: VectorSpace, scope: _Scope) -> bool:
        """Whether comparing all visible vectors is the right plan."""
        if not space.indexed:
            return True
        row = connection.execute(
            "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass",
            (space.table_name,),
        ).fetchone()
        total = int(row[0]) if row else 0
        bound = max(EXACT_VECTORS, int(total * EXACT_SHARE))
        count = sql.SQL("SELECT count(*) FROM (SELECT FROM {} WHERE {} LIMIT %(bound)s) seen").format(
            space.table, scope.condition()
        )
        seen = connection.execute(
            count, {"bound": bound + 1, "collections": list(scope.collection_ids or ())}
        ).fetchone()
        return seen is None or int(seen[0]) <= bound

    def _fuse(
        self,
        weights: "_QueryWeights",
        space: VectorSpace | None,
        vector: FloatMatrix | None,
        chunk_ids: Sequence[int],
        scope: _Scope,
        limit: int,
    ) -> list[Passage]:
        """Both true scores of every member of the union, combined; the best with their text."""
        if not chunk_ids:
            return []
        cosine: sql.Composable = sql.SQL("NULL::float8")
        joined: sql.Composable = sql.SQL("")
        if space is not None:
            cosine = sql.SQL("-(e.vector <#> %(vector)s::halfvec)")
            joined = sql.SQL(" LEFT JOIN {} e ON e.chunk_id = c.id").format(space.table)
        scores = sql.SQL(
            "SELECT c.id, -(c.weights <#> %(query)s::sparsevec), {} FROM chunk c{} WHERE c.id = ANY (%(ids)s)"
        )
        values = {
            "query": sparse_literal(weights.weights),
            "ids": list(chunk_ids),
            "vector": None if vector is None else _vector_literal(vector),
        }
        with self._database.reader(scope.principals) as connection:
            rows = connection.execute(scores.format(cosine, joined), values).fetchall()
            fused = convex([row[1] for row in rows], [row[2] for row in rows], alpha=self._alpha)
            order = sorted(range(len(rows)), key=lambda index: (-fused[index], rows[index][0]))[:limit]
            details = _details(connection, [rows[index][0] for index in order])
        return [
            Passage(
                **details[rows[index][0]],
                score=float(fused[index]),
                lexical=rows[index][1],
                dense=rows[index][2],
            )
            for index in order
            if rows[index][0] in details
        ]


@dataclass(frozen=True, slots=True)
class _QueryWeights:
    """The query half of BM25: term ids with their idf and document frequency, out of `chunks` chunks."""

    names: list[str]
    weights: dict[int, float]
    frequencies: dict[int, int]
    chunks: int

    def rare_terms(self) -> list[int]:
        """Terms that make candidates: those in few chunks, else the two rarest."""
        ascending = sorted(self.frequencies, key=lambda term: self.frequencies[term])
        rare = [term for term in ascending if self.frequencies[term] <= COMMON_TERM * self.chunks]
        return rare or ascending[:2]


def _details(connection: psycopg.Connection, chunk_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """All fields of a `Passage` but its scores, by chunk."""
    rows = connection.cursor(row_factory=dict_row).execute(
        "SELECT c.id AS chunk_id, c.document_id, c.version_id, d.name AS document_name, c.collection_id, v.title,"
        " c.page, c.char_start, c.char_end, c.breadcrumb,"
        " substr(v.text, c.char_start + 1, c.char_end - c.char_start) AS text"
        " FROM chunk c JOIN document d ON d.id = c.document_id JOIN version v ON v.id = c.version_id"
        " WHERE c.id = ANY (%s)",
        (list(chunk_ids),),
    )
    return {row["chunk_id"]: row for row in rows}


def _vector_literal(vector: FloatMatrix) -> str:
    return "[" + ",".join(f"{value:.6g}" for value in np.asarray(vector)) + "]"


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
