"""Training jobs in OpenAI's shape. Blocks: the router calls it from a thread."""

import re
from collections.abc import Mapping
from typing import Any

from etabli.errors import InvalidInputError
from etabli.messages import speaking, told, tr
from etabli.server.auth import Caller
from etabli.server.openai.fine_tuning import protocol
from etabli.server.openai.fine_tuning.protocol import (
    CheckpointList,
    EventList,
    FineTuningJob,
    JobCreation,
    JobDetails,
    JobList,
    MethodRequest,
)
from etabli.server.training.services import Training
from etabli.training.adapters import Adapter
from etabli.training.jobs import (
    JobCheckpoint,
    JobEvent,
    JobRequest,
    State,
    TrainingJob,
    multiplier,
)

JSON = dict[str, Any]
_STATUS: dict[State, Any] = {
    "validating": "validating_files",
    "queued": "queued",
    "running": "running",
    "paused": "queued",
    "examining": "running",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""OpenAI has no word for a paused job, and tells it as one that waits; `etabli.state` tells them apart."""
_METADATA_KEY = re.compile(r"metadata\[([^\]]{1,64})\]")


class FineTuning:
    """The endpoints.

    Args:
        training: parts of the workspace.
    """

    def __init__(self, training: Training) -> None:
        self._training = training
        self._jobs = training.jobs

    def create(self, creation: JobCreation, caller: Caller) -> FineTuningJob:
        """Begin a job.

        Raises:
            InvalidInputError: a part of it cannot be used.
            DiskSpaceError: there is no room for checkpoints.
            ConfigurationError: the packages that train are not installed.
        """
        return self._job(self._training.submit(request_of(creation, caller)))

    def list(
        self, *, after: str | None, limit: int, metadata: Mapping[str, str] | None, without_metadata: bool
    ) -> JobList:
        """A page of jobs.

        Raises:
            InvalidInputError: `after` is no job.
        """
        page = self._jobs.list(after=after, limit=limit, metadata=metadata, without_metadata=without_metadata)
        adapters = {one.job_id: one for one in self._training.adapters.list()}
        data = [job_object(job, adapters.get(job.id), self._training.organisation) for job in page.jobs]
        return JobList(data=data, has_more=page.has_more)

    def get(self, job: str) -> FineTuningJob:
        """One job.

        Raises:
            NotFoundError: there is none of this id.
        """
        return self._job(self._jobs.get(job))

    def ask(self, job: str, wanted: str) -> FineTuningJob:
        """Cancel, pause or resume a job.

        Raises:
            NotFoundError: there is none of this id.
            ConflictError: it cannot be done now.
        """
        return self._job(self._jobs.ask(job, wanted))

    def events(self, job: str, *, after: str | None, limit: int) -> EventList:
        """A page of what a job told, in English, as programs of OpenAI's API read it.

        Raises:
            NotFoundError: there is no such job.
            InvalidInputError: `after` is no event.
        """
        page = self._jobs.events(job, after=after, limit=limit)
        with speaking("en"):
            return EventList(data=[event_object(event) for event in page.events], has_more=page.has_more)

    def checkpoints(self, job: str, *, after: str | None, limit: int) -> CheckpointList:
        """A page of a job's checkpoints.

        Raises:
            NotFoundError: there is no such job.
            InvalidInputError: `after` is no checkpoint.
        """
        found = self._jobs.get(job)
        page = self._jobs.checkpoints(job, after=after, limit=limit)
        data = [checkpoint_object(one, found) for one in page.checkpoints]
        return CheckpointList(
            data=data,
            first_id=data[0].id if data else None,
            last_id=data[-1].id if data else None,
            has_more=page.has_more,
        )

    def _job(self, job: TrainingJob) -> FineTuningJob:
        return job_object(job, self._training.adapters.of_job(job.id), self._training.organisation)


def request_of(creation: JobCreation, caller: Caller) -> JobRequest:
    """A request as the product reads it.

    Raises:
        InvalidInputError: it asks for something that is not offered.
    """
    if creation.integrations:
        raise InvalidInputError(
            tr("“integrations” are not offered: nothing of a training leaves this machine. Leave them out."),
            param="integrations",
        )
    method = creation.method if isinstance(creation.method, MethodRequest) else MethodRequest()
    if method.type == "reinforcement":
        raise InvalidInputError(
            tr("The method reinforcement is not offered. Use supervised, dpo or kto."), param="method"
        )
    given: JSON = dict(creation.hyperparameters or {})
    named = [name for name in ("supervised", "dpo", "kto") if getattr(method, name) is not None]
    kind = method.type
    if kind == "auto" and len(named) == 1:
        kind = named[0]  # type: ignore[assignment]
    if kind != "auto":
        if others := [name for name in named if name != kind]:
            raise InvalidInputError(
                tr("The method is {kind}, and options of {other} are given. Leave them out.", kind=kind,
                   other=others[0]),
                param="method",
            )  # fmt: skip
        options = getattr(method, kind)
        given |= dict((options.hyperparameters if options is not None else None) or {})
    return JobRequest(
        base=creation.model,
        training_file=creation.training_file,
        validation_file=creation.validation_file,
        method=None if kind in ("auto", "reinforcement") else kind,  # type: ignore[arg-type]
        hyperparameters=given,
        suffix=creation.suffix or "",
        seed=creation.seed,
        metadata=creation.metadata,
        assistant=creation.etabli.assistant,
        probes=creation.etabli.probes,
        approve=creation.etabli.approve,
        account_id=caller.account_id,
    )


def job_object(job: TrainingJob, adapter: Adapter | None, organisation: str) -> FineTuningJob:
    """A job on the wire."""
    error = None
    if job.error is not None:
        error = protocol.JobError(
            code=job.error["code"], message=told(job.error["message"]), param=job.error.get("param")
        )
    return FineTuningJob(
        id=job.id,
        created_at=int(job.created_at.timestamp()),
        error=error,
        fine_tuned_model=job.model_name if job.state == "succeeded" else None,
        finished_at=int(job.finished_at.timestamp()) if job.finished_at is not None else None,
        hyperparameters=_hyperparameters(job),
        model=job.base,
        organization_id=organisation,
        result_files=job.result_files if job.ended else [],
        seed=job.seed,
        status=_STATUS[job.state],
        trained_tokens=job.trained_tokens if job.ended else None,
        training_file=job.training_file,
        validation_file=job.validation_file,
        estimated_finish=int(job.estimated_finish.timestamp()) if job.estimated_finish is not None else None,
        metadata=job.metadata,
        method=_method(job),
        etabli=JobDetails(
            state=job.state,
            step=job.step,
            total_steps=job.total_steps,
            checkpoint_step=job.checkpoint_step,
            adapter_state=adapter.state if adapter is not None else None,
            assistant=job.assistant,
            probes=job.probes,
            wanted=job.wanted,
            progress=job.progress if job.state == "examining" else None,
        ),
    )


def event_object(event: JobEvent) -> protocol.JobEvent:
    """An event on the wire."""
    return protocol.JobEvent(
        id=event.id,
        created_at=int(event.at.timestamp()),
        level=event.level,
        message=told(event.message),
        type=event.kind,
        data=event.data,
    )


def checkpoint_object(checkpoint: JobCheckpoint, job: TrainingJob) -> protocol.JobCheckpoint:
    """A checkpoint on the wire."""
    return protocol.JobCheckpoint(
        id=checkpoint.id,
        created_at=int(checkpoint.created_at.timestamp()),
        fine_tuned_model_checkpoint=f"{job.model_name}:ckpt-step-{checkpoint.step}",
        fine_tuning_job_id=job.id,
        metrics=checkpoint.metrics,
        step_number=checkpoint.step,
    )


def metadata_filter(query: Mapping[str, str]) -> tuple[dict[str, str] | None, bool]:
    """The words that listed jobs must have, from `metadata[key]=value`; and whether they must have none."""
    wanted = {
        match[1]: value
        for name, value in query.items()
        if (match := _METADATA_KEY.fullmatch(name)) is not None
    }
    return wanted or None, query.get("metadata") == "null"


def _hyperparameters(job: TrainingJob) -> protocol.Hyperparameters:
    return protocol.Hyperparameters(
        n_epochs=job.hyperparameters["epochs"],
        batch_size=job.hyperparameters["batch_size"],
        learning_rate_multiplier=multiplier(job.hyperparameters, job.method),
    )


def _method(job: TrainingJob) -> JSON:
    values = _hyperparameters(job).model_dump()
    if job.method != "supervised":
        values["beta"] = job.hyperparameters["beta"]
    return {"type": job.method, job.method: {"hyperparameters": values}}
