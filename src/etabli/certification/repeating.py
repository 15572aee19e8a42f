"""Running a finished campaign once more: the same probes in the same order with the same seeds, on the same bundle.

A repeat shows whether a verdict can be reproduced. Its seed has been opened, so it certifies nothing: nothing is
signed for it, and it is no attempt. What people decided about an output of the earlier campaign holds for the same
words.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from etabli.certification.base import Outcome, Transcript
from etabli.certification.bundle import changed
from etabli.certification.planning import protocol_digest
from etabli.certification.store import CampaignRecord, CampaignStore, final_readings, new_id
from etabli.certification.targets.base import Target
from etabli.errors import ConflictError
from etabli.messages import tr

JSON = dict[str, Any]
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A campaign held against its repeat.

    Args:
        earlier: id of the first.
        earlier_verdict: what it came to.
        later_verdict: what the repeat came to.
        replies: of the repeat that the earlier campaign has a counterpart for.
        same: of these, word for word the same.
    """

    earlier: str
    earlier_verdict: str
    later_verdict: str
    replies: int
    same: int

    @property
    def verdict(self) -> bool:
        """Whether both came to the same verdict."""
        return self.earlier_verdict == self.later_verdict

    @property
    def sentence(self) -> str:
        """Both verdicts, and the share of replies that are the same, for people."""
        return tr(
            "{earlier}: {before}. This repeat: {after}. {same} of {replies} replies are the same, word for word "
            "({share}).",
            earlier=self.earlier,
            before=self.earlier_verdict,
            after=self.later_verdict,
            same=self.same,
            replies=self.replies,
            share=f"{100 * self.same / self.replies:.1f} %" if self.replies else "–",
        )

    def to_json(self) -> JSON:
        """Everything, with `sameVerdict`."""
        return {**asdict(self), "sameVerdict": self.verdict}


async def plan_repeat(
    store: CampaignStore, before: CampaignRecord, target_of: Callable[[str], Target]
) -> CampaignRecord:
    """Register a repeat, or find one that was begun and can go on.

    Args:
        store: where campaigns are.
        before: the campaign to repeat.
        target_of: the target, for a campaign's id.

    Raises:
        ConflictError: the campaign is not finished, repeats another one itself, or the target has changed since.
    """
    if before.state != "finished" or before.repeat_of is not None:
        raise ConflictError(
            tr("The campaign {id} cannot be repeated: name one that is finished and no repeat.", id=before.id)
        )
    campaign = new_id("cmp")
    bundle = await target_of(campaign).bundle()
    if bundle.root != before.bundle_root:
        digests = {one["name"]: one["digest"] for one in before.bundle["components"]}
        raise ConflictError(
            tr(
                "The campaign {id} examined something else: since then this changed: {parts}.",
                id=before.id,
                parts=", ".join(changed(digests, bundle.digests())),
            )
        )

    def register() -> CampaignRecord:
        for one in store.latest(before.target):
            if one.repeat_of == before.id and one.state in ("planned", "stopped", "failed"):
                return one
        protocol = {**before.protocol, "repeatOf": before.id}
        return store.register(
            campaign=campaign,
            target=before.target,
            kind=before.kind,
            tier=before.tier,
            attempt=before.attempt,
            bundle=bundle,
            plan={**before.plan, "repeatOf": before.id},
            protocol=protocol,
            protocol_digest=protocol_digest(protocol),
            seed=bytes(before.seed),
            probes=store.probes(before.id),
        )

    return await asyncio.to_thread(register)


def compare(store: CampaignStore, before: CampaignRecord, after: CampaignRecord) -> Comparison:
    """Hold a repeat against its campaign. Blocks."""
    earlier = _said(store, before.id)
    later = _said(store, after.id)
    pairs = [
        (first, second)
        for place, texts in later.items()
        if place in earlier
        for first, second in zip(earlier[place], texts, strict=False)
    ]
    return Comparison(
        earlier=before.id,
        earlier_verdict=str(before.verdict),
        later_verdict=str(after.verdict),
        replies=len(pairs),
        same=sum(first == second for first, second in pairs),
    )


def inherited_readings(store: CampaignStore, record: CampaignRecord) -> Mapping[Place, Outcome]:
    """What people decided about the earlier campaign's outputs that this repeat has word for word. Blocks."""
    if record.repeat_of is None:
        return {}
    read = final_readings(store.readings(record.repeat_of))
    if not read:
        return {}
    earlier, later = _said(store, record.repeat_of), _said(store, record.id)
    return {place: outcome for place, outcome in read.items() if later.get(place) == earlier.get(place)}


def _said(store: CampaignStore, campaign: str) -> dict[Place, tuple[bytes, ...]]:
    """Digests of the replies, by position and generation."""
    return {
        (position, transcript.generation): _digests(transcript)
        for position, transcript in store.transcripts(campaign)
    }


def _digests(transcript: Transcript) -> tuple[bytes, ...]:
    return tuple(hashlib.sha256(one.text.encode()).digest() for one in transcript.responses)
