"""Tool calls out of text, exactly when the text is nothing else."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from etabli.engines.llama_tools import force_tool_choice, parse_calls, recognise_calls
from etabli.engines.openai_assemble import assemble

F = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "required": ["x"]}}}
G = {"type": "function", "function": {"name": "g"}}
BODY: dict[str, Any] = {"messages": [], "tools": [F, G]}
CALL = '{"name": "f", "arguments": {"x": "é"}}'


def pieces(text: str, size: int, **last: Any) -> list[dict[str, Any]]:
    """A stream as llama.cpp sends it: role, text in pieces, the end, usage."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None}]
    deltas += [{"content": text[at : at + size]} for at in range(0, len(text), size)]
    chunks = [
        {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    chunks.append({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return [*chunks, {"id": "c", "choices": [], "usage": {"total_tokens": 9}}]


def through(chunks: list[dict[str, Any]], body: dict[str, Any] = BODY) -> list[dict[str, Any]]:
    async def source() -> AsyncGenerator[dict[str, Any], None]:
        for chunk in chunks:
            yield chunk

    async def main() -> list[dict[str, Any]]:
        return [chunk async for chunk in recognise_calls(body, source())]

    return asyncio.run(main())


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "text",
    [CALL, f"  {CALL}\n", f"```json\n{CALL}\n```", f"```\n{CALL}\n```", f"<tool_call>\n{CALL}\n</tool_call>",
     f"<tools>{CALL}</tools>", f"[{CALL}]"],
)  # fmt: skip
def test_calls_are_recognised_in_any_cut(text: str, size: int) -> None:
    answer = assemble(through(pieces(text, size)))
    choice = answer["choices"][0]
    assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] is None
    (call,) = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "f" and json.loads(call["function"]["arguments"]) == {"x": "é"}
    assert call["id"].startswith("call_") and answer["usage"] == {"total_tokens": 9}


def test_two_calls_have_their_own_index_and_id() -> None:
    chunks = through(pieces(f'{CALL}\n{{"name": "g", "arguments": {{}}}}', 4))
    calls = [d for c in chunks for o in c["choices"] for d in o["delta"].get("tool_calls", ())]
    assert [call["index"] for call in calls] == [0, 1] and calls[0]["id"] != calls[1]["id"]


@pytest.mark.parametrize(
    "text",
    ["Bonjour", f"Voici : {CALL}", f"{CALL} voilà", '{"name": "other", "arguments": {}}', '{"name": "f"}', "{", "[]",
     '{"name": "f", "arguments": "x"}', '{"name": "f", "arguments": {}, "more": 1}', "```python\nprint(1)\n```", ""],
)  # fmt: skip
def test_all_other_text_passes_unchanged(text: str) -> None:
    chunks = pieces(text, 2)
    assert through(chunks) == chunks


def test_plain_text_is_not_held_back() -> None:
    chunks = pieces("Bonjour à vous", 3)[:3]  # the stream goes on, and what came is there already
    assert through(chunks) == chunks


@pytest.mark.parametrize("body", [{}, {"tools": []}, {"tools": [F], "tool_choice": "none"}])
def test_without_tools_nothing_is_touched(body: dict[str, Any]) -> None:
    chunks = pieces(CALL, 5)
    assert through(chunks, body) == chunks


def test_calls_that_llama_cpp_saw_pass() -> None:
    delta = {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}]}
    chunks = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    ]
    assert through(chunks) == chunks


def test_required_becomes_a_schema() -> None:
    sent = force_tool_choice({**BODY, "tool_choice": "required"})
    schema = sent["response_format"]["json_schema"]["schema"]
    assert sent["tool_choice"] == "none" and sent["tools"] == [F, G]
    assert [kind["properties"]["name"]["const"] for kind in schema["anyOf"]] == ["f", "g"]


def test_a_named_tool_becomes_its_schema() -> None:
    sent = force_tool_choice({**BODY, "tool_choice": {"type": "function", "function": {"name": "f"}}})
    schema = sent["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["arguments"] == {"type": "object", "required": ["x"]}


@pytest.mark.parametrize(
    "choice", [None, "auto", "none", {"type": "function", "function": {"name": "unknown"}}]
)
def test_other_choices_are_left(choice: Any) -> None:
    assert force_tool_choice({**BODY, "tool_choice": choice}) == {**BODY, "tool_choice": choice}


def test_nonsense_is_no_call() -> None:
    assert (
        parse_calls("```", {"f"}) == []
        and parse_calls("null", {"f"}) == []
        and parse_calls("[[]]", {"f"}) == []
    )
