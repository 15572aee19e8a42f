"""Ranking what the legs brought: every passage of the union by all its scores, the best again by late interaction.

The arithmetic is `fusion`; here the evidence is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psycopg
from psycopg import sql

from etabli.engines.late_interaction import max_sim
from etabli.knowledge.fusion import Evidence, Scores, combine, fuse
from etabli.knowledge.index import VectorSpace
from etabli.knowledge.query import Asked

RANKED_AGAIN = 30
"""How many of the best are ranked again by late interaction."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Chunks, best first, with what speaks for them and their scores."""

    chunk_ids: list[int]
    evidence: list[Evidence]
    fused: Scores
    scores: Scores


def score(connection: psycopg.Connection, asked: Asked, chunk_ids: Sequence[int]) -> Scored:
    """All true scores of every member of the union, combined; best first."""
    if not chunk_ids:
        return Scored([], [], np.zeros(0), np.zeros(0))
    rows = connection.execute(_evidence_query(asked.space), asked.values(chunk_ids)).fetchall()
    evidence = [Evidence(*row[1:]) for row in rows]
    fused = fuse(evidence)
    order = sorted(range(len(rows)), key=lambda place: (-fused[place], rows[place][0]))
    best = fused[order]
    return Scored([rows[place][0] for place in order], [evidence[place] for place in order], best, best)


def rank_again(connection: psycopg.Connection, asked: Asked, scored: Scored) -> Scored:
    """The best by late interaction; those whose token states are not there yet keep their place among them."""
    top = scored.chunk_ids[:RANKED_AGAIN]
    if asked.space is None or asked.states is None or len(top) < 2:
        return scored
    query = sql.SQL("SELECT chunk_id, states FROM {} WHERE chunk_id = ANY (%s)").format(
        asked.space.states_table
    )
    states: dict[int, bytes] = dict(connection.cursor(binary=True).execute(query, (top,)).fetchall())
    if not states:
        return scored
    late = np.full(len(top), np.nan)
    known = [place for place, chunk_id in enumerate(top) if chunk_id in states]
    late[known] = max_sim(asked.states, [states[top[place]] for place in known])
    combined = combine(scored.scores[: len(top)], late)
    order = sorted(range(len(top)), key=lambda place: (-combined[place], top[place]))
    rest = range(len(top), len(scored.chunk_ids))
    places = [*order, *rest]
    # What was not ranked again stays below what was, in its order.
    return Scored(
        [scored.chunk_ids[place] for place in places],
        [scored.evidence[place] for place in places],
        scored.fused[places],
        np.concatenate([combined[order], np.zeros(len(rest))]),
    )


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
