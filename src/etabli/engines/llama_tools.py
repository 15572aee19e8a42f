"""Tool calls of small local models: forced where the caller requires them, recognised where markers are missing.

Two gaps of llama.cpp are closed here. It accepts `tool_choice: "required"` (and a named tool) without enforcing it
(ggml-org/llama.cpp#27217): the request becomes one for JSON of the tools' schema. And small models, Qwen2.5-Coder
among them, write the call as bare or fenced JSON without their template's markers, which its parser then takes
for text. What these functions do not recognise passes unchanged.
"""

import json
import re
import secrets
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from etabli.engines.base import JSON

_FENCE = re.compile(r"\A```(?:json|tool_call)?\s*(.*?)\s*(?:```)?\Z", re.DOTALL)
_MARKERS = re.compile(r"</?tool_calls?>|</?tools>")
_OPENINGS = ("{", "[", "```", "<tool")


def force_tool_choice(body: Mapping[str, Any]) -> JSON:
    """The body with a required or named tool turned into a JSON schema that llama.cpp does enforce."""
    choice, tools = body.get("tool_choice"), _functions(body)
    named = choice.get("function", {}).get("name") if isinstance(choice, Mapping) else None
    if not tools or not (choice == "required" or named in tools):
        return dict(body)
    wanted = {named: tools[named]} if named in tools else tools
    calls = [
        {
            "type": "object",
            "properties": {"name": {"const": name}, "arguments": parameters},
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for name, parameters in wanted.items()
    ]
    schema = calls[0] if len(calls) == 1 else {"anyOf": calls}
    form = {"type": "json_schema", "json_schema": {"name": "tool_call", "strict": True, "schema": schema}}
    return {**body, "tool_choice": "none", "response_format": form}  # the tools stay in the prompt


async def recognise_calls(
    body: Mapping[str, Any], chunks: AsyncGenerator[JSON, None]
) -> AsyncGenerator[JSON, None]:
    """The chunks, in which text that is a call of one of the body's tools has become a tool call.

    Text is held back only while it may still turn out to be one, which its first characters tell.
    """
    tools = _functions(body)
    held: dict[int, list[JSON]] = {}
    passing: set[int] = set()
    async for chunk in chunks:
        choices: list[JSON] = list(chunk.get("choices") or ())
        index = int(choices[0].get("index") or 0) if len(choices) == 1 else -1
        if not tools or index < 0 or index in passing or "delta" not in choices[0]:
            yield chunk
            continue
        delta, finish = choices[0]["delta"], choices[0].get("finish_reason")
        if "tool_calls" in delta:
            passing.add(index)
        waiting = held.setdefault(index, [])
        if delta.get("content") or waiting:
            waiting.append(chunk)
        else:
            yield chunk
            continue
        text = _text(waiting)
        if finish is not None:
            for ready in _resolve(waiting, text, tools):
                yield ready
            held[index] = []
        elif index in passing or not _may_be_call(text):
            passing.add(index)
            for ready in waiting:
                yield ready
            held[index] = []
    for waiting in held.values():
        for ready in waiting:
            yield ready


def parse_calls(text: str, names: set[str] | frozenset[str]) -> list[tuple[str, JSON]]:
    """The calls that `text` consists of and of nothing else; empty when it is anything else.

    >>> parse_calls('```json\\n{"name": "f", "arguments": {"x": 1}}\\n```', {"f"})
    [('f', {'x': 1})]
    >>> parse_calls('Use {"name": "f", "arguments": {}}', {"f"})
    []
    """
    rest = _MARKERS.sub(" ", text).strip()
    fenced = _FENCE.match(rest)
    rest = fenced.group(1) if fenced else rest
    decoder, found = json.JSONDecoder(), []
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except ValueError:
            return []
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict) or set(item) != {"name", "arguments"}:
                return []
            if item["name"] not in names or not isinstance(item["arguments"], dict):
                return []
            found.append((item["name"], item["arguments"]))
        rest = rest[end:].lstrip(" \t\r\n,;")
    return found


def _functions(body: Mapping[str, Any]) -> dict[str, Any]:
    """Schemas of the tools' parameters by name; none when the caller wants no calls."""
    if body.get("tool_choice") == "none":
        return {}
    functions = [tool.get("function") for tool in body.get("tools") or () if isinstance(tool, Mapping)]
    return {
        str(function["name"]): function.get("parameters") or {"type": "object"}
        for function in functions
        if isinstance(function, Mapping) and "name" in function
    }


def _may_be_call(text: str) -> bool:
    start = text.lstrip()
    return any(start.startswith(opening) or opening.startswith(start) for opening in _OPENINGS)


def _text(chunks: list[JSON]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)


def _resolve(waiting: list[JSON], text: str, tools: Mapping[str, Any]) -> list[JSON]:
    """The held chunks as they are, or the calls that their text is."""
    calls = parse_calls(text, frozenset(tools))
    if not calls:
        return waiting
    last = waiting[-1]
    deltas: list[JSON] = [
        {
            "tool_calls": [
                {
                    "index": number,
                    "id": f"call_{secrets.token_hex(12)}",
                    "type": "function",
                    "function": {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)},
                }
            ]
        }
        for number, (name, arguments) in enumerate(calls)
    ]
    index = last["choices"][0].get("index", 0)
    made = [{"index": index, "delta": delta, "finish_reason": None} for delta in deltas]
    made.append({"index": index, "delta": {}, "finish_reason": "tool_calls"})
    beside = {key: value for key, value in last.items() if key not in ("choices", "usage", "timings")}
    return [{**beside, "choices": [choice]} for choice in made[:-1]] + [{**last, "choices": made[-1:]}]
