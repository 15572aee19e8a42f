"""Conversations in the database: made, listed, searched, renamed, removed and brought back. Every method blocks."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from etabli.conversations.branches import newest_leaf, newest_turns, siblings
from etabli.conversations.folding import fold, like_patterns, search_words, snippet
from etabli.conversations.following import follow_branch
from etabli.conversations.items import JSON, input_text, new_key, output_text
from etabli.conversations.rows import CONVERSATION, find_conversation, find_turn, no_conversation
from etabli.conversations.searching import candidate_turns, found_join
from etabli.conversations.storable import clean_text, jsonb, lookup_key
from etabli.conversations.values import Asker, Conversation, Listed, Turn
from etabli.errors import InvalidInputError
from etabli.knowledge.library import acl_set_of
from etabli.messages import tr
from etabli.storage.database import Database

KEPT = timedelta(days=30)
"""How long a removed conversation can be brought back."""
LONGEST_TITLE = 200


class Conversations:
    """The conversations of a workspace.

    Args:
        database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, asker: Asker, *, metadata: Mapping[str, str] | None = None) -> Conversation:
        """Begin a conversation without turns."""
        key = new_key("conv")
        with self._database.owner() as connection:
            connection.execute(
                "INSERT INTO conversation (key, account_id, acl_set, metadata) VALUES (%s, %s, %s, %s)",
                (
                    key,
                    asker.account_id,
                    acl_set_of(connection, [f"user:{asker.account_id}"]),
                    jsonb(dict(metadata or {})),
                ),
            )
            return find_conversation(connection, key, account_id=asker.account_id)

    def get(self, key: str, asker: Asker) -> Conversation:
        """A conversation.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        with self._database.reader(asker.principals) as connection:
            return find_conversation(connection, key, account_id=asker.account_id)

    def listing(
        self,
        asker: Asker,
        *,
        query: str = "",
        pinned: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> tuple[list[Listed], bool]:
        """A page of conversations, the pinned ones first, then those that changed last.

        Args:
            asker: whose.
            query: words that the title or one turn of the branch that is shown must have, all of them, case and
                accents aside.
            pinned: only these; both if None.
            limit: longest page.
            after: the last one of the page before.

        Returns:
            The page, and whether there are more.

        Raises:
            NotFoundError: `after` is not one of them.
        """
        words = search_words(query)
        values: dict[str, Any] = {
            "account": asker.account_id,
            "pinned": pinned,
            "limit": limit + 1,
            "patterns": like_patterns(words),
            "after": after,
        }
        conditions = [
            "c.account_id = %(account)s AND c.removed_at IS NULL",
            "(c.head_id IS NOT NULL OR c.named OR EXISTS ("
            "SELECT 1 FROM collection k WHERE k.conversation_id = c.key))",
        ]
        found = "NULL::bigint"
        tables = ""
        if pinned is not None:
            conditions.append("c.pinned = %(pinned)s")
        with self._database.reader(asker.principals) as connection:
            if words:
                values["candidates"] = candidate_turns(connection, words)
                found, tables = "found.turn_id", found_join(values["candidates"])
                conditions.append("(found.turn_id IS NOT NULL OR c.folded_title LIKE ALL (%(patterns)s))")
            if after is not None:
                find_conversation(connection, after, account_id=asker.account_id)
                conditions.append(
                    "(c.pinned, c.updated_at, c.id) < (SELECT a.pinned, a.updated_at, a.id FROM conversation a"
                    " WHERE a.key = %(after)s)"
                )
            head = CONVERSATION.replace("SELECT ", f"SELECT {found} AS found, ", 1)
            rows = (
                connection.cursor(row_factory=dict_row)
                .execute(
                    f"{head}{tables} WHERE {' AND '.join(conditions)}"
                    " ORDER BY c.pinned DESC, c.updated_at DESC, c.id DESC LIMIT %(limit)s".encode(),
                    values,
                )
                .fetchall()
            )
            turns = {row["found"] for row in rows[:limit] if row["found"] is not None}
            texts = _texts(connection, turns)
        listed = []
        for row in rows[:limit]:
            turn = row.pop("found")
            listed.append(Listed(Conversation(**row), snippet(texts[turn], words) if turn in texts else None))
        return listed, len(rows) > limit

    def page(
        self, key: str, asker: Asker, *, before: str | None, limit: int
    ) -> tuple[list[tuple[Turn, list[str]]], bool]:
        """The newest turns of the branch that is shown, or those before one of its turns; the oldest first.

        Returns:
            Each turn with the keys of those beside it, and whether there are older ones.

        Raises:
            NotFoundError: the conversation or the turn is not there.
        """
        with self._database.reader(asker.principals) as connection:
            conversation = find_conversation(connection, key, account_id=asker.account_id)
            name = before or conversation.head
            if name is None:
                return [], False
            turn = find_turn(connection, name, account_id=asker.account_id)
            last = turn.parent if before else turn.number
            turns = newest_turns(connection, last, most=limit + 1)
            beside = siblings(connection, turns[:limit])
        return [(one, beside[one.number]) for one in reversed(turns[:limit])], len(turns) > limit

    def change(
        self,
        key: str,
        asker: Asker,
        *,
        title: str | None = None,
        pinned: bool | None = None,
        head: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Conversation:
        """Change what is given.

        Args:
            key: `conv_…`.
            asker: whose.
            title: a name of its own.
            pinned: whether it stands before the others.
            head: a turn; the branch through it, down to its newest leaf, becomes the one that is shown.
            metadata: instead of all that there was.

        Raises:
            NotFoundError: the conversation or the turn is not there.
            InvalidInputError: the title is empty, or the turn is of another conversation.
        """
        with self._database.owner() as connection:
            conversation = find_conversation(connection, key, account_id=asker.account_id)
            if title is not None:
                self._rename(connection, conversation, title)
            if pinned is not None:
                connection.execute(
                    "UPDATE conversation SET pinned = %s WHERE id = %s", (pinned, conversation.number)
                )
            if metadata is not None:
                connection.execute(
                    "UPDATE conversation SET metadata = %s WHERE id = %s",
                    (jsonb(dict(metadata)), conversation.number),
                )
            if head is not None:
                turn = find_turn(connection, head, account_id=asker.account_id)
                if turn.conversation_id != key:
                    raise InvalidInputError(
                        tr(
                            "The response {response} is not of the conversation {conversation}.",
                            response=head,
                            conversation=key,
                        ),
                        param="head",
                    )
                leaf = newest_leaf(connection, turn.number, conversation=conversation.number)
                connection.execute(
                    "UPDATE conversation SET head_id = %s WHERE id = %s", (leaf, conversation.number)
                )
                follow_branch(connection, conversation.number)
            return find_conversation(connection, key, account_id=asker.account_id)

    def remove(self, key: str, asker: Asker) -> None:
        """Remove a conversation, with its shared copy; it can be brought back for 30 days.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        with self._database.owner() as connection:
            conversation = find_conversation(connection, key, account_id=asker.account_id)
            connection.execute(
                "UPDATE conversation SET removed_at = now() WHERE id = %s", (conversation.number,)
            )
            connection.execute(
                "UPDATE shared_conversation SET hidden = true WHERE conversation_id = %s",
                (conversation.number,),
            )

    def restore(self, key: str, asker: Asker) -> Conversation:
        """Bring a removed conversation back; one that is there stays as it is.

        Raises:
            NotFoundError: there is none, it is somebody else's, or it was removed too long ago.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "UPDATE conversation SET removed_at = NULL WHERE key = %s AND account_id = %s"
                " AND (removed_at IS NULL OR removed_at > now() - %s::interval) RETURNING id",
                (lookup_key(key), asker.account_id, KEPT),
            ).fetchone()
            if row is None:
                raise no_conversation(key)
            connection.execute(
                "UPDATE shared_conversation SET hidden = false WHERE conversation_id = %s", (row[0],)
            )
            return find_conversation(connection, key, account_id=asker.account_id)

    def _rename(self, connection: Connection, conversation: Conversation, title: str) -> None:
        clean = clean_text(" ".join(title.split()))
        if not clean or len(clean) > LONGEST_TITLE:
            raise InvalidInputError(
                tr("A title has 1 to {most} characters.", most=LONGEST_TITLE), param="title"
            )
        connection.execute(
            "UPDATE conversation SET title = %s, folded_title = %s, named = true WHERE id = %s",
            (clean, fold(clean), conversation.number),
        )


def _texts(connection: Connection, turns: set[int]) -> dict[int, str]:
    """Question and answer of these turns, as they were written."""
    rows: list[tuple[int, list[JSON], list[JSON]]] = connection.execute(
        "SELECT id, input, output FROM turn WHERE id = ANY (%s)", (list(turns),)
    ).fetchall()
    return {number: f"{input_text(asked)}\n{output_text(written)}" for number, asked, written in rows}
