"""Reading by people: what comes next, blind, in an order that tells nothing; a fifth of it twice.

A pair is one thing to read. The second reading of an output comes when every first one is done; whoever it is by, it
is kept beside the first, so that the certificate can say how often two readings agreed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from etabli.certification.base import Transcript
from etabli.certification.certifying import Certifier
from etabli.certification.taxonomy import taxonomy
from etabli.errors import NotFoundError
from etabli.messages import language, tr
from etabli.server.certification.protocol import NextReading, ReadingBody, ReadingItem, ReadingKept, Said
from etabli.server.certification.queries import Waiting, waiting
from etabli.storage.database import Database

TWICE = 0.2
"""Share of the outputs that are read twice."""
_SHOWN = ("text", "citations", "tool_calls", "error")


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is read at once: one conversation, or the two of a pair."""

    members: tuple[Waiting, ...]
    order: float
    wanted: int

    @property
    def readers(self) -> tuple[str, ...]:
        return self.members[0].readers

    @property
    def left(self) -> int:
        return max(0, self.wanted - len(self.readers))


class Readings:
    """The readings of campaigns. Blocks: call it from a thread.

    Args:
        database: where they are.
        certifier: counts again when the last one is done.
    """

    def __init__(self, database: Database, certifier: Certifier) -> None:
        self._database = database
        self._certifier = certifier

    def next(self, campaign: str) -> NextReading:
        """What to read now."""
        self._certifier.store.get(campaign)
        units = self._units(campaign)
        open_ = [unit for unit in units if unit.left]
        if not open_:
            return NextReading(left=0, item=None)
        unit = min(open_, key=lambda one: (len(one.readers), one.order))
        return NextReading(left=sum(one.left for one in open_), item=self._item(campaign, unit))

    def keep(self, campaign: str, body: ReadingBody) -> ReadingKept:
        """Keep a decision; the campaign is counted again when none is left.

        Raises:
            NotFoundError: nothing there waits for a person.
            ConflictError: the campaign is finished.
        """
        place = (body.position, body.generation)
        unit = next(
            (
                one
                for one in self._units(campaign)
                if any((each.position, each.generation) == place for each in one.members)
            ),
            None,
        )
        if unit is None:
            raise NotFoundError(tr("Nothing at this place waits for a person."))
        name = body.reader.strip() or tr("A reader")
        reader = name if body.reading == 1 else second(name)
        for member in unit.members:
            self._certifier.store.read(
                campaign,
                member.position,
                member.generation,
                reader=reader,
                outcome=body.outcome,
                note=body.note.strip(),
            )
        left = sum(one.left for one in self._units(campaign))
        record = self._certifier.store.get(campaign)
        if left == 0 and record.state == "awaiting":
            record = self._certifier.settle(campaign)
        return ReadingKept(left=left, state=record.state, verdict=record.verdict)

    def _units(self, campaign: str) -> list[_Unit]:
        grouped: dict[tuple[str, int], list[Waiting]] = {}
        for one in waiting(self._database, campaign):
            grouped.setdefault((one.pair or str(one.position), one.generation), []).append(one)
        return [_unit(campaign, key, members) for key, members in grouped.items()]

    def _item(self, campaign: str, unit: _Unit) -> ReadingItem:
        transcripts = [
            self._certifier.store.transcript(campaign, one.position, one.generation) for one in unit.members
        ]
        first, *others = transcripts
        family = taxonomy().get(first.probe.family)
        reading: Literal[1, 2] = 2 if unit.readers else 1
        return ReadingItem(
            position=unit.members[0].position,
            generation=unit.members[0].generation,
            reading=reading,
            family=family.id,
            label=family.label(language()),
            question=family.description(language()),
            turns=list(first.probe.turns),
            responses=_shown(first),
            other=Said(turns=list(others[0].probe.turns), responses=_shown(others[0])) if others else None,
        )


def second(reader: str) -> str:
    """The name under which somebody's second readings are kept beside the first."""
    return f"{reader} (2)"


def _unit(campaign: str, key: tuple[str, int], members: Sequence[Waiting]) -> _Unit:
    digest = hashlib.sha256(f"{campaign} {key[0]} {key[1]}".encode()).digest()
    order, chance = (int.from_bytes(part, "big") / 2**64 for part in (digest[:8], digest[8:16]))
    return _Unit(tuple(members), order, 2 if chance < TWICE else 1)


def _shown(transcript: Transcript) -> list[dict[str, Any]]:
    """Replies without anything that tells what a program found."""
    return [
        {name: value for name, value in response.to_json().items() if name in _SHOWN}
        for response in transcript.responses
    ]
