"""Rows of the field's formats as rows that training reads, one by one; what cannot be converted says why.

Pure: no files. What a row does not say is not invented, except ids of tool calls, which only link a call to its
result.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from etabli.messages import tr
from etabli.training.data.findings import JSON, shown
from etabli.training.data.formats import Format, format_label

_SHAREGPT_ROLES = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant",
    "model": "assistant", "bot": "assistant", "system": "system", "observation": "tool", "tool": "tool",
    "tool_response": "tool", "function_response": "tool", "function_call": "call", "tool_call": "call",
}  # fmt: skip


class NotConvertible(ValueError):
    """A row that has not the shape of its format. The message says what was found."""


def convert(value: JSON, source: Format) -> JSON:
    """A row in the shape that training reads.

    Args:
        value: the row.
        source: its format.

    Raises:
        NotConvertible: it does not have that format.
    """
    if source == "text":
        raise NotConvertible(
            tr(
                "{format}: there is no answer to learn from. Write conversations.",
                format=format_label(source),
            )
        )
    return _BY_FORMAT[source](value)


def _as_it_is(value: JSON) -> JSON:
    return value


def _mistral(value: JSON) -> JSON:
    """Mistral's tool calls have no type and may have no id; results name the function."""
    messages = _list(value, "messages")
    return {**_tools(value), "messages": _linked([_object(one) for one in messages])}


def _sharegpt(value: JSON) -> JSON:
    messages: list[JSON] = []
    if isinstance(value.get("system"), str) and value["system"].strip():
        messages.append({"role": "system", "content": value["system"]})
    for turn in map(_object, _list(value, "conversations")):
        who = turn.get("from", turn.get("role"))
        role = _SHAREGPT_ROLES.get(who.strip().lower()) if isinstance(who, str) else None
        if role is None:
            raise NotConvertible(
                tr("the speaker {found}; allowed are {allowed}",
                   found=shown(who), allowed=", ".join(_SHAREGPT_ROLES))
            )  # fmt: skip
        text = turn.get("value", turn.get("content"))
        if not isinstance(text, str):
            raise NotConvertible(tr("no text under {key}: {found}", key="value", found=shown(turn)))
        message: JSON = {"role": role, "content": text}
        if role == "call":
            message = {"role": "assistant", "content": None, "tool_calls": [_call(text)]}
        if role == "assistant" and "weight" in turn:
            message["weight"] = turn["weight"]
        messages.append(message)
    return {**_tools(value), "messages": _linked(messages)}


def _alpaca(value: JSON) -> JSON:
    """instruction, input, output; `history` is a list of pairs, `system` a text."""
    messages: list[JSON] = []
    if value.get("system"):
        messages.append({"role": "system", "content": _text(value, "system")})
    for pair in value.get("history") or ():
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(one, str) for one in pair):
            raise NotConvertible(tr("no pair of question and answer in history: {found}", found=shown(pair)))
        messages += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
    given = _text(value, "input") if value.get("input") else ""
    question = "\n\n".join(part for part in (_text(value, "instruction"), given) if part)
    messages += [
        {"role": "user", "content": question},
        {"role": "assistant", "content": _text(value, "output")},
    ]
    return {"messages": messages}


def _prompt_completion(value: JSON) -> JSON:
    prompt, completion = _messages(value, "prompt", "user"), _messages(value, "completion", "assistant")
    # Of a conversation only the completion is learned, as TRL does.
    held = [{**one, "weight": 0} if one.get("role") == "assistant" else one for one in prompt]
    return {**_tools(value), "messages": [*held, *completion]}


def _trl(value: JSON) -> JSON:
    """prompt, chosen, rejected; without prompt the two conversations have it as their common beginning."""
    chosen, rejected = _messages(value, "chosen", "assistant"), _messages(value, "rejected", "assistant")
    if "prompt" in value:
        prompt = _messages(value, "prompt", "user")
        if len(chosen) > 1 and chosen[: len(prompt)] == prompt == rejected[: len(prompt)]:
            chosen, rejected = chosen[len(prompt) :], rejected[len(prompt) :]
    else:
        shared = 0
        while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
            shared += 1
        prompt, chosen, rejected = chosen[:shared], chosen[shared:], rejected[shared:]
        if not prompt:
            raise NotConvertible(tr("no prompt: the two answers begin differently"))
    return {
        "input": {**_tools(value), "messages": prompt},
        "preferred_output": chosen,
        "non_preferred_output": rejected,
    }


def _kto(value: JSON) -> JSON:
    if "label" not in value:
        raise NotConvertible(tr("no {key}: {found}", key="label", found=shown(value)))
    return {
        **_tools(value),
        "prompt": _messages(value, "prompt", "user"),
        "completion": _messages(value, "completion", "assistant"),
        "label": value["label"],
    }


_BY_FORMAT: dict[Format, Callable[[JSON], JSON]] = {
    "openai": _as_it_is, "openai_dpo": _as_it_is, "kto": _kto, "kto_text": _kto, "sharegpt": _sharegpt,
    "alpaca": _alpaca, "mistral": _mistral, "prompt_completion": _prompt_completion, "trl": _trl,
}  # fmt: skip


def _object(value: Any) -> JSON:
    if not isinstance(value, dict):
        raise NotConvertible(tr("no message: {found}", found=shown(value)))
    return value


def _list(value: JSON, name: str) -> list[Any]:
    found = value.get(name)
    if not isinstance(found, list) or not found:
        raise NotConvertible(tr("no list under {key}: {found}", key=name, found=shown(found)))
    return found


def _text(value: JSON, name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise NotConvertible(tr("no text under {key}: {found}", key=name, found=shown(found)))
    return found


def _messages(value: JSON, name: str, role: str) -> list[JSON]:
    """A text as one message, or the messages that are there."""
    found = value.get(name)
    if isinstance(found, str):
        return [{"role": role, "content": found}]
    return [_object(one) for one in _list(value, name)]


def _tools(value: JSON) -> JSON:
    """Declared functions; some formats write them as a text."""
    found = value.get("tools")
    if isinstance(found, str) and found.strip():
        try:
            found = json.loads(found)
        except (ValueError, RecursionError):
            raise NotConvertible(tr("the tools are no JSON: {found}", found=shown(found))) from None
    if not found:
        return {}
    if not isinstance(found, list):
        raise NotConvertible(tr("no list under {key}: {found}", key="tools", found=shown(found)))
    wrapped = [
        {"type": "function", "function": one} if isinstance(one, dict) and "function" not in one else one
        for one in found
    ]
    return {"tools": wrapped}


def _call(text: str) -> JSON:
    """A call that is written as JSON: its name and its arguments."""
    try:
        said = json.loads(text)
        name, arguments = said["name"], said.get("arguments", said.get("parameters", {}))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise NotConvertible(tr("no call of a function: {found}", found=shown(text))) from None
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


def _linked(messages: Sequence[JSON]) -> list[JSON]:
    """The messages with a type and an id for each call, and with each result naming the call that it answers."""
    linked: list[JSON] = []
    waiting: list[str] = []
    count = 0
    for message in messages:
        calls = message.get("tool_calls")
        if isinstance(calls, list) and calls:
            made: list[JSON] = []
            names: list[str] = []
            for call in map(_object, calls):
                count += 1
                given = call.get("id")
                name = given if isinstance(given, str) and given not in ("", "null") else f"call_{count}"
                names.append(name)
                function = _object(call.get("function"))
                arguments = function.get("arguments", {})
                if isinstance(arguments, dict):
                    arguments = json.dumps(arguments, ensure_ascii=False)
                made.append(
                    {"id": name, "type": "function", "function": {**function, "arguments": arguments}}
                )
            waiting = list(names)
            message = {**message, "tool_calls": made}
        elif message.get("role") == "tool":
            given = message.get("tool_call_id")
            name = (
                given
                if isinstance(given, str) and given in waiting
                else (waiting[0] if waiting else "call_0")
            )
            waiting = [one for one in waiting if one != name]
            message = {key: one for key, one in message.items() if key != "name"} | {"tool_call_id": name}
        linked.append(message)
    return linked
