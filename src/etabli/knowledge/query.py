"""A question as a search needs it: its terms with their weights, its vector, and where it may look.

Terms are looked up as the owner: their frequencies tell of all documents, which is why raw scores are never shown
to callers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from psycopg import sql

from etabli.engines.base import Embedder, FloatMatrix
from etabli.engines.late_interaction import QueryStates, late_embedder
from etabli.knowledge.analysis import query_terms
from etabli.knowledge.bm25 import K1, idf, sparse_literal
from etabli.knowledge.index import VectorSpace, live_space
from etabli.storage.database import Database


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


@dataclass(frozen=True, slots=True)
class Needed:
    """Terms that a chunk must have to score more than some score: one of `alone`, or one pair of `together`.

    Args:
        alone: terms of which one may be enough.
        together: terms that are not enough alone, each with those of which the chunk must have one too.
    """

    alone: tuple[int, ...]
    together: tuple[tuple[int, tuple[int, ...]], ...] = ()

    @property
    def terms(self) -> int:
        """How many terms are looked for."""
        return len(self.alone) + len(self.together)


@dataclass(frozen=True, slots=True)
class QueryWeights:
    """The query half of BM25, by term id: for chunks (`weights`) and for documents, and in how many chunks it is."""

    names: list[str]
    weights: dict[int, float]
    document_weights: dict[int, float]
    frequencies: dict[int, int]
    chunks: int

    def rarest(self, share: float) -> Needed:
        """The rarest terms that together are in this share of all chunks, or one more; all if they are in less."""
        ascending = self._ascending()
        covered = 0
        for count, term in enumerate(ascending, 1):
            covered += self.frequencies[term]
            if covered >= share * self.chunks:
                return Needed(tuple(ascending[:count]))
        return Needed(tuple(ascending))

    def needed(self, score: float) -> Needed:
        """What a chunk must have to score more than `score`.

        It must have one of the rarest terms, as many as it takes that all the others give no more than `score`. Where
        its rarest term gives less than `score`, the same holds of what remains, over the commoner terms.
        """
        ascending = self._ascending()
        alone, together = [], []
        for place, term in enumerate(self._without(ascending, score)):
            rest = score - self._bound(term)
            if rest < 0:
                alone.append(term)
            else:
                together.append((term, tuple(self._without(ascending[place + 1 :], rest))))
        return Needed(tuple(alone), tuple(together))

    def _ascending(self) -> list[int]:
        """All terms, rarest first."""
        return sorted(self.frequencies, key=lambda term: (self.frequencies[term], term))

    def _bound(self, term: int) -> float:
        """The most that a term can give a chunk."""
        return self.weights[term] * (K1 + 1)

    def _without(self, ascending: Sequence[int], score: float) -> list[int]:
        """The rarest of these terms: all but the commonest that together give no more than `score`."""
        kept, bound = list(ascending), 0.0
        while kept and (bound := bound + self._bound(kept[-1])) <= score:
            kept.pop()
        return kept


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, analysed: its terms, and its vector and token states in the live space where there are any."""

    weights: QueryWeights
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


def analyse(database: Database, question: str) -> tuple[QueryWeights, VectorSpace | None]:
    """Terms of the question that the index knows, with their query half of BM25, and the live space."""
    names = query_terms(question)
    with database.owner() as connection:
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


def embed(
    question: str,
    weights: QueryWeights,
    space: VectorSpace | None,
    *,
    embedder: Embedder | None,
    states: bool,
) -> Asked:
    """The question with its vector, where its embedder filled the live space; else lexical search must do.

    Args:
        question: as it was asked.
        weights: its terms.
        space: the live space.
        embedder: what embeds it; None for none.
        states: give token states too, where the embedder has them.
    """
    if embedder is None or not question.strip():
        return Asked(weights, None, None, None)
    if space is None or space.embedder != embedder.name:
        return Asked(weights, None, None, None)
    late = late_embedder(embedder) if states else None
    if late is None:
        return Asked(weights, space, embedder.embed_queries([question])[0], None)
    return Asked(weights, space, *late.embed_query_with_states(question))


def vector_literal(vector: FloatMatrix) -> str:
    """A pgvector `vector` or `halfvec`, with the six digits that a half keeps and more."""
    return "[" + ",".join(f"{value:.6g}" for value in np.asarray(vector)) + "]"
