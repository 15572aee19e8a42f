"""How conversations and turns are read from their tables: the columns, and the values made of a row."""

from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from etabli.conversations.items import settled, with_reasons
from etabli.conversations.storable import lookup_key
from etabli.conversations.values import Conversation, Turn
from etabli.errors import NotFoundError
from etabli.messages import told, tr

_COLLECTION = (
    "(SELECT k.id FROM collection k WHERE k.conversation_id = c.key AND k.removed_at IS NULL)"
    " AS collection_id"
)
CONVERSATION = (
    "SELECT c.id AS number, c.key AS id, c.title, c.model, c.pinned, c.metadata, c.created_at, c.updated_at,"
    f" {_COLLECTION}, h.key AS head, coalesce(h.depth, 0) AS turn_count,"
    " (SELECT s.token FROM shared_conversation s WHERE s.conversation_id = c.id AND NOT s.hidden) AS share_token"
    " FROM conversation c LEFT JOIN turn h ON h.id = c.head_id"
)
TURN_COLUMNS = (
    "t.id AS number, t.key AS id, t.account_id, t.parent_id AS parent, p.key AS previous_id,"
    " c.key AS conversation_id, c.title AS conversation_title, t.status, t.model, t.assistant,"
    f" {_COLLECTION}, t.engine, t.request, t.input, t.output, t.attachments, t.metadata, t.usage, t.error,"
    " t.incomplete_reason, t.finish_reason, t.abstained, t.guarded, t.written_by, t.feedback, t.created_at,"
    " t.completed_at"
)
TURN_TABLES = (
    "turn t LEFT JOIN turn p ON p.id = t.parent_id LEFT JOIN conversation c ON c.id = t.conversation_id"
)
TURN = f"SELECT {TURN_COLUMNS} FROM {TURN_TABLES}"
PRESENT = "(t.conversation_id IS NULL OR c.removed_at IS NULL)"
"""A turn goes out of sight with its conversation."""


def turn_of(row: dict[str, Any]) -> Turn:
    """The turn of a row with `TURN_COLUMNS`, its sentences in the language in force."""
    output = row["output"] if row["status"] == "in_progress" else settled(row["output"])
    error = row["error"]
    if error is not None:
        error = {**error, "message": told(error["message"])}
    return Turn(**{**row, "output": with_reasons(output, told), "error": error})


def find_conversation(connection: Connection, key: str, *, account_id: int) -> Conversation:
    """A conversation that is not removed.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(
            f"{CONVERSATION} WHERE c.key = %s AND c.account_id = %s AND c.removed_at IS NULL".encode(),
            (lookup_key(key), account_id),
        )
        .fetchone()
    )
    if row is None:
        raise no_conversation(key)
    return Conversation(**row)


def lock_conversation(connection: Connection, key: str, *, account_id: int) -> Conversation:
    """As `find_conversation`; whoever else wants to add to it waits for the end of this transaction."""
    connection.execute("SELECT 1 FROM conversation WHERE key = %s FOR UPDATE", (lookup_key(key),))
    return find_conversation(connection, key, account_id=account_id)


def find_turn(connection: Connection, key: str, *, account_id: int) -> Turn:
    """A turn whose conversation, if it has one, is not removed.

    Raises:
        NotFoundError: there is none, or it is somebody else's.
    """
    row = (
        connection.cursor(row_factory=dict_row)
        .execute(
            f"{TURN} WHERE t.key = %s AND t.account_id = %s AND {PRESENT}".encode(),
            (lookup_key(key), account_id),
        )
        .fetchone()
    )
    if row is None:
        raise no_response(key)
    return turn_of(row)


def no_conversation(key: str) -> NotFoundError:
    """The error for a conversation that the caller may not see or that is not there."""
    return NotFoundError(tr("There is no conversation “{id}”, or it is not yours.", id=key[:80]))


def no_response(key: str) -> NotFoundError:
    """The error for a response that the caller may not see or that is not there."""
    return NotFoundError(tr("There is no response “{id}”, or it is not yours.", id=key[:80]))
