"""Which turns may hold the words of a search, by an index of their letters, and how the list asks for them.

A word is found anywhere in a text, also within longer words. The index (`text_grams` in the database) knows which
turns have all the groups of three letters of all words: a word that is nowhere costs one look. Where that leaves too
many, the words are common, and the newest conversations that have them are found soon without an index. Only the
branch that a conversation shows is searched, so that what is found is what is seen when it is opened.
"""

from collections.abc import Sequence

from psycopg import Connection

MOST_CANDIDATES = 2_000
_SHORTEST = 3
"""Letters of a word that the index can look for."""

_MATCHING = " x.shown AND x.folded LIKE ALL (%(patterns)s)"
_AMONG_CANDIDATES = (
    " LEFT JOIN (SELECT x.conversation_id, max(x.turn_id) AS turn_id FROM turn_text x"
    f" WHERE x.turn_id = ANY (%(candidates)s) AND{_MATCHING} GROUP BY x.conversation_id) found"
    " ON found.conversation_id = c.id"
)
_ONE_BY_ONE = (
    " LEFT JOIN LATERAL (SELECT max(x.turn_id) AS turn_id FROM turn_text x"
    f" WHERE x.conversation_id = c.id AND{_MATCHING}) found ON true"
)


def candidate_turns(connection: Connection, words: Sequence[str]) -> list[int] | None:
    """Numbers of the turns that may hold all of the words.

    Args:
        connection: sees what the caller may see.
        words: folded.

    Returns:
        None where there are too many to be listed, or no index can tell.
    """
    long = [word for word in words if len(word) >= _SHORTEST]
    if not long or not _is_indexed(connection):
        return None
    rows = connection.execute(
        "SELECT x.turn_id FROM turn_text x WHERE x.shown AND x.grams @>& text_grams(%s::text) LIMIT %s",
        (" ".join(long), MOST_CANDIDATES + 1),
    ).fetchall()
    return None if len(rows) > MOST_CANDIDATES else [int(number) for (number,) in rows]


def found_join(candidates: Sequence[int] | None) -> str:
    """SQL that joins `found` (the newest matching `turn_id` of conversation `c`, or null) to a list of them.

    It has the parameters `patterns` and `candidates`.
    """
    return _ONE_BY_ONE if candidates is None else _AMONG_CANDIDATES


def _is_indexed(connection: Connection) -> bool:
    """Whether this PostgreSQL let us make the index: that needs a superuser, as for the terms of passages."""
    row = connection.execute("SELECT to_regclass('turn_text_grams') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])
