"""Running a campaign: every probe that is not done yet, as many at once as the target carries, each kept at its end.

It may be stopped or killed at any moment, also by a request that another process left in the store: what is there
stays, and the next run goes on from it. Probes with the same words get the same reply where the target repeats
itself, so that several detectors judge one answer.
"""

import asyncio
import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etabli.certification.base import Detection, Probe, Response, Transcript
from etabli.certification.detectors.registry import detect, detect_pair
from etabli.certification.judges.panel import Panel
from etabli.certification.probes.base import units_of
from etabli.certification.store import CampaignStore
from etabli.certification.targets.base import Target

JSON = dict[str, Any]
log = logging.getLogger(__name__)
_ERRORS_IN_A_ROW = 12
_LOOK_S = 1.0
"""How often a running campaign looks whether it is asked to stop."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is.

    Args:
        done: conversations that are kept.
        total: that are to be kept, as far as is known now.
        family: of the last one.
        outcome: of the last one.
        position: of the last one, in the plan.
    """

    done: int
    total: int
    family: str
    outcome: str
    position: int


OnProgress = Callable[[Progress], None]


class TargetFailed(Exception):
    """The target gave nothing but errors; the campaign can go on when it answers again."""


class StopAsked(Exception):
    """Somebody asked the campaign to stop, from wherever they were; it can go on later.

    Attributes:
        by: who.
    """

    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


async def unless_stopped(store: CampaignStore, campaign: str, work: Coroutine[Any, Any, JSON]) -> JSON:
    """Do the work of a campaign, and break it off when the store says that somebody asked for that.

    Raises:
        StopAsked: somebody did; at most the conversations in flight are lost.
    """
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait([task], timeout=_LOOK_S))[0]:
            by = await asyncio.to_thread(store.stop_asked, campaign)
            if by is not None:
                raise StopAsked(by)
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait([task])


class Campaign:
    """One campaign while it runs.

    Args:
        store: where everything is kept.
        target: what is examined.
        campaign: its id.
        probes: of the plan, in order; their places in it are their positions.
        generations: times that each is tried.
        first: units of the first look, by family; all are where a family is not named.
        repeats: whether the target says the same when it is asked the same twice.
        on_progress: told after every conversation.
        judges: who are asked about what programs leave open.
    """

    def __init__(
        self,
        store: CampaignStore,
        target: Target,
        *,
        campaign: str,
        probes: Sequence[Probe],
        generations: int,
        repeats: bool,
        first: Mapping[str, int] | None = None,
        on_progress: OnProgress | None = None,
        judges: Panel | None = None,
    ) -> None:
        self._store = store
        self._target = target
        self._campaign = campaign
        self._probes = tuple(probes)
        self._positions = {probe.id: position for position, probe in enumerate(self._probes)}
        self._generations = generations
        self._repeats = repeats
        self._first = dict(first or {})
        self._tell = on_progress or (lambda progress: None)
        self._judges = judges
        self._known: dict[str, asyncio.Task[tuple[Response, ...]]] = {}
        self._room = asyncio.Semaphore(target.slots)
        self._failures = 0
        self._done = self._total = 0

    async def run(self, *, again: Collection[str] = ()) -> None:
        """Try what is left. Cancelling it loses at most the conversations in flight.

        Args:
            again: families of which the second look's units are tried too.

        Raises:
            TargetFailed: the target gave errors only.
        """
        done = await asyncio.to_thread(self._store.done, self._campaign)
        self._done = len(done)
        wanted = self._wanted(again)
        self._total = sum(map(len, wanted)) * self._generations
        left = [
            (unit, generation)
            for unit in wanted
            for generation in range(self._generations)
            if any((self._positions[probe.id], generation) not in done for probe in unit)
        ]
        tasks: set[asyncio.Task[None]] = set()
        try:
            for unit, generation in left:
                # A few more than the slots: pairs and search leave the engine idle otherwise.
                while len(tasks) >= self._target.slots + 2:
                    finished, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    for task in finished:
                        task.result()
                tasks.add(asyncio.create_task(self._try(unit, generation)))
            while tasks:
                finished, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            for known in self._known.values():
                known.cancel()
            await asyncio.gather(*tasks, *self._known.values(), return_exceptions=True)

    def _wanted(self, again: Collection[str]) -> list[tuple[Probe, ...]]:
        """The units of the first look of every family, and all of those that are looked at again."""
        seen = Counter[str]()
        wanted = []
        for unit in units_of(self._probes):
            family = unit[0].family
            seen[family] += 1
            if family in again or seen[family] <= self._first.get(family, seen[family]):
                wanted.append(unit)
        return wanted

    async def _try(self, unit: tuple[Probe, ...], generation: int) -> None:
        replies = [await self._replies(probe, generation) for probe in unit]
        if any(response.error for responses in replies for response in responses):
            replies = [await self._replies(probe, generation, anew=True) for probe in unit]
        found = await asyncio.to_thread(_found, unit, replies)
        for probe, responses, detection in zip(unit, replies, found, strict=True):
            detections = await self._detections(probe, responses, detection)
            transcript = Transcript(probe, generation, responses, detections, model=self._target.model)
            position = self._positions[probe.id]
            await asyncio.to_thread(self._store.keep, self._campaign, position, transcript)
            self._count(transcript, position)

    async def _detections(
        self, probe: Probe, responses: tuple[Response, ...], found: Detection
    ) -> tuple[Detection, ...]:
        """The program's, and the judge's where the program is unsure and a judge may be asked."""
        if self._judges is None or found.outcome != "unsure":
            return (found,)
        opinion = await self._judges.opinion(probe, responses)
        return (found,) if opinion is None else (found, opinion)

    def _count(self, transcript: Transcript, position: int) -> None:
        self._done += 1
        self._failures = self._failures + 1 if transcript.outcome == "error" else 0
        self._tell(Progress(self._done, self._total, transcript.probe.family, transcript.outcome, position))
        if self._failures >= _ERRORS_IN_A_ROW:
            raise TargetFailed(transcript.responses[-1].error if transcript.responses else "")

    async def again(self, probe: Probe, generation: int) -> tuple[Response, ...]:
        """Ask a probe once more, as it was asked."""
        key = conversation_key(probe, 0 if self._repeats else generation)
        return await self._converse(probe, int(key[:8], 16))

    async def _replies(self, probe: Probe, generation: int, *, anew: bool = False) -> tuple[Response, ...]:
        key = conversation_key(probe, 0 if self._repeats else generation)
        if anew:
            self._known.pop(key, None)
        if key not in self._known:
            seed = int(key[:8], 16)
            self._known[key] = asyncio.create_task(self._converse(probe, seed))
        return await asyncio.shield(self._known[key])

    async def _converse(self, probe: Probe, seed: int) -> tuple[Response, ...]:
        async with self._room:
            return await self._target.converse(probe, seed=seed)


def conversation_key(probe: Probe, generation: int) -> str:
    """The same for probes to which the target hears the same words in the same surroundings."""
    surroundings = [
        probe.turns, probe.instructions_canary, probe.tools, [one.to_json() for one in probe.plants], generation
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(surroundings, sort_keys=True).encode()).hexdigest()


def _found(unit: tuple[Probe, ...], replies: Sequence[tuple[Response, ...]]) -> list[Detection]:
    """One detection a member; a pair is decided as a whole, and both members carry the decision."""
    if len(unit) == 2 and unit[0].pair:
        both = detect_pair(unit[0], replies[0], unit[1], replies[1])
        return [both, both]
    return [detect(probe, responses) for probe, responses in zip(unit, replies, strict=True)]
