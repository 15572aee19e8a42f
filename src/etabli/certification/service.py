"""What was tried on assistants while they served, and the suspensions that came of it. Blocks: call it from a thread.

The counts belong to a version of an assistant (its bundle's root), not to a certificate: certifying the same version
again does not forget what was seen. They begin anew after a suspension, for which only a new campaign can make up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from etabli.certification import log
from etabli.certification.base import Outcome, Transcript
from etabli.certification.certificate.digits import rounded
from etabli.certification.drift import NOTHING, Seen, Watched, suspends
from etabli.certification.taxonomy import taxonomy
from etabli.errors import NotFoundError
from etabli.messages import language, tr
from etabli.storage.database import Database

JSON = dict[str, Any]
_SINCE = (
    "p.assistant = %(assistant)s AND p.bundle_root = %(root)s AND p.id > coalesce((SELECT max(s.last_probe)"
    " FROM suspension s WHERE s.assistant = %(assistant)s AND s.bundle_root = %(root)s"
    " AND s.certificate_id <> %(certificate)s), 0)"
)
_SUSPENSION = "s.certificate_id, s.assistant, s.family, s.violated, s.tried, s.theta0, s.suspended_at"
_LOCK = 0x7365_7276  # an arbitrary number, the same for every process


@dataclass(frozen=True, slots=True)
class Suspension:
    """A certificate that lost its force in service, with the figures that led to it."""

    certificate_id: str
    assistant: str
    family: str
    violated: int
    tried: int
    theta0: float
    suspended_at: datetime

    @property
    def reason(self) -> str:
        """For people, as the gate tells it."""
        try:
            label = taxonomy().get(self.family).label(language())
        except NotFoundError:  # of another version of the product
            label = ""
        return tr(
            "its certificate is suspended since {date:%Y-%m-%d}: tried secretly in service, it went wrong in "
            "{violated} of {tried} cases of “{family}”.",
            date=self.suspended_at,
            family=f"{self.family} {label}".strip(),
            violated=self.violated,
            tried=self.tried,
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """What is watched: one version of an assistant, under the certificate that it serves with."""

    assistant: str
    bundle_root: str
    certificate: str

    @property
    def _values(self) -> JSON:
        return {"assistant": self.assistant, "root": self.bundle_root, "certificate": self.certificate}


@dataclass(frozen=True, slots=True)
class Tried:
    """One unit that was tried in service: what was said, and what it came to."""

    id: int
    family: str
    outcome: Outcome
    tried_at: datetime
    transcripts: tuple[Transcript, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """When a version was tried first and last; None where nothing was."""

    first: datetime | None
    last: datetime | None


def suspension_of(database: Database, certificate: str) -> Suspension | None:
    """What keeps a certificate from its force: a suspension of its version that its campaign did not come after."""
    with database.owner() as connection:
        return (
            connection.cursor(row_factory=class_row(Suspension))
            .execute(
                f"SELECT {_SUSPENSION} FROM suspension s JOIN certificate k USING (assistant, bundle_root)"
                " JOIN campaign c ON c.id = k.campaign_id"
                " WHERE k.id = %s AND s.suspended_at >= coalesce(c.started_at, c.created_at)"
                " ORDER BY s.suspended_at DESC LIMIT 1".encode(),
                (certificate,),
            )
            .fetchone()
        )


class ServiceRecords:
    """What was tried in service. Thread-safe.

    Args:
        database: where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self, subject: Subject) -> dict[str, Seen]:
        """What each family came to since the version serves, or since it was certified after a suspension."""
        with self._database.owner() as connection:
            return _counts(connection, subject)

    def span(self, subject: Subject) -> Span:
        """When these were tried."""
        with self._database.owner() as connection:
            row = connection.execute(
                f"SELECT min(p.tried_at), max(p.tried_at) FROM service_probe p WHERE {_SINCE}".encode(),
                subject._values,
            ).fetchone()
        assert row is not None
        return Span(row[0], row[1])

    def tried(
        self, subject: Subject, *, family: str | None = None, outcome: str | None = None, limit: int = 20
    ) -> list[Tried]:
        """The latest, the newest first."""
        with self._database.owner() as connection:
            rows = connection.execute(
                "SELECT p.id, p.family, p.outcome, p.tried_at, p.record FROM service_probe p"
                f" WHERE {_SINCE} AND (%(family)s::text IS NULL OR p.family = %(family)s)"
                " AND (%(outcome)s::text IS NULL OR p.outcome = %(outcome)s)"
                " ORDER BY p.id DESC LIMIT %(limit)s".encode(),
                {**subject._values, "family": family, "outcome": outcome, "limit": limit},
            ).fetchall()
        return [
            Tried(int(number), family, outcome, at, tuple(Transcript.from_json(one) for one in record))
            for number, family, outcome, at, record in rows
        ]

    def keep(
        self,
        subject: Subject,
        one: Watched,
        outcome: Outcome,
        transcripts: Sequence[Transcript],
        *,
        families: Sequence[Watched],
    ) -> Suspension | None:
        """Keep what a unit came to and, where it is one too many, suspend the certificate and enter that in the log.

        Args:
            subject: what was tried.
            one: the family.
            outcome: of the unit.
            transcripts: everything that was said and found.
            families: all that are watched.
        """
        with self._database.owner() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK, subject.assistant))
            row = connection.execute(
                "INSERT INTO service_probe (certificate_id, assistant, bundle_root, family, outcome, record)"
                " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
                (subject.certificate, subject.assistant, subject.bundle_root, one.family, outcome,
                 Jsonb([each.to_json() for each in transcripts])),
            ).fetchone()  # fmt: skip
            assert row is not None
            seen = _counts(connection, subject).get(one.family, NOTHING)
            if not suspends(one, seen, families):
                return None
            return _suspend(connection, subject, one, seen, int(row[0]))


def _counts(connection: psycopg.Connection, subject: Subject) -> dict[str, Seen]:
    rows = connection.execute(
        "SELECT p.family, coalesce(string_agg(CASE p.outcome WHEN 'violated' THEN 'x' ELSE '.' END, '' ORDER BY p.id)"
        " FILTER (WHERE p.outcome <> 'error'), ''), count(*) FILTER (WHERE p.outcome = 'unsure'),"
        f" count(*) FILTER (WHERE p.outcome = 'error') FROM service_probe p WHERE {_SINCE} GROUP BY 1".encode(),
        subject._values,
    )
    return {
        str(family): Seen(str(tries), int(undecided), int(failed))
        for family, tries, undecided, failed in rows
    }


def _suspend(
    connection: psycopg.Connection, subject: Subject, one: Watched, seen: Seen, probe: int
) -> Suspension | None:
    suspension = (
        connection.cursor(row_factory=class_row(Suspension))
        .execute(
            "INSERT INTO suspension AS s (certificate_id, assistant, bundle_root, family, violated, tried, theta0,"
            " last_probe) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
            f" RETURNING {_SUSPENSION}".encode(),
            (subject.certificate, subject.assistant, subject.bundle_root, one.family, seen.violated, seen.tried,
             one.theta0, probe),
        )
        .fetchone()
    )  # fmt: skip
    if suspension is not None:
        log.append(
            connection,
            "suspension",
            {"certificate": subject.certificate, "assistant": subject.assistant, "bundle": subject.bundle_root,
             "family": one.family, "violated": seen.violated, "tried": seen.tried, "theta0": rounded(one.theta0),
             "probe": probe},
        )  # fmt: skip
    return suspension


@dataclass(frozen=True, slots=True)
class Service:
    """How a certificate stands in service.

    Args:
        families: that are watched, each with what it came to, in the certificate's order.
        span: when they were tried.
        suspension: what keeps the certificate from its force; None for nothing.
    """

    families: tuple[tuple[Watched, Seen], ...]
    span: Span
    suspension: Suspension | None

    @property
    def tried(self) -> int:
        """Units that were answered."""
        return sum(seen.tried for _, seen in self.families)


def service_of(database: Database, subject: Subject, families: Sequence[Watched]) -> Service:
    """How a certificate stands in service now.

    Args:
        database: where the tries are.
        subject: the certificate and what it is about.
        families: that it lets be watched.
    """
    records = ServiceRecords(database)
    counts: Mapping[str, Seen] = records.counts(subject)
    return Service(
        tuple((one, counts.get(one.family, NOTHING)) for one in families),
        records.span(subject),
        suspension_of(database, subject.certificate),
    )
