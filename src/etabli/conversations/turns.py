"""Turns in the database: begun, saved while they are written, finished, judged, deleted. Every method blocks.

A turn is written by the one process that serves the workspace. What it had not finished when it stopped is
incomplete at the next start, with the text as it was saved last.
"""

from psycopg import Connection

from etabli.conversations.branches import lift, newest_turns
from etabli.conversations.folding import fold
from etabli.conversations.following import follow_branch
from etabli.conversations.items import JSON, identified, input_text, output_text, settled, with_reasons
from etabli.conversations.rows import find_turn, lock_conversation, no_response
from etabli.conversations.storable import clean, jsonb, lookup_key
from etabli.conversations.values import STOPPED, Asker, NewTurn, Turn
from etabli.errors import ConflictError, InvalidInputError
from etabli.knowledge.library import acl_set_of
from etabli.messages import kept, tr
from etabli.storage.database import Database

_LONGEST_SEARCHED = 200_000
"""Characters of one turn that searching reads."""


class Turns:
    """The turns of a workspace.

    Args:
        database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, asker: Asker) -> Turn:
        """A turn.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        with self._database.reader(asker.principals) as connection:
            return find_turn(connection, key, account_id=asker.account_id)

    def trace(self, key: str, asker: Asker) -> tuple[Turn, JSON | None]:
        """A turn and how it was answered, where that was told.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        with self._database.reader(asker.principals) as connection:
            turn = find_turn(connection, key, account_id=asker.account_id)
            row = connection.execute("SELECT trace FROM turn WHERE id = %s", (turn.number,)).fetchone()
        return turn, None if row is None else row[0]

    def branch(self, last: int | None, asker: Asker, *, most: int) -> list[Turn]:
        """The newest turns of the branch that ends with turn number `last`, the newest first."""
        with self._database.reader(asker.principals) as connection:
            return newest_turns(connection, last, most=most)

    def begin(self, new: NewTurn, asker: Asker) -> Turn:
        """Store a turn that is about to be answered; it becomes the head of its conversation.

        Raises:
            NotFoundError: the conversation or a turn it names is not there.
            InvalidInputError: the turns it names are of another conversation.
            ConflictError: the turn that it follows is still being written.
        """
        with self._database.owner() as connection:
            conversation_key, parent, replaced = self._place(connection, new, asker)
            asked: list[JSON] | None = clean(new.input)
            attachments = new.attachments
            if asked is None:
                if replaced is None:
                    raise InvalidInputError(tr("“{param}” is missing.", param="input"), param="input")
                asked = identified(replaced.input, new.id)
            if attachments is None:
                attachments = replaced.attachments if replaced is not None else []
            number = self._insert(connection, new, asker, conversation_key, parent, asked, attachments)
            if conversation_key is not None:
                self._becomes_head(connection, conversation_key, number, new.model)
            return find_turn(connection, new.id, account_id=asker.account_id)

    def append(
        self, connection: Connection, new: NewTurn, output: list[JSON], asker: Asker, parent: Turn | None
    ) -> Turn:
        """Add a turn that was written elsewhere, within the caller's transaction."""
        number = self._insert(connection, new, asker, new.conversation_id, parent, new.input or [], [])
        connection.execute(
            "UPDATE turn SET status = 'completed', output = %s, completed_at = now() WHERE id = %s",
            (jsonb(output), number),
        )
        assert new.conversation_id is not None
        self._becomes_head(connection, new.conversation_id, number, new.model or None)
        note_text(connection, number, new.input or [], output)
        return find_turn(connection, new.id, account_id=asker.account_id)

    def save(self, turn: Turn, output: list[JSON]) -> None:
        """Keep what was written so far. Does nothing once the turn is finished."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE turn SET output = %s WHERE id = %s AND status = 'in_progress'",
                (jsonb(output), turn.number),
            )

    def finish(self, turn: Turn, trace: JSON | None) -> None:
        """Keep the turn as it ended."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE turn SET status = %(status)s, output = %(output)s, usage = %(usage)s, error = %(error)s,"
                " incomplete_reason = %(reason)s, finish_reason = %(finish)s, abstained = %(abstained)s,"
                " guarded = %(guarded)s, written_by = %(author)s, trace = %(trace)s, completed_at = %(completed)s"
                " WHERE id = %(number)s",
                {
                    "status": turn.status,
                    "output": jsonb(with_reasons(turn.output, kept)),
                    "usage": jsonb(turn.usage),
                    "error": jsonb(_kept_error(turn.error)),
                    "reason": turn.incomplete_reason,
                    "finish": turn.finish_reason,
                    "abstained": turn.abstained,
                    "guarded": turn.guarded,
                    "author": turn.written_by,
                    "trace": jsonb(trace),
                    "completed": turn.completed_at,
                    "number": turn.number,
                },
            )
            note_text(connection, turn.number, turn.input, turn.output)
            connection.execute(
                "UPDATE conversation SET updated_at = now() WHERE key = %s", (turn.conversation_id,)
            )

    def delete(self, key: str, asker: Asker) -> None:
        """Delete a turn; those after it follow the one before it.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        with self._database.owner() as connection:
            turn = find_turn(connection, key, account_id=asker.account_id)
            remove_turn(connection, turn)

    def judge(self, key: str, asker: Asker, feedback: JSON | None) -> Turn:
        """Keep what somebody thinks of an answer; None takes it back.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "UPDATE turn SET feedback = %s WHERE key = %s AND account_id = %s RETURNING id",
                (jsonb(feedback), lookup_key(key), asker.account_id),
            ).fetchone()
            if row is None:
                raise no_response(key)
            return find_turn(connection, key, account_id=asker.account_id)

    def recover(self) -> int:
        """What another process left unfinished is incomplete. Says how many turns that were."""
        with self._database.owner() as connection:
            rows = connection.execute(
                "SELECT id, input, output FROM turn WHERE status = 'in_progress'"
            ).fetchall()
            for number, asked, written in rows:
                output = settled(written)
                connection.execute(
                    "UPDATE turn SET status = 'incomplete', incomplete_reason = %s, output = %s,"
                    " completed_at = now() WHERE id = %s",
                    (STOPPED, jsonb(output), number),
                )
                note_text(connection, number, asked, output)
        return len(rows)

    def _place(
        self, connection: Connection, new: NewTurn, asker: Asker
    ) -> tuple[str | None, Turn | None, Turn | None]:
        """The conversation, the turn that the new one follows, and the one that it replaces."""
        account = asker.account_id
        replaced = find_turn(connection, new.replaces, account_id=account) if new.replaces else None
        key = new.conversation_id or (replaced.conversation_id if replaced is not None else None)
        head = None
        if key is not None:
            # Two questions at once in one conversation take their places one after the other.
            head = lock_conversation(connection, key, account_id=account).head
        if replaced is not None:
            previous = replaced.previous_id
        else:
            previous = new.previous_id or head
        parent = find_turn(connection, previous, account_id=account) if previous else None
        for turn in (replaced, parent):
            if key is not None and turn is not None and turn.conversation_id != key:
                raise InvalidInputError(
                    tr(
                        "The response {response} is not of the conversation {conversation}.",
                        response=turn.id,
                        conversation=key,
                    ),
                    param="previous_response_id" if turn is parent else "etabli.replaces",
                )
        if parent is not None and parent.status == "in_progress":
            raise ConflictError(
                tr("The answer before this question is still being written. Wait for its end, or stop it.")
            )
        return key, parent, replaced

    def _insert(
        self,
        connection: Connection,
        new: NewTurn,
        asker: Asker,
        conversation_key: str | None,
        parent: Turn | None,
        asked: list[JSON],
        attachments: list[JSON],
    ) -> int:
        row = connection.execute(
            "INSERT INTO turn (key, conversation_id, parent_id, account_id, acl_set, depth, status, model, assistant,"
            " engine, request, input, attachments, metadata)"
            " VALUES (%(key)s, (SELECT id FROM conversation WHERE key = %(conversation)s), %(parent)s, %(account)s,"
            " %(acl_set)s, 1 + coalesce((SELECT depth FROM turn WHERE id = %(parent)s), 0), 'in_progress', %(model)s,"
            " %(assistant)s, %(engine)s, %(request)s, %(input)s, %(attachments)s, %(metadata)s) RETURNING id",
            {
                "key": new.id,
                "conversation": conversation_key,
                "parent": None if parent is None else parent.number,
                "account": asker.account_id,
                "acl_set": acl_set_of(connection, [f"user:{asker.account_id}"]),
                "model": new.model,
                "assistant": new.assistant,
                "engine": new.engine,
                "request": jsonb(new.request),
                "input": jsonb(asked),
                "attachments": jsonb(attachments),
                "metadata": jsonb(new.metadata),
            },
        ).fetchone()
        assert row is not None
        note_text(connection, int(row[0]), asked, [])
        return int(row[0])

    def _becomes_head(self, connection: Connection, key: str, number: int, model: str | None) -> None:
        """The conversation ends with this turn now; one that does not follow the head begins another branch."""
        row = connection.execute(
            "SELECT c.id, t.parent_id IS NULL OR t.parent_id IS DISTINCT FROM c.head_id OR c.title IS NULL"
            " FROM conversation c, turn t WHERE c.key = %s AND t.id = %s",
            (key, number),
        ).fetchone()
        assert row is not None
        conversation, branches_off = row
        connection.execute(
            "UPDATE conversation SET head_id = %s, model = coalesce(%s, model), updated_at = now() WHERE id = %s",
            (number, model, conversation),
        )
        if branches_off:
            follow_branch(connection, conversation)


def _kept_error(error: JSON | None) -> JSON | None:
    return None if error is None else {**error, "message": kept(error["message"])}


def note_text(connection: Connection, number: int, asked: list[JSON], answered: list[JSON]) -> None:
    """Make a turn of a conversation searchable as it is now."""
    text = fold(f"{input_text(asked)}\n{output_text(answered)}"[:_LONGEST_SEARCHED])
    connection.execute(
        "INSERT INTO turn_text (turn_id, conversation_id, acl_set, folded)"
        " SELECT id, conversation_id, acl_set, %s FROM turn WHERE id = %s AND conversation_id IS NOT NULL"
        " ON CONFLICT (turn_id) DO UPDATE SET folded = excluded.folded",
        (text, number),
    )


def remove_turn(connection: Connection, turn: Turn) -> None:
    """Delete a turn and close the gap; a conversation that ended with it ends with the one before."""
    lift(connection, turn.number)
    connection.execute("UPDATE conversation SET head_id = %s WHERE head_id = %s", (turn.parent, turn.number))
    connection.execute("DELETE FROM turn WHERE id = %s", (turn.number,))
    row = connection.execute("SELECT id FROM conversation WHERE key = %s", (turn.conversation_id,)).fetchone()
    if row is not None:
        follow_branch(connection, int(row[0]))
