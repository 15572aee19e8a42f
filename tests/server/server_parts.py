"""Parts that the server's tests are built from: scripted answers, small assistants, a tiny embedder."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from etabli.assistants.answer import Answer, Citation, Event, Stage, TextDelta, ToolCallDelta, Trace
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.engines.base import ChatEngine, FloatMatrix
from etabli.engines.fake import FakeEngine
from etabli.errors import NotFoundError
from etabli.server.services import Services
from etabli.settings import Settings

KEY = "sk-test-0123456789abcdef"
BEARER = {"authorization": f"Bearer {KEY}"}


def trace(question: str = "q") -> Trace:
    return Trace(question, False, {"method": "exact"}, [{"name": "a.pdf"}], [], {"total": 1.5})


def citation(**changes: Any) -> Citation:
    values: dict[str, Any] = dict(
        number=1,
        start_index=0,
        end_index=12,
        status="verified",
        document_id=7,
        version_id=9,
        document_name="rh/congés.pdf",
        title="Congés",
        page=3,
        boxes=(),
        char_start=120,
        char_end=160,
        quote="25 jours ouvrés",
    )
    return Citation(**{**values, **changes})


def answer(text: str = "25 jours [1]", **changes: Any) -> Answer:
    values: dict[str, Any] = dict(
        text=text,
        citations=(),
        abstained=False,
        finish_reason="stop",
        usage={"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14},
        trace=trace(),
    )
    return Answer(**{**values, **changes})


def told(*pieces: str, **changes: Any) -> list[Event]:
    """The usual events: stages, the text in pieces, the answer."""
    stages = [Stage("searching", {"question": "q"}), Stage("writing")]
    return [*stages, *(TextDelta(piece) for piece in pieces), answer("".join(pieces), **changes)]


TOOL_EVENTS: list[Event] = [
    ToolCallDelta([{"index": 0, "id": "call_1", "function": {"name": "météo", "arguments": ""}}]),
    ToolCallDelta([{"function": {"arguments": '{"ville": '}}]),
    ToolCallDelta([{"index": 0, "function": {"arguments": '"Lyon"}'}}]),
    answer(
        "",
        finish_reason="tool_calls",
        tool_calls=({"id": "call_1", "function": {"name": "météo", "arguments": {"ville": "Lyon"}}},),
    ),
]

Script = Sequence[Event | Exception]


@dataclass
class ScriptedAnswerer:
    """Gives scripted events in turn, the last script again and again; an exception among them is raised."""

    scripts: Sequence[Script] = ()
    delay_s: float = 0.0
    requests: list[AnswerRequest] = field(default_factory=list)
    principals: list[Sequence[str]] = field(default_factory=list)
    cancelled: int = 0

    async def answer(
        self,
        assistant: AssistantSpecification,
        engine: ChatEngine,
        request: AnswerRequest,
        *,
        principals: Sequence[str],
    ) -> AsyncIterator[Event]:
        script = self.scripts[min(len(self.requests), len(self.scripts) - 1)]
        self.requests.append(request)
        self.principals.append(principals)
        finished = False
        try:
            for event in script:
                await asyncio.sleep(self.delay_s)
                if isinstance(event, Exception):
                    finished = True
                    raise event
                yield event
            finished = True
        finally:
            self.cancelled += not finished


@dataclass
class Shelf:
    """Assistants held in memory."""

    assistants: Sequence[AssistantSpecification] = ()

    def list(self) -> list[AssistantSpecification]:
        return [*self.assistants]

    def get(self, name: str) -> AssistantSpecification:
        for assistant in self.assistants:
            if assistant.name == name:
                return assistant
        raise NotFoundError(f"no assistant {name}")


class LetterEmbedder:
    """Three dimensions: how many a, how many b, and whether it is a question."""

    name = "letters:0123:none"
    dimensions = 3

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        return self._embed(texts, 2.0)

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        return self._embed(texts, 1.0)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def close(self) -> None:
        pass

    def _embed(self, texts: Sequence[str], kind: float) -> FloatMatrix:
        rows = np.array([[text.count("a"), text.count("b"), kind] for text in texts], np.float32)
        return cast(FloatMatrix, rows / np.linalg.norm(rows, axis=1, keepdims=True))


RH = AssistantSpecification(name="rh", title="Ressources humaines", first_questions=["Combien de congés ?"])
SECRET = AssistantSpecification(name="direction", title="Direction", audience=["group:direction"])

MakeServices = Callable[..., Services]


def make_services(tmp_path: Path, **changes: Any) -> Services:
    """Services over fakes; the database and the searcher are missing unless they are given."""
    values: dict[str, Any] = dict(
        settings=Settings(workspace=tmp_path),
        database=None,
        searcher=None,
        embedder=LetterEmbedder(),
        assistants=Shelf([RH, SECRET]),
        answerer=ScriptedAnswerer([told("25 jours", " [1]")]),
        engine=FakeEngine(["un deux trois"], model="qwen-test"),
        api_key=KEY,
        state=lambda: {"engine": "ready"},
    )
    return Services(**{**values, **changes})
