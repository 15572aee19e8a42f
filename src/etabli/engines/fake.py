"""Engines without a model, for tests: of this product, and of what others build on it.

`FakeEngine` is a `ChatEngine` in the same process; `fake_app` speaks the HTTP form of it, so that real clients
can be tested over a real server. Replies are scripted; tokens are words.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from etabli.engines.base import JSON
from etabli.errors import ContextLengthError, EngineRequestError, EngineUnavailableError, EtabliError

CREATED = 1_700_000_000


@dataclass(frozen=True)
class ToolCalls:
    """A reply that calls tools.

    Attributes:
        calls: name and arguments of each.
    """

    calls: Sequence[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Failure:
    """A reply that goes wrong.

    Attributes:
        kind: `refuse` (400), `unavailable` (503), `context` (the prompt is too long), `die` (the connection is
            lost after `after` words).
        after: words given before it dies.
        text: the words.
    """

    kind: str
    after: int = 0
    text: str = "one two three four five six"


Content = str | Mapping[str, Any] | ToolCalls | Failure
Reply = Content | Callable[[Mapping[str, Any]], Content]


@dataclass
class FakeEngine:
    """Gives scripted replies in turn; the last one again and again. Without replies it echoes the question.

    Attributes:
        replies: texts; mappings, given as their JSON; `ToolCalls`; `Failure`; or functions of the body.
        model: its name.
        context_tokens: prompts with more words than this are refused.
        delay_s: pause before each chunk.
        bodies: what it was asked, in order.
        cancelled: how many streams were closed before their end.
    """

    replies: Sequence[Reply] = ()
    model: str = "fake"
    context_tokens: int = 4096
    delay_s: float = 0.0
    bodies: list[JSON] = field(default_factory=list)
    cancelled: int = 0
    _turn: int = 0

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> JSON:
        """The next reply as a whole answer. Raises what a `Failure` says."""
        content = self._next(body)
        if isinstance(content, Failure):
            raise _error(content)
        words, finish = _given(content, body), _finish(content, body)
        await asyncio.sleep(self.delay_s * len(words))
        text = "".join(words)
        if path == "/completions":
            choice: JSON = {"index": 0, "text": text, "finish_reason": finish}
        elif isinstance(content, ToolCalls):
            calls = [_call(number, *call) for number, call in enumerate(content.calls)]
            message = {"role": "assistant", "content": None, "tool_calls": calls}
            choice = {"index": 0, "message": message, "finish_reason": finish}
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        return self._envelope(path, choices=[choice], usage=self._usage(body, len(words)), chunk=False)

    async def stream(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[JSON, None]:
        """The next reply word by word, with a usage chunk where `stream_options.include_usage` asks for it."""
        content = self._next(body)
        if isinstance(content, Failure) and content.kind != "die":
            raise _error(content)
        finished = False
        try:
            async for choice in self._choices(content, body, path):
                yield self._envelope(path, choices=[choice], usage=None, chunk=True)
            if isinstance(content, Failure):
                finished = True
                raise _error(content)
            if (body.get("stream_options") or {}).get("include_usage"):
                yield self._envelope(
                    path, choices=[], usage=self._usage(body, len(_given(content, body))), chunk=True
                )
            finished = True
        finally:
            self.cancelled += not finished

    async def stream_raw(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[bytes, None]:
        """As `stream`, each chunk as its JSON."""
        async with aclosing(self.stream(body, path=path)) as chunks:
            async for chunk in chunks:
                yield json.dumps(chunk, ensure_ascii=False).encode()

    async def count_tokens(self, text: str) -> int:
        """Words are tokens."""
        return len(text.split())

    async def aclose(self) -> None:
        """Nothing to give back."""

    async def _choices(
        self, content: Content, body: Mapping[str, Any], path: str
    ) -> AsyncGenerator[JSON, None]:
        """The choices of the chunks: the role, each word or call, the end."""
        if path != "/completions":
            yield {"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}
        finish = _finish(content, body)
        pieces: Iterable[JSON]
        if isinstance(content, ToolCalls):
            pieces = _call_deltas(content)
        else:
            pieces = ({"content": word} for word in _given(content, body))
        for piece in pieces:
            await asyncio.sleep(self.delay_s)
            part: JSON = {"text": piece.get("content", "")} if path == "/completions" else {"delta": piece}
            yield {"index": 0, **part, "finish_reason": None}
        if not isinstance(content, Failure):
            part = {"text": ""} if path == "/completions" else {"delta": {}}
            yield {"index": 0, **part, "finish_reason": finish}

    def _next(self, body: Mapping[str, Any]) -> Content:
        self.bodies.append(dict(body))
        if _prompt_tokens(body) > self.context_tokens:
            raise _error(Failure("context"))
        if not self.replies:
            return _last_text(body)
        reply = self.replies[min(self._turn, len(self.replies) - 1)]
        self._turn += 1
        return reply(body) if callable(reply) else reply

    def _usage(self, body: Mapping[str, Any], completion: int) -> JSON:
        prompt = _prompt_tokens(body)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0},
        }

    def _envelope(self, path: str, *, choices: list[JSON], usage: JSON | None, chunk: bool) -> JSON:
        kind = (
            "text_completion" if path == "/completions" else "chat.completion" + (".chunk" if chunk else "")
        )
        answer: JSON = {
            "id": f"chatcmpl-fake{len(self.bodies)}",
            "object": kind,
            "created": CREATED,
            "model": self.model,
            "choices": choices,
        }
        return answer if usage is None else {**answer, "usage": usage}


def _error(failure: Failure) -> EtabliError:
    if failure.kind == "context":
        return ContextLengthError("The prompt is longer than the model's context.", param="messages")
    if failure.kind == "refuse":
        return EngineRequestError("The engine refused the request: scripted refusal")
    return EngineUnavailableError("The engine stopped in the middle of the answer. Try again in a moment.")


def _words(content: Content) -> list[str]:
    """The text in pieces that give it back when joined: each word with the space before it."""
    if isinstance(content, ToolCalls):
        return [""] * len(content.calls)
    text = content if isinstance(content, str) else ""
    if isinstance(content, Failure):
        text = content.text
    elif isinstance(content, Mapping):
        text = json.dumps(content, ensure_ascii=False)
    first, *others = text.split(" ")
    return [word for word in (first, *(f" {word}" for word in others)) if word]


def _given(content: Content, body: Mapping[str, Any]) -> list[str]:
    """The words that are sent: all, or as many as `max_tokens` or the failure allows."""
    return _words(content)[: content.after if isinstance(content, Failure) else _max_tokens(body)]


def _finish(content: Content, body: Mapping[str, Any]) -> str:
    if isinstance(content, ToolCalls):
        return "tool_calls"
    limit = _max_tokens(body)
    return "length" if limit is not None and len(_words(content)) > limit else "stop"


def _max_tokens(body: Mapping[str, Any]) -> int | None:
    return body.get("max_completion_tokens") or body.get("max_tokens")


def _call(number: int, name: str, arguments: Mapping[str, Any]) -> JSON:
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {"id": f"call_fake{number}", "type": "function", "function": function}


def _call_deltas(content: ToolCalls) -> Iterable[JSON]:
    """Tool calls as they stream: name first, then the arguments in two fragments."""
    for number, (name, arguments) in enumerate(content.calls):
        call = _call(number, name, arguments)
        text = call["function"]["arguments"]
        yield {"tool_calls": [{"index": number, **call, "function": {"name": name, "arguments": ""}}]}
        for fragment in (text[: len(text) // 2], text[len(text) // 2 :]):
            yield {"tool_calls": [{"index": number, "function": {"arguments": fragment}}]}


def _texts(body: Mapping[str, Any]) -> list[str]:
    if "messages" not in body:
        return [str(body.get("prompt", ""))]
    texts = []
    for message in body["messages"]:
        content = message.get("content") or ""
        parts = content if isinstance(content, list) else [{"text": content}]
        texts.append(" ".join(str(part.get("text", "")) for part in parts))
    return texts


def _last_text(body: Mapping[str, Any]) -> str:
    texts = _texts(body)
    return texts[-1] if texts else ""


def _prompt_tokens(body: Mapping[str, Any]) -> int:
    return sum(len(text.split()) for text in _texts(body))
