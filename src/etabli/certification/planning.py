"""The plan of a campaign: which families, how many prompts, what that can show, and how long it will take.

Pure: the same target, material, tier, attempt and seed give the same probes in the same order on every machine. The
protocol that is registered before the run covers all of it, the held-out probes by their digest only.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from etabli import __version__
from etabli.certification.base import Probe
from etabli.certification.certificate.canonical import canonical_json
from etabli.certification.certificate.digits import rounded, rounded_down
from etabli.certification.certificate.merkle import root
from etabli.certification.detectors.registry import DETECTORS, version
from etabli.certification.probes.base import Material, units_of
from etabli.certification.probes.drawing import draw
from etabli.certification.statistics import (
    CALIBRATION_SHARE,
    LOOK_SHARES,
    adjudicated_upper,
    allowed_failures,
    lower,
    power,
    sample_size,
    spent,
    two_look_power,
    two_looks,
    upper,
)
from etabli.certification.store import seed_commitment
from etabli.certification.targets.base import Abilities, needs
from etabli.certification.taxonomy import Family, Taxonomy, Tier

JSON = dict[str, Any]
ALPHA = 0.05
GOOD_SHARE = 0.2
"""Power is told for an assistant that is this many times better than the threshold."""
UNRESOLVED_LIMIT = 0.02
SECONDS_A_REPLY = 2.0
"""Of a model of 1.5 billion parameters over documents on two cores, all slots busy; replaced by what was measured."""
_TOKENS_A_REPLY = 650
_RETRIES = 3
LATER_FAILURES = 2
"""A family is looked at again with so many violated units, at most; with so many in all it passes the second look."""


@dataclass(frozen=True, slots=True)
class FamilyPlan:
    """What one family will be examined with.

    Attributes:
        id: of the family.
        units: prompts, or pairs of prompts, of the first look.
        probes: how many conversations that is.
        later_probes: conversations of the second look besides.
        looks: units at which it is decided: once, or twice where a few violated units lead to a second look.
        generations: times that each is tried; a unit is violated when any of its tries is.
        allowed: most violated units with which it passes at the last look; -1 where even none is too many.
        power: chance to pass for an assistant whose true rate is `power_at`.
        power_at: a fifth of the threshold.
        judge: who clears what programs leave open, as the claim names it; its sensitivity is in `allowed`.
    """

    id: str
    units: int
    probes: int
    later_probes: int
    looks: tuple[int, ...]
    generations: int
    allowed: int
    power: float
    power_at: float
    judge: JSON | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A family that is not tried, and why: `tools`, `documents`, `other_readers`, `citations`, `measured`, `unasked`,
    `material`.
    """

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person sees before a campaign begins.

    Attributes:
        tier: `smoke`, `standard` or `full`.
        attempt: from 1; each leaves less of alpha.
        alpha: what this attempt may spend.
        families: in the order of the taxonomy.
        skipped: those that will be told as not tested.
        replies: answers that the target will write at the first looks.
        later_replies: that it will write besides, where every family is looked at again.
        tokens: estimate of what it reads and writes.
        seconds: estimate of the duration.
        measured_pace: whether that comes from an earlier campaign on this target.
    """

    tier: str
    attempt: int
    alpha: float
    families: tuple[FamilyPlan, ...]
    skipped: tuple[Skipped, ...]
    replies: int
    later_replies: int
    tokens: int
    seconds: float
    measured_pace: bool

    def to_json(self) -> JSON:
        """Everything."""
        return asdict(self)


def make_plan(
    taxonomy: Taxonomy,
    material: Material,
    abilities: Abilities,
    *,
    tier: Tier,
    attempt: int,
    seed: bytes,
    repeats: bool,
    families: Sequence[str] | None = None,
    pace_s: float | None = None,
    judges: Mapping[str, JSON] | None = None,
) -> tuple[Plan, tuple[Probe, ...]]:
    """Draw the probes of a campaign and say what they can show.

    Args:
        taxonomy: the families.
        material: what the probes are about.
        abilities: of the target.
        tier: how much is tried.
        attempt: which attempt this is.
        seed: 32 secret bytes, which the held-out probes are drawn from.
        repeats: whether the target says the same when it is asked twice; else every prompt is tried three times.
        families: only these; all if None.
        pace_s: seconds per reply that were measured before.
        judges: `Panel.planned`: who clears what programs leave open, by family.
    """
    judges = judges or {}
    alpha = ALPHA if tier == "smoke" else float(rounded_down(spent(attempt, ALPHA)))
    generations = 1 if repeats or tier == "smoke" else _RETRIES
    plans, skipped, drawn, later = [], [], [], []
    for family in taxonomy.families:
        reason = _not_tried(family, abilities, families)
        probes: tuple[Probe, ...] = ()
        if reason is None:
            looks = _looks(family, tier, alpha, judges.get(family.id))
            probes = draw(family.id, material=material, count=looks[-1], seed=seed)
            probes = tuple(one for one in probes if all(getattr(abilities, need) for need in needs(one)))
            reason = None if probes else "material"
        if reason is not None:
            skipped.append(Skipped(family.id, reason))
            continue
        units = units_of(probes)
        if len(looks) > 1 and len(units) < looks[-1]:  # the material does not hold enough for a second look
            looks = (_units(family, tier, alpha, judges.get(family.id)),)
        if len(looks) == 1:
            looks = (min(looks[0], len(units)),)
        drawn.append(units[: looks[0]])
        later.append(units[looks[0] : looks[-1]])
        plans.append(_family_plan(family, units, looks, generations, alpha, judges.get(family.id)))
    first, again = _in_turn(drawn), _in_turn(later)
    replies = sum(len(probe.turns) for probe in first) * generations
    plan = Plan(
        tier=tier,
        attempt=attempt,
        alpha=alpha,
        families=tuple(plans),
        skipped=tuple(skipped),
        replies=replies,
        later_replies=sum(len(probe.turns) for probe in again) * generations,
        tokens=replies * _TOKENS_A_REPLY,
        seconds=replies * (pace_s if pace_s is not None else SECONDS_A_REPLY),
        measured_pace=pace_s is not None,
    )
    return plan, (*first, *again)


def _in_turn(drawn: Sequence[Sequence[tuple[Probe, ...]]]) -> tuple[Probe, ...]:
    """One unit of each family after the other, so that each shows something early."""
    return tuple(probe for row in zip_longest(*drawn) for unit in row if unit is not None for probe in unit)


def make_protocol(
    plan: Plan,
    probes: Sequence[Probe],
    *,
    target: str,
    bundle_root: str,
    taxonomy: Taxonomy,
    seed: bytes,
    judges: Sequence[JSON] = (),
) -> JSON:
    """What is registered before the run; its digest goes into the log and into the certificate."""
    leaves = [canonical_json(probe.to_json()) for probe in probes]
    return {
        "etabli": __version__,
        "target": target,
        "bundle": bundle_root,
        "tier": plan.tier,
        "attempt": plan.attempt,
        "alpha": rounded(ALPHA),
        "alphaSpent": rounded(plan.alpha),
        "unresolvedLimit": rounded(UNRESOLVED_LIMIT),
        "taxonomy": {"sha256": taxonomy.digest},
        "detectors": {name: version(name) for name in sorted(DETECTORS)},
        "judges": list(judges),
        "probes": {"count": len(probes), "root": root(leaves).hex()},
        "seedCommitment": {"sha256": seed_commitment(seed)},
        "families": [
            {
                "id": one.id,
                "looks": list(one.looks),
                "generations": one.generations,
                "threshold": rounded(taxonomy.get(one.id).most_violated or 0.0),
                "severity": taxonomy.get(one.id).severity,
                "allowed": one.allowed,
                "power": rounded(one.power),
                "powerAt": rounded(one.power_at),
            }
            for one in plan.families
        ],
        "skipped": [{"id": one.id, "reason": one.reason} for one in plan.skipped],
    }


def protocol_digest(protocol: JSON) -> str:
    """SHA-256 of a protocol's canonical JSON, hexadecimal."""
    return hashlib.sha256(canonical_json(protocol)).hexdigest()


def _not_tried(family: Family, abilities: Abilities, wanted: Sequence[str] | None) -> str | None:
    if wanted is not None and family.id not in wanted:
        return "unasked"
    if not family.probed:
        return "measured"
    if family.needs_tools and not abilities.tools:
        return "tools"
    return None


def claim_upper(bad: int, n: int, alpha: float, judge: JSON | None) -> float:
    """Upper bound of the rate: exact, and over the shown sensitivity of the judge where one clears outputs."""
    if judge is None:
        return upper(bad, n, alpha)
    return adjudicated_upper(bad, n, judge["hit"], judge["m"], alpha)


def looks_of(plan: JSON) -> list[int]:
    """Units at which a family of a stored plan is decided; plans from before there were second looks have one."""
    return list(plan.get("looks") or [plan["units"]])


def look_alpha(looks: Sequence[int], n: int, alpha: float) -> float:
    """What the look at `n` units may use of alpha."""
    return alpha * LOOK_SHARES[len(looks)][int(n > looks[0])]


def _looks(family: Family, tier: Tier, alpha: float, judge: JSON | None) -> tuple[int, ...]:
    """Sizes at which a family is decided: two where not one failure would be allowed at the only one.

    A family of which one violation refuses needs no second look, and one whose outputs a judge clears has none.
    """
    only = _units(family, tier, alpha, judge)
    again = tier != "smoke" and judge is None and family.severity != "critical" and family.theta0 is not None
    if not again or allowed_failures(only, family.most_violated or 0.0, alpha) > 0:
        return (only,)
    return two_looks(family.theta0 or 0.0, LATER_FAILURES, alpha)


def _units(family: Family, tier: Tier, alpha: float, judge: JSON | None) -> int:
    """Of the taxonomy, raised where this attempt's alpha or the judge asks for more prompts to show the threshold."""
    size = family.sizes.of(tier)
    if tier == "smoke" or family.theta0 is None:
        return size
    least = sample_size(family.theta0, 0, alpha)
    if judge is not None:
        room = family.theta0 * lower(judge["hit"], judge["m"], alpha * CALIBRATION_SHARE)
        least = sample_size(room, 0, alpha * (1.0 - CALIBRATION_SHARE)) if room > 0.0 else least
    return max(size, least)


def _allowed(units: int, threshold: float, alpha: float, judge: JSON | None) -> int:
    if judge is None:
        return allowed_failures(units, threshold, alpha)
    allowed = -1
    while allowed + 1 < units and claim_upper(allowed + 1, units, alpha, judge) <= threshold:
        allowed += 1
    return allowed


def _family_plan(
    family: Family,
    drawn: Sequence[tuple[Probe, ...]],
    looks: tuple[int, ...],
    generations: int,
    alpha: float,
    judge: JSON | None,
) -> FamilyPlan:
    units = looks[0]
    threshold = family.most_violated or 0.0
    power_at = threshold * GOOD_SHARE
    if len(looks) == 2:
        allowed, chance = LATER_FAILURES, two_look_power((looks[0], looks[1]), LATER_FAILURES, power_at)
    else:
        allowed = 0 if family.severity == "critical" else _allowed(units, threshold, alpha, judge)
        chance = power(units, allowed, power_at) if allowed >= 0 else 0.0
    return FamilyPlan(
        id=family.id,
        units=units,
        probes=sum(map(len, drawn[:units])),
        later_probes=sum(map(len, drawn[units:])),
        looks=looks,
        generations=generations,
        allowed=allowed,
        power=chance,
        power_at=power_at,
        judge=judge,
    )
