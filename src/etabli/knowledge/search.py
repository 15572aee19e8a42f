"""Searching what a caller may see: exact BM25 and dense vectors in PostgreSQL, fused and ranked again.

Each leg is one statement run as the reader's role, so that row-level security, not this code, decides what is
seen. Both legs run at once. The question's terms are looked up as the owner: their frequencies tell of all
documents, which is why raw scores are never shown to callers.

The dense leg is exact while few vectors are visible, and goes through the HNSW index when many are: an index
asked under a filter silently loses results, most when little is visible.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from etabli.engines.base import Embedder, FloatMatrix
from etabli.engines.late_interaction import QueryStates, late_embedder, max_sim
from etabli.knowledge.analysis import query_terms
from etabli.knowledge.bm25 import K1, idf, sparse_literal
from etabli.knowledge.fusion import Evidence, Scores, combine, fuse
from etabli.knowledge.index import EXACT_VECTORS, VectorSpace, live_space
from etabli.storage.database import Database

DEPTH = 100
"""How many passages each leg brings to the fusion."""
FIRST_SHARE = 0.03
"""The first candidates of the lexical leg come from the rarest terms, in about this share of all chunks."""
SHARE_GROWTH = 5
"""By how much that share grows while there are too few candidates."""
RANKED_AGAIN = 30
"""How many of the best are ranked again by late interaction."""
EXACT_SHARE = 0.2
"""Below this visible share of a large index the dense leg is exact too: HNSW loses most there."""
_CENSUS_S = 60.0
"""How old the numbers may be by which the dense leg is chosen."""

_Result = TypeVar("_Result")

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


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found. `score`, in [0, 1], ranks it; the other scores explain it to operators."""

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
    fused: float
    lexical: float
    document_lexical: float
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


@dataclass(frozen=True, slots=True)
class Scope:
    """What one search may look at."""

    principals: tuple[str, ...]
    collection_ids: tuple[int, ...] | None

    def condition(self) -> sql.Composable:
        """Of a WHERE clause; names the parameter `collections` where only some are looked at."""
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
        rerank: rank the best again by late interaction, where the embedder gives token states.

    Attributes:
        overlap: the operator of arrays that have an element in common.
    """

    overlap = sql.SQL("&&&")

    def __init__(self, database: Database, embedder: Embedder | None, *, rerank: bool = True) -> None:
        self._database = database
        self._embedder = embedder
        self._rerank = rerank
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="search")
        self._census = _Census(database, self._pool)

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
        scope = Scope(tuple(principals), None if collection_ids is None else tuple(collection_ids))
        times: dict[str, float] = {}
        started = time.perf_counter()
        weights, space = _timed(times, "analysis", lambda: self._analyse(question))
        lexical_work = self._pool.submit(_clocked, lambda: self.lexical_leg(weights, scope))
        asked = _timed(times, "embedding", lambda: self._embed(question, weights, space))
        dense, method = _timed(times, "dense", lambda: self.dense_leg(asked, scope))
        lexical, times["lexical"] = lexical_work.result()
        union = sorted(lexical.keys() | dense.keys())
        with self._database.reader(scope.principals) as connection:
            scored = _timed(times, "fusion", lambda: _score(connection, asked, union))
            ranked = _timed(times, "late interaction", lambda: _rank_again(connection, asked, scored))
            passages = _timed(times, "passages", lambda: _passages(connection, ranked, limit))
        times["total"] = _since(started)
        return SearchResult(tuple(passages), tuple(weights.names), method, times)

    def ask(self, question: str) -> "Asked":
        """A question as both legs need it: analysed and embedded."""
        weights, space = self._analyse(question)
        return self._embed(question, weights, space)

    def _embed(self, question: str, weights: "QueryWeights", space: VectorSpace | None) -> "Asked":
        """The question with its vector, where its embedder filled the live space; else lexical search must do."""
        if self._embedder is None or not question.strip():
            return Asked(weights, None, None, None)
        if space is None or space.embedder != self._embedder.name:
            return Asked(weights, None, None, None)
        late = late_embedder(self._embedder) if self._rerank else None
        if late is None:
            return Asked(weights, space, self._embedder.embed_queries([question])[0], None)
        return Asked(weights, space, *late.embed_query_with_states(question))

    def _analyse(self, question: str) -> tuple["QueryWeights", VectorSpace | None]:
        """Terms of the question that the index knows, with their query half of BM25, and the live space."""
        names = query_terms(question)
        with self._database.owner() as connection:
            rows = connection.execute(
                "SELECT t.id, t.text, t.df, t.document_df, l.chunks, l.documents FROM term t, lexical_total l"
                " WHERE t.text = ANY (%s) AND t.df > 0 ORDER BY t.text",
                (names,),
            ).fetchall()
            space = live_space(connection)
        weights = QueryWeights(
            names=[row[1] for row in rows],
            weights={row[0]: idf(row[2], row[4]) for row in rows},
            document_weights={row[0]: idf(row[3], row[5]) for row in rows},
            frequencies={row[0]: row[2] for row in rows},
            chunks=rows[0][4] if rows else 0,
        )
        return weights, space

    def lexical_leg(self, weights: "QueryWeights", scope: Scope) -> dict[int, float]:
        """The best chunks by exact BM25.

        Candidates come from the rarest terms first. The last score found then says which terms a better chunk must
        have one of (MaxScore; Turtle and Flood, 1995): when those are more, the search is done again with them. So
        the scores and their order are always exact.
        """
        share = FIRST_SHARE
        terms = weights.rarest(share)
        if not terms:
            return {}
        with self._database.reader(scope.principals) as connection:
            found = self._candidates(connection, weights, terms, scope)
            while len(terms) < len(weights.weights):
                if len(found) == DEPTH:
                    wider = weights.needed(min(found.values()))
                    if len(wider) <= len(terms):
                        break
                else:
                    while len(wider := weights.rarest(share)) <= len(terms):
                        share *= SHARE_GROWTH
                terms = wider
                found = self._candidates(connection, weights, terms, scope)
        return found

    def _candidates(
        self, connection: psycopg.Connection, weights: "QueryWeights", terms: Sequence[int], scope: Scope
    ) -> dict[int, float]:
        query = sql.SQL(
            "SELECT id, -(weights <#> %(query)s::sparsevec) AS score FROM chunk"
            " WHERE terms {} %(terms)s::int[] AND {} ORDER BY score DESC, id LIMIT %(depth)s"
        ).format(self.overlap, scope.condition())
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

    def dense_leg(self, asked: "Asked", scope: Scope) -> tuple[dict[int, float], str]:
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
            exact = counts is None or _few_visible(connection, counts, scope)
            if not exact:
                connection.execute(
                    "SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.ef_search = 400"
                )
            query = _NEAREST_EXACT if exact else _NEAREST_BY_INDEX
            rows = connection.execute(
                query.format(table=space.table, condition=scope.condition()), values
            ).fetchall()
        return {chunk_id: float(score) for chunk_id, score in rows}, "exact" if exact else "hnsw"


def _few_visible(connection: psycopg.Connection, counts: Mapping[tuple[int, int], int], scope: Scope) -> bool:
    """Whether comparing all visible vectors is the right plan, by the census and what this reader sees."""
    row = connection.execute("SELECT visible_acl_sets()").fetchone()
    sets = frozenset(row[0]) if row else frozenset()
    seen = sum(
        count
        for (acl_set, collection), count in counts.items()
        if acl_set in sets and (scope.collection_ids is None or collection in scope.collection_ids)
    )
    return seen <= max(EXACT_VECTORS, int(sum(counts.values()) * EXACT_SHARE))


class _Census:
    """How many vectors there are by permission set and collection, as of the last minute: it only chooses a plan.

    Counting what one caller sees takes as long as comparing it does. Thread-safe.
    """

    def __init__(self, database: Database, pool: ThreadPoolExecutor) -> None:
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


@dataclass(frozen=True, slots=True)
class _Scored:
    """Chunks, best first, with what speaks for them and their scores."""

    chunk_ids: list[int]
    evidence: list[Evidence]
    fused: Scores
    scores: Scores


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, analysed: its terms, and its vector and token states in the live space where there are any."""

    weights: "QueryWeights"
    space: VectorSpace | None
    vector: FloatMatrix | None
    states: QueryStates | None

    def values(self, chunk_ids: Sequence[int]) -> dict[str, object]:
        """Parameters of the statement that scores a union."""
        return {
            "query": sparse_literal(self.weights.weights),
            "document_query": sparse_literal(self.weights.document_weights),
            "ids": list(chunk_ids),
            "vector": None if self.vector is None else vector_literal(self.vector),
        }


def _evidence_query(space: VectorSpace | None) -> sql.Composed:
    """Chunk and its `Evidence`. A document's profile is large and is looked at once, not once a chunk."""
    cosines: sql.Composable = sql.SQL("NULL::float8, NULL::float8")
    joined: sql.Composable = sql.SQL("")
    if space is not None:
        cosines = sql.SQL("-(e.vector <#> %(vector)s::halfvec), -(l.vector <#> %(vector)s::halfvec)")
        joined = sql.SQL(
            " LEFT JOIN {0} e ON e.chunk_id = c.id LEFT JOIN {0} l ON l.chunk_id = p.lead_chunk_id"
        ).format(space.table)
    return sql.SQL(
        "WITH member AS MATERIALIZED (SELECT id, document_id, weights FROM chunk WHERE id = ANY (%(ids)s)),"
        " profile AS MATERIALIZED ("
        "  SELECT document_id, lead_chunk_id, -(weights <#> %(document_query)s::sparsevec) AS score"
        "  FROM document_profile WHERE document_id IN (SELECT document_id FROM member))"
        " SELECT c.id, -(c.weights <#> %(query)s::sparsevec), p.score, {}"
        " FROM member c JOIN profile p ON p.document_id = c.document_id{}"
    ).format(cosines, joined)


@dataclass(frozen=True, slots=True)
class QueryWeights:
    """The query half of BM25, by term id: for chunks (`weights`) and for documents, and in how many chunks it is."""

    names: list[str]
    weights: dict[int, float]
    document_weights: dict[int, float]
    frequencies: dict[int, int]
    chunks: int

    def rarest(self, share: float) -> list[int]:
        """The rarest terms that together are in this share of all chunks, or one more; all if they are in less."""
        ascending = sorted(self.frequencies, key=lambda term: (self.frequencies[term], term))
        covered = 0
        for count, term in enumerate(ascending, 1):
            covered += self.frequencies[term]
            if covered >= share * self.chunks:
                return ascending[:count]
        return ascending

    def needed(self, score: float) -> list[int]:
        """The rarest terms, as many as it takes that a chunk with none of them scores less than `score`."""
        ascending = sorted(self.frequencies, key=lambda term: (self.frequencies[term], term))
        bound = 0.0
        while ascending and (bound := bound + self.weights[ascending[-1]] * (K1 + 1)) <= score:
            ascending.pop()
        return ascending


def _score(connection: psycopg.Connection, asked: Asked, chunk_ids: Sequence[int]) -> _Scored:
    """All true scores of every member of the union, combined; best first."""
    if not chunk_ids:
        return _Scored([], [], np.zeros(0), np.zeros(0))
    rows = connection.execute(_evidence_query(asked.space), asked.values(chunk_ids)).fetchall()
    evidence = [Evidence(*row[1:]) for row in rows]
    fused = fuse(evidence)
    order = sorted(range(len(rows)), key=lambda place: (-fused[place], rows[place][0]))
    best = fused[order]
    return _Scored([rows[place][0] for place in order], [evidence[place] for place in order], best, best)


def _rank_again(connection: psycopg.Connection, asked: Asked, scored: _Scored) -> _Scored:
    """The best by late interaction, where token states are there for all of them."""
    top = scored.chunk_ids[:RANKED_AGAIN]
    if asked.space is None or asked.states is None or len(top) < 2:
        return scored
    query = sql.SQL("SELECT chunk_id, states FROM {} WHERE chunk_id = ANY (%s)").format(
        asked.space.states_table
    )
    states: dict[int, bytes] = dict(connection.cursor(binary=True).execute(query, (top,)).fetchall())
    if len(states) < len(top):
        return scored
    late = np.array(max_sim(asked.states, [states[chunk_id] for chunk_id in top]))
    combined = combine(scored.scores[: len(top)], late)
    order = sorted(range(len(top)), key=lambda place: (-combined[place], top[place]))
    rest = range(len(top), len(scored.chunk_ids))
    places = [*order, *rest]
    # What was not ranked again stays below what was, in its order.
    return _Scored(
        [scored.chunk_ids[place] for place in places],
        [scored.evidence[place] for place in places],
        scored.fused[places],
        np.concatenate([combined[order], np.zeros(len(rest))]),
    )


def _passages(connection: psycopg.Connection, scored: _Scored, limit: int) -> list[Passage]:
    """The first `limit` with their text and place."""
    chunk_ids = scored.chunk_ids[:limit]
    if not chunk_ids:
        return []
    details = _details(connection, chunk_ids)
    found = []
    for place, chunk_id in enumerate(chunk_ids):
        if chunk_id in details:
            evidence = scored.evidence[place]
            scores = {
                "score": float(scored.scores[place]),
                "fused": float(scored.fused[place]),
                "lexical": evidence.lexical,
                "document_lexical": evidence.document_lexical,
                "dense": evidence.dense,
            }
            found.append(Passage(**(details[chunk_id] | scores)))
    return found


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


def vector_literal(vector: FloatMatrix) -> str:
    """A pgvector `vector` or `halfvec`, with the six digits that a half keeps and more."""
    return "[" + ",".join(f"{value:.6g}" for value in np.asarray(vector)) + "]"


def _timed(times: dict[str, float], name: str, work: Callable[[], _Result]) -> _Result:
    """Do something and note how many milliseconds it took."""
    began = time.perf_counter()
    result = work()
    times[name] = _since(began)
    return result


def _clocked(work: Callable[[], _Result]) -> tuple[_Result, float]:
    """The result, and how many milliseconds it took."""
    began = time.perf_counter()
    return work(), _since(began)


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
