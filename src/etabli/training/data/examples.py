"""One example: whether its shape is that of its method, as far as it can be seen without the other examples.

What is wrong is told with the mended example beside it, where every error of it could be mended without guessing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from etabli.training.base import Method
from etabli.training.data.findings import JSON, Fault, shown
from etabli.training.data.messages import check_messages, check_tools, undeclared
from etabli.training.data.parsing import json_type

_KEYS: dict[Method, frozenset[str]] = {
    "supervised": frozenset("messages tools parallel_tool_calls".split()),
    "dpo": frozenset("input preferred_output non_preferred_output".split()),
    "kto": frozenset("prompt completion label tools".split()),
}
_INPUT_KEYS = frozenset("messages tools parallel_tool_calls".split())
_LABELS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Examined:
    """An example as it was found.

    Args:
        value: the example, mended where it had to be; None when it cannot be trained on as it is.
        changed: `value` is not what the file says.
        faults: everything that is wrong.
    """

    value: JSON | None
    changed: bool
    faults: tuple[Fault, ...]


def examine(value: JSON, method: Method) -> Examined:
    """Judge one example.

    Args:
        value: an object of the file.
        method: what the file is for.
    """
    faults: list[Fault] = []
    examined = _BY_METHOD[method](value, faults.append)
    for name in sorted(value.keys() - _KEYS[method]):
        faults.append(Fault("example_unrecognized_key", {"key": shown(name, most=40)}))
    changed = examined is not None and any(fault.mended for fault in faults)
    return Examined(examined, changed, tuple(faults))


def _supervised(value: JSON, note: Callable[[Fault], None]) -> JSON | None:
    messages = _message_list(value, "messages", "messages", note)
    tools = _tools(value, "tools", note)
    if messages is None or tools is None:
        return None
    roles = [one["role"] for one in messages]
    if "assistant" not in roles:
        note(Fault("example_missing_assistant_message", {"roles": shown(", ".join(roles))}, "messages"))
        return None
    if roles[-1] != "assistant":
        # What comes after the last answer is never trained: without it the same is learned.
        note(
            Fault("last_role_not_assistant", {"role": roles[-1]}, f"messages[{len(roles) - 1}]", mended=True)
        )
        messages = messages[: len(roles) - roles[::-1].index("assistant")]
        roles = roles[: len(messages)]
    good = _something_is_learned(messages, note)
    _order(roles, "messages", note)
    _declared(messages, tools, note)
    return {**value, "messages": messages} if good else None


def _dpo(value: JSON, note: Callable[[Fault], None]) -> JSON | None:
    missing = [name for name in ("input", "preferred_output", "non_preferred_output") if name not in value]
    if missing:
        note(_missing_key(value, missing[0]))
        return None
    source = value["input"]
    if not isinstance(source, dict):
        note(Fault("data_type", {"found": shown(source), "type": json_type(source)}, "input"))
        return None
    for name in sorted(source.keys() - _INPUT_KEYS):
        note(Fault("example_unrecognized_key", {"key": shown(name, most=40)}, "input"))
    messages = _prompt(source, "messages", "input.messages", note)
    tools = _tools(source, "input.tools", note)
    chosen = _answer(value, "preferred_output", note)
    rejected = _answer(value, "non_preferred_output", note)
    if messages is None or tools is None or chosen is None or rejected is None:
        return None
    if _same(chosen[0], rejected[0]):
        note(Fault("chosen_equals_rejected", {"text": shown(chosen[0].get("content"))}))
        return None
    return {
        **value,
        "input": {**source, "messages": messages},
        "preferred_output": chosen,
        "non_preferred_output": rejected,
    }


def _kto(value: JSON, note: Callable[[Fault], None]) -> JSON | None:
    missing = [name for name in ("prompt", "completion", "label") if name not in value]
    if missing:
        note(_missing_key(value, missing[0]))
        return None
    label = value["label"]
    if not isinstance(label, bool):
        told = _LABELS.get(label.strip().lower()) if isinstance(label, str) else None
        if isinstance(label, int | float) and label in (0, 1):
            told = bool(label)
        note(Fault("label_not_boolean", {"found": shown(label, most=40), "type": json_type(label)}, "label",
                   mended=told is not None))  # fmt: skip
        label = told
    messages = _prompt(value, "prompt", "prompt", note)
    tools = _tools(value, "tools", note)
    completion = _answer(value, "completion", note)
    if messages is None or tools is None or completion is None or label is None:
        return None
    return {**value, "prompt": messages, "completion": completion, "label": label}


_BY_METHOD: dict[Method, Callable[[JSON, Callable[[Fault], None]], JSON | None]] = {
    "supervised": _supervised,
    "dpo": _dpo,
    "kto": _kto,
}


def _missing_key(value: JSON, name: str) -> Fault:
    return Fault("missing_preference_key", {"key": name, "found": shown(value)})


def _message_list(value: JSON, name: str, place: str, note: Callable[[Fault], None]) -> list[JSON] | None:
    found = value.get(name)
    if not isinstance(found, list) or not found:
        told = shown(value) if name not in value else shown(found)
        note(Fault("missing_messages_list", {"key": name, "found": told}, place))
        return None
    return check_messages(found, place, note)


def _prompt(value: JSON, name: str, place: str, note: Callable[[Fault], None]) -> list[JSON] | None:
    """What comes before an answer: it ends with what is answered."""
    messages = _message_list(value, name, place, note)
    if messages is None:
        return None
    if messages[-1]["role"] not in ("user", "tool"):
        note(Fault("prompt_last_role", {"role": messages[-1]["role"]}, f"{place}[{len(messages) - 1}]"))
        return None
    _order([one["role"] for one in messages], place, note)
    return messages


def _answer(value: JSON, name: str, note: Callable[[Fault], None]) -> list[JSON] | None:
    """One message of the assistant."""
    found = value[name]
    roles = (
        [str(one.get("role")) if isinstance(one, dict) else "?" for one in found]
        if isinstance(found, list)
        else []
    )
    if len(roles) != 1:
        told = shown(", ".join(roles)) if roles else shown(found)
        note(Fault("output_not_one_answer", {"found": told}, name))
        return None
    messages = check_messages(found, name, note)
    if messages is not None and messages[0]["role"] != "assistant":
        note(Fault("output_not_one_answer", {"found": messages[0]["role"]}, name))
        return None
    return messages


def _tools(value: JSON, place: str, note: Callable[[Fault], None]) -> list[JSON] | None:
    found = value.get("tools")
    return [] if found is None else check_tools(found, place, note)


def _something_is_learned(messages: list[JSON], note: Callable[[Fault], None]) -> bool:
    trained = [one["role"] == "assistant" and one.get("weight", 1) != 0 for one in messages]
    if not any(trained):
        note(Fault("nothing_trained", {"answers": sum(one["role"] == "assistant" for one in messages)}))
        return False
    if all(trained):
        note(Fault("everything_trained", {"answers": len(messages)}))
        return False
    return True


def _order(roles: list[str], place: str, note: Callable[[Fault], None]) -> None:
    late = next((index for index, role in enumerate(roles) if role == "system" and index), None)
    if late is not None:
        note(Fault("system_not_first", {"position": late + 1}, f"{place}[{late}]"))
    for index in range(1, len(roles)):
        if roles[index] == roles[index - 1] and roles[index] in ("user", "assistant"):
            note(Fault("roles_do_not_alternate", {"role": roles[index]}, f"{place}[{index}]"))
            return


def _declared(messages: list[JSON], tools: list[JSON], note: Callable[[Fault], None]) -> None:
    for name in undeclared(messages, tools):
        note(Fault("tool_not_declared", {"name": shown(name, most=64)}, "tools"))


def _same(first: JSON, second: JSON) -> bool:
    """Two answers that no training can tell apart."""

    def key(message: JSON) -> tuple[str, Any]:
        return " ".join((message.get("content") or "").split()), message.get("tool_calls") or None

    return key(first) == key(second)
