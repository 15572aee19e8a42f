"""Shared conversations: a copy of one branch, as it was, for the people of this installation.

Answers quote documents. Who reads a shared copy without the right to a quoted document sees the answer, and neither
the quote nor the document's name. Every method blocks.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import dict_row

from etabli.conversations.items import JSON
from etabli.conversations.rows import find_conversation
from etabli.conversations.storable import jsonb, lookup_key
from etabli.conversations.values import Asker
from etabli.errors import NotFoundError
from etabli.knowledge.library import acl_set_of
from etabli.messages import tr
from etabli.storage.database import EVERYONE, Database


@dataclass(frozen=True, slots=True)
class SharedConversation:
    """What the holder of a link reads: turns in the shape that the API gives them."""

    title: str | None
    model: str | None
    turns: list[JSON]
    created_at: datetime


class Sharing:
    """The shared copies of a workspace.

    Args:
        database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def share(self, key: str, asker: Asker, turns: list[JSON]) -> str:
        """Keep a copy for everyone, instead of an earlier one; the link stays the same. Gives its token.

        Args:
            key: of the conversation.
            asker: its owner.
            turns: the copy, as the API shows turns.

        Raises:
            NotFoundError: there is no such conversation, or it is somebody else's.
        """
        with self._database.owner() as connection:
            conversation = find_conversation(connection, key, account_id=asker.account_id)
            row = connection.execute(
                "INSERT INTO shared_conversation (token, conversation_id, acl_set, title, model, turns)"
                " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (conversation_id) DO UPDATE SET"
                " title = excluded.title, model = excluded.model, turns = excluded.turns, hidden = false,"
                " created_at = now() RETURNING token",
                (
                    secrets.token_urlsafe(18),
                    conversation.number,
                    acl_set_of(connection, [EVERYONE]),
                    conversation.title,
                    conversation.model,
                    jsonb(turns),
                ),
            ).fetchone()
        assert row is not None
        return str(row[0])

    def stop(self, key: str, asker: Asker) -> None:
        """Forget the copy; the link never works again.

        Raises:
            NotFoundError: there is no such conversation, or it is somebody else's.
        """
        with self._database.owner() as connection:
            conversation = find_conversation(connection, key, account_id=asker.account_id)
            connection.execute(
                "DELETE FROM shared_conversation WHERE conversation_id = %s", (conversation.number,)
            )

    def open(self, token: str, asker: Asker) -> SharedConversation:
        """The copy behind a link, without quotes of documents that the reader may not see.

        Raises:
            NotFoundError: there is none, or it is not shared any more.
        """
        with self._database.reader(asker.principals) as connection:
            row = (
                connection.cursor(row_factory=dict_row)
                .execute(
                    "SELECT title, model, turns, created_at FROM shared_conversation"
                    " WHERE token = %s AND NOT hidden",
                    (lookup_key(token),),
                )
                .fetchone()
            )
            if row is None:
                raise NotFoundError(
                    tr("Nothing is shared under this address any more. Ask whoever gave it to you.")
                )
            visible = _visible_versions(connection, row["turns"])
        for turn in row["turns"]:
            turn["annotations"] = [_allowed(one, visible) for one in turn["annotations"]]
            turn["attachments"] = []
            turn["feedback"] = None
        return SharedConversation(**row)


def _visible_versions(connection: Connection, turns: Iterable[JSON]) -> set[int]:
    named = {one["etabli"]["version_id"] for turn in turns for one in turn["annotations"] if "etabli" in one}
    rows = connection.execute("SELECT id FROM version WHERE id = ANY (%s)", (list(named),))
    return {int(number) for (number,) in rows}


def _allowed(annotation: JSON, visible: set[int]) -> JSON:
    """The citation as it is, or only that there is one."""
    whole = annotation.get("etabli") or {}
    if whole.get("version_id") in visible:
        return annotation
    hidden = {name: whole.get(name) for name in ("number", "start_index", "end_index", "status")}
    return {**annotation, "title": tr("A document that is not for you"), "url": "", "etabli": hidden}
