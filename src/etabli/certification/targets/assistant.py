"""An assistant of this installation as a target: the same search, prompt, engine and guards as for people.

It is asked in this process rather than over HTTP, so that a hostile document can be planted for it alone and a
canary added to its instructions; nothing else differs from what people get.
"""

import asyncio
import platform
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from etabli.assistants.answer import Answer, Event
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.certification.base import JSON, Probe, Response
from etabli.certification.bundle import Bundle, EngineIdentity, bundle_of
from etabli.certification.shadow import Shadow, remove_shadows
from etabli.certification.targets.base import Abilities
from etabli.certification.targets.remembering import RememberingEngine
from etabli.engines.base import ChatEngine, Embedder
from etabli.errors import EtabliError
from etabli.models.machine import cpu_name
from etabli.storage.database import EVERYONE, Database


class Answers(Protocol):
    """What is needed of `etabli.assistants.answering.Answerer`."""

    def answer(
        self,
        assistant: AssistantSpecification,
        engine: ChatEngine,
        request: AnswerRequest,
        *,
        principals: Sequence[str],
    ) -> AsyncGenerator[Event, None]:
        """The events of one answer; the last is the `Answer`."""
        ...


class AssistantTarget:
    """Implements `Target` over the parts of a workspace.

    Args:
        assistant: who is examined.
        answerer: answers.
        engine: its model.
        identity: what that engine is.
        database: its documents.
        embedder: that filled the index.
        campaign: id, under which documents are planted.
        slots: conversations at once.
    """

    def __init__(
        self,
        assistant: AssistantSpecification,
        *,
        answerer: Answers,
        engine: ChatEngine,
        identity: Callable[[], EngineIdentity],
        database: Database,
        embedder: Embedder | None,
        campaign: str,
        slots: int,
    ) -> None:
        self._assistant = assistant
        self._answerer = answerer
        self._engine = RememberingEngine(engine)
        self._identity = identity
        self._database = database
        self._embedder = embedder
        self._campaign = campaign
        self._shadow = Shadow(database, embedder, campaign)
        self._planting = asyncio.Lock()
        self._closed = False
        self.slots = slots

    @property
    def name(self) -> str:
        """The assistant's."""
        return self._assistant.name

    @property
    def model(self) -> str:
        """The engine's."""
        return self._engine.model

    @property
    def abilities(self) -> Abilities:
        """An assistant without documents is given none; tools are the callers', so there are none to abuse."""
        return abilities_of(self._assistant)

    @property
    def environment(self) -> JSON:
        """Processor and slots: greedy answers may differ in rare words between machines and batch sizes."""
        return {"cpu": cpu_name(), "machine": platform.machine(), "slots": self.slots}

    async def bundle(self) -> Bundle:
        """What it is made of now."""
        return await asyncio.to_thread(self._bundle)

    def _bundle(self) -> Bundle:
        name = self._embedder.name if self._embedder is not None else None
        return bundle_of(self._assistant, database=self._database, engine=self._identity(), embedder=name)

    async def converse(self, probe: Probe, *, seed: int) -> tuple[Response, ...]:
        """Send the turns of a probe one after the other."""
        collections: tuple[int, ...] = ()
        if probe.plants:
            # Shielded: a cancelled campaign must not take documents away while a thread still plants them.
            collections = (await asyncio.shield(asyncio.ensure_future(self._plant(probe))),)
        assistant = self._assistant
        if probe.instructions_canary:
            text = "\n".join(
                part for part in (assistant.instructions.strip(), probe.instructions_canary) if part
            )
            assistant = assistant.model_copy(update={"instructions": text})
        generation: dict[str, Any] = {"seed": seed}
        if probe.tools:
            generation["tools"] = list(probe.tools)
        messages: list[JSON] = []
        responses: list[Response] = []
        for turn in probe.turns:
            messages.append({"role": "user", "content": turn})
            response = await self._ask(assistant, AnswerRequest(list(messages), generation, collections))
            responses.append(response)
            if response.error:
                break
            messages.append({"role": "assistant", "content": response.text})
        return tuple(responses)

    async def _plant(self, probe: Probe) -> int:
        async with self._planting:
            if self._closed:
                raise asyncio.CancelledError
            return await asyncio.to_thread(self._shadow.collection, probe.plants)

    async def _ask(self, assistant: AssistantSpecification, request: AnswerRequest) -> Response:
        began = time.perf_counter()
        principals = (EVERYONE, *assistant.audience, *self._shadow.principals)
        events = self._answerer.answer(assistant, self._engine, request, principals=principals)
        answer: Answer | None = None
        try:
            async with aclosing(events) as stream:
                async for event in stream:
                    if isinstance(event, Answer):
                        answer = event
        except EtabliError as error:
            return Response("", error=str(error), time_ms=_since(began))
        if answer is None:
            return Response("", error="the answer broke off", time_ms=_since(began))
        return Response(
            text=answer.text,
            abstained=answer.abstained,
            written_by=answer.written_by,
            citations=tuple(
                {
                    "number": one.number,
                    "status": one.status,
                    "document": one.document_name,
                    "quote": one.quote,
                }
                for one in answer.citations
            ),
            tool_calls=answer.tool_calls,
            finish_reason=answer.finish_reason,
            usage=_counts(answer.usage),
            time_ms=_since(began),
        )

    def forget(self) -> None:
        """Ask the engine anew what it answered before."""
        self._engine.forget()

    async def aclose(self) -> None:
        """Take the planted documents away. The engine is the caller's."""
        async with self._planting:
            self._closed = True
            await asyncio.to_thread(remove_shadows, self._database, self._campaign)


def abilities_of(assistant: AssistantSpecification) -> Abilities:
    """What can be tried on an assistant of ours."""
    documents = bool(assistant.collections)
    return Abilities(
        documents=documents, other_readers=documents, instructions=True, tools=False, citations=documents
    )


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)


def _counts(usage: JSON | None) -> JSON:
    return {name: value for name, value in (usage or {}).items() if isinstance(value, int)}
