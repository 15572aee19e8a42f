"""The items that a turn's input and output consist of, in the shape of OpenAI's Responses: identifiers and texts.

An item's identifier holds the key of its turn, so that it is found without searching.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

JSON = dict[str, Any]

_ITEM_ID = re.compile(r"^[a-z]{2,12}_([0-9a-f]{24})[0-9a-f]{4}$")
_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "file_search_call": "fs"}
_FIRST_OUTPUT = 0x8000
"""Output items are numbered from here, so that they never meet an input item."""
_TEXT_PARTS = ("input_text", "output_text", "text")


def new_key(prefix: str) -> str:
    """A key such as `resp_…`, with 96 random bits."""
    return f"{prefix}_{secrets.token_hex(12)}"


def item_id(kind: str, turn_key: str, number: int, *, output: bool) -> str:
    """The identifier of an item of a turn.

    Args:
        kind: its `type`.
        turn_key: `resp_…`.
        number: its place in the input or the output.
        output: whether it is of the output.
    """
    place = number + (_FIRST_OUTPUT if output else 0)
    return f"{_PREFIXES.get(kind, 'item')}_{turn_key.partition('_')[2]}{place:04x}"


def turn_key_of(identifier: str) -> str | None:
    """The key of the turn that an item belongs to; None for an identifier that we did not make.

    >>> turn_key_of("msg_" + "0" * 28)
    'resp_000000000000000000000000'
    """
    found = _ITEM_ID.match(identifier)
    return f"resp_{found.group(1)}" if found else None


def identified(items: Iterable[Mapping[str, Any]], turn_key: str, *, output: bool = False) -> list[JSON]:
    """The items with identifiers of this turn, whatever they had."""
    return [
        {"id": item_id(str(item.get("type")), turn_key, number, output=output)}
        | {key: value for key, value in item.items() if key != "id"}
        for number, item in enumerate(items)
    ]


def settled(items: Iterable[Mapping[str, Any]]) -> list[JSON]:
    """Items of an answer that nobody writes any more: what was in progress is incomplete."""
    return [
        {**item, "status": "incomplete"} if item.get("status") in ("in_progress", "searching") else dict(item)
        for item in items
    ]


def message_text(item: Mapping[str, Any]) -> str:
    """The text of a message."""
    content = item.get("content")
    if isinstance(content, str):
        return content
    return "\n".join(str(part.get("text") or "") for part in content or () if part.get("type") in _TEXT_PARTS)


def input_text(items: Sequence[Mapping[str, Any]]) -> str:
    """What the user said in a turn: its last user message."""
    said = [message_text(item) for item in items if item.get("role") == "user"]
    return said[-1] if said else ""


def output_text(items: Iterable[Mapping[str, Any]]) -> str:
    """What was answered in a turn."""
    return "\n\n".join(filter(None, (message_text(item) for item in items if item.get("type") == "message")))


def annotations_of(items: Iterable[Mapping[str, Any]]) -> Iterator[JSON]:
    """The citations of an answer, in order."""
    for item in items:
        if item.get("type") == "message":
            for part in item.get("content") or ():
                if isinstance(part, Mapping):
                    yield from part.get("annotations") or ()


def with_reasons(items: Iterable[Mapping[str, Any]], say: Callable[[Any], Any]) -> list[JSON]:
    """The items with the reasons of their citations said otherwise: as they are kept, or told again."""

    def in_part(part: Any) -> Any:
        found = part.get("annotations") if isinstance(part, Mapping) else None
        return {**part, "annotations": [in_annotation(one) for one in found]} if found else part

    def in_annotation(annotation: JSON) -> JSON:
        own = annotation.get("etabli")
        if not isinstance(own, Mapping) or own.get("reason") is None:
            return annotation
        return {**annotation, "etabli": {**own, "reason": say(own["reason"])}}

    return [
        {**item, "content": [in_part(part) for part in item["content"]]}
        if item.get("type") == "message" and isinstance(item.get("content"), list)
        else dict(item)
        for item in items
    ]


def grouped(items: Iterable[Mapping[str, Any]]) -> list[tuple[list[JSON], list[JSON]]]:
    """Items that were written elsewhere, as turns: what was asked, then what came back.

    >>> [(len(asked), len(said)) for asked, said in grouped([{"role": "user"}, {"role": "assistant"}] * 2)]
    [(1, 1), (1, 1)]
    """
    turns: list[tuple[list[JSON], list[JSON]]] = []
    for item in items:
        answered = item.get("role") == "assistant" or item.get("type") == "function_call"
        if not turns or (not answered and turns[-1][1]):
            turns.append(([], []))
        turns[-1][1 if answered else 0].append(dict(item))
    return turns
