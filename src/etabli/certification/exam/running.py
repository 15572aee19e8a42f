"""Campaigns over the exam's assistants: the plan, the run and the verdict of the product, kept in memory.

Outputs that no program can decide go to a person. Here that person is the wrapper's log, so what is measured is the
certifier with a reader who makes no mistakes; how many outputs had to be read is told.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from etabli.certification.base import JSON, Outcome, Transcript
from etabli.certification.campaign import Campaign
from etabli.certification.exam.flaws import Flaw, Wrapper
from etabli.certification.exam.stub import Stub
from etabli.certification.planning import make_plan
from etabli.certification.probes.base import units_of
from etabli.certification.store import CampaignStore
from etabli.certification.taxonomy import Tier, taxonomy
from etabli.certification.verdict import Counts, Result, again, conclude, count


class MemoryStore(CampaignStore):
    """Keeps the transcripts of one campaign; the two methods of the store that a run needs."""

    def __init__(self) -> None:
        self.kept: dict[tuple[int, int], Transcript] = {}

    def done(self, campaign: str) -> dict[tuple[int, int], Outcome]:
        """What is known already."""
        return {place: one.outcome for place, one in self.kept.items() if one.outcome != "error"}

    def keep(self, campaign: str, position: int, transcript: Transcript) -> None:
        """Keep what one probe came to."""
        self.kept[position, transcript.generation] = transcript


@dataclass(frozen=True, slots=True)
class Examined:
    """What the certifier said about one assistant, beside the truth.

    Args:
        assistant: its name.
        domain: whose.
        flaw: of the list; empty for a clean one.
        rate: at which the wrapper shows it.
        result: of the campaign.
        truth: per family: mean probability that a unit was made bad, and the share that was.
        bad: per family and language: units that were made bad, and units in all.
        read: outputs that a person had to read.
        false: probes that are called violated though nothing was rewritten: id, answer, detail.
        missed: probes that are not, though the answer was rewritten.
    """

    assistant: str
    domain: str
    flaw: str
    rate: float
    result: Result
    truth: dict[str, tuple[float, float]] = field(default_factory=dict)
    bad: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    read: int = 0
    false: tuple[tuple[str, str, str], ...] = ()
    missed: tuple[tuple[str, str, str], ...] = ()

    def entry(self, family: str) -> JSON:
        """A family of the result."""
        return next(one for one in self.result.families if one["id"] == family)

    def bad_units(self, family: str, language: str | None = None) -> int:
        """Units with a confirmed violation."""
        sides = self.entry(family)["byLanguage"]
        total = 0
        for name, side in sides.items():
            if language in (None, name):
                total += side["k"] if "k" in side else side["n"] - side["good"] - side["unresolved"]
        return int(total)


def examine(
    stub: Stub,
    *,
    flaw: Flaw | None = None,
    rate: float = 1.0,
    seed: str,
    tier: Tier = "standard",
    families: Sequence[str] | None = None,
) -> Examined:
    """One campaign.

    Args:
        stub: the assistant.
        flaw: what is wrong with it; None for nothing.
        rate: share of the conversations that could show the flaw and do.
        seed: of the held-out probes and of the wrapper's coin.
        tier: how much is tried.
        families: only these; those that the flaw concerns if None and there is a flaw, else all.
    """
    target = Wrapper(stub, flaw, rate=rate, seed=seed)
    wanted = families if families is not None else flaw.families if flaw is not None else None
    plan, probes = make_plan(
        taxonomy(),
        stub.material,
        target.abilities,
        tier=tier,
        attempt=1,
        seed=hashlib.sha256(seed.encode()).digest(),
        repeats=True,
        families=wanted,
    )
    store = MemoryStore()
    first = {one.id: one.units for one in plan.families}
    running = Campaign(store, target, campaign=seed, probes=probes, generations=1, repeats=True, first=first)

    async def both_looks() -> None:
        await running.run()
        if names := again(_counted(store, target)[1], plan.to_json()):
            await running.run(again=names)

    asyncio.run(both_looks())
    readings, counts = _counted(store, target)
    probes = tuple(probe for probe in probes if probe.id in {one.probe.id for one in store.kept.values()})
    result = conclude(taxonomy(), counts, plan.to_json())
    by_family: dict[str, list[tuple[float, bool, str]]] = {}
    for unit in units_of(probes):
        chance = 1.0
        for probe in unit:
            chance *= 1.0 - target.chance(probe)
        made = any(target.rewrote(probe) for probe in unit)
        by_family.setdefault(unit[0].family, []).append((1.0 - chance, made, unit[0].language))
    outcomes = {one.probe.id: (place, one) for place, one in store.kept.items()}
    false: list[tuple[str, str, str]] = []
    missed: list[tuple[str, str, str]] = []
    for unit in units_of(probes):
        made = any(target.rewrote(probe) for probe in unit)
        place, last = outcomes[unit[-1].id]
        outcome = readings.get(place, last.outcome)
        if (outcome == "violated") != made:
            shown = (unit[-1].id, last.responses[-1].text[:200], last.detections[-1].detail)
            (missed if made else false).append(shown)
    return Examined(
        assistant=stub.name,
        domain=stub.domain.title["fr"],
        flaw=flaw.name if flaw is not None else "",
        rate=rate,
        result=result,
        truth={
            name: (sum(one[0] for one in units) / len(units), sum(one[1] for one in units) / len(units))
            for name, units in by_family.items()
        },
        bad={
            (name, language): (
                sum(one[1] for one in units if one[2] == language),
                sum(one[2] == language for one in units),
            )
            for name, units in by_family.items()
            for language in ("fr", "en")
        },
        read=len(readings),
        false=tuple(false),
        missed=tuple(missed),
    )


def _counted(store: MemoryStore, target: Wrapper) -> tuple[dict[tuple[int, int], Outcome], dict[str, Counts]]:
    """What the reader decided about the outputs that no program could, and the counts with it."""
    readings: dict[tuple[int, int], Outcome] = {
        place: "violated" if target.rewrote(one.probe) else "not"
        for place, one in store.kept.items()
        if one.outcome == "unsure"
    }
    transcripts = [(place[0], store.kept[place]) for place in sorted(store.kept)]
    return readings, count(transcripts, readings, taxonomy())
