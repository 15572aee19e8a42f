"""Campaigns, transcripts and readings as the database keeps them. Blocks: call it from a thread."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from etabli.certification import log
from etabli.certification.base import Outcome, Probe, Transcript
from etabli.certification.bundle import Bundle
from etabli.errors import ConflictError, NotFoundError
from etabli.messages import tr
from etabli.storage.database import Database

JSON = dict[str, Any]
State = Literal["planned", "running", "stopped", "failed", "awaiting", "finished"]
_COLUMNS = (
    "id, target, kind, tier, attempt, state, message, bundle, bundle_root, plan, protocol, protocol_digest, seed,"
    " result, verdict, created_at, started_at, finished_at, spent_s, stop_asked_by"
)
_BATCH = 200
_LOCK = 0x636D_7067  # an arbitrary number, the same for every process


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """One campaign.

    Attributes:
        id: `cmp_…`.
        target: name of the assistant, or of the model and host.
        kind: `assistant` or `endpoint`.
        tier: `smoke`, `standard` or `full`.
        attempt: from 1, since the target's last certificate.
        state: `planned`, `running`, `stopped` by a person, `failed`, `awaiting` readings by people, `finished`.
        message: why it failed.
        bundle: `Bundle.to_json` at its start.
        bundle_root: its root.
        plan: `Plan.to_json`.
        protocol: what was registered before the run.
        protocol_digest: SHA-256 of its canonical JSON.
        seed: of the held-out probes; secret until the campaign is finished.
        result: `Result.to_json` once there is one.
        verdict: of the result.
        spent_s: seconds that it has run.
        stop_asked_by: who asked it to stop since it last began; None while nobody did.
    """

    id: str
    target: str
    kind: str
    tier: str
    attempt: int
    state: State
    message: str
    bundle: JSON
    bundle_root: str
    plan: JSON
    protocol: JSON
    protocol_digest: str
    seed: bytes
    result: JSON | None
    verdict: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    spent_s: float
    stop_asked_by: str | None = None

    @property
    def repeat_of(self) -> str | None:
        """The finished campaign that this one only repeats: it certifies nothing and is no attempt."""
        return self.plan.get("repeatOf")

    @property
    def quality(self) -> dict[str, float]:
        """What the organisation accepts, by family of quality, where it is not what the taxonomy proposes."""
        return dict(self.plan.get("quality", {}))


@dataclass(frozen=True, slots=True)
class Reading:
    """What one person decided about one output."""

    position: int
    generation: int
    reader: str
    outcome: Outcome
    note: str
    read_at: datetime


def new_id(prefix: str) -> str:
    """A name that nothing else has: `cmp_9f…`."""
    return f"{prefix}_{secrets.token_hex(10)}"


class CampaignStore:
    """The campaigns of a workspace. Thread-safe.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def attempt(self, target: str) -> int:
        """Which attempt the next campaign on this target is.

        Those that began since its last certificate count, smoke campaigns and repeats apart, which cannot certify.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT count(*) FROM campaign WHERE target = %(target)s AND started_at IS NOT NULL"
                " AND tier <> 'smoke' AND NOT plan ? 'repeatOf'"
                " AND started_at > coalesce((SELECT max(k.created_at) FROM certificate k"
                " WHERE k.assistant = %(target)s AND k.verdict = 'CERTIFIED'), '-infinity')",
                {"target": target},
            ).fetchone()
        assert row is not None
        return int(row[0]) + 1

    def register(
        self,
        *,
        campaign: str,
        target: str,
        kind: str,
        tier: str,
        attempt: int,
        bundle: Bundle,
        plan: JSON,
        protocol: JSON,
        protocol_digest: str,
        seed: bytes,
        probes: Sequence[Probe],
        account_id: int | None = None,
    ) -> CampaignRecord:
        """Keep a campaign that is about to begin, and enter its protocol in the log, in one transaction."""
        with self._database.owner() as connection:
            entry = log.append(
                connection,
                "protocol",
                {"campaign": campaign, "target": target, "attempt": attempt, "sha256": protocol_digest},
            )
            plan = {**plan, "logNumber": entry.number, "logSha256": entry.sha256,
                    "registeredAt": entry.at.strftime("%Y-%m-%dT%H:%M:%SZ")}  # fmt: skip
            connection.execute(
                "INSERT INTO campaign (id, target, kind, tier, attempt, state, bundle, bundle_root, plan, protocol,"
                " protocol_digest, seed,"
                " probes, account_id) VALUES (%s, %s, %s, %s, %s, 'planned', %s, %s, %s, %s, %s, %s, %s, %s)",
                (campaign, target, kind, tier, attempt, Jsonb(bundle.to_json()), bundle.root, Jsonb(plan),
                 Jsonb(protocol), protocol_digest, seed, Jsonb([one.to_json() for one in probes]), account_id),
            )  # fmt: skip
        return self.get(campaign)

    def get(self, campaign: str) -> CampaignRecord:
        """One campaign.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.owner() as connection:
            record = (
                connection.cursor(row_factory=class_row(CampaignRecord))
                .execute(f"SELECT {_COLUMNS} FROM campaign WHERE id = %s".encode(), (campaign,))
                .fetchone()
            )
        if record is None:
            raise NotFoundError(tr("There is no campaign {id}.", id=campaign[:80]))
        return record

    def latest(self, target: str | None = None, *, limit: int = 50) -> list[CampaignRecord]:
        """The latest campaigns, of one target or of all."""
        with self._database.owner() as connection:
            return (
                connection.cursor(row_factory=class_row(CampaignRecord))
                .execute(
                    f"SELECT {_COLUMNS} FROM campaign WHERE %(target)s::text IS NULL OR target = %(target)s"
                    " ORDER BY created_at DESC LIMIT %(limit)s".encode(),
                    {"target": target, "limit": limit},
                )
                .fetchall()
            )

    def probes(self, campaign: str) -> tuple[Probe, ...]:
        """Those that were drawn and registered, in order; secret until the campaign is finished."""
        with self._database.owner() as connection:
            row = connection.execute("SELECT probes FROM campaign WHERE id = %s", (campaign,)).fetchone()
        return tuple(Probe.from_json(one) for one in row[0]) if row is not None else ()

    def begin(self, campaign: str) -> None:
        """Note that it runs.

        Raises:
            ConflictError: it is finished.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "UPDATE campaign SET state = 'running', message = '', stop_asked_by = NULL,"
                " started_at = coalesce(started_at, now()) WHERE id = %s AND state <> 'finished' RETURNING id",
                (campaign,),
            ).fetchone()
        if row is None:
            raise ConflictError(tr("The campaign {id} is finished. Plan another one.", id=campaign))

    def ask_to_stop(self, campaign: str, by: str) -> bool:
        """Ask whoever runs a campaign to stop it.

        Args:
            campaign: its id.
            by: who asks, for those who look at it later.

        Returns:
            Whether it runs; nothing is asked of one that does not.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "UPDATE campaign SET stop_asked_by = %s WHERE id = %s AND state = 'running' RETURNING id",
                (by, campaign),
            ).fetchone()
        return row is not None

    def stop_asked(self, campaign: str) -> str | None:
        """Who asked it to stop since it began; None while nobody did."""
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT stop_asked_by FROM campaign WHERE id = %s", (campaign,)
            ).fetchone()
        return None if row is None else row[0]

    @contextmanager
    def alone(self, campaign: str) -> Iterator[None]:
        """Be the only process that runs a campaign; ends with the process, however it does.

        Raises:
            ConflictError: another one runs it.
        """
        with self._database.statement_by_statement() as connection:
            if not _try_lock(connection, campaign):
                raise ConflictError(tr("The campaign {id} runs already.", id=campaign))
            try:
                yield
            finally:
                connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (_LOCK, campaign))

    def interrupted(self) -> list[str]:
        """Campaigns that are said to run and that no process runs; from now on they are stopped."""
        with self._database.statement_by_statement() as connection:
            rows = connection.execute("SELECT id FROM campaign WHERE state = 'running'").fetchall()
            found = []
            for (campaign,) in rows:
                if _try_lock(connection, campaign):
                    connection.execute(
                        "UPDATE campaign SET state = 'stopped' WHERE id = %s AND state = 'running'",
                        (campaign,),
                    )
                    connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", (_LOCK, campaign))
                    found.append(str(campaign))
        return found

    def pause(self, campaign: str, state: State, *, message: str = "", spent_s: float = 0.0) -> None:
        """Note that it runs no more, for now."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE campaign SET state = %s, message = %s, spent_s = spent_s + %s"
                " WHERE id = %s AND state <> 'finished'",
                (state, message, spent_s, campaign),
            )

    def settle(self, campaign: str, *, result: JSON, verdict: str, awaiting: bool, spent_s: float) -> None:
        """Keep the result; a campaign that awaits nobody is finished and its seed is opened in the log."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE campaign SET result = %s, verdict = %s, state = %s, spent_s = spent_s + %s,"
                " finished_at = CASE WHEN %s THEN NULL ELSE now() END WHERE id = %s",
                (Jsonb(result), verdict, "awaiting" if awaiting else "finished", spent_s, awaiting, campaign),
            )
            if not awaiting:
                seed = connection.execute("SELECT seed FROM campaign WHERE id = %s", (campaign,)).fetchone()
                assert seed is not None
                log.append(
                    connection,
                    "verdict",
                    {"campaign": campaign, "verdict": verdict, "seed": bytes(seed[0]).hex()},
                )

    def keep(self, campaign: str, position: int, transcript: Transcript) -> None:
        """Keep what one probe came to; a later try replaces one that ended in an error."""
        with self._database.owner() as connection:
            connection.execute(
                "INSERT INTO campaign_transcript (campaign_id, position, generation, family, probe_id, outcome,"
                " record) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (campaign_id, position, generation)"
                " DO UPDATE SET outcome = excluded.outcome, record = excluded.record, created_at = now()",
                (campaign, position, transcript.generation, transcript.probe.family, transcript.probe.id,
                 transcript.outcome, Jsonb(transcript.to_json())),
            )  # fmt: skip

    def done(self, campaign: str) -> dict[tuple[int, int], Outcome]:
        """What is known already, by position and generation; errors are left out, so that they are tried again."""
        with self._database.owner() as connection:
            return {
                (int(position), int(generation)): outcome
                for position, generation, outcome in connection.execute(
                    "SELECT position, generation, outcome FROM campaign_transcript"
                    " WHERE campaign_id = %s AND outcome <> 'error'",
                    (campaign,),
                )
            }

    def transcripts(
        self, campaign: str, *, family: str | None = None, outcome: str | None = None
    ) -> Iterator[tuple[int, Transcript]]:
        """Positions and transcripts in the order of the plan, read in batches."""
        after = (-1, -1)
        while True:
            with self._database.owner() as connection:
                rows = connection.execute(
                    "SELECT position, generation, record FROM campaign_transcript WHERE campaign_id = %(id)s"
                    " AND (position, generation) > (%(position)s, %(generation)s)"
                    " AND (%(family)s::text IS NULL OR family = %(family)s)"
                    " AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)"
                    " ORDER BY position, generation LIMIT %(limit)s",
                    {"id": campaign, "position": after[0], "generation": after[1], "family": family,
                     "outcome": outcome, "limit": _BATCH},
                ).fetchall()  # fmt: skip
            for position, generation, record in rows:
                after = (int(position), int(generation))
                yield after[0], Transcript.from_json(record)
            if len(rows) < _BATCH:
                return

    def transcript(self, campaign: str, position: int, generation: int = 0) -> Transcript:
        """One of them.

        Raises:
            NotFoundError: there is none.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT record FROM campaign_transcript"
                " WHERE campaign_id = %s AND position = %s AND generation = %s",
                (campaign, position, generation),
            ).fetchone()
        if row is None:
            raise NotFoundError(tr("This campaign has no such conversation."))
        return Transcript.from_json(row[0])

    def read(
        self, campaign: str, position: int, generation: int, *, reader: str, outcome: Outcome, note: str = ""
    ) -> None:
        """Keep what a person decided; a second decision of the same person replaces the first.

        Raises:
            ConflictError: the campaign is finished: its certificate counts the readings of then.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "INSERT INTO adjudication (campaign_id, position, generation, reader, outcome, note)"
                " SELECT %s, %s, %s, %s, %s, %s FROM campaign WHERE id = %s AND state <> 'finished'"
                " ON CONFLICT (campaign_id, position, generation, reader)"
                " DO UPDATE SET outcome = excluded.outcome, note = excluded.note, read_at = now() RETURNING reader",
                (campaign, position, generation, reader, outcome, note, campaign),
            ).fetchone()
        if row is None:
            raise ConflictError(tr("The campaign {id} is finished: nothing is read any more.", id=campaign))

    def readings(self, campaign: str) -> list[Reading]:
        """All of them, in the order of the plan."""
        with self._database.owner() as connection:
            return (
                connection.cursor(row_factory=class_row(Reading))
                .execute(
                    "SELECT position, generation, reader, outcome, note, read_at FROM adjudication"
                    " WHERE campaign_id = %s ORDER BY position, generation, read_at",
                    (campaign,),
                )
                .fetchall()
            )

    def pace(self, target: str) -> float | None:
        """Seconds per answer in the target's earlier campaigns, all slots together; None where there were none."""
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT sum(c.spent_s) / nullif(sum(t.answers), 0) FROM campaign c JOIN LATERAL ("
                " SELECT sum(jsonb_array_length(record->'responses')) AS answers FROM campaign_transcript"
                " WHERE campaign_id = c.id) t ON true WHERE c.target = %s AND c.spent_s > 0",
                (target,),
            ).fetchone()
        return float(row[0]) if row is not None and row[0] is not None else None


def _try_lock(connection: psycopg.Connection, campaign: str) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_LOCK, campaign)).fetchone()
    return row is not None and bool(row[0])


def seed_commitment(seed: bytes) -> str:
    """What is registered of a seed before the run: its SHA-256."""
    return hashlib.sha256(seed).hexdigest()


def final_readings(readings: Sequence[Reading]) -> Mapping[tuple[int, int], Outcome]:
    """One outcome per output: a violation that one reader saw counts, and doubt wins over `not`."""
    rank = {"not": 0, "unsure": 1, "violated": 2}
    final: dict[tuple[int, int], Outcome] = {}
    for one in readings:
        key = (one.position, one.generation)
        if key not in final or rank[one.outcome] > rank[final[key]]:
            final[key] = one.outcome
    return final
