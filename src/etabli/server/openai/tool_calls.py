"""Tool calls made well-formed, whatever the engine sends.

Every delta has an integer `index`; the first of a call has `id`, `type` and `function.name`; arguments are always
strings. A missing index crashes the Python client (mistral.rs PR #1507, openai-python#2806), a missing id breaks
others (Continue #13225).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from etabli.server.openai.payloads import JSON, new_id


class ToolCallDeltas:
    """Puts the deltas of one choice into shape, in order."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._last = -1

    def shape(self, deltas: Iterable[Mapping[str, Any]]) -> list[JSON]:
        """The same deltas as OpenAI sends them."""
        return [self._shape(delta) for delta in deltas]

    def _shape(self, delta: Mapping[str, Any]) -> JSON:
        index = delta.get("index")
        if not isinstance(index, int):
            # An engine that sends no index sends an id with the first fragment of each call.
            index = self._last + 1 if delta.get("id") or self._last < 0 else self._last
        self._last = index
        function = delta.get("function") or {}
        arguments = _text(function.get("arguments"))
        if index in self._known:
            return {"index": index, "function": {"arguments": arguments}}
        self._known.add(index)
        return {
            "index": index,
            "id": delta.get("id") or new_id("call"),
            "type": "function",
            "function": {"name": function.get("name") or "", "arguments": arguments},
        }


def whole_tool_calls(calls: Iterable[Mapping[str, Any]]) -> list[JSON]:
    """Complete tool calls as OpenAI has them in a message."""
    shaped = []
    for call in calls:
        function = call.get("function") or {}
        shaped.append(
            {
                "id": call.get("id") or new_id("call"),
                "type": "function",
                "function": {
                    "name": function.get("name") or "",
                    "arguments": _text(function.get("arguments")),
                },
            }
        )
    return shaped


def _text(arguments: Any) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
