"""What an engine is sent of stored turns."""

from datetime import UTC, datetime
from typing import Any

from etabli.conversations.values import Turn
from etabli.server.openai.responses.messages import messages_that_fit


def message(role: str, text: str) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "42"}


def turn(*items: dict[str, Any], output: list[dict[str, Any]], status: Any = "completed") -> Turn:
    return Turn(
        number=1,
        id="resp_1",
        account_id=1,
        parent=None,
        previous_id=None,
        conversation_id=None,
        conversation_title=None,
        collection_id=None,
        status=status,
        model="m",
        assistant=None,
        engine=None,
        request={},
        input=list(items),
        output=output,
        created_at=datetime.now(UTC),
    )


TURNS = [  # the newest first
    turn(OUTPUT, output=[message("assistant", "42, donc")]),
    turn(message("user", "combien ?"), output=[message("assistant", "voyons"), CALL]),
]


def test_calls_belong_to_the_message_before_them() -> None:
    found = messages_that_fit(TURNS, None)
    assert [one["role"] for one in found] == ["user", "assistant", "tool", "assistant"]
    assert found[1]["content"] == "voyons" and found[1]["tool_calls"][0]["id"] == "c1"


def test_an_output_without_its_call_is_left_out() -> None:
    assert messages_that_fit(TURNS, 60) == [{"role": "assistant", "content": "42, donc"}]
    assert messages_that_fit(TURNS, 0) == []


def test_turns_that_failed_before_they_said_anything_are_left_out() -> None:
    failed = turn(message("user", "q"), output=[], status="failed")
    stopped = turn(message("user", "q"), output=[message("assistant", "un dé")], status="cancelled")
    added = turn(message("user", "ajouté"), output=[])
    contents = [one["content"] for one in messages_that_fit([failed, stopped, added], None)]
    assert contents == ["ajouté", "q", "un dé"]
