"""Draws the probes of a family: the same ones on every machine for the same material, seed and count.

Half of them come from a public seed and are the same in every campaign on the same material; half from the attempt's
secret seed, so that nobody could prepare for them. Languages share both halves equally; where one of them cannot give
enough distinct prompts, the others fill up.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from etabli.certification.base import Language, Probe
from etabli.certification.probes import acting, asking, harming, injecting, leaking
from etabli.certification.probes.base import Material
from etabli.certification.probes.crafting import Context, Dice, Draft, Unit, folded

PUBLIC_SEED = b"etabli public probes, pack 2"
"""Raised with every change that gives other public probes."""
_TRIES = 400
"""Drafts in a row that say what was said before, after which a source counts as exhausted."""
_SAME_QUESTIONS = frozenset({"Q1", "Q2", "Q3"})

_CRAFTS: dict[str, Callable[[Context], Iterator[Unit]]] = {
    "A1": injecting.direct,
    "A2": injecting.through_documents,
    "A3": leaking.instructions,
    "A4": leaking.other_documents,
    "A5": acting.tools,
    "A6": acting.display,
    "A7": acting.consumption,
    "S1": harming.crimes,
    "S2": harming.hate,
    "S3": harming.advice,
    "S4": harming.distress,
    "S5": harming.bias,
    "S6": harming.minors,
    "Q1": asking.grounded,
    "Q2": asking.correct,
    "Q3": asking.cited,
    "Q4": asking.unanswerable,
    "Q5": asking.robust,
    "Q6": asking.insistence,
    "O1": asking.look_alikes,
    "O2": asking.legitimate,
    "T1": asking.is_an_ai,
    "T2": asking.is_an_ai,
    "T3": asking.hands_over,
}


def families() -> tuple[str, ...]:
    """Ids of the families that have probes."""
    return tuple(_CRAFTS)


def draw(
    family_id: str,
    *,
    material: Material,
    count: int,
    seed: bytes,
    languages: Sequence[Language] = ("fr", "en"),
) -> tuple[Probe, ...]:
    """The probes of one family.

    Args:
        family_id: of the taxonomy.
        material: what they are made from.
        count: units wanted: prompts, or pairs for S5, Q5 and Q6 (two probes each).
        seed: of the attempt, secret until it is over; the held-out half comes from it.
        languages: to write in.

    Returns:
        Probes with distinct prompts, languages and halves in turn; fewer than asked for where the material does not
        hold enough, none where the family does not apply.

    Raises:
        KeyError: the family has no probes.
    """
    said: set[str] = set()
    sources = _sources(family_id, material, seed, languages, said)
    wanted = [count // len(sources) + (place < count % len(sources)) for place in range(len(sources))]
    taken = [source.take(number) for source, number in zip(sources, wanted, strict=True)]
    for source, units in zip(sources, taken, strict=True):
        units += source.take(count - sum(map(len, taken)))
    ordered = [unit for row in zip_longest(*taken) for unit in row if unit is not None]
    return tuple(probe for unit in ordered for probe in unit)


def _sources(
    family: str, material: Material, seed: bytes, languages: Sequence[Language], said: set[str]
) -> list["_Source"]:
    """One per language and half; the held-out ones first, so that a small draw is not all public."""
    label = "Q" if family in _SAME_QUESTIONS else family
    used: set[str] = set()
    return [
        _Source(
            _CRAFTS[family](
                Context(
                    family,
                    language,
                    material,
                    Dice(seed if held_out else PUBLIC_SEED, label, language),
                    Dice(seed, "attempt", label),
                    used,
                )
            ),
            family,
            language,
            held_out,
            said,
        )
        for held_out in (True, False)
        for language in (languages if held_out else tuple(reversed(languages)))
    ]


class _Source:
    """Distinct probes of one language and half, as many as are asked for."""

    def __init__(
        self, units: Iterator[Unit], family: str, language: Language, held_out: bool, said: set[str]
    ) -> None:
        self._units = units
        self._family = family
        self._language: Language = language
        self._held_out = held_out
        self._said = said

    def take(self, count: int) -> list[tuple[Probe, ...]]:
        taken: list[tuple[Probe, ...]] = []
        while len(taken) < count:
            unit = self._next()
            if unit is None:
                break
            taken.append(unit)
        return taken

    def _next(self) -> tuple[Probe, ...] | None:
        for _ in range(_TRIES):
            unit = next(self._units, None)
            if unit is None:
                return None
            key = "\n".join(_key(draft) for draft in unit)
            if key not in self._said:
                self._said.add(key)
                return self._probes(unit, key)
        return None

    def _probes(self, unit: Unit, key: str) -> tuple[Probe, ...]:
        digest = hashlib.sha256(key.encode()).hexdigest()[:8]
        pair = f"{self._family}.{self._language}.{digest}" if len(unit) > 1 else ""
        return tuple(
            Probe(
                id=f"{self._family}.{draft.template}.{self._language}.{digest}"
                + (f"-{'ab'[place]}" if pair else ""),
                family=self._family,
                language=self._language,
                turns=draft.turns,
                oracle=draft.oracle,
                plants=draft.plants,
                instructions_canary=draft.instructions_canary,
                tools=draft.tools,
                template=draft.template,
                transformation=draft.transformation,
                held_out=self._held_out,
                pair=pair,
                reference=draft.reference,
            )
            for place, draft in enumerate(unit)
        )


def _key(draft: Draft) -> str:
    """Two drafts with the same key say the same thing. Where a document is planted, what it says counts too."""
    planted = [draft.template] if any(plant.audience == "assistant" for plant in draft.plants) else []
    return "\x1f".join([draft.transformation, *planted, *map(folded, draft.turns)])
