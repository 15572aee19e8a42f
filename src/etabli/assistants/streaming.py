"""Reading an engine's stream: text and tool calls as they come, what closed it, what it counted."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from etabli.assistants.answer import FinishReason, Progress, ToolCallDelta
from etabli.engines.base import JSON, ChatEngine

_FINISH: tuple[FinishReason, ...] = ("stop", "length", "tool_calls", "content_filter")


@dataclass
class Reading:
    """What is known of a stream so far.

    Attributes:
        finish_reason: as the engine said; `stop` until it does.
        usage: tokens, as the engine counted them; None where it did not.
        calls: tool calls, put together from their pieces.
        first_token: `time.perf_counter()` at the first text or tool call; None before.
    """

    finish_reason: FinishReason = "stop"
    usage: JSON | None = None
    calls: dict[int, JSON] = field(default_factory=dict)
    first_token: float | None = None

    @property
    def tool_calls(self) -> tuple[JSON, ...]:
        """Whole tool calls, in order, as a message holds them."""
        return tuple(self.calls[index] for index in sorted(self.calls))


async def read_stream(
    engine: ChatEngine, body: Mapping[str, Any], reading: Reading
) -> AsyncGenerator[str | Progress | ToolCallDelta, None]:
    """Text and tool calls of the first choice. Closing it closes the engine's stream.

    An engine with a true `reports_progress` is asked how far it has read the prompt, as llama.cpp can tell
    (`return_progress`, tools/server/README.md); others are not sent what they may not know.

    Raises: as `ChatEngine.stream`.
    """
    if getattr(engine, "reports_progress", False):
        body = {**body, "return_progress": True}
    chunks = cast(AsyncGenerator[JSON, None], engine.stream(body))
    async with aclosing(chunks):
        async for chunk in cast(AsyncIterator[JSON], chunks):
            reading.usage = chunk.get("usage") or reading.usage
            if (progress := _progress(chunk.get("prompt_progress"))) is not None:
                yield progress
            for choice in chunk.get("choices") or ():
                if choice.get("index", 0) != 0:
                    continue
                delta = choice.get("delta") or {}
                if delta.get("content") or delta.get("tool_calls"):
                    reading.first_token = reading.first_token or time.perf_counter()
                if delta.get("content"):
                    yield str(delta["content"])
                if delta.get("tool_calls"):
                    _collect(reading.calls, delta["tool_calls"])
                    yield ToolCallDelta(delta["tool_calls"])
                if choice.get("finish_reason") in _FINISH:
                    reading.finish_reason = choice["finish_reason"]


def _progress(told: object) -> Progress | None:
    """What the engine says of its reading; None when it says nothing of use."""
    if not isinstance(told, Mapping):
        return None
    total, done, cached = (int(told.get(name) or 0) for name in ("total", "processed", "cache"))
    if total <= 0:
        return None
    fraction = (done - cached) / (total - cached) if total > cached else 1.0
    return Progress(min(1.0, max(0.0, fraction)), done, total)


def _collect(calls: dict[int, JSON], pieces: list[JSON]) -> None:
    """Put pieces of tool calls together: names and arguments grow, the rest is set once."""
    for piece in pieces:
        call = calls.setdefault(
            int(piece.get("index", 0)),
            {"id": "", "type": "function", "function": {"name": "", "arguments": ""}},
        )
        call["id"] = piece.get("id") or call["id"]
        function = piece.get("function") or {}
        call["function"]["name"] += function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""
