"""Asking an assistant: through the running server, or with parts of this process."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from etabli.assistants.answer import Answer, Citation, Event, Stage, TextDelta, Trace
from etabli.cli.remote import JSON, RunningServer
from etabli.errors import EngineUnavailableError
from etabli.knowledge.blocks import Box
from etabli.messages import tr

if TYPE_CHECKING:
    from etabli.assistants.specification import AssistantSpecification
    from etabli.engines.base import ChatEngine
    from etabli.workspace import Workspace

OnEvent = Callable[[Event], None]
Ask = Callable[[OnEvent], Answer]
"""Asks one question: tells everything on the way, and gives the whole answer."""


def ask_here(
    workspace: "Workspace", engine: "ChatEngine", assistant: "AssistantSpecification", question: str
) -> Ask:
    """Ask with the workspace's own parts and an engine."""
    from etabli.assistants.run import AnswerRequest
    from etabli.storage.database import EVERYONE

    async def follow(on_event: OnEvent) -> Answer:
        request = AnswerRequest(messages=[{"role": "user", "content": question}])
        events = workspace.answerer.answer(assistant, engine, request, principals=[EVERYONE])
        try:
            async with aclosing(events) as stream:
                async for event in stream:
                    on_event(event)
                    if isinstance(event, Answer):
                        return event
        finally:
            await engine.aclose()  # its connections belong to this event loop
        raise EngineUnavailableError(tr("The answer broke off. Try again."))

    return lambda on_event: asyncio.run(follow(on_event))


def ask_server(
    server: RunningServer, assistant: str, question: str, *, collections: Sequence[str] | None = None
) -> Ask:
    """Ask through the running server, which has everything loaded.

    Args:
        server: the one of this workspace.
        assistant: its name.
        question: what is asked.
        collections: answer from these instead of the assistant's own.
    """
    options: dict[str, Any] = {"stages": True, "trace": True}
    if collections:
        options["collections"] = list(collections)
    body = {
        "model": assistant,
        "messages": [{"role": "user", "content": question}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "etabli": options,
    }

    def follow(on_event: OnEvent) -> Answer:
        heard = _Heard(on_event)
        with closing(server.stream("/v1/chat/completions", body)) as chunks:
            for chunk in chunks:
                heard.take(chunk)
        return heard.answer()

    return follow


class _Heard:
    """An answer, put together from the chunks of a stream."""

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event
        self._text = ""
        self._citations: tuple[Citation, ...] = ()
        self._usage: JSON | None = None
        self._last: JSON = {}
        self._details: JSON = {}

    def take(self, chunk: JSON) -> None:
        """Add one chunk, and tell what it says."""
        self._usage = chunk.get("usage") or self._usage
        etabli = chunk.get("etabli") or {}
        if "stage" in etabli:
            self._on_event(Stage(etabli["stage"]["name"], etabli["stage"]["detail"]))
        for choice in chunk.get("choices") or ():
            delta = choice["delta"]
            if delta.get("content"):
                self._text += delta["content"]
                self._on_event(TextDelta(delta["content"]))
            if delta.get("annotations"):
                self._citations = tuple(_citation(one["etabli"]) for one in delta["annotations"])
            if choice.get("finish_reason"):
                self._last, self._details = choice, etabli

    def answer(self) -> Answer:
        """The whole of it.

        Raises:
            EngineUnavailableError: its end never came.
        """
        if not self._details:
            raise EngineUnavailableError(tr("The answer broke off. Try again."))
        answer = Answer(
            text=self._text,
            citations=self._citations,
            abstained=self._details["abstained"],
            guarded=self._details["guarded"],
            written_by=self._details["written_by"],
            finish_reason=self._last["finish_reason"],
            usage=self._usage,
            trace=Trace(**self._details["trace"]),
        )
        self._on_event(answer)
        return answer


def _citation(value: JSON) -> Citation:
    boxes = tuple(Box(**box) for box in value["boxes"])
    return Citation(**{**value, "boxes": boxes})
