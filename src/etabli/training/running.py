"""The runner of training jobs: looks at their files, runs them one at a time, brings them to their end.

One process of a workspace runs jobs, the one that holds a lock which the kernel drops however that process ends; the
others wait for it. What is true of a job stands in the database, so that whoever holds the lock next goes on: a job
whose process died goes on from its last checkpoint, three times at most without a new one.
"""

import fcntl
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from etabli.errors import DiskSpaceError, EtabliError, NotFoundError
from etabli.messages import message_of, tr
from etabli.models.machine import free_disk
from etabli.models.sizes import format_bytes
from etabli.models.store import ModelStore
from etabli.processes import write_private
from etabli.training.afterwards import Afterwards, Halted
from etabli.training.base import (
    ADAPTER_FILE,
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_PAUSED,
    PLAN_FILE,
    RESULT_FILE,
    Hyperparameters,
    TrainingPlan,
)
from etabli.training.checking import Base, Checks, Look
from etabli.training.child import COMMAND, TrainingChild
from etabli.training.files import UploadedFiles
from etabli.training.job_store import JobStore
from etabli.training.jobs import TrainingJob

LOCK_FILE = "lock"
MOST_CRASHES = 3
"""So often a process may die without a new checkpoint before its job fails."""
_POLL_S = 0.5
_STOP_S = 120.0
"""So long a paused process may take to end its step and write a checkpoint."""
_CLOSING_S = 8.0
"""The same when the program ends: then somebody waits for it."""
_DISK_RESERVE = 256 << 20
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Running:
    """What running jobs needs.

    Attributes:
        store: the jobs.
        files: their data.
        models: the base models.
        afterwards: what happens to what they learnt.
        folder: of the jobs' own folders.
        log_path: of the processes' words.
        checks: looks at files.
        command: of the process that trains; the job's folder is added.
        gives_way: whether it leaves the processor to everything else.
        poll_s: how often it is looked after.
    """

    store: JobStore
    files: UploadedFiles
    models: ModelStore
    afterwards: Afterwards
    folder: Path
    log_path: Path
    checks: Checks
    command: Sequence[str] = COMMAND
    gives_way: bool = True
    poll_s: float = _POLL_S


class TrainingRunner:
    """Runs the jobs of a workspace, in threads of this process.

    Args:
        parts: what it needs.
        only: id of the one job to run, for a command that waits for it; all if None.
    """

    def __init__(self, parts: Running, *, only: str | None = None) -> None:
        self._parts = parts
        self._store = parts.store
        self._only = only
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin; returns at once."""
        thread = threading.Thread(target=self._run, name="training", daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """Have the job that runs write a checkpoint, and end; it goes on when a runner starts again. Blocks."""
        self._stop.set()
        for thread in [*self._threads]:
            thread.join(_CLOSING_S + 5.0)

    def __enter__(self) -> "TrainingRunner":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        lock = self._lock()
        if lock is None:
            return
        validating = threading.Thread(target=self._repeat, args=(self._validate_next,), name="training-files")
        validating.daemon = True
        validating.start()
        self._threads.append(validating)
        try:
            self._count_orphan()
            self._repeat(self._work_next)
        finally:
            validating.join()
            os.close(lock)

    def _lock(self) -> int | None:
        """The lock, waiting for whoever has it; None when told to stop meanwhile."""
        self._parts.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._parts.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        while not self._stop.is_set():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                self._stop.wait(self._parts.poll_s)
        os.close(descriptor)
        return None

    def _repeat(self, work: Callable[[], bool]) -> None:
        """Do `work` again and again, with a pause whenever there was none."""
        while not self._stop.is_set():
            try:
                if not work():
                    self._stop.wait(self._parts.poll_s)
            except psycopg.Error:
                log.exception("the database did not answer; trying again")
                self._stop.wait(5 * self._parts.poll_s)

    def _count_orphan(self) -> None:
        """A job that runs while nobody ran it: its runner was killed, maybe by what the job needs."""
        try:
            job = self._store.in_state("running", only=self._only)
            if job is not None:
                self._store.absorb(job.id, self._parts.folder / job.id)
                self._outlives(job.id, tr("the program that ran it ended"))
        except psycopg.Error:
            log.exception("the database did not answer")

    def _validate_next(self) -> bool:
        job = self._store.in_state("validating", only=self._only)
        if job is None:
            return False
        try:
            self._validate(job)
        except NotFoundError as error:
            self._store.fail(job.id, code="file_not_found", message=message_of(error), param="training_file")
        except EtabliError as error:
            self._store.fail(job.id, code=error.code, message=message_of(error))
        except psycopg.Error:
            raise
        except Exception as error:
            log.exception("the files of %s could not be looked at", job.id)
            self._fail_unexpectedly(job, error)
        return True

    def _validate(self, job: TrainingJob) -> None:
        """Look at the files; what was found is told."""
        training = self._parts.files.get(job.training_file)
        held_out = self._parts.files.get(job.validation_file) if job.validation_file is not None else None
        validation = self._parts.files.path(held_out.id) if held_out is not None else None
        names = {training.id: training.filename}
        if held_out is not None:
            names[held_out.id] = held_out.filename
        found = self._parts.checks(
            Look(
                self._parts.files.path(training.id),
                names,
                job.method,
                validation,
                Base(
                    job.base, self._parts.models.path_of(job.base_sha256), job.hyperparameters["max_tokens"]
                ),
            )
        )
        if found.fault is not None:
            param = "validation_file" if found.in_validation else "training_file"
            self._store.fail(job.id, code=f"invalid_{param}", message=found.fault, param=param)
            return
        for warning in found.warnings:
            self._store.tell(job.id, warning, level="warn")
        if self._store.move(job.id, "queued", since=("validating",)):
            self._store.tell(job.id, tr("The files are as they should be; the job waits for its turn"))

    def _work_next(self) -> bool:
        job = self._store.in_state("running", "examining", "queued", only=self._only)
        if job is None:
            return False
        folder = self._parts.folder / job.id
        try:
            plan = self._prepare(job, folder)
            if _is_trained(folder) or self._train(job, folder):
                self._parts.afterwards.finish(
                    self._store.get(job.id), plan, folder, tick=lambda: self._tick(job.id, folder)
                )
        except Halted:
            log.info("the job %s is left for later", job.id)
        except EtabliError as error:
            self._store.fail(job.id, code=error.code, message=message_of(error))
        except psycopg.Error:
            raise
        except Exception as error:
            log.exception("the job %s failed", job.id)
            self._fail_unexpectedly(job, error)
        return True

    def _fail_unexpectedly(self, job: TrainingJob, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"[:500]
        self._store.fail(
            job.id,
            code="internal_error",
            message=tr("Something went wrong in the server: {reason}", reason=reason),
        )

    def _prepare(self, job: TrainingJob, folder: Path) -> TrainingPlan:
        """The plan of a job, written into its folder where it is not there yet.

        Raises:
            NotFoundError: its model or a file is gone.
            DiskSpaceError: there is no room for its checkpoints.
        """
        place = folder / PLAN_FILE
        if place.exists():
            plan = TrainingPlan.model_validate_json(place.read_bytes())
            if plan.training_file == self._parts.files.path(job.training_file).absolute():
                return plan  # else the workspace was moved: the paths in it are those of another place
        base = self._parts.models.path_of(job.base_sha256)
        plan = plan_of(job, base, self._parts.files)
        if not _is_trained(folder):
            require_room(folder, base, rank=plan.hyperparameters.rank)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(place, plan.model_dump_json(indent=1) + "\n")
        return plan

    def _train(self, job: TrainingJob, folder: Path) -> bool:
        """Run the process until the adapter is there; False when something else ended it."""
        if self._obeyed(job.id, folder) or not self._store.move(
            job.id, "running", since=("queued", "running")
        ):
            return False
        self._store.tell(job.id, tr("The training begins") if job.step == 0 else tr("The training goes on"))
        while True:
            child = TrainingChild(
                self._parts.command, folder, log_path=self._parts.log_path, gives_way=self._parts.gives_way
            )
            try:
                child.start()
                code = self._follow(job.id, child, folder)
            finally:
                child.close()
            if code == EXIT_DONE and _is_trained(folder):
                return True
            if self._stop.is_set():
                self._store.move(job.id, "queued", since=("running",), estimated_finish=None)
                return False
            if self._obeyed(job.id, folder):
                return False
            if code == EXIT_PAUSED:
                continue  # it was told to stop, and then to go on
            if not self._survives(job.id, code, child.last_line):
                return False

    def _follow(self, job: str, child: TrainingChild, folder: Path) -> int:
        """Look after a process until it ends; gives its exit status."""
        told_at: float | None = None
        while (code := child.wait(self._parts.poll_s)) is None:
            try:
                self._store.absorb(job, folder)
                wanted = self._store.get(job).wanted
            except psycopg.Error:
                log.exception("the database did not answer; the training goes on")
                wanted = None
            if wanted == "cancel":
                child.kill()
            elif wanted == "pause" or self._stop.is_set():
                child.stop()
                told_at = told_at or time.monotonic()
                patience = _CLOSING_S if self._stop.is_set() else _STOP_S
                if time.monotonic() - told_at > patience:
                    child.kill()
        self._store.absorb(job, folder)
        return code

    def _obeyed(self, job: str, folder: Path) -> bool:
        """Do what a person asked of the job; says whether it stops now."""
        wanted = self._store.get(job).wanted
        unfinished = ("queued", "running", "examining")
        if wanted == "cancel":
            shutil.rmtree(folder, ignore_errors=True)  # first: a runner that is killed here cancels it again
            self._store.move(job, "cancelled", since=unfinished, wanted=None)
            self._store.tell(job, tr("The job is cancelled."))
        elif wanted == "pause":
            self._store.move(job, "paused", since=unfinished, wanted=None, estimated_finish=None)
            self._store.tell(job, tr("The job is paused."))
        return wanted is not None

    def _survives(self, job: str, code: int, last_line: str) -> bool:
        """What a process's end means that nobody wanted; whether to start it again."""
        if code == EXIT_FAILED:
            failed = next(
                (one for one in self._store.events(job, limit=5).events if one.level == "error"), None
            )
            message = (
                failed.message
                if failed is not None
                else tr("The training failed: {reason}", reason=last_line)
            )
            kind = (
                str(failed.data.get("code") or "training_failed") if failed is not None else "training_failed"
            )
            self._store.fail(job, code=kind, message=message)
            return False
        reason = last_line or tr("exit status {code}", code=code)
        if code == -9:
            reason = tr("the system ended it, most likely for want of memory")
        crashes = self._outlives(job, reason)
        if crashes is None:
            return False
        self._stop.wait(self._parts.poll_s * 2**crashes)
        return True

    def _outlives(self, job: str, reason: str) -> int | None:
        """Count a crash: how many there are since the last checkpoint, None when the job fails of it."""
        crashes = self._store.count_crash(job)
        if crashes > MOST_CRASHES:
            self._store.fail(
                job,
                code="training_crashed",
                message=tr(
                    "The training process died {count} times without getting further: {reason}. Give it more memory "
                    "or a smaller batch_size, then resume the job.",
                    count=crashes,
                    reason=reason,
                ),
            )
            return None
        self._store.tell(
            job,
            tr(
                "The training process died ({reason}); going on from step {step}",
                reason=reason,
                step=self._store.get(job).checkpoint_step,
            ),
            level="warn",
        )
        return crashes

    def _tick(self, job: str, folder: Path) -> None:
        """Between two pieces of what happens afterwards."""
        if self._stop.is_set() or self._obeyed(job, folder):
            raise Halted


def plan_of(job: TrainingJob, base: Path, files: UploadedFiles) -> TrainingPlan:
    """What the process of a job is told."""
    validation = files.path(job.validation_file).absolute() if job.validation_file is not None else None
    return TrainingPlan(
        base=job.base,
        base_path=base.absolute(),
        base_sha256=job.base_sha256,
        method=job.method,
        training_file=files.path(job.training_file).absolute(),
        validation_file=validation,
        hyperparameters=Hyperparameters.model_validate(job.hyperparameters),
    )


def require_room(folder: Path, base: Path, *, rank: int) -> None:
    """Check that checkpoints will fit: three at once, each of some share of the base that grows with the rank.

    Raises:
        DiskSpaceError: they will not.
    """
    needed = _DISK_RESERVE + base.stat().st_size * rank // 16
    free = free_disk(folder)
    if free < needed:
        raise DiskSpaceError(
            tr(
                "Training needs about {needed} in {folder}, and {free} are free. Free some room, then resume the "
                "job.",
                needed=format_bytes(needed),
                folder=folder.parent,
                free=format_bytes(free),
            )
        )


def _is_trained(folder: Path) -> bool:
    return (folder / ADAPTER_FILE).is_file() and (folder / RESULT_FILE).is_file()
