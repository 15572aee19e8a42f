"""Long and many conversations: what a page or a search costs does not grow with them beyond reason.

Costs are counted in what PostgreSQL does, not in seconds.
"""

import json
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from etabli.conversations.branches import newest_turns
from etabli.conversations.conversations import Conversations
from etabli.storage.database import Database


def fill(database: Database, *, conversations: int, turns: int) -> None:
    """Conversations of account 1, each a chain of turns with French text."""
    with database.owner() as connection:
        connection.execute("INSERT INTO principal (name) VALUES ('user:1') ON CONFLICT DO NOTHING")
        connection.execute(
            "INSERT INTO acl_set (principals) SELECT ARRAY[id] FROM principal WHERE name = 'user:1'"
            " ON CONFLICT DO NOTHING"
        )
        values = {"conversations": conversations, "turns": turns}
        connection.execute(
            "INSERT INTO conversation (key, account_id, acl_set, title, folded_title, model, updated_at)"
            " SELECT 'conv_' || n, 1, (SELECT max(id) FROM acl_set), 'Titre ' || n, 'titre ' || n, 'rh',"
            " now() - n * interval '1 minute' FROM generate_series(1, %(conversations)s) n",
            values,
        )
        connection.execute(
            "INSERT INTO turn (id, key, conversation_id, parent_id, account_id, acl_set, depth, status, model, input,"
            " output) OVERRIDING SYSTEM VALUE SELECT (c.id - 1) * %(turns)s + n, 'resp_' || c.id || '_' || n, c.id,"
            " CASE WHEN n > 1 THEN (c.id - 1) * %(turns)s + n - 1 END, 1, c.acl_set, n, 'completed', 'rh',"
            " jsonb_build_array(jsonb_build_object('type', 'message', 'role', 'user', 'content', 'Question ' || n)),"
            " jsonb_build_array(jsonb_build_object('type', 'message', 'content',"
            "  jsonb_build_array(jsonb_build_object('type', 'output_text', 'text',"
            "  'mot' || c.id || '_' || n || repeat(' réponse plutôt longue', 30)))))"
            " FROM conversation c CROSS JOIN generate_series(1, %(turns)s) n",
            values,
        )
        connection.execute(
            "INSERT INTO turn_text SELECT id, conversation_id, acl_set,"
            " 'question ' || depth || E'\\nmot' || conversation_id || '_' || depth"
            " || repeat(' reponse plutot longue', 3) FROM turn"
        )
        connection.execute("UPDATE conversation SET head_id = id * %(turns)s", values)
    with database.statement_by_statement() as connection:
        connection.execute("VACUUM ANALYZE")


class Plans:
    """The plan of the last statement that was read, with what it touched."""

    def __init__(self, database: Database, principals: Sequence[str]) -> None:
        self._database = database
        self._principals = principals

    def of(self, query: bytes, values: Any) -> dict[str, Any]:
        with self._database.reader(self._principals) as connection:
            row = connection.execute(
                b"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + query, values
            ).fetchone()
        assert row is not None
        plan: dict[str, Any] = row[0][0]["Plan"]
        return plan


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, Any]]:
    """Statements that cursors execute, as they are sent."""
    found: list[tuple[bytes, Any]] = []
    original = psycopg.Cursor.execute

    def execute(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        found.append((query if isinstance(query, bytes) else str(query).encode(), params))
        return original(self, query, params, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", execute)
    return found


def test_a_page_of_a_long_conversation(
    database: Database,
    conversations: Conversations,
    people: tuple[Any, Any],
    recorded: list[tuple[bytes, Any]],
) -> None:
    fill(database, conversations=1, turns=10_000)
    recorded.clear()
    page, more = conversations.page("conv_1", people[0], before="resp_1_5000", limit=40)
    assert [turn.id for turn, _ in page] == [f"resp_1_{n}" for n in range(4960, 5000)] and more
    for query, values in [one for one in recorded if b"turn" in one[0]]:
        plan = Plans(database, people[0].principals).of(query, values)
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 2_000, json.dumps(plan, indent=1)
    assert conversations.get("conv_1", people[0]).turn_count == 10_000
    with database.reader(people[0].principals) as connection:
        assert len(newest_turns(connection, 10_000)) == 10_000  # an export
    assert conversations.change("conv_1", people[0], head="resp_1_3").head == "resp_1_10000"


def test_many_conversations(
    database: Database,
    conversations: Conversations,
    people: tuple[Any, Any],
    recorded: list[tuple[bytes, Any]],
) -> None:
    fill(database, conversations=2_000, turns=10)
    recorded.clear()
    listed, more = conversations.listing(people[0], limit=50)
    assert [one.conversation.id for one in listed][:2] == ["conv_1", "conv_2"] and more
    query, values = next(one for one in recorded if b"ORDER BY c.pinned DESC" in one[0])
    plan = Plans(database, people[0].principals).of(query, values)
    assert '"Index Name": "conversation_list"' in json.dumps(plan)
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 3_000, json.dumps(plan, indent=1)
    found, _ = conversations.listing(people[0], query="MOT1234_7 réponse")
    assert [one.conversation.id for one in found] == ["conv_1234"]
    assert found[0].snippet is not None and "mot1234_7" in found[0].snippet["text"]
    assert len(conversations.listing(people[0], query="plutot", limit=50)[0]) == 50
    assert conversations.listing(people[0], query="introuvable") == ([], False)


def test_a_word_that_is_nowhere_costs_one_look(
    database: Database,
    conversations: Conversations,
    people: tuple[Any, Any],
    recorded: list[tuple[bytes, Any]],
) -> None:
    fill(database, conversations=2_000, turns=10)
    for query, most in (("introuvable", 3_000), ("mot1234_7", 3_000), ("plutot introuvable", 3_000)):
        recorded.clear()
        conversations.listing(people[0], query=query)
        touched = 0
        for statement, values in [one for one in recorded if b"turn_text" in one[0]]:
            plan = Plans(database, people[0].principals).of(statement, values)
            touched += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            if b"@>&" in statement:
                assert '"Index Name": "turn_text_grams"' in json.dumps(plan)
        assert 0 < touched < most, query
