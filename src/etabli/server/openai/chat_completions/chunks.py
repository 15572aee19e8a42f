"""The events of one answer as the chunks of OpenAI's stream."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from etabli.assistants.answer import Answer, Event, Stage, TextDelta, ToolCallDelta
from etabli.server.openai.chat_completions.annotations import annotations
from etabli.server.openai.chat_completions.protocol import ChatCompletionRequest, EtabliOptions
from etabli.server.openai.payloads import JSON, encode
from etabli.server.openai.tool_calls import ToolCallDeltas


class ChunkWriter:
    """Writes the chunks of one stream: what they have in common, and the usage as the client wants it.

    Args:
        request: what was asked.
        completion_id: `chatcmpl-…`, the same in all chunks.
        created: Unix time in seconds, the same in all chunks.
    """

    def __init__(self, request: ChatCompletionRequest, *, completion_id: str, created: int) -> None:
        self._envelope: JSON = {
            "id": completion_id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": request.model,
        }
        self._include_usage = request.include_usage

    def chunk(
        self,
        index: int,
        delta: Mapping[str, Any],
        *,
        finish_reason: str | None = None,
        etabli: JSON | None = None,
    ) -> bytes:
        """A chunk with a piece of answer `index`."""
        chunk: JSON = {
            **self._envelope,
            "choices": [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}],
        }
        if self._include_usage:
            chunk["usage"] = None
        if etabli is not None:
            chunk["etabli"] = etabli
        return encode(chunk)

    def usage(self, usage: Mapping[str, Any] | None) -> Iterator[bytes]:
        """The last chunk, when it was asked for and the engine counted."""
        if self._include_usage and usage is not None:
            yield encode({**self._envelope, "choices": [], "usage": usage})


class ChoiceWriter:
    """Turns the events of one answer into chunks.

    Args:
        writer: of the stream.
        index: of the answer among `n`.
        options: what to show of how it comes about.
    """

    def __init__(self, writer: ChunkWriter, index: int, options: EtabliOptions) -> None:
        self._writer = writer
        self._index = index
        self._options = options
        self._tool_calls = ToolCallDeltas()
        self._started = False
        self._sent = 0

    def write(self, event: Event) -> Iterator[bytes]:
        """The chunks for one event: none, one or several."""
        match event:
            case Stage():
                if self._options.stages:
                    yield from self._start()
                    yield self._writer.chunk(self._index, {}, etabli={"stage": stage_value(event)})
            case TextDelta(text):
                self._sent += len(text)
                yield from self._start()
                yield self._writer.chunk(self._index, {"content": text})
            case ToolCallDelta(tool_calls):
                yield from self._start()
                yield self._writer.chunk(self._index, {"tool_calls": self._tool_calls.shape(tool_calls)})
            case Answer():
                yield from self._finish(event)

    def _start(self) -> Iterator[bytes]:
        if not self._started:
            self._started = True
            yield self._writer.chunk(self._index, {"role": "assistant", "content": ""})

    def _finish(self, answer: Answer) -> Iterator[bytes]:
        yield from self._start()
        rest = answer.text[self._sent :]  # an answer that was not streamed, such as a refusal
        if rest:
            yield self._writer.chunk(self._index, {"content": rest})
        if answer.citations:
            yield self._writer.chunk(self._index, {"annotations": annotations(answer.citations)})
        etabli = answer_details(answer) if self._options.trace else None
        yield self._writer.chunk(self._index, {}, finish_reason=answer.finish_reason, etabli=etabli)


def stage_value(stage: Stage) -> JSON:
    """A stage for the wire."""
    return {"name": stage.name, "detail": stage.detail}


def answer_details(answer: Answer) -> JSON:
    """How an answer came about, for the wire."""
    return {
        "abstained": answer.abstained,
        "guarded": answer.guarded,
        "written_by": answer.written_by,
        "trace": asdict(answer.trace),
    }
