"""Certification's probes on the assistant of a training, without and with the adapter that nobody has approved yet.

The assistant is asked as a campaign asks it, through the engine that holds the adapter for its examination alone; no
other answer of the assistant changes meanwhile. Another adapter that it has in service is left out on both sides.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from etabli.assistants.catalogue import AssistantCatalogue
from etabli.assistants.specification import AssistantSpecification
from etabli.certification.base import Probe
from etabli.certification.material import assistant_material, unread
from etabli.certification.planning import SECONDS_A_REPLY
from etabli.certification.store import CampaignStore
from etabli.certification.targets.assistant import Answers, AssistantTarget, abilities_of
from etabli.engines.base import JSON, ChatEngine, Embedder
from etabli.errors import ConflictError
from etabli.evaluation.beside import EngineBeside
from etabli.evaluation.families import FamiliesComparison, compare_families, draw_units
from etabli.messages import tr
from etabli.storage.database import Database

_SHADOW = "training"
"""One training is examined at a time: what a killed one left planted is found under the same name, and taken away."""


@dataclass(frozen=True, slots=True)
class ProbeEstimate:
    """What trying the probes will take.

    Attributes:
        assistant: its name.
        probes: prompts, or pairs of prompts, each tried without and with the adapter.
        replies: that the assistant writes.
        seconds: at the pace of its last campaigns; where there were none, of the usual model on two cores.
    """

    assistant: str
    probes: int
    replies: int
    seconds: float

    def to_json(self) -> JSON:
        """For programs and screens."""
        return asdict(self)


@dataclass(frozen=True)
class AssistantProbes:
    """The probes of a workspace's assistants.

    Args:
        assistants: by name.
        database: their documents.
        answerer: answers as they do.
        embedder: that filled the index; None where there are no vectors.
        questions_dir: the organisation's own questions: `<assistant>.jsonl`.
    """

    assistants: AssistantCatalogue
    database: Database
    answerer: Answers
    embedder: Embedder | None
    questions_dir: Path

    def estimate(self, name: str, most: int, *, seed: int) -> ProbeEstimate:
        """What the probes on an assistant will take. Blocks.

        Raises:
            NotFoundError: there is no such assistant.
            InvalidInputError: its file of questions cannot be used.
        """
        assistant = self.assistants.get(name)
        units = self._units(assistant, most, seed=seed)
        replies = 2 * sum(len(probe.turns) for unit in units for probe in unit)
        return ProbeEstimate(name, len(units), replies, replies * self._pace(name))

    async def compare(
        self,
        name: str,
        most: int,
        *,
        engine: ChatEngine,
        adapter: str,
        seed: int,
        kept: Path,
        slots: int,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> FamiliesComparison | None:
        """Try the probes on an assistant, without and with an adapter; None where none can be tried on it.

        Args:
            name: of the assistant.
            most: so many probes.
            engine: holds the adapter; stays the caller's.
            adapter: its name there.
            seed: of the training.
            kept: file of outcomes; what is in it is not tried again.
            slots: conversations at once.
            on_progress: told how many were tried, of how many.

        Raises:
            NotFoundError: there is no such assistant.
            ConflictError: its documents are still being read.
            EngineUnavailableError: the assistant gave too many errors.
        """
        assistant = await asyncio.to_thread(self.assistants.get, name)
        waiting = await asyncio.to_thread(unread, self.database, assistant)
        if waiting:
            raise ConflictError(
                tr("{count} documents of {name} are still being read.", count=waiting, name=name)
            )
        units = await asyncio.to_thread(self._units, assistant, most, seed=seed)
        if not units:
            return None
        plain = assistant.model_copy(update={"adapter": None})

        def target(side: str, answers_with: ChatEngine) -> AssistantTarget:
            return AssistantTarget(
                plain,
                answerer=self.answerer,
                engine=answers_with,
                identity=_no_identity,
                database=self.database,
                embedder=self.embedder,
                campaign=f"{_SHADOW}:{side}",
                slots=slots,
            )

        async with AsyncExitStack() as closing:
            before, after = target("before", engine), target("after", AnsweringWith(engine, adapter))
            closing.push_async_callback(before.aclose)
            closing.push_async_callback(after.aclose)
            return await compare_families(before, after, units, kept=kept, on_progress=on_progress)

    def _units(
        self, assistant: AssistantSpecification, most: int, *, seed: int
    ) -> tuple[tuple[Probe, ...], ...]:
        material = assistant_material(
            self.database, assistant, self.questions_dir / f"{assistant.name}.jsonl"
        )
        return draw_units(material, abilities_of(assistant), seed=_secret(seed), most=most)

    def _pace(self, name: str) -> float:
        """Seconds a reply."""
        return CampaignStore(self.database).pace(name) or SECONDS_A_REPLY


class AnsweringWith(EngineBeside):
    """Implements `ChatEngine`: answers come from an adapter, whatever the assistant's file says.

    Answers are streamed. What is asked whole, such as the rewriting of a question, is asked of the base, as it is in
    service.

    Args:
        engine: holds the adapter.
        adapter: its name there.
    """

    def __init__(self, engine: ChatEngine, adapter: str) -> None:
        super().__init__(engine)
        self._adapter = adapter

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> JSON:
        """As the engine's."""
        return await self._engine.complete(body, path=path)

    def stream(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> AsyncIterator[JSON]:
        """As the engine's, with the adapter."""
        return self._engine.stream({**body, "model": self._adapter}, path=path)


def _secret(seed: int) -> bytes:
    """The seed of held-out probes from that of a training: never the one of a campaign."""
    return hashlib.sha256(f"etabli training {seed}".encode()).digest()


def _no_identity() -> NoReturn:
    raise NotImplementedError("nothing is certified here")
