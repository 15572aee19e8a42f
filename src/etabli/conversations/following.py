"""What follows from which branch a conversation shows: its title, and what of it is searched.

To be called whenever the head moves to where it is not simply the next turn of the branch that was shown.
"""

from psycopg import Connection

from etabli.conversations.folding import fold, short_title
from etabli.conversations.items import JSON, input_text

_FIRST = 5
"""Turns that are looked through for a question: clients may begin with a turn that only gives instructions."""
_BRANCH = (
    "WITH RECURSIVE branch AS ("
    " SELECT t.id, t.parent_id FROM conversation c JOIN turn t ON t.id = c.head_id WHERE c.id = %(conversation)s"
    " UNION ALL SELECT up.id, up.parent_id FROM turn up JOIN branch ON up.id = branch.parent_id)"
)


def follow_branch(connection: Connection, conversation: int) -> None:
    """Note which turns are shown, and take the title from the first question, unless somebody named it.

    Args:
        connection: a transaction of the owner's.
        conversation: its number.
    """
    values = {"conversation": conversation}
    connection.execute(
        f"{_BRANCH} UPDATE turn_text x SET shown = NOT x.shown WHERE x.conversation_id = %(conversation)s"
        " AND x.shown <> (x.turn_id IN (SELECT id FROM branch))".encode(),
        values,
    )
    first: list[tuple[list[JSON]]] = connection.execute(
        f"{_BRANCH} SELECT input FROM turn WHERE id IN (SELECT id FROM branch) ORDER BY id LIMIT {_FIRST}".encode(),
        values,
    ).fetchall()
    title = next((title for (asked,) in first if (title := short_title(input_text(asked)))), None)
    if title is not None:
        connection.execute(
            "UPDATE conversation SET title = %s, folded_title = %s WHERE id = %s AND NOT named",
            (title, fold(title), conversation),
        )
