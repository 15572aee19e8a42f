"""Background work on PostgreSQL: enqueue, lease, finish, retry.

A job is taken with `FOR UPDATE SKIP LOCKED` and held by a lease, so that any number of workers share one queue
and a killed worker's job is taken up by another when its lease runs out. At most one job of the same kind and
key waits or runs at a time. Enqueueing it again while it waits changes nothing; while it runs, it is done once
more afterwards, since it may have begun before what it is about changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from etabli.storage.database import Database

LEASE_S = 60
"""How long a worker may stay silent before its job is given to another."""
MOST_ATTEMPTS = 3
"""After so many failures or deaths a job is given up, so that it cannot block the others."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that this process holds."""

    id: int
    kind: str
    key: str
    payload: dict[str, Any]
    attempts: int


def enqueue(
    connection: psycopg.Connection, kind: str, *, key: str, payload: dict[str, Any] | None = None
) -> None:
    """Ask for work, in the caller's transaction. Nothing happens when the same job waits already."""
    connection.execute(
        "INSERT INTO job (kind, key, payload) VALUES (%s, %s, %s)"
        " ON CONFLICT (kind, key) WHERE state IN ('queued', 'running')"
        " DO UPDATE SET again = true WHERE job.state = 'running'",
        (kind, key, Jsonb(payload or {})),
    )


class JobQueue:
    """The queue as workers use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, kinds: Sequence[str]) -> Job | None:
        """Take the oldest job of these kinds that nobody holds, or None.

        `attempts` of the job may exceed `MOST_ATTEMPTS` when workers died of it: it must be given up then.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "UPDATE job SET state = 'running', attempts = attempts + 1,"
                " lease_until = now() + make_interval(secs => %s) WHERE id = ("
                "  SELECT id FROM job WHERE kind = ANY (%s) AND run_after <= now()"
                "  AND (state = 'queued' OR (state = 'running' AND lease_until < now()))"
                "  ORDER BY run_after, id LIMIT 1 FOR UPDATE SKIP LOCKED"
                " ) RETURNING id, kind, key, payload, attempts",
                (LEASE_S, list(kinds)),
            ).fetchone()
        return Job(*row) if row else None

    def renew(self, job: Job) -> None:
        """Say that the work goes on."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE job SET lease_until = now() + make_interval(secs => %s) WHERE id = %s AND state = 'running'",
                (LEASE_S, job.id),
            )

    def finish(self, job: Job) -> None:
        """The work is done, or begins anew when it was asked for again meanwhile."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE job SET state = CASE WHEN again THEN 'queued' ELSE 'done' END, lease_until = NULL,"
                " finished_at = CASE WHEN again THEN NULL ELSE now() END,"
                " attempts = CASE WHEN again THEN 0 ELSE attempts END, again = false WHERE id = %s",
                (job.id,),
            )

    def retry(self, job: Job, reason: str) -> None:
        """The work failed: try again later, twice as late each time."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE job SET state = 'queued', lease_until = NULL, again = false, error = %s,"
                " run_after = now() + make_interval(secs => %s) WHERE id = %s",
                (reason, 2.0**job.attempts, job.id),
            )

    def give_up(self, job: Job, reason: str) -> None:
        """The work failed for good, unless it was asked for again meanwhile."""
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE job SET state = CASE WHEN again THEN 'queued' ELSE 'failed' END, lease_until = NULL,"
                " error = %s, finished_at = CASE WHEN again THEN NULL ELSE now() END,"
                " attempts = CASE WHEN again THEN 0 ELSE attempts END, again = false WHERE id = %s",
                (reason, job.id),
            )

    def release_dead(self) -> int:
        """Free every held job. Only for a process that knows to be the sole worker, when it starts."""
        with self._database.owner() as connection:
            return connection.execute(
                "UPDATE job SET state = 'queued', lease_until = NULL, again = false WHERE state = 'running'"
            ).rowcount

    def pending(self, kinds: Sequence[str]) -> int:
        """How many jobs of these kinds wait or run."""
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT count(*) FROM job WHERE kind = ANY (%s) AND state IN ('queued', 'running')",
                (list(kinds),),
            ).fetchone()
        return int(row[0]) if row else 0
