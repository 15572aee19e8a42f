"""One row of training data, in the shapes of OpenAI's API, as trainers read it: checked, so without excuses.

    supervised  {"messages": [...]}                             `weight: 0` on an assistant's message: not trained
    dpo         {"input": {"messages": [...]}, "preferred_output": [...], "non_preferred_output": [...]}
    kto         {"prompt": [...], "completion": [...], "label": true}   what thumbs up and down give

Files of people are read by `etabli.training.data.importers` and judged by `etabli.training.data.checks`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etabli.training.base import Method

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: `system`, `user`, `assistant` or `tool`.
        content: its text; empty where an assistant only calls tools.
        trained: whether the model learns to write it; only ever true of an assistant's.
        tool_calls: as OpenAI writes them; empty for none.
        tool_call_id: of a tool's message.
    """

    role: str
    content: str
    trained: bool = False
    tool_calls: tuple[JSON, ...] = ()
    tool_call_id: str | None = None

    def to_json(self) -> JSON:
        """As chat templates read it."""
        value: JSON = {"role": self.role, "content": self.content}
        if self.tool_calls:
            value["tool_calls"] = list(self.tool_calls)
        if self.tool_call_id is not None:
            value["tool_call_id"] = self.tool_call_id
        return value


@dataclass(frozen=True, slots=True)
class Row:
    """One example.

    Attributes:
        messages: supervised: the conversation; else what comes before the answers.
        chosen: dpo: the preferred answer; kto: the judged one; None for supervised.
        rejected: dpo: the other answer.
        label: kto: whether the answer was good.
        tools: functions that the conversation may call.
    """

    messages: tuple[Message, ...]
    chosen: Message | None = None
    rejected: Message | None = None
    label: bool | None = None
    tools: tuple[JSON, ...] = ()


def read_rows(path: Path, method: Method) -> Iterator[Row]:
    """The rows of a checked file, in order."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield row_of(json.loads(line), method)


def row_of(value: JSON, method: Method) -> Row:
    """A row from its JSON, which must have been checked: a wrong one raises KeyError or TypeError."""
    tools = tuple(value.get("tools") or ())
    if method == "supervised":
        messages = tuple(
            _message(one, trained=one["role"] == "assistant" and one.get("weight", 1) != 0)
            for one in value["messages"]
        )
        return Row(messages, tools=tools)
    if method == "dpo":
        source = value["input"]
        return Row(
            tuple(_message(one) for one in source["messages"]),
            chosen=_message(value["preferred_output"][-1], trained=True),
            rejected=_message(value["non_preferred_output"][-1], trained=True),
            tools=tuple(source.get("tools") or tools),
        )
    return Row(
        tuple(_message(one) for one in value["prompt"]),
        chosen=_message(value["completion"][-1], trained=True),
        label=value["label"],
        tools=tools,
    )


def _message(value: JSON, *, trained: bool = False) -> Message:
    return Message(
        value["role"],
        value.get("content") or "",
        trained=trained,
        tool_calls=tuple(value.get("tool_calls") or ()),
        tool_call_id=value.get("tool_call_id"),
    )
