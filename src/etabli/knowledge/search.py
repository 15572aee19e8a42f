"""Searching what a caller may see: exact BM25 and dense vectors in PostgreSQL, fused and ranked again.

In order: the question is analysed and embedded (`query`), both legs run at once (`legs`), their union is ranked
(`ranking`), and the first passages are read. Every statement that looks at documents runs as the reader's role.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from etabli.engines.base import Embedder
from etabli.knowledge.index import VectorSpace
from etabli.knowledge.legs import DenseLeg, LexicalLeg
from etabli.knowledge.query import Asked, QueryWeights, Scope, analyse, embed
from etabli.knowledge.ranking import Scored, rank_again, score
from etabli.storage.database import Database

_Result = TypeVar("_Result")


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


class Searcher:
    """Search over one database. Thread-safe.

    Args:
        database: the index.
        embedder: what embeds questions; None searches lexically only.
        rerank: rank the best again by late interaction, where the embedder gives token states.

    Attributes:
        lexical_leg: finds by words.
        dense_leg: finds by vectors.
    """

    def __init__(self, database: Database, embedder: Embedder | None, *, rerank: bool = True) -> None:
        self._database = database
        self._embedder = embedder
        self._rerank = rerank
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="search")
        self.lexical_leg = LexicalLeg(database)
        self.dense_leg = DenseLeg(database, self._pool)

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
        weights, space = _timed(times, "analysis", lambda: analyse(self._database, question))
        lexical_work = self._pool.submit(_clocked, lambda: self.lexical_leg.best(weights, scope))
        asked = _timed(times, "embedding", lambda: self._embed(question, weights, space))
        dense, method = _timed(times, "dense", lambda: self.dense_leg.nearest(asked, scope))
        lexical, times["lexical"] = lexical_work.result()
        union = sorted(lexical.keys() | dense.keys())
        with self._database.reader(scope.principals) as connection:
            scored = _timed(times, "fusion", lambda: score(connection, asked, union))
            ranked = _timed(times, "late interaction", lambda: rank_again(connection, asked, scored))
            passages = _timed(times, "passages", lambda: _passages(connection, ranked, limit))
        times["total"] = _since(started)
        return SearchResult(tuple(passages), tuple(weights.names), method, times)

    def ask(self, question: str) -> Asked:
        """A question as both legs need it: analysed and embedded."""
        weights, space = analyse(self._database, question)
        return self._embed(question, weights, space)

    def _embed(self, question: str, weights: QueryWeights, space: VectorSpace | None) -> Asked:
        return embed(question, weights, space, embedder=self._embedder, states=self._rerank)


def _passages(connection: psycopg.Connection, scored: Scored, limit: int) -> list[Passage]:
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
