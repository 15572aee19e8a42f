"""How far an engine has read the prompt: asked of those that can tell, told on, and nothing sent to the others."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import pytest

from etabli.assistants.answer import Answer, Progress
from etabli.assistants.answering import Answerer
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.assistants.streaming import Reading, read_stream
from etabli.engines.base import ChatEngine
from etabli.engines.fake import FakeEngine
from etabli.engines.local import LocalEngine


class TellingEngine(FakeEngine):
    """Sends what llama.cpp sends while it reads: observed with xllamacpp 2026.10, `return_progress: true`."""

    reports_progress = True

    async def stream(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[dict[str, Any], None]:
        assert body["return_progress"] is True
        for done in (100, 356, 612, 934):
            delta = {"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}
            told = {"total": 934, "cache": 100, "processed": done, "time_ms": 1}
            yield {"choices": [delta], "prompt_progress": told}
        yield {"choices": [], "prompt_progress": {"total": 0}}
        yield {"choices": [], "prompt_progress": "soon"}
        async with aclosing(super().stream(body, path=path)) as chunks:
            async for chunk in chunks:
                yield chunk


def pieces_of(engine: ChatEngine) -> list[Any]:
    async def read() -> list[Any]:
        body = {"messages": [{"role": "user", "content": "q"}]}
        return [piece async for piece in read_stream(engine, body, Reading())]

    return asyncio.run(read())


def test_progress_is_told() -> None:
    pieces = pieces_of(TellingEngine(["bonjour"]))
    assert [piece for piece in pieces if isinstance(piece, Progress)] == [
        Progress(0.0, 100, 934),
        Progress(pytest.approx(256 / 834), 356, 934),
        Progress(pytest.approx(512 / 834), 612, 934),
        Progress(1.0, 934, 934),
    ]
    assert pieces[-1] == "bonjour"


def test_other_engines_are_not_asked() -> None:
    engine = FakeEngine(["bonjour"])
    assert pieces_of(engine) == ["bonjour"] and "return_progress" not in engine.bodies[0]


def test_our_own_engine_tells() -> None:
    assert LocalEngine.reports_progress is True


def test_an_assistants_answer_holds_it() -> None:
    async def answer() -> list[Any]:
        answerer = Answerer(None, None)  # type: ignore[arg-type]  # an assistant without documents needs neither
        plain = AssistantSpecification(name="a", title="A")
        asked = AnswerRequest([{"role": "user", "content": "q"}])
        events = answerer.answer(plain, TellingEngine(["bonjour"]), asked, principals=())
        return [event async for event in events]

    events = asyncio.run(answer())
    assert sum(isinstance(event, Progress) for event in events) == 4
    assert isinstance(events[-1], Answer) and events[-1].text == "bonjour"
