"""A worker: takes jobs from the queue and does them, several kinds side by side, in one process.

Runs at the lowest priority, because a person waiting for an answer comes before any document. A worker holds a
shared lock in the database while it lives; the kernel and PostgreSQL let go of it however the worker ends, so
that anyone can tell whether documents are being worked on.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import psycopg

from etabli.jobs.queue import LEASE_S, MOST_ATTEMPTS, Job, JobQueue
from etabli.messages import tr
from etabli.storage.database import Database

log = logging.getLogger(__name__)

_IDLE_S = 0.5
_WORKER_LOCK = 0x6574_6163


class Handler(Protocol):
    """What does jobs."""

    def handle(self, job: Job) -> None:
        """Do one job; raise to have it tried again later."""
        ...

    def abandon(self, job: Job, reason: str) -> None:
        """The job failed too often and will not be tried again: leave nothing waiting for it."""
        ...


class Worker:
    """Works on a queue until told to stop.

    Args:
        database: where the queue is.
        handler: what does the jobs.
        lanes: kinds of jobs, one thread per group: a slow kind does not hold up the others.
    """

    def __init__(self, database: Database, handler: Handler, *, lanes: Sequence[Sequence[str]]) -> None:
        self._database = database
        self._queue = JobQueue(database)
        self._handler = handler
        self._lanes = [list(kinds) for kinds in lanes]
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._presence: psycopg.Connection | None = None

    def start(self) -> None:
        """Begin, in threads of this process. Jobs that a dead worker held are taken up at once."""
        self._presence = psycopg.connect(self._database.conninfo, autocommit=True)
        with self._presence.transaction():
            if _alone(self._presence):
                self._queue.release_dead()
        self._presence.execute("SELECT pg_advisory_lock_shared(%s)", (_WORKER_LOCK,))
        for kinds in self._lanes:
            thread = threading.Thread(
                target=self._work, args=(kinds,), name=f"worker-{kinds[0]}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Finish what is in hand and stop."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._presence is not None:
            # Closing alone lets go a moment later, when the server notices.
            with suppress(psycopg.Error):
                self._presence.execute("SELECT pg_advisory_unlock_shared(%s)", (_WORKER_LOCK,))
            self._presence.close()

    def __enter__(self) -> "Worker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def do_next(self, kinds: Sequence[str]) -> bool:
        """Do the next job of these kinds; says whether there was one."""
        job = self._queue.take(kinds)
        if job is not None:
            self._do(job)
        return job is not None

    def _work(self, kinds: Sequence[str]) -> None:
        while not self._stop.is_set():
            try:
                if not self.do_next(kinds):
                    self._stop.wait(_IDLE_S)
            except psycopg.Error:
                log.exception("the database did not answer; trying again")
                self._stop.wait(5 * _IDLE_S)

    def _do(self, job: Job) -> None:
        if job.attempts > MOST_ATTEMPTS:
            self._give_up(job, tr("the program stopped while doing this, {count} times", count=MOST_ATTEMPTS))
            return
        try:
            with _Heartbeat(self._queue, job):
                self._handler.handle(job)
        except psycopg.OperationalError:
            raise
        except Exception as error:
            log.exception("job %s %s failed", job.kind, job.key)
            reason = f"{type(error).__name__}: {error}"[:2000]
            if job.attempts >= MOST_ATTEMPTS:
                self._give_up(job, reason)
            else:
                self._queue.retry(job, reason)
        else:
            self._queue.finish(job)

    def _give_up(self, job: Job, reason: str) -> None:
        self._handler.abandon(job, reason)
        self._queue.give_up(job, reason)


class _Heartbeat:
    """Renews the lease of a job, from a thread of its own, while the `with` lasts."""

    def __init__(self, queue: JobQueue, job: Job) -> None:
        self._queue = queue
        self._job = job
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(LEASE_S / 4):
            try:
                self._queue.renew(self._job)
            except psycopg.Error:
                log.warning("the lease of job %s could not be renewed", self._job.id)


def somebody_works(database: Database) -> bool:
    """Whether a worker, in any process, lives on this database."""
    with database.owner() as connection:
        return not _alone(connection)


def drain(database: Database, handler: Handler, kinds: Sequence[str], progress: Callable[[], None]) -> None:
    """Do all jobs of these kinds in this process and return; for a command when no server runs.

    Args:
        progress: called after each job.
    """
    worker = Worker(database, handler, lanes=[])
    with worker:
        while worker.do_next(kinds):
            progress()


def _alone(connection: psycopg.Connection) -> bool:
    """Whether no worker holds its lock. Asked in a transaction, at whose end the question lets go."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_WORKER_LOCK,)).fetchone()
    return row is not None and bool(row[0])
