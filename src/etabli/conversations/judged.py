"""Answers that people judged with a thumb, for training: of everybody, so for whoever runs the installation.

Only what stands in a conversation that is there: nothing that was deleted or removed, and no response that was asked
for without a conversation. Blocks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from psycopg.rows import dict_row

from etabli.conversations.branches import newest_turns
from etabli.conversations.items import JSON, message_text
from etabli.conversations.rows import TURN_COLUMNS, TURN_TABLES, turn_of
from etabli.conversations.values import Turn
from etabli.storage.database import Database
from etabli.training.data.feedback import Judged

_JUDGED = (
    f"SELECT {TURN_COLUMNS}, t.trace -> 'messages' AS read, t.trace -> 'passages' AS found FROM {TURN_TABLES}"
    " WHERE c.removed_at IS NULL AND t.conversation_id IS NOT NULL AND t.status = 'completed'"
    " AND t.feedback ->> 'rating' IN ('up', 'down')"
    " AND (%(assistant)s::text IS NULL OR t.assistant = %(assistant)s) ORDER BY t.id"
)


def judged_answers(database: Database, assistant: str | None = None) -> Iterator[Judged]:
    """The judged answers of an installation, the oldest first.

    Args:
        database: where conversations are kept.
        assistant: only its answers; None for all.
    """
    with database.owner() as connection:
        rows = connection.cursor(row_factory=dict_row).execute(_JUDGED.encode(), {"assistant": assistant})
        for row in rows.fetchall():
            read, found = row.pop("read"), row.pop("found")
            turn = turn_of(row)
            prompt = _texts(read or ())
            if not prompt or prompt[-1]["role"] != "user":
                prompt = _told(list(reversed(newest_turns(connection, turn.number))))
            yield Judged(
                place=(turn.conversation_id, turn.parent, turn.input_text),
                prompt=tuple(prompt),
                answer=turn.output_text,
                liked=(turn.feedback or {})["rating"] == "up",
                by_model=turn.written_by == "model",
                with_documents=any(isinstance(one, Mapping) and one.get("sent") for one in found or ()),
            )


def _texts(messages: Sequence[Any]) -> list[JSON]:
    """What the model read, without what is no text."""
    return [
        {"role": str(one["role"]), "content": message_text(one)}
        for one in messages
        if isinstance(one, Mapping) and one.get("role") in ("system", "user", "assistant")
    ]


def _told(branch: Sequence[Turn]) -> list[JSON]:
    """Questions and answers of a branch up to its last question, where nobody kept what the model read."""
    messages: list[JSON] = []
    for turn in branch:
        messages.append({"role": "user", "content": turn.input_text})
        if turn is not branch[-1]:
            messages.append({"role": "assistant", "content": turn.output_text})
    return messages
