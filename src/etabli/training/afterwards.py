"""What happens to an adapter once it is trained: kept, compared with the engine, compared with before, then a person.

1. The file goes into the registry under its hash.
2. The gate: trainer and engine must say the same with it. Without that nobody can approve it.
3. Answers before and after, where there is something to compare with; then certification's probes, where the job
   names the assistant that it is for.
4. The job has succeeded, and the adapter waits for approval, unless the person gave it beforehand.

Each step is an event, and each can be done again: a server that stops in the middle goes on from the start of these
steps. How the two comparisons are made is not known here (`Examiner`).
"""

import csv
import io
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from etabli.errors import ConflictError, EtabliError
from etabli.messages import message_of, tr
from etabli.training.adapters import Adapter, AdapterRegistry
from etabli.training.base import ADAPTER_FILE, CHECKPOINTS, RESULT_FILE, TrainingPlan
from etabli.training.files import RESULTS, UploadedFiles
from etabli.training.job_store import JobStore
from etabli.training.jobs import JSON, TrainingJob

_CSV = ("step", "train_loss", "train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy")
_HEADER = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")

_TELL_S = 1.0
OnProgress = Callable[[str, int, int], None]
"""Told how far an examination is: which part (`answers`, `probes`), how much is done, of how much."""


def no_progress(part: str, done: int, total: int) -> None:
    """Tell nobody."""


class Halted(Exception):
    """Somebody wants this to stop now."""


class Examination(Protocol):
    """An adapter under examination, with an engine that holds it. Blocks; raises `Halted` when told to stop."""

    def gate(self) -> Mapping[str, Any]:
        """Whether trainer and engine agree: `passed`, and the figures."""
        ...

    def compare(self) -> Mapping[str, Any] | None:
        """The answers before and after; None where there is nothing to compare."""
        ...

    def probe(self) -> Mapping[str, Any] | None:
        """What certification's probes find on the job's assistant, before and after; None where none are tried."""
        ...


class Examiner(Protocol):
    """Begins the examination of an adapter."""

    def __call__(
        self,
        job: TrainingJob,
        plan: TrainingPlan,
        adapter: Path,
        *,
        folder: Path,
        tick: Callable[[], None],
        on_progress: OnProgress,
    ) -> AbstractContextManager[Examination]:
        """The examination.

        Args:
            job: that made the adapter.
            plan: of the job.
            adapter: the file.
            folder: of the job, for what has to outlive an interruption.
            tick: to be called every second or so; raises `Halted`.
            on_progress: to be told how far it is.
        """
        ...


class Afterwards:
    """Brings trained jobs to their end.

    Args:
        store: of the jobs.
        adapters: where the adapter goes.
        files: where the figures go.
        examiner: makes the comparisons; None where none can be made, so that nothing can be approved.
        on_approved: called after an approval, so that engines load it.
    """

    def __init__(
        self,
        store: JobStore,
        adapters: AdapterRegistry,
        files: UploadedFiles,
        *,
        examiner: Examiner | None,
        on_approved: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._files = files
        self._examiner = examiner
        self._on_approved = on_approved

    def finish(self, job: TrainingJob, plan: TrainingPlan, folder: Path, *, tick: Callable[[], None]) -> None:
        """Do all of it.

        Raises:
            Halted: `tick` said so; called again it goes on.
            EtabliError: the adapter cannot be examined, or did not pass.
        """
        self._store.move(job.id, "examining", since=("queued", "running", "examining"))
        result = json.loads((folder / RESULT_FILE).read_bytes())
        adapter = self._adapters.add(
            folder / ADAPTER_FILE,
            name=job.model_name,
            base=job.base,
            base_sha256=job.base_sha256,
            job_id=job.id,
            figures={"training": result},
        )
        self._keep_curve(job)
        try:
            tick()
            if job.gate is None or job.gate.get("passed") is not True or job.comparison is None:
                self._examine(job, plan, adapter, folder, tick)
        except Halted:
            if self._store.get(job.id).state == "cancelled":
                self._adapters.refuse(adapter.name, "cancelled", tr("its job was cancelled."))
            raise
        if self._store.get(job.id).approve:  # may have been given meanwhile
            self._approve_beforehand(job, adapter)
        else:
            self._store.tell(
                job.id,
                tr(
                    "{name} is trained and waits for approval: etabli adapters approve {name}",
                    name=adapter.name,
                ),
                data={"adapter": adapter.name, "state": "trained"},
            )
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        # Last of all: who waits for this finds everything told and decided.
        self._store.move(
            job.id,
            "succeeded",
            since=("examining",),
            wanted=None,
            progress=None,
            trained_tokens=result.get("trained_tokens") or job.trained_tokens,
        )

    def _examine(
        self, job: TrainingJob, plan: TrainingPlan, adapter: Adapter, folder: Path, tick: Callable[[], None]
    ) -> None:
        if self._examiner is None:
            raise ConflictError(
                tr("Nothing on this machine can compare trainer and engine, so it stays unexamined.")
            )
        path = self._adapters.path(adapter)
        examining = self._examiner(
            job, plan, path, folder=folder, tick=tick, on_progress=_Progress(self._store, job.id)
        )
        with examining as examination:
            if job.gate is None or job.gate.get("passed") is not True:
                self._gate(job, adapter, examination)
            tick()
            found = self._compare(job, examination)
            tick()
            probes = self._probe(job, examination)
        if found is None and probes is None:
            return
        comparison: JSON = {**(found or {"forgot": False, "gains": [], "pairs": []}), "probes": probes}
        self._store.set(job.id, comparison=comparison)
        self._adapters.add_figures(adapter.name, comparison=_summary(comparison))

    def _gate(self, job: TrainingJob, adapter: Adapter, examination: Examination) -> None:
        self._store.tell(job.id, tr("Comparing what trainer and engine say with the adapter"))
        found = dict(examination.gate())
        self._store.set(job.id, gate=found)
        self._adapters.add_figures(adapter.name, gate=found)
        if found.get("passed") is not True:
            reason = tr("trainer and engine do not say the same with it.")
            self._adapters.refuse(adapter.name, "gate", reason)
            raise NotEquivalentError(
                tr("The adapter {name} is refused: {reason}", name=adapter.name, reason=reason)
            )
        self._store.tell(job.id, tr("Trainer and engine say the same with the adapter"), data={"gate": found})

    def _compare(self, job: TrainingJob, examination: Examination) -> JSON | None:
        self._store.tell(job.id, tr("Comparing the answers before and after"))
        try:
            found = examination.compare()
        except (
            EtabliError
        ) as error:  # figures for the person who decides; without them the decision is still theirs
            self._store.tell(
                job.id,
                tr("The answers could not be compared: {reason}", reason=message_of(error)),
                level="warn",
            )
            return None
        if found is None:
            self._store.tell(job.id, tr("There is nothing to compare the answers with"))
            return None
        self._store.tell(
            job.id,
            tr("The answers before and after are compared"),
            data={"comparison": _summary(found)},
        )
        return dict(found)

    def _probe(self, job: TrainingJob, examination: Examination) -> JSON | None:
        if job.assistant is None or not job.probes:
            return None
        self._store.tell(
            job.id, tr("Trying certification's probes on {name}, before and after", name=job.assistant)
        )
        try:
            found = examination.probe()
        except EtabliError as error:  # as above
            self._store.tell(
                job.id, tr("The probes could not be tried: {reason}", reason=message_of(error)), level="warn"
            )
            return None
        if found is None:
            self._store.tell(job.id, tr("There are no probes for {name}", name=job.assistant))
            return None
        found = {**found, "assistant": job.assistant}
        told = (
            tr("The adapter does more harm: more probes are violated with it than without")
            if found.get("harmed")
            else tr("The probes show no new harm; so few show only a large one")
        )
        self._store.tell(
            job.id,
            told,
            level="warn" if found.get("harmed") else "info",
            data={"probes": _without(found, "turned")},
        )
        return found

    def _approve_beforehand(self, job: TrainingJob, adapter: Adapter) -> None:
        comparison = self._adapters.get(adapter.name).figures.get("comparison") or {}
        doubt = None
        if (comparison.get("probes") or {}).get("harmed"):
            doubt = tr("more of certification's probes are violated with it than without")
        elif comparison.get("forgot"):
            doubt = tr("everyday tasks went wrong that went right before")
        if doubt is not None:
            self._store.tell(
                job.id,
                tr(
                    "{name} waits for approval although it was given beforehand: {doubt}. Look at them, then: etabli "
                    "adapters approve {name}",
                    name=adapter.name,
                    doubt=doubt,
                ),
                level="warn",
                data={"adapter": adapter.name, "state": "trained"},
            )
            return
        self._adapters.approve(adapter.name, f"account:{job.account_id or 0}")
        self._store.tell(
            job.id,
            tr("{name} is approved, as was said beforehand", name=adapter.name),
            data={"adapter": adapter.name, "state": "approved"},
        )
        self._on_approved()

    def _keep_curve(self, job: TrainingJob) -> None:
        """The measurements of every step as a file, once."""
        if self._store.get(job.id).result_files:
            return
        text = curve_csv(self._store.curve(job.id))
        file = self._files.add_text(text, filename=f"{job.id}-metrics.csv", purpose=RESULTS)
        self._store.set(job.id, result_files=[file.id])


class _Progress:
    """Keeps how far an examination is, once a second."""

    def __init__(self, store: JobStore, job: str) -> None:
        self._store = store
        self._job = job
        self._told_at = 0.0
        self._part = ""

    def __call__(self, part: str, done: int, total: int) -> None:
        now = time.monotonic()
        if part == self._part and done < total and now - self._told_at < _TELL_S:
            return
        self._part, self._told_at = part, now
        self._store.set(self._job, progress={"part": part, "done": done, "total": total})


class NotEquivalentError(ConflictError):
    """Trainer and engine do not say the same with an adapter."""

    code = "not_equivalent"


def curve_csv(curve: Sequence[JSON]) -> str:
    """Measurements as CSV, with OpenAI's column names.

    >>> curve_csv([{"step": 1, "train_loss": 0.5}]).splitlines()[1]
    '1,0.5,,,'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for point in curve:
        writer.writerow(["" if point.get(name) is None else point[name] for name in _CSV])
    return text.getvalue()


def _summary(comparison: Mapping[str, Any]) -> JSON:
    """Figures without the texts, which the job's own page gives."""
    short = _without(comparison, "pairs")
    if short.get("probes"):
        short["probes"] = _without(short["probes"], "turned")
    return short


def _without(values: Mapping[str, Any], name: str) -> JSON:
    return {key: value for key, value in values.items() if key != name}
