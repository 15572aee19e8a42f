"""From stored items to what engines understand: chat messages, tools and generation parameters."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from etabli.assistants.conversation import text_of
from etabli.conversations.items import message_text
from etabli.conversations.values import Turn
from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.server.openai.payloads import JSON
from etabli.server.openai.responses.protocol import ResponseRequest, TextFormat

CHARACTERS_PER_TOKEN = 3
"""Fewer than most texts have, so that what is counted by characters fits."""


def chat_messages(items: Iterable[Mapping[str, Any]]) -> list[JSON]:
    """The messages that items stand for; calls of one answer are one message with its text."""
    messages: list[JSON] = []
    for item in items:
        kind = item.get("type")
        if kind == "message":
            role = "system" if item["role"] == "developer" else item["role"]
            messages.append({"role": role, "content": _content(item)})
        elif kind == "function_call":
            if not messages or messages[-1]["role"] != "assistant":
                messages.append({"role": "assistant", "content": None})
            messages[-1].setdefault("tool_calls", []).append(
                {
                    "id": item["call_id"],
                    "type": "function",
                    "function": {"name": item["name"], "arguments": item["arguments"]},
                }
            )
        elif kind == "function_call_output":
            messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]})
    return messages


def turn_messages(turn: Turn) -> list[JSON]:
    """The messages of a turn that is over; none of one that failed before it said anything."""
    answered = chat_messages(turn.output)
    if not turn.output_text and not any("tool_calls" in one for one in answered):
        return [] if turn.status in ("failed", "cancelled", "incomplete") else chat_messages(turn.input)
    return [*chat_messages(turn.input), *answered]


def messages_that_fit(turns: Iterable[Turn], characters: int | None) -> list[JSON]:
    """The messages of the newest turns that together have at most so many characters, the oldest first.

    Args:
        turns: the newest first; read no further than needed.
        characters: room for them; None for any number.
    """
    kept: list[list[JSON]] = []
    for turn in turns:
        messages = turn_messages(turn)
        if characters is not None:
            characters -= sum(len(text_of(one["content"])) + 20 for one in messages)
            if characters < 0:
                break
        kept.append(messages)
    found = [message for messages in reversed(kept) for message in messages]
    # The output of a function is nothing without its call, which did not fit.
    while found and found[0]["role"] == "tool":
        found.pop(0)
    return found


def function_tools(request: ResponseRequest) -> list[JSON]:
    """The functions that the model may call, as the client sent them. Other kinds of tools are left out.

    Raises:
        InvalidInputError: a function has no name.
    """
    functions = []
    for number, tool in enumerate(request.tools or ()):
        if tool.get("type") != "function":
            continue
        name = tool.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= 64:
            raise InvalidInputError(
                tr("“{param}” is missing.", param=f"tools.{number}.name"), param=f"tools.{number}.name"
            )
        functions.append(
            {
                "type": "function",
                "name": name,
                "description": tool.get("description"),
                "parameters": tool.get("parameters"),
                "strict": tool.get("strict"),
            }
        )
    return functions


def response_format(form: TextFormat | None) -> JSON | None:
    """`text.format` as chat completions have it; None where text will do."""
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        return {"type": "json_object"}
    described = {"name": form.name or "answer", "schema": form.schema_, "strict": form.strict}
    return {"type": "json_schema", "json_schema": {k: v for k, v in described.items() if v is not None}}


def generation_parameters(request: ResponseRequest, tools: Sequence[JSON]) -> JSON:
    """The parameters of the request that go to the engine, without those that were not given."""
    parameters: JSON = {
        name: value
        for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty", "parallel_tool_calls")
        if (value := getattr(request, name)) is not None
    }
    if request.max_output_tokens is not None:
        parameters["max_tokens"] = request.max_output_tokens
    if request.reasoning is not None and request.reasoning.effort is not None:
        parameters["reasoning_effort"] = request.reasoning.effort
    form = response_format(request.text.format if request.text else None)
    if form is not None:
        parameters["response_format"] = form
    if tools:
        parameters["tools"] = [_chat_tool(tool) for tool in tools]
        choice = _tool_choice(request.tool_choice)
        if choice is not None:
            parameters["tool_choice"] = choice
    return parameters


def _chat_tool(tool: JSON) -> JSON:
    function = {key: value for key, value in tool.items() if key != "type" and value is not None}
    return {"type": "function", "function": function}


def _tool_choice(choice: str | Mapping[str, Any] | None) -> str | JSON | None:
    if isinstance(choice, str) or choice is None:
        return choice
    if choice.get("type") == "function":
        return {"type": "function", "function": {"name": choice.get("name")}}
    if choice.get("type") == "allowed_tools":
        return str(choice.get("mode") or "auto")
    return None


def _content(item: Mapping[str, Any]) -> str | list[JSON]:
    """A text, or parts where there is a picture."""
    parts = item["content"]
    if all(part.get("type") != "input_image" for part in parts):
        return message_text(item)
    return [
        {"type": "image_url", "image_url": {"url": part["image_url"]}}
        if part.get("type") == "input_image"
        else {"type": "text", "text": str(part.get("text") or "")}
        for part in parts
    ]
