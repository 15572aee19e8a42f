"""The engine's own model as something that answers, with the events that assistants give."""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from etabli.assistants.answer import Answer, Event, Stage, TextDelta, Trace
from etabli.assistants.conversation import text_of
from etabli.assistants.streaming import Reading, read_stream
from etabli.engines.base import ChatEngine
from etabli.server.openai.payloads import JSON


async def answer_directly(
    engine: ChatEngine, messages: Sequence[JSON], generation: Mapping[str, Any], *, model: str
) -> AsyncGenerator[Event, None]:
    """Answer with the engine's model alone. The last event is the `Answer`.

    Args:
        engine: the engine.
        messages: the conversation.
        generation: parameters of the request.
        model: the engine's, or one of its adapters.

    Raises: as `ChatEngine.stream`.
    """
    started = time.perf_counter()
    body = {
        "model": model,
        "messages": list(messages),
        **generation,
        "stream_options": {"include_usage": True},
    }
    reading = Reading()
    text: list[str] = []
    yield Stage("writing")
    async with aclosing(read_stream(engine, body, reading)) as pieces:
        async for piece in pieces:
            if isinstance(piece, str):
                text.append(piece)
                yield TextDelta(piece)
            else:
                yield piece
    total = (time.perf_counter() - started) * 1000
    times = {"writing": round(total, 1), "total": round(total, 1)}
    if reading.first_token is not None:
        times["first_token"] = round((reading.first_token - started) * 1000, 1)
    asked = [text_of(one.get("content")) for one in messages if one.get("role") == "user"]
    yield Answer(
        text="".join(text),
        citations=(),
        abstained=False,
        finish_reason=reading.finish_reason,
        usage=reading.usage,
        trace=Trace(asked[-1] if asked else "", False, {}, [], list(messages), times),
        tool_calls=reading.tool_calls,
    )
