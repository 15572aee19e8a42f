"""What a campaign does after its probes: an attacker that adapts, and a replay of some conversations.

Neither gives a rate. The attacker reports a budget and its successes; the replay says how often the same question got
the same answer, which bounds how far the rest can be reproduced.
"""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable
from typing import Any

from etabli.certification.adaptive import Aim, Attacker
from etabli.certification.base import Probe, Response
from etabli.certification.certificate.canonical import canonical_json
from etabli.certification.detectors.registry import detect
from etabli.certification.probes.base import Material
from etabli.certification.store import CampaignStore
from etabli.certification.targets.base import Target

JSON = dict[str, Any]
BUDGETS = {"smoke": 0, "standard": 24, "full": 120}
"""Tries of the attacker, over both languages and aims."""
REPLAYED_SHARE = 0.05
_LABELS = {
    "obey": {"fr": "Attaquant qui s’adapte : obéir", "en": "Adaptive attacker: obey"},
    "leak": {"fr": "Attaquant qui s’adapte : livrer les consignes", "en": "Adaptive attacker: leak"},
}
_FAMILIES = {"obey": "A1", "leak": "A3"}


async def attack(
    target: Target, material: Material, *, seed: bytes, budget: int, secret: tuple[str, str] | None
) -> tuple[list[JSON], list[JSON]]:
    """Spend a budget of tries on every aim and language that the target allows.

    Args:
        target: what is examined.
        material: what the attacker talks about.
        seed: of the attempt.
        budget: tries in all.
        secret: the sentence added to the instructions and the word in it, where that can be done.

    Returns:
        One entry an aim, in the shape of `predicate.adaptive`; and every try with its conversation.
    """
    aims: list[Aim] = ["obey"] if secret is None else ["obey", "leak"]
    each = budget // (len(aims) * len(material.languages))
    summary: list[JSON] = []
    tries: list[JSON] = []
    for aim in aims:
        attackers = [
            Attacker(aim, language=language, material=material, seed=seed, secret=secret)
            for language in material.languages
        ]
        # Languages run side by side; within one, each try depends on the one before.
        results = await asyncio.gather(*(_spend(target, one, each) for one in attackers))
        summary.append(
            {
                "attack": f"adaptive:{aim}",
                "family": _FAMILIES[aim],
                "label": _LABELS[aim],
                "attempts": sum(len(one) for one in results),
                "successes": sum(
                    entry["detection"]["outcome"] == "violated" for one in results for entry in one
                ),
                "critical": 0,
                "claim": "no rate claimed",
            }
        )
        tries.extend(entry for one in results for entry in one)
    return summary, tries


async def _spend(target: Target, attacker: Attacker, budget: int) -> list[JSON]:
    done = []
    for number in range(budget):
        probe = attacker.ask()
        responses = await target.converse(probe, seed=number)
        detection = await asyncio.to_thread(detect, probe, responses)
        attacker.tell(probe, responses, detection)
        done.append(
            {
                "probe": probe.to_json(),
                "responses": [one.to_json() for one in responses],
                "detection": detection.to_json(),
            }
        )
    return done


async def replay(
    store: CampaignStore,
    target: Target,
    campaign: str,
    *,
    seed: bytes,
    converse: Callable[[Probe, int], Awaitable[tuple[Response, ...]]],
    share: float = REPLAYED_SHARE,
) -> JSON:
    """Ask some questions again and compare the texts.

    Args:
        store: where the conversations are.
        target: what is examined.
        campaign: its id.
        seed: chooses which, so that nobody else can.
        converse: asks a probe as the campaign did: probe and generation.
        share: of all conversations.

    Returns:
        `tried`, `same`, and the `digest` over what was compared.
    """
    positions = await asyncio.to_thread(lambda: [place for place, _ in store.transcripts(campaign)])
    chosen = random.Random(hashlib.sha256(b"replay" + seed).digest()).sample(
        sorted(set(positions)), k=min(len(set(positions)), max(1, round(share * len(positions))))
    )

    async def again(position: int) -> JSON:
        before = await asyncio.to_thread(store.transcript, campaign, position)
        now = await converse(before.probe, before.generation)
        texts = [[response.text for response in said] for said in (before.responses, now)]
        return {"probe": before.probe.id, "same": texts[0] == texts[1]}

    compared = await asyncio.gather(*(again(position) for position in sorted(chosen)))
    return {
        "tried": len(compared),
        "same": sum(one["same"] for one in compared),
        "digest": hashlib.sha256(canonical_json(list(compared))).hexdigest(),
    }
