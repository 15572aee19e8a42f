"""Ways through the tree of a conversation's turns: up a branch, beside a turn, down to the newest leaf.

A branch is named by its last turn. Every step upwards is one look-up by primary key, so that a page of the newest
turns costs the same however long the conversation is.
"""

from collections.abc import Sequence

from psycopg import Connection
from psycopg.rows import dict_row

from etabli.conversations.rows import TURN_COLUMNS, TURN_TABLES, turn_of
from etabli.conversations.values import Turn

_UPWARDS = (
    "WITH RECURSIVE branch AS ("
    " SELECT id, parent_id, 1 AS step FROM turn WHERE id = %(last)s"
    " UNION ALL"
    " SELECT up.id, up.parent_id, step + 1 FROM turn up JOIN branch ON up.id = branch.parent_id"
    " WHERE %(most)s::int IS NULL OR step < %(most)s)"
)


def newest_turns(connection: Connection, last: int | None, *, most: int | None = None) -> list[Turn]:
    """The turns of the branch that ends with `last`, the newest first.

    Args:
        connection: sees what the caller may see.
        last: number of the last turn; None is before the first.
        most: how many; all if None.
    """
    if last is None:
        return []
    query = (
        f"{_UPWARDS} SELECT {TURN_COLUMNS} FROM branch JOIN ({TURN_TABLES}) ON t.id = branch.id ORDER BY step"
    )
    cursor = connection.cursor(row_factory=dict_row)
    return [turn_of(row) for row in cursor.execute(query.encode(), {"last": last, "most": most})]


def branch_numbers(connection: Connection, last: int | None) -> list[int]:
    """The numbers of all turns of the branch that ends with `last`, the newest first."""
    if last is None:
        return []
    query = f"{_UPWARDS} SELECT id FROM branch ORDER BY step"
    return [int(number) for (number,) in connection.execute(query.encode(), {"last": last, "most": None})]


def turns_by_number(connection: Connection, numbers: Sequence[int]) -> list[Turn]:
    """These turns, in this order."""
    query = f"SELECT {TURN_COLUMNS} FROM {TURN_TABLES} WHERE t.id = ANY (%s)"
    cursor = connection.cursor(row_factory=dict_row)
    found = {row["number"]: turn_of(row) for row in cursor.execute(query.encode(), (list(numbers),))}
    return [found[number] for number in numbers if number in found]


def siblings(connection: Connection, turns: Sequence[Turn]) -> dict[int, list[str]]:
    """For each turn, by number: the keys of the turns with the same parent in its conversation, itself included."""
    rows = connection.execute(
        "SELECT t.id, array_agg(s.key ORDER BY s.id) FROM turn t JOIN turn s"
        " ON s.conversation_id = t.conversation_id AND coalesce(s.parent_id, 0) = coalesce(t.parent_id, 0)"
        " WHERE t.id = ANY (%s) GROUP BY t.id",
        ([turn.number for turn in turns],),
    )
    found = {int(number): list(keys) for number, keys in rows}
    return {turn.number: found.get(turn.number, [turn.id]) for turn in turns}


def newest_leaf(connection: Connection, number: int, *, conversation: int) -> int:
    """The newest turn below this one, or itself: a turn is younger than its parent, so the highest number."""
    row = connection.execute(
        "WITH RECURSIVE below AS ("
        " SELECT id FROM turn WHERE id = %(number)s"
        " UNION ALL"
        " SELECT t.id FROM turn t JOIN below ON t.parent_id = below.id WHERE t.conversation_id = %(conversation)s)"
        " SELECT max(id) FROM below",
        {"number": number, "conversation": conversation},
    ).fetchone()
    assert row is not None
    return int(row[0])


def lift(connection: Connection, number: int) -> None:
    """Hang everything below a turn to its parent, and move every depth, because the turn goes."""
    connection.execute(
        "WITH RECURSIVE below AS ("
        " SELECT id FROM turn WHERE parent_id = %(number)s"
        " UNION ALL SELECT t.id FROM turn t JOIN below ON t.parent_id = below.id)"
        " UPDATE turn SET depth = depth - 1,"
        " parent_id = CASE WHEN parent_id = %(number)s"
        " THEN (SELECT parent_id FROM turn WHERE id = %(number)s) ELSE parent_id END"
        " WHERE id IN (SELECT id FROM below)",
        {"number": number},
    )
