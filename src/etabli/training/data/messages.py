"""One message of an example: its keys, role, content, weight and tool calls; mended where nothing has to be guessed.

Sources: OpenAI's API reference (chat messages), and the names that its cookbook gives to faults of fine-tuning data.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from etabli.training.data.findings import JSON, Fault, Value, shown
from etabli.training.data.parsing import json_type

ROLES = ("system", "user", "assistant", "tool")
KEYS = frozenset("role content name weight tool_calls tool_call_id".split())
_SAME_ROLE = {"developer": "system"}
"""OpenAI's newer name for the same thing."""
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_WEIGHTS: dict[str, int] = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}
Note = Callable[[Fault], None]


def check_messages(values: list[Any], place: str, note: Note) -> list[JSON] | None:
    """Messages as they should be; None when one of them cannot be used. What is wrong is told to `note`."""
    checked = [check_message(value, f"{place}[{index}]", note) for index, value in enumerate(values)]
    good = [one for one in checked if one is not None]
    if len(good) != len(values):
        return None
    return good if _calls_are_answered(good, place, note) else None


def check_message(value: Any, place: str, note: Note) -> JSON | None:
    """A message as it should be; None when it cannot be used. The value itself where nothing is wrong."""
    if not isinstance(value, dict):
        note(Fault("data_type", {"found": shown(value), "type": json_type(value)}, place))
        return None
    message: JSON = value
    unknown = value.keys() - KEYS
    if unknown:
        for name in sorted(unknown):
            note(Fault("message_unrecognized_key", {"key": shown(name, most=40)}, place, mended=True))
        message = {name: one for name, one in value.items() if name in KEYS}
    if "role" not in message:
        note(Fault("message_missing_key", {"key": "role", "found": shown(value)}, place))
        return None
    role = _role(message["role"], place, note)
    if role is None:
        return None
    changes: JSON = {} if role == message["role"] else {"role": role}
    good = _content(message, role, changes, place, note)
    good = _weight(message, role, changes, place, note) and good
    good = _calls(message, role, changes, place, note) and good
    if not good:
        return None
    mended = {**message, **changes} if changes else message
    if role != "assistant" and "weight" in mended:
        mended = {name: one for name, one in mended.items() if name != "weight"}
    return mended


def _role(found: Any, place: str, note: Note) -> str | None:
    if isinstance(found, str) and found in ROLES:
        return found
    allowed = ", ".join(ROLES)
    tidy = found.strip().lower() if isinstance(found, str) else ""
    role = _SAME_ROLE.get(tidy, tidy)
    mended = role in ROLES
    params: dict[str, Value] = {"found": shown(found, most=40), "allowed": allowed}
    note(Fault("unrecognized_role", params, f"{place}.role", mended=mended))
    return role if mended else None


def _content(message: JSON, role: str, changes: JSON, place: str, note: Note) -> bool:
    """Content is text; only an assistant that calls tools may have none."""
    content = message.get("content")
    calls = role == "assistant" and bool(message.get("tool_calls"))
    if content is None:
        if calls:
            return True
        if "content" not in message:
            note(Fault("message_missing_key", {"key": "content", "found": shown(message)}, place))
        else:
            note(Fault("missing_content", {"role": role, "found": "null"}, f"{place}.content"))
        return False
    if isinstance(content, list):
        text = _only_text(content)
        params: dict[str, Value] = {"found": _parts(content)}
        note(Fault("content_not_text", params, f"{place}.content", mended=text is not None))
        if text is None:
            return False
        content = changes["content"] = text
    if not isinstance(content, str):
        note(Fault("content_not_text", {"found": json_type(content)}, f"{place}.content"))
        return False
    if "\0" in content:
        note(Fault("nul_character", {"count": content.count("\0")}, f"{place}.content", mended=True))
        content = changes["content"] = content.replace("\0", "")
    if not content.isascii():
        try:
            content.encode()
        except UnicodeEncodeError as error:
            found = f"\\u{ord(content[error.start]):04x}"
            note(Fault("lone_surrogate", {"found": found, "at": error.start + 1}, f"{place}.content"))
            return False
    if not content.strip() and not calls and role != "tool":
        note(Fault("missing_content", {"role": role, "found": shown(f"“{content}”")}, f"{place}.content"))
        return False
    return True


def _only_text(parts: list[Any]) -> str | None:
    """The text of a content that has one part, of text."""
    if len(parts) != 1 or not isinstance(parts[0], dict) or parts[0].get("type", "text") != "text":
        return None
    text = parts[0].get("text")
    return text if isinstance(text, str) and parts[0].keys() <= {"type", "text"} else None


def _parts(parts: list[Any]) -> str:
    kinds = [str(one.get("type", "?")) if isinstance(one, dict) else "?" for one in parts[:6]]
    return shown(f"[{', '.join(kinds)}{', …' if len(parts) > 6 else ''}]")


def _weight(message: JSON, role: str, changes: JSON, place: str, note: Note) -> bool:
    """`weight` is 0 or 1, on an assistant's message."""
    if "weight" not in message:
        return True
    found = message["weight"]
    if role == "assistant" and type(found) is int and found in (0, 1):
        return True
    number = None
    if isinstance(found, bool | float) and found in (0, 1):
        number = int(found)
    elif isinstance(found, int) and role != "assistant" and found in (0, 1):
        number = found
    elif isinstance(found, str):
        number = _WEIGHTS.get(found.strip())
    # A weight of 0 on a question says what holds anyway; 1 asks for what no training does, and changes nothing.
    params: dict[str, Value] = {"found": shown(found, most=40), "role": role}
    note(Fault("invalid_weight", params, f"{place}.weight", mended=number is not None))
    if number is None:
        return False
    changes["weight"] = number
    return True


def _calls(message: JSON, role: str, changes: JSON, place: str, note: Note) -> bool:
    calls = message.get("tool_calls")
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        note(Fault("message_missing_key", {"key": "tool_call_id", "found": shown(message)}, place))
        return False
    if calls is None:
        return True
    where = f"{place}.tool_calls"
    if role != "assistant" or not isinstance(calls, list) or not calls:
        note(Fault("malformed_tool_call", {"found": shown(calls), "reason": "tool_calls"}, where))
        return False
    checked = [check_call(call, f"{where}[{index}]", note) for index, call in enumerate(calls)]
    if any(one is None for one in checked):
        return False
    if checked != calls:
        changes["tool_calls"] = checked
    return True


def check_call(call: Any, place: str, note: Note) -> JSON | None:
    """A tool call as it should be; arguments given as an object become their JSON, which they are meant to be."""

    def fault(reason: str, found: Any, *, mended: bool = False) -> None:
        note(Fault("malformed_tool_call", {"reason": reason, "found": shown(found)}, place, mended=mended))

    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        fault("function", call)
        return None
    if not isinstance(call.get("id"), str) or not call["id"]:
        fault("id", call.get("id"))
        return None
    name = function.get("name")
    if not isinstance(name, str) or not _FUNCTION_NAME.fullmatch(name):
        fault("function.name", name)
        return None
    arguments = function.get("arguments")
    checked: JSON = call
    if isinstance(arguments, dict):
        fault("function.arguments", arguments, mended=True)
        text = json.dumps(arguments, ensure_ascii=False)
        checked = {**call, "function": {**function, "arguments": text}}
    elif not _is_object(arguments):
        fault("function.arguments", arguments)
        return None
    if call.get("type") != "function":
        fault("type", call.get("type"), mended="type" not in call)
        if "type" in call:
            return None
        checked = {**checked, "type": "function"}
    return checked


def _is_object(text: Any) -> bool:
    if not isinstance(text, str):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _calls_are_answered(messages: list[JSON], place: str, note: Note) -> bool:
    """A tool's message answers a call that was made before it."""
    made: set[str] = set()
    good = True
    for index, message in enumerate(messages):
        made.update(call["id"] for call in message.get("tool_calls") or ())
        if message["role"] == "tool" and message["tool_call_id"] not in made:
            params: dict[str, Value] = {"id": shown(message["tool_call_id"], most=40)}
            note(Fault("tool_call_unmatched", params, f"{place}[{index}].tool_call_id"))
            good = False
    return good


def check_tools(tools: Any, place: str, note: Note) -> list[JSON] | None:
    """The declared functions; None when they cannot be used."""
    if not isinstance(tools, list):
        note(Fault("malformed_function", {"reason": "tools", "found": shown(tools)}, place))
        return None
    good = True
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        fault = None
        if not isinstance(tool, dict) or tool.get("type") != "function" or not isinstance(function, dict):
            fault = ("function", tool)
        elif not isinstance(name, str) or not _FUNCTION_NAME.fullmatch(name):
            fault = ("function.name", name)
        elif not isinstance(function.get("parameters", {}), dict):
            fault = ("function.parameters", function["parameters"])
        if fault is not None:
            good = False
            params: dict[str, Value] = {"reason": fault[0], "found": shown(fault[1])}
            note(Fault("malformed_function", params, f"{place}[{index}]"))
    return tools if good else None


def undeclared(messages: list[JSON], tools: list[JSON]) -> list[str]:
    """Names of functions that are called and not declared."""
    declared = {tool["function"]["name"] for tool in tools}
    called = [call["function"]["name"] for one in messages for call in one.get("tool_calls") or ()]
    return [name for name in dict.fromkeys(called) if name not in declared]
