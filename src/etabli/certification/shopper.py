"""The secret shopper: tries a published assistant now and then while it serves, as a campaign would.

Every unit is drawn anew from a fresh secret seed, so that nobody could prepare for it, and is asked as people ask:
through the same search, prompt, engine and guards. Knows nothing of when the machine is idle: whoever calls `visit`
does, and may cancel it; the same unit is then tried again, since a new one would favour short answers.
"""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from etabli.assistants.specification import AssistantSpecification
from etabli.certification.base import Detection, Outcome, Probe, Response, Transcript
from etabli.certification.certificate.statement import read_statement
from etabli.certification.certifying import Certifier
from etabli.certification.detectors.registry import detect, detect_pair
from etabli.certification.drift import Watched, next_family, watched
from etabli.certification.gate import Gate
from etabli.certification.probes.base import units_of
from etabli.certification.probes.drawing import draw
from etabli.certification.publishing import Publications
from etabli.certification.service import ServiceRecords, Subject, Suspension
from etabli.certification.shadow import remove_shadows
from etabli.certification.targets.base import Target, needs
from etabli.errors import ConflictError
from etabli.storage.database import Database

Unit = tuple[Probe, ...]
_DAY = timedelta(days=1)
_SECRET_UNITS = 2
"""The first two that are drawn are of the secret half, one in each language where the material has both."""
_GRAVEST: tuple[Outcome, ...] = ("violated", "error", "unsure", "not")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit came to."""

    family: str
    outcome: Outcome
    suspension: Suspension | None


class SecretShopper:
    """Tries the published assistants of one workspace. For one event loop.

    Args:
        database: of the workspace.
        certifier: makes targets and material.
        publications: which assistants are published, under which certificate.
        gate: whether they serve.
        probes_a_day: of each assistant; nothing is tried where it is 0.
    """

    def __init__(
        self,
        database: Database,
        certifier: Certifier,
        publications: Publications,
        gate: Gate,
        *,
        probes_a_day: int,
    ) -> None:
        self._database = database
        self._certifier = certifier
        self._publications = publications
        self._gate = gate
        self._records = ServiceRecords(database)
        self._begun: dict[str, tuple[Subject, Watched, Unit]] = {}
        self._nothing: dict[Subject, set[str]] = {}
        self.probes_a_day = probes_a_day

    def due(self) -> list[str]:
        """Names of published assistants that it is time to try, the one that waited longest first. Blocks."""
        if not self.probes_a_day:
            return []
        waited = []
        for name, certificate in self._publications.published().items():
            last = self._records.span(self._subject(certificate)).last
            if last is None or datetime.now(UTC) - last >= _DAY / self.probes_a_day:
                waited.append((last or datetime.min.replace(tzinfo=UTC), name))
        return [name for _, name in sorted(waited)]

    async def visit(self, assistant: AssistantSpecification) -> Visit | None:
        """Try one unit on an assistant, if it serves under a certificate; None where there is nothing to try.

        Cancelling it keeps the unit for the next visit and takes back what was planted.
        """
        standing = await asyncio.to_thread(self._gate.standing, assistant)
        if standing.state not in ("established", "conditional") or standing.certificate is None:
            self._begun.pop(assistant.name, None)
            return None
        record = await asyncio.to_thread(self._publications.certificate, standing.certificate)
        subject = Subject(assistant.name, record.bundle_root, record.id)
        families = watched(read_statement(record.envelope.encode())["predicate"])
        # The same name each time, so that what a crash left planted is taken away now.
        place = f"service-{assistant.name}"
        try:
            with self._certifier.store.alone(place):
                await asyncio.to_thread(remove_shadows, self._database, place)
                found = await self._try_one(assistant, subject, families, place)
        except ConflictError:  # another server of this database is at it
            return None
        if found is None:
            return None
        one, outcome, transcripts = found
        del self._begun[assistant.name]
        suspension = await asyncio.to_thread(
            self._records.keep, subject, one, outcome, transcripts, families=families
        )
        if suspension is not None:
            log.warning("%s is suspended: %s", assistant.name, suspension.reason)
        return Visit(one.family, outcome, suspension)

    async def _try_one(
        self, assistant: AssistantSpecification, subject: Subject, families: Sequence[Watched], place: str
    ) -> tuple[Watched, Outcome, list[Transcript]] | None:
        target = self._certifier.target(assistant, place)
        try:
            chosen = await self._chosen(assistant, subject, families, target)
            return None if chosen is None else (chosen[0], *await _tried(target, *chosen))
        finally:
            await asyncio.shield(target.aclose())

    def _subject(self, certificate: str) -> Subject:
        record = self._publications.certificate(certificate)
        return Subject(record.assistant, record.bundle_root, record.id)

    async def _chosen(
        self,
        assistant: AssistantSpecification,
        subject: Subject,
        families: Sequence[Watched],
        target: Target,
    ) -> tuple[Watched, Unit] | None:
        """The unit that was broken off, or a new one of the family whose turn it is."""
        begun = self._begun.get(assistant.name)
        if begun is not None and begun[0] == subject:
            return begun[1:]
        counts = await asyncio.to_thread(self._records.counts, subject)
        nothing = self._nothing.setdefault(subject, set())
        material = await self._certifier.material(assistant)
        while left := [one for one in families if one.family not in nothing]:
            one = next_family(left, counts)
            drawn = await asyncio.to_thread(
                draw, one.family, material=material, count=_SECRET_UNITS, seed=secrets.token_bytes(32)
            )
            units = [
                unit
                for unit in units_of(drawn)
                if all(getattr(target.abilities, need) for each in unit for need in needs(each))
            ]
            if units:
                self._begun[assistant.name] = (subject, one, secrets.choice(units))
                return self._begun[assistant.name][1:]
            nothing.add(one.family)
        return None


async def _tried(target: Target, one: Watched, unit: Unit) -> tuple[Outcome, list[Transcript]]:
    """Ask a unit as often as the certificate counts it; the gravest of its outcomes, and everything that was said."""
    transcripts: list[Transcript] = []
    for generation in range(one.generations):
        replies = [await target.converse(probe, seed=secrets.randbits(31)) for probe in unit]
        found = await asyncio.to_thread(_found, unit, replies)
        transcripts += [
            Transcript(probe, generation, responses, (detection,), model=target.model)
            for probe, responses, detection in zip(unit, replies, found, strict=True)
        ]
    outcomes = {one.outcome for one in transcripts}
    return next(outcome for outcome in _GRAVEST if outcome in outcomes), transcripts


def _found(unit: Unit, replies: Sequence[tuple[Response, ...]]) -> list[Detection]:
    """What programs find; a pair is decided as a whole."""
    if len(unit) == 2 and unit[0].pair:
        both = detect_pair(unit[0], replies[0], unit[1], replies[1])
        return [both, both]
    return [detect(probe, responses) for probe, responses in zip(unit, replies, strict=True)]
