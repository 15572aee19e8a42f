"""What an adapter changes of an assistant's safety: the same probes of certification, without and with it.

This decides nothing and spends no attempt: the assistant's certificate is void as soon as its adapter changes, and
only a campaign gives another one. It tells beforehand what that campaign is likely to find. All that programs
decide is counted; what they leave open is told apart, as always. Differences are McNemar's exact test over the
probes that were violated on one side only; a few probes show a large change, never that there is none.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from etabli.certification.base import Probe
from etabli.certification.campaign import conversation_key
from etabli.certification.certifying import TIERS
from etabli.certification.detectors.registry import detect, detect_pair
from etabli.certification.planning import make_plan
from etabli.certification.probes.base import Material, units_of
from etabli.certification.statistics import mcnemar
from etabli.certification.targets.base import Abilities, Target
from etabli.certification.taxonomy import taxonomy
from etabli.errors import EngineUnavailableError
from etabli.evaluation.kept import keep, kept_lines
from etabli.messages import tr

JSON = dict[str, Any]
TOGETHER = "all"
_OPEN = ("unsure", "error")
MOST_ERRORS = 0.1
"""Share of the conversations; with more of them the comparison would say nothing."""
_MOST_CHARACTERS = 4_000
"""Of an answer that is shown; all of it is judged."""


@dataclass(frozen=True, slots=True)
class FamilyChange:
    """One family, without and with the adapter.

    Attributes:
        id: of the family; `all` for the sum.
        n: prompts, or pairs of prompts.
        before: violated without the adapter.
        after: violated with it.
        open_before: that programs could not decide, or that gave an error, without it.
        open_after: with it.
        better: violated only without it.
        worse: violated only with it.
        p: McNemar's exact test over those two.
    """

    id: str
    n: int
    before: int
    after: int
    open_before: int
    open_after: int
    better: int
    worse: int
    p: float

    def to_json(self) -> JSON:
        """For files, programs and screens, with its name in both languages; the sum has none."""
        labels = {}
        if self.id != TOGETHER:
            known = taxonomy().get(self.id)
            labels = {language: known.label(language) for language in ("fr", "en")}
        return {**asdict(self), "label": labels}


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a probe, or of a pair of them, on one side.

    Attributes:
        outcome: `not`, `violated`, `unsure` or `error`.
        texts: the last answer to each of its prompts.
    """

    outcome: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Turned:
    """A probe whose outcome the adapter changed."""

    family: str
    asked: tuple[str, ...]
    before: Tried
    after: Tried


@dataclass(frozen=True, slots=True)
class FamiliesComparison:
    """What an adapter changed of an assistant.

    Attributes:
        families: in the order in which they were tried.
        together: their sum.
        turned: probes that ended otherwise, the worse ones first.
    """

    families: tuple[FamilyChange, ...]
    together: FamilyChange
    turned: tuple[Turned, ...]

    @property
    def harmed(self) -> bool:
        """Whether more probes are violated with the adapter than without: a person should look before it answers."""
        return self.together.worse > self.together.better

    def to_json(self) -> JSON:
        """For files, programs and screens."""
        return {
            "harmed": self.harmed,
            "families": [one.to_json() for one in (self.together, *self.families)],
            "turned": [
                {
                    "family": one.family,
                    "asked": list(one.asked),
                    "before": list(one.before.texts),
                    "after": list(one.after.texts),
                    "before_outcome": one.before.outcome,
                    "after_outcome": one.after.outcome,
                }
                for one in self.turned
            ],
        }


def draw_units(
    material: Material,
    abilities: Abilities,
    *,
    seed: bytes,
    most: int | None = None,
    families: Sequence[str] | None = None,
) -> tuple[tuple[Probe, ...], ...]:
    """The probes that are tried, and pairs of them: one of each family, then a second of each, and so on.

    Args:
        material: what the probes are about.
        abilities: of the assistant.
        seed: of the held-out probes, 32 bytes; the same seed tries the same.
        most: so many; None for those of the smallest campaign.
        families: only these; all that can be tried if None.
    """
    units: tuple[tuple[Probe, ...], ...] = ()
    for tier in TIERS:
        _, probes = make_plan(
            taxonomy(), material, abilities, tier=tier, attempt=1, seed=seed, repeats=True, families=families
        )
        units = units_of(probes)
        if most is None or len(units) >= most:
            break
    return units[:most]


async def compare_families(
    before: Target,
    after: Target,
    units: Sequence[tuple[Probe, ...]],
    *,
    kept: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> FamiliesComparison:
    """Try probes on both, and say what changed. Targets stay the caller's.

    Args:
        before: the assistant without the adapter.
        after: with it.
        units: of `draw_units`.
        kept: file of outcomes; what is in it is not tried again.
        on_progress: told how many units were tried, of how many.

    Raises:
        EngineUnavailableError: there were too many errors; called again it tries those anew.
    """
    sides = {"before": before, "after": after}
    tried = {(side, key): Tried(outcome, tuple(texts)) for side, key, outcome, texts in kept_lines(kept, 4)}
    left = iter([(side, unit) for side in sides for unit in units if (side, unit[0].id) not in tried])
    reasons: list[str] = []

    async def work() -> None:
        for side, unit in left:
            found, error = await _try(sides[side], unit)
            tried[side, unit[0].id] = found
            if error:
                reasons.append(error)
            else:
                keep(kept, (side, unit[0].id, found.outcome, found.texts))
            if on_progress is not None:
                on_progress(len(tried), 2 * len(units))

    async with asyncio.TaskGroup() as group:
        for _ in range(before.slots):
            group.create_task(work())
    if len(reasons) > MOST_ERRORS * len(tried):
        raise EngineUnavailableError(
            tr(
                "{count} of {total} conversations ended in an error: {reason}",
                count=len(reasons),
                total=len(tried),
                reason=reasons[-1],
            )
        )
    return _compared(units, tried)


async def _try(target: Target, unit: tuple[Probe, ...]) -> tuple[Tried, str | None]:
    """The outcome, and the error where there is one."""
    replies = [await target.converse(probe, seed=int(conversation_key(probe, 0)[:8], 16)) for probe in unit]
    texts = tuple(responses[-1].text[:_MOST_CHARACTERS] if responses else "" for responses in replies)
    error = next((one.error for responses in replies for one in responses if one.error), None)
    if error is not None:
        return Tried("error", texts), error
    if len(unit) == 2 and unit[0].pair:
        verdict = await asyncio.to_thread(detect_pair, unit[0], replies[0], unit[1], replies[1])
    else:
        verdict = await asyncio.to_thread(detect, unit[0], replies[0])
    return Tried(verdict.outcome, texts), None


def _compared(units: Sequence[tuple[Probe, ...]], tried: dict[tuple[str, str], Tried]) -> FamiliesComparison:
    found = [(unit, tried["before", unit[0].id], tried["after", unit[0].id]) for unit in units]
    families = tuple(
        _change(family, [(one, other) for unit, one, other in found if unit[0].family == family])
        for family in dict.fromkeys(unit[0].family for unit in units)
    )
    turned = [
        Turned(unit[0].family, tuple(probe.turns[-1] for probe in unit), one, other)
        for unit, one, other in found
        if "violated" in (one.outcome, other.outcome) and one.outcome != other.outcome
    ]
    turned.sort(key=lambda one: one.after.outcome != "violated")
    return FamiliesComparison(
        families, _change(TOGETHER, [(one, other) for _, one, other in found]), tuple(turned)
    )


def _change(family: str, pairs: Iterable[tuple[Tried, Tried]]) -> FamilyChange:
    outcomes = [(one.outcome, other.outcome) for one, other in pairs]
    better = sum(one == "violated" and other == "not" for one, other in outcomes)
    worse = sum(one == "not" and other == "violated" for one, other in outcomes)
    return FamilyChange(
        id=family,
        n=len(outcomes),
        before=sum(one == "violated" for one, _ in outcomes),
        after=sum(one == "violated" for _, one in outcomes),
        open_before=sum(one in _OPEN for one, _ in outcomes),
        open_after=sum(one in _OPEN for _, one in outcomes),
        better=better,
        worse=worse,
        p=mcnemar(better, worse),
    )
