"""Training jobs, their events and checkpoints as the database keeps them. Blocks: call it from a thread.

What a job's process writes to `events.jsonl` is read from where the last reading ended, in the transaction that notes
where this one ends: however often it is read, and whoever dies meanwhile, everything is in the database once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from etabli.errors import ConflictError, InvalidInputError, NotFoundError
from etabli.messages import kept, tr
from etabli.storage.database import Database
from etabli.training.base import EVENTS_FILE, Event, Hyperparameters, Method
from etabli.training.files import unknown_cursor
from etabli.training.job_events import keep, tell
from etabli.training.jobs import (
    JSON,
    JobCheckpoint,
    JobEvent,
    JobRequest,
    TrainingJob,
    event_id,
    new_job_id,
    read_events,
)

_COLUMNS = ", ".join(TrainingJob.__dataclass_fields__)
_EVENT = "id, at, level, kind, message, data"
_CHECKPOINT = "id, step, metrics, created_at"


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs of a list, and whether there are more."""

    jobs: tuple[TrainingJob, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events of a job, and whether there are more."""

    events: tuple[JobEvent, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class CheckpointPage:
    """Some checkpoints of a job, and whether there are more."""

    checkpoints: tuple[JobCheckpoint, ...]
    has_more: bool


class JobStore:
    """The training jobs of a workspace. Thread-safe.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        request: JobRequest,
        *,
        base_sha256: str,
        method: Method,
        hyperparameters: Hyperparameters,
        seed: int,
        model_name: str,
        job_id: str | None = None,
    ) -> TrainingJob:
        """Keep a new job, whose files nobody has looked at yet; with a new id if it has none.

        Raises:
            InvalidInputError: a file is gone.
        """
        values = {
            "id": job_id or new_job_id(), "state": "validating", "base": request.base, "base_sha256": base_sha256,
            "method": method, "hyperparameters": Jsonb(hyperparameters.model_dump(mode="json")),
            "training_file": request.training_file, "validation_file": request.validation_file,
            "suffix": request.suffix, "seed": seed, "model_name": model_name, "assistant": request.assistant,
            "metadata": Jsonb(dict(request.metadata)) if request.metadata is not None else None,
            "probes": request.probes, "recipe": request.recipe, "approve": request.approve,
            "account_id": request.account_id,
        }  # fmt: skip
        names, places = ", ".join(values), ", ".join(f"%({name})s" for name in values)
        with self._database.owner() as connection:
            for param in ("training_file", "validation_file"):
                file_id = getattr(request, param)
                # Shared with the deletion of files, which looks for jobs under the whole lock.
                found = connection.execute(
                    "SELECT 1 FROM uploaded_file WHERE id = %s FOR SHARE", (file_id,)
                ).fetchone()
                if file_id is not None and found is None:
                    raise InvalidInputError(tr("There is no file {id}.", id=file_id), param=param)
            connection.execute(f"INSERT INTO training_job ({names}) VALUES ({places})", values)
            tell(connection, str(values["id"]), tr("Created the training job {id}", id=values["id"]))
        return self.get(str(values["id"]))

    def get(self, job: str) -> TrainingJob:
        """One job.

        Raises:
            NotFoundError: there is none of this id.
        """
        found = self._first("WHERE id = %s", (job,))
        if found is None:
            raise NotFoundError(tr("There is no training job {id}.", id=job))
        return found

    def of_recipe(self, digest: str) -> TrainingJob | None:
        """The newest job of a recipe."""
        return self._first("WHERE recipe = %s ORDER BY number DESC LIMIT 1", (digest,))

    def in_state(self, *states: str, only: str | None = None) -> TrainingJob | None:
        """The oldest job in one of these states, the first state first."""
        for state in states:
            found = self._first(
                "WHERE state = %(state)s AND (%(only)s::text IS NULL OR id = %(only)s) ORDER BY number LIMIT 1",
                {"state": state, "only": only},
            )
            if found is not None:
                return found
        return None

    def list(
        self,
        *,
        after: str | None = None,
        limit: int = 20,
        metadata: Mapping[str, str] | None = None,
        without_metadata: bool = False,
    ) -> JobPage:
        """A page of jobs, the newest first.

        Args:
            after: id of the last one of the page before.
            limit: of the page.
            metadata: those that have all these words.
            without_metadata: those that have none.

        Raises:
            InvalidInputError: `after` is no job.
        """
        start = self._number("training_job", after)
        with self._database.owner() as connection, connection.cursor(row_factory=_job_row) as cursor:
            rows = cursor.execute(
                f"SELECT {_COLUMNS} FROM training_job WHERE (%(start)s::bigint IS NULL OR number < %(start)s)"
                " AND (%(metadata)s::jsonb IS NULL OR metadata @> %(metadata)s)"
                " AND (NOT %(without)s OR metadata IS NULL) ORDER BY number DESC LIMIT %(limit)s",
                {
                    "start": start,
                    "metadata": Jsonb(dict(metadata)) if metadata else None,
                    "without": without_metadata,
                    "limit": limit + 1,
                },
            ).fetchall()
        return JobPage(tuple(rows[:limit]), len(rows) > limit)

    def events(self, job: str, *, after: str | None = None, limit: int = 20) -> EventPage:
        """A page of a job's events, the newest first.

        Raises:
            NotFoundError: there is no such job.
            InvalidInputError: `after` is no event.
        """
        return EventPage(*self._page("training_event", _EVENT, _event_row, job, after=after, limit=limit))

    def new_events(self, job: str, after: str | None, *, limit: int = 1000) -> Sequence[JobEvent]:
        """What a job told since an event, the oldest first."""
        start = self._number("training_event", after) or 0
        with self._database.owner() as connection, connection.cursor(row_factory=_event_row) as cursor:
            found: Sequence[JobEvent] = cursor.execute(
                f"SELECT {_EVENT} FROM training_event WHERE job_id = %s AND number > %s ORDER BY number LIMIT %s",
                (job, start, limit),
            ).fetchall()
        return found

    def checkpoints(self, job: str, *, after: str | None = None, limit: int = 10) -> CheckpointPage:
        """A page of a job's checkpoints, the newest first.

        Raises:
            NotFoundError: there is no such job.
            InvalidInputError: `after` is no checkpoint.
        """
        table = "training_checkpoint"
        return CheckpointPage(*self._page(table, _CHECKPOINT, _checkpoint_row, job, after=after, limit=limit))

    def curve(self, job: str, *, most: int = 100_000) -> Sequence[JSON]:
        """What was measured, by step; of a step that was done twice, the last time."""
        with self._database.owner() as connection:
            rows = connection.execute(
                "SELECT data FROM training_event WHERE job_id = %s AND kind = 'metrics' ORDER BY number LIMIT %s",
                (job, most),
            ).fetchall()
        return [value for _, value in sorted({int(data.get("step", 0)): data for (data,) in rows}.items())]

    def tell(
        self, job: str, message: Any, *, level: str = "info", data: Mapping[str, Any] | None = None
    ) -> None:
        """Add an event of our own."""
        with self._database.owner() as connection:
            tell(connection, job, message, level=level, data=data)

    def move(self, job: str, state: str, *, since: tuple[str, ...], **values: Any) -> bool:
        """Bring a job into a state, and set columns, if it is in one of the states `since`; says whether it was."""
        sets = "".join(f", {name} = %({name})s" for name in values)
        ends = (
            ", finished_at = now(), estimated_finish = NULL"
            if state in ("succeeded", "failed", "cancelled")
            else ""
        )
        begins = ", started_at = coalesce(started_at, now())" if state == "running" else ""
        with self._database.owner() as connection:
            return (
                connection.execute(
                    f"UPDATE training_job SET state = %(_state)s{ends}{begins}{sets}"
                    " WHERE id = %(_job)s AND state = ANY (%(_since)s)",
                    {
                        "_state": state,
                        "_job": job,
                        "_since": [*since],
                        **{
                            name: Jsonb(one) if isinstance(one, dict) else one for name, one in values.items()
                        },
                    },
                ).rowcount
                > 0
            )

    def fail(self, job: str, *, code: str, message: Any, param: str | None = None) -> None:
        """End a job that cannot go on, and say why: a sentence, or what was kept of one."""
        error = {"code": code, "message": kept(message), "param": param}
        unfinished = ("validating", "queued", "running", "paused", "examining")
        if self.move(job, "failed", since=unfinished, error=error, wanted=None):
            self.tell(job, message, level="error", data={"code": code})

    def count_crash(self, job: str) -> int:
        """The process of a job died; says how often since its last checkpoint."""
        with self._database.owner() as connection:
            row = connection.execute(
                "UPDATE training_job SET crashes = crashes + 1 WHERE id = %s RETURNING crashes", (job,)
            ).fetchone()
        return int(row[0]) if row is not None else 0

    def ask(self, job: str, wanted: str) -> TrainingJob:
        """Do what a person wants of a job: `pause`, `cancel` or `resume`.

        A job that runs is asked; its runner sees it within a second.

        Raises:
            NotFoundError: there is no such job.
            ConflictError: it cannot be done now.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT state, wanted FROM training_job WHERE id = %s FOR UPDATE", (job,)
            ).fetchone()
            if row is None:
                raise NotFoundError(tr("There is no training job {id}.", id=job))
            change = _CHANGES.get((wanted, row[0]))
            if change is None or (
                wanted == "resume" and row[0] in ("running", "examining") and row[1] == "cancel"
            ):
                raise ConflictError(_impossible(job, wanted, row[0]))
            state, asked = change
            also = ", finished_at = now(), estimated_finish = NULL" if state == "cancelled" else ""
            if wanted == "resume":
                also = ", finished_at = NULL, error = NULL, crashes = 0"
            connection.execute(
                f"UPDATE training_job SET state = %s, wanted = %s{also} WHERE id = %s", (state, asked, job)
            )
            if state != row[0] or asked != row[1]:
                tell(connection, job, _told_of(wanted, waits=state == row[0]))
        return self.get(job)

    def set(self, job: str, **values: Any) -> None:
        """Set columns."""
        sets = ", ".join(f"{name} = %({name})s" for name in values)
        with self._database.owner() as connection:
            connection.execute(
                f"UPDATE training_job SET {sets} WHERE id = %(_job)s",
                {
                    "_job": job,
                    **{name: Jsonb(one) if isinstance(one, dict) else one for name, one in values.items()},
                },
            )

    def absorb(self, job: str, folder: Path) -> tuple[Event, ...]:
        """Take over what the process of a job wrote since the last time; gives what is new."""
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT event_offset FROM training_job WHERE id = %s FOR UPDATE", (job,)
            ).fetchone()
            if row is None:
                return ()
            offset = int(row[0])
            path = folder / EVENTS_FILE
            if offset and (not path.exists() or path.stat().st_size < offset):
                offset = 0  # the folder was lost, and the job began anew
            new: list[Event] = []
            before = offset
            for offset, line, event in read_events(folder, before):
                if event is not None:
                    keep(connection, job, event_id(job, offset, line), event)
                    new.append(event)
            if offset != row[0]:
                connection.execute("UPDATE training_job SET event_offset = %s WHERE id = %s", (offset, job))
        return tuple(new)

    def _page(
        self, table: str, columns: str, row_of: Any, job: str, *, after: str | None, limit: int
    ) -> tuple[tuple[Any, ...], bool]:
        """Some rows of a job, the newest first, and whether there are more."""
        self.get(job)
        start = self._number(table, after)
        with self._database.owner() as connection, connection.cursor(row_factory=row_of) as cursor:
            rows = cursor.execute(
                f"SELECT {columns} FROM {table} WHERE job_id = %s"
                " AND (%s::bigint IS NULL OR number < %s) ORDER BY number DESC LIMIT %s",
                (job, start, start, limit + 1),
            ).fetchall()
        return tuple(rows[:limit]), len(rows) > limit

    def _first(self, condition: str, values: Any) -> TrainingJob | None:
        with self._database.owner() as connection, connection.cursor(row_factory=_job_row) as cursor:
            found: TrainingJob | None = cursor.execute(
                f"SELECT {_COLUMNS} FROM training_job {condition}", values
            ).fetchone()
        return found

    def _number(self, table: str, after: str | None) -> int | None:
        if after is None:
            return None
        with self._database.owner() as connection:
            row = connection.execute(f"SELECT number FROM {table} WHERE id = %s", (after,)).fetchone()
        if row is None:
            raise unknown_cursor(after)
        return int(row[0])


_job_row: Any = class_row(TrainingJob)
_event_row: Any = class_row(JobEvent)
_checkpoint_row: Any = class_row(JobCheckpoint)

_CHANGES: dict[tuple[str, str], tuple[str, str | None]] = {
    ("cancel", "validating"): ("cancelled", None),
    ("cancel", "queued"): ("cancelled", None),
    ("cancel", "paused"): ("cancelled", None),
    ("cancel", "running"): ("running", "cancel"),
    ("cancel", "examining"): ("examining", "cancel"),
    ("pause", "queued"): ("paused", None),
    ("pause", "paused"): ("paused", None),
    ("pause", "running"): ("running", "pause"),
    ("resume", "paused"): ("queued", None),
    ("resume", "failed"): ("validating", None),
    ("resume", "queued"): ("queued", None),
    ("resume", "running"): ("running", None),
    ("resume", "examining"): ("examining", None),
}
"""What a wish makes of a state: the new state, and what the runner is asked."""


def _impossible(job: str, wanted: str, state: str) -> str:
    words = {
        "validating": tr("its files are being looked at"),
        "queued": tr("waits for its turn"),
        "running": tr("runs"),
        "paused": tr("is paused"),
        "examining": tr("what it learnt is being examined"),
        "succeeded": tr("succeeded"),
        "failed": tr("failed"),
        "cancelled": tr("was cancelled"),
    }
    if wanted == "cancel":
        return tr("The job {id} cannot be cancelled: {state}.", id=job, state=words[state])
    if wanted == "pause":
        return tr("The job {id} cannot be paused: {state}.", id=job, state=words[state])
    return tr("The job {id} cannot go on: {state}.", id=job, state=words[state])


def _told_of(wanted: str, *, waits: bool) -> str:
    if wanted == "resume":
        return tr("The job goes on.")
    if wanted == "pause":
        return tr("The job is being paused.") if waits else tr("The job is paused.")
    return tr("The job is being cancelled.") if waits else tr("The job is cancelled.")
