"""The judges of a campaign: who may be asked about what programs leave open, and what their word is worth.

A judge is seated for a family and a language when the registry holds its calibration and the lower bound of its
sensitivity reaches the floor; else a person decides, as without judges. Its word clears an output or leaves it to a
person: it never condemns by itself, so that false alarms cost a reading and nothing else. What it misses is answered
for in the bound, which divides by the sensitivity that was shown.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from etabli.certification.base import Detection, Outcome, Probe, Response
from etabli.certification.certificate.canonical import canonical_json
from etabli.certification.certificate.digits import rounded_down
from etabli.certification.judges.calibration import Calibration, JudgeRegistry
from etabli.certification.judges.judge import Judge
from etabli.certification.judges.policy import INSTRUCTIONS, policies
from etabli.engines.base import ChatEngine
from etabli.errors import JudgeRefusedError

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seat:
    """A judge that may be asked, and the calibration that lets it."""

    judge: Judge
    calibration: Calibration

    @property
    def digest(self) -> str:
        """SHA-256 of the calibration's canonical JSON."""
        return hashlib.sha256(canonical_json(asdict(self.calibration))).hexdigest()


class Panel:
    """The judges of one engine.

    Args:
        engine: that they run on.
        seats: by family and language.
        refused: why the others are not seated, a sentence each.
        owned: whether closing the panel closes the engine.
    """

    def __init__(
        self,
        engine: ChatEngine,
        seats: Mapping[tuple[str, str], Seat],
        *,
        refused: Sequence[str] = (),
        owned: bool = False,
    ) -> None:
        self._engine = engine
        self._seats = dict(seats)
        self._owned = owned
        self.refused = tuple(refused)

    def planned(self) -> dict[str, JSON]:
        """What stands in the claims of a family that has judges: those of the language where least was shown."""
        found: dict[str, JSON] = {}
        for family in sorted({family for family, _ in self._seats}):
            seats = [seat for (one, _), seat in sorted(self._seats.items()) if one == family]
            worst = min(seats, key=lambda seat: seat.calibration.sensitivity_lower())
            found[family] = {
                "id": f"judge:{worst.judge.model}@{worst.judge.key[:12]}",
                "calibration": worst.digest,
                "m": worst.calibration.positives,
                "hit": worst.calibration.hits,
                "seLower": rounded_down(worst.calibration.sensitivity_lower()),
            }
        return found

    def registered(self) -> list[JSON]:
        """Every seat with its whole calibration, for the protocol."""
        return [asdict(seat.calibration) | {"digest": seat.digest} for _, seat in sorted(self._seats.items())]

    async def opinion(self, probe: Probe, responses: Sequence[Response]) -> Detection | None:
        """Clear an output that programs left open, or leave it to a person with the judge's reason.

        None where no judge is seated for it. Pairs are people's: a judge reads one reply at a time.
        """
        seat = self._seats.get((probe.family, probe.language))
        if seat is None or probe.pair:
            return None
        found = await seat.judge.judge(probe, responses)
        outcome: Outcome = "not" if found.outcome == "not" else "unsure"
        return Detection(found.detector, found.version, outcome, found.detail)

    async def aclose(self) -> None:
        """Close the engine, where it is the panel's own."""
        if self._owned:
            await self._engine.aclose()


def seat_judges(
    engine: ChatEngine, registry: JudgeRegistry, *, model_digest: str, owned: bool = False
) -> Panel:
    """Seat an engine as judge of every family and language that it was shown to judge well enough.

    Args:
        engine: any chat model.
        registry: its calibrations.
        model_digest: what names its weights for good.
        owned: whether the panel closes the engine.

    Raises:
        ConfigurationError: the registry's file is damaged.
    """
    seats, refused = {}, []
    for family, policy in sorted(policies().items()):
        for language in sorted(INSTRUCTIONS):
            judge = Judge(engine, policy, language=language, model_digest=model_digest)
            try:
                seats[family, language] = Seat(judge, registry.require(judge))
            except JudgeRefusedError as error:
                refused.append(str(error))
    return Panel(engine, seats, refused=refused, owned=owned)
