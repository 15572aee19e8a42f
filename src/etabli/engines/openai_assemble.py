"""Puts the chunks of a streamed answer together into the answer that would have come whole."""

from collections.abc import Iterable
from typing import Any

from etabli.engines.base import JSON

_TEXTS = ("content", "reasoning_content", "refusal")


def assemble(chunks: Iterable[JSON]) -> JSON:
    """The whole answer of `chunks`, of `/chat/completions` or `/completions`.

    Texts and tool-call arguments are joined, log probabilities appended; of what stands beside the choices
    (`usage`, `timings`…) the last word counts.
    """
    answer: JSON = {}
    choices: dict[int, JSON] = {}
    for chunk in chunks:
        answer.update({key: value for key, value in chunk.items() if key != "choices" and value is not None})
        for piece in chunk.get("choices") or ():
            _add(choices.setdefault(int(piece.get("index") or 0), {}), piece)
    kind = str(answer.get("object") or "")
    answer["object"] = kind.removesuffix(".chunk")
    answer["choices"] = [{"index": number, **_finished(choices[number])} for number in sorted(choices)]
    return answer


def _add(choice: JSON, piece: JSON) -> None:
    if piece.get("finish_reason") is not None:
        choice["finish_reason"] = piece["finish_reason"]
    if isinstance(piece.get("text"), str):
        choice["text"] = choice.get("text", "") + piece["text"]
    for name, items in (piece.get("logprobs") or {}).items():
        if isinstance(items, list):
            choice.setdefault("logprobs", {}).setdefault(name, []).extend(items)
    delta = piece.get("delta")
    if not isinstance(delta, dict):
        return
    message = choice.setdefault("message", {"role": "assistant", "content": None})
    for name, value in delta.items():
        if name in _TEXTS and value is not None:
            message[name] = (message.get(name) or "") + value
        elif name == "tool_calls":
            for call in value or ():
                _add_call(message.setdefault("tool_calls", {}), call)
        elif value is not None and name not in _TEXTS:
            message[name] = value


def _add_call(calls: dict[int, JSON], piece: JSON) -> None:
    call = calls.setdefault(int(piece.get("index") or 0), {"id": "", "type": "function", "function": {}})
    function: dict[str, Any] = piece.get("function") or {}
    call["id"] = piece.get("id") or call["id"]
    call["function"]["name"] = function.get("name") or call["function"].get("name", "")
    call["function"]["arguments"] = call["function"].get("arguments", "") + (function.get("arguments") or "")


def _finished(choice: JSON) -> JSON:
    calls = choice.get("message", {}).get("tool_calls")
    if calls is not None:
        choice["message"]["tool_calls"] = [calls[number] for number in sorted(calls)]
    return {"finish_reason": None, **choice}
