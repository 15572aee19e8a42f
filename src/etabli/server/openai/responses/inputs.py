"""A request's input as stored items: checked, in one shape, with what cannot be read refused or left out."""

from collections.abc import Callable, Sequence
from typing import Any

from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.server.openai.payloads import JSON
from etabli.server.openai.responses.protocol import InputItem

_TEXTS = {"input_text", "output_text", "text", "summary_text"}
_LEFT_OUT = {"reasoning", "compaction", "file_search_call", "web_search_call", "image_generation_call"}
"""Items of earlier answers that clients send back and that no engine reads."""

FindItem = Callable[[str], JSON]
"""Gives a stored item by its identifier."""


def input_items(given: str | Sequence[InputItem], *, find: FindItem, images: bool) -> list[JSON]:
    """The items of a request's input, still without identifiers.

    Args:
        given: what the client sent.
        find: for references to stored items.
        images: whether the model takes pictures.

    Raises:
        InvalidInputError: something in it cannot be read.
        NotFoundError: it refers to an item that is not there.
    """
    if isinstance(given, str):
        return [_message("user", [{"type": "input_text", "text": given}])]
    items = []
    for number, item in enumerate(given):
        place = f"input.{number}"
        if item.type == "item_reference":
            found = find(item.id or "")
            if found["type"] not in _LEFT_OUT:
                items.append(found)
        elif item.type == "message":
            items.append(_read_message(item, place, images=images))
        elif item.type == "function_call":
            items.append(_call(item, place))
        elif item.type == "function_call_output":
            items.append(_call_output(item, place))
        elif item.type not in _LEFT_OUT:
            raise InvalidInputError(
                tr(
                    "An item of type “{type}” cannot be read. Send messages, function calls and their outputs.",
                    type=item.type[:40],
                ),
                param=f"{place}.type",
            )
    if not items:
        raise InvalidInputError(
            tr("The input is empty. Send a text, or at least one message."), param="input"
        )
    return items


def _read_message(item: InputItem, place: str, *, images: bool) -> JSON:
    if item.role is None:
        raise InvalidInputError(tr("“{param}” is missing.", param=f"{place}.role"), param=f"{place}.role")
    kind = "output_text" if item.role == "assistant" else "input_text"
    if isinstance(item.content, str) or item.content is None:
        return _message(item.role, [_text(kind, item.content or "")])
    parts = [
        _part(part, kind, f"{place}.content.{number}", images=images)
        for number, part in enumerate(item.content)
    ]
    return _message(item.role, parts)


def _message(role: str, content: list[JSON]) -> JSON:
    return {"type": "message", "role": role, "status": "completed", "content": content}


def _text(kind: str, text: str) -> JSON:
    return {"type": kind, "text": text} | ({"annotations": []} if kind == "output_text" else {})


def _part(part: dict[str, Any], kind: str, place: str, *, images: bool) -> JSON:
    name = str(part.get("type"))
    if name in _TEXTS and isinstance(part.get("text"), str):
        return _text(kind, part["text"])
    if name == "refusal" and isinstance(part.get("refusal"), str):
        return _text(kind, part["refusal"])
    if name == "input_image" and isinstance(part.get("image_url"), str):
        if images:
            return {"type": name, "image_url": part["image_url"], "detail": part.get("detail") or "auto"}
        raise InvalidInputError(
            tr("This model reads text only, and the message holds a picture. Send the text alone."),
            param=place,
        )
    raise InvalidInputError(
        tr("A part of type “{type}” cannot be read. Send parts of type input_text.", type=name[:40]),
        param=place,
    )


def _call(item: InputItem, place: str) -> JSON:
    if not item.call_id or not item.name:
        missing = f"{place}.{'name' if item.call_id else 'call_id'}"
        raise InvalidInputError(tr("“{param}” is missing.", param=missing), param=missing)
    return {
        "type": "function_call",
        "call_id": item.call_id,
        "name": item.name,
        "arguments": item.arguments or "",
        "status": "completed",
    }


def _call_output(item: InputItem, place: str) -> JSON:
    if not item.call_id:
        missing = f"{place}.call_id"
        raise InvalidInputError(tr("“{param}” is missing.", param=missing), param=missing)
    output = item.output if item.output is not None else ""
    if isinstance(output, list):
        output = "\n".join(str(part.get("text") or "") for part in output)
    return {"type": "function_call_output", "call_id": item.call_id, "output": output, "status": "completed"}
