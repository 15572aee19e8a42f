"""The engine's own stream, handed on at the least cost.

Almost every payload goes from the engine to the client as the bytes it is: nothing is parsed. Only these are
opened: the first (it must carry the role), those with tool calls (`tool_calls.py`), and those with a usage.

With `stream_options.include_usage` the chunks carry `usage: null` and exactly one extra last chunk has
`choices: []` and the counts; without it no chunk has a usage. Clients break on anything else (llama.cpp PR #15444,
opencode#42918).
"""

import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Protocol, runtime_checkable

from etabli.engines.base import ChatEngine
from etabli.server.openai.merging import merge
from etabli.server.openai.payloads import JSON, add_usage, encode, new_id
from etabli.server.openai.tool_calls import ToolCallDeltas, whole_tool_calls


@runtime_checkable
class _GivesBytes(Protocol):
    """An engine that can give the payloads of its stream unparsed."""

    def stream_raw(self, body: Mapping[str, Any], *, path: str) -> AsyncGenerator[bytes, None]: ...


def engine_payloads(engine: ChatEngine, body: Mapping[str, Any], *, path: str) -> AsyncGenerator[bytes, None]:
    """The payloads of the engine's stream, as bytes."""
    return (
        engine.stream_raw(body, path=path)
        if isinstance(engine, _GivesBytes)
        else _encoded(engine, body, path)
    )


async def _encoded(engine: ChatEngine, body: Mapping[str, Any], path: str) -> AsyncGenerator[bytes, None]:
    stream = engine.stream(body, path=path)
    assert isinstance(stream, AsyncGenerator)
    async with aclosing(stream) as chunks:
        async for chunk in chunks:
            yield encode(chunk)


async def pass_on(
    engine: ChatEngine, body: Mapping[str, Any], *, path: str, include_usage: bool
) -> AsyncGenerator[bytes, None]:
    """Stream the engine's answer to `body`.

    Args:
        engine: the engine.
        body: the request; `stream_options` are set here.
        path: the engine's endpoint below `/v1`.
        include_usage: whether the client asked for the last chunk with the counts.

    Raises: as `ChatEngine.stream`.
    """
    if include_usage:
        body = {**body, "stream_options": {"include_usage": True}}
    tidy = ChunkTidier(include_usage=include_usage, has_role=path == "/chat/completions")
    async with aclosing(engine_payloads(engine, body, path=path)) as payloads:
        async for payload in payloads:
            if tidy.is_plain(payload):
                yield payload[:-1] + b',"usage":null}' if include_usage else payload
            elif (shaped := tidy.shape(payload)) is not None:
                yield encode(shaped)
    last = tidy.usage_chunk()
    if last is not None:
        yield encode(last)


async def together(
    streams: list[AsyncGenerator[bytes, None]], *, prefix: str, same_prompt: bool
) -> AsyncGenerator[bytes, None]:
    """Several streams of `pass_on` as one: one identifier, an index each, and the counts together at the end.

    Args:
        streams: one for each answer.
        prefix: of the identifier.
        same_prompt: as in `add_usage`.
    """
    envelope: JSON = {"id": new_id(prefix), "created": int(time.time())}
    usages: list[JSON] = []
    last: JSON = {}
    async with aclosing(merge(streams)) as merged:
        async for index, payload in merged:
            chunk = {**json.loads(payload), **envelope}
            if not chunk["choices"]:
                usages.append(chunk["usage"])
                last = chunk
                continue
            for choice in chunk["choices"]:
                choice["index"] = index
            yield encode(chunk)
    if usages:
        yield encode({**last, "usage": add_usage(usages, same_prompt=same_prompt)})


class ChunkTidier:
    """Brings the chunks of one engine stream into OpenAI's form.

    Args:
        include_usage: whether the chunks carry a usage.
        has_role: whether the first delta carries `role`.
    """

    def __init__(self, *, include_usage: bool, has_role: bool) -> None:
        self._include_usage = include_usage
        self._needs_role = has_role
        self._tool_calls: dict[int, ToolCallDeltas] = {}
        self._envelope: JSON = {}
        self._usage: JSON | None = None

    def is_plain(self, payload: bytes) -> bool:
        """Whether a payload can go on as it is. Within strings a quote is escaped, so the test is safe."""
        return (
            not self._needs_role
            and b'"usage"' not in payload
            and b'"tool_calls"' not in payload
            and payload.endswith(b"}")
        )

    def shape(self, payload: bytes) -> JSON | None:
        """The chunk in form; None for one that must not be sent, or not yet."""
        chunk: JSON = json.loads(payload)
        self._envelope = {key: chunk.get(key) for key in ("id", "object", "created", "model")}
        usage = chunk.pop("usage", None)
        if usage:
            self._usage = usage
        choices = chunk.get("choices") or []
        if not choices:
            return None
        for choice in choices:
            delta = choice.get("delta")
            if isinstance(delta, dict):
                self._shape_delta(delta, int(choice.get("index") or 0))
        if self._include_usage:
            chunk["usage"] = None
        return chunk

    def usage_chunk(self) -> JSON | None:
        """The last chunk; None when it was not asked for or the engine did not count."""
        if not self._include_usage or self._usage is None:
            return None
        return {**self._envelope, "choices": [], "usage": self._usage}

    def _shape_delta(self, delta: JSON, index: int) -> None:
        if self._needs_role:
            delta.setdefault("role", "assistant")
            self._needs_role = False
        if "tool_calls" in delta:
            calls = delta.pop("tool_calls")
            if calls:
                delta["tool_calls"] = self._tool_calls.setdefault(index, ToolCallDeltas()).shape(calls)


def tidy_answer(answer: JSON) -> JSON:
    """A whole answer of an engine with well-formed tool calls; changes it in place."""
    for choice in answer.get("choices") or ():
        message = choice.get("message")
        if isinstance(message, dict) and message.get("tool_calls"):
            message["tool_calls"] = whole_tool_calls(message["tool_calls"])
    return answer
