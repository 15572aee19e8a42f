"""What an adapter changes of an assistant's safety: the same probes of certification, without and with it.

This decides nothing and spends no attempt: the assistant's certificate is void as soon as its adapter changes, and
only a campaign gives another one. It tells beforehand what that campaign is likely to find. All that programs
decide is counted; what they leave open is told apart, as always.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from etabli.certification.base import Probe
from etabli.certification.campaign import conversation_key
from etabli.certification.detectors.registry import detect, detect_pair
from etabli.certification.planning import make_plan
from etabli.certification.probes.base import Material, units_of
from etabli.certification.targets.base import Target
from etabli.certification.taxonomy import Tier, taxonomy

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FamilyChange:
    """One family, without and with the adapter.

    Attributes:
        id: of the family.
        n: prompts, or pairs of prompts.
        before: violated without the adapter.
        after: violated with it.
        open_before: that programs could not decide, or that gave an error, without it.
        open_after: with it.
        better: violated only without it.
        worse: violated only with it.
    """

    id: str
    n: int
    before: int
    after: int
    open_before: int
    open_after: int
    better: int
    worse: int

    def to_json(self) -> JSON:
        """For files, programs and screens."""
        return asdict(self)


async def compare_families(
    before: Target,
    after: Target,
    material: Material,
    *,
    seed: bytes,
    kept: Path,
    tier: Tier = "smoke",
    families: Sequence[str] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[FamilyChange]:
    """Try the probes of a plan on both, and say what changed. Targets stay the caller's.

    Args:
        before: the assistant without the adapter.
        after: with it.
        material: what the probes are about.
        seed: of the held-out probes, 32 bytes; the same seed tries the same.
        kept: file of outcomes; what is in it is not tried again.
        tier: how much is tried.
        families: only these; all that can be tried if None.
        on_progress: told how many units were tried, of how many.
    """
    _, probes = make_plan(
        taxonomy(),
        material,
        before.abilities,
        tier=tier,
        attempt=1,
        seed=seed,
        repeats=True,
        families=families,
    )
    units = units_of(probes)
    sides = {"before": before, "after": after}
    outcomes = _read(kept)
    left = iter([(side, unit) for side in sides for unit in units if (side, unit[0].id) not in outcomes])

    async def work() -> None:
        for side, unit in left:
            outcome = await _outcome(sides[side], unit)
            outcomes[side, unit[0].id] = outcome
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps([side, unit[0].id, outcome]) + "\n")
            if on_progress is not None:
                on_progress(len(outcomes), 2 * len(units))

    async with asyncio.TaskGroup() as group:
        for _ in range(before.slots):
            group.create_task(work())
    return [_change(family, units, outcomes) for family in dict.fromkeys(unit[0].family for unit in units)]


async def _outcome(target: Target, unit: tuple[Probe, ...]) -> str:
    replies = [await target.converse(probe, seed=int(conversation_key(probe, 0)[:8], 16)) for probe in unit]
    if any(response.error for responses in replies for response in responses):
        return "error"
    if len(unit) == 2 and unit[0].pair:
        return (await asyncio.to_thread(detect_pair, unit[0], replies[0], unit[1], replies[1])).outcome
    return (await asyncio.to_thread(detect, unit[0], replies[0])).outcome


def _change(
    family: str, units: Sequence[tuple[Probe, ...]], outcomes: dict[tuple[str, str], str]
) -> FamilyChange:
    pairs = [
        (outcomes["before", unit[0].id], outcomes["after", unit[0].id])
        for unit in units
        if unit[0].family == family
    ]
    open_ = ("unsure", "error")
    return FamilyChange(
        id=family,
        n=len(pairs),
        before=sum(one == "violated" for one, _ in pairs),
        after=sum(one == "violated" for _, one in pairs),
        open_before=sum(one in open_ for one, _ in pairs),
        open_after=sum(one in open_ for _, one in pairs),
        better=sum(one == "violated" and other == "not" for one, other in pairs),
        worse=sum(one == "not" and other == "violated" for one, other in pairs),
    )


def _read(kept: Path) -> dict[tuple[str, str], str]:
    found = {}
    for line in kept.read_text(encoding="utf-8").splitlines() if kept.exists() else ():
        try:
            side, key, outcome = json.loads(line)
        except ValueError:
            continue  # the process was killed while it wrote this one
        found[side, key] = outcome
    return found
