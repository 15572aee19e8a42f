"""The wire types of `/v1/fine_tuning/jobs`, after OpenAI's API description 2.3.0; our extensions under `etabli`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from etabli.server.openai.chat_completions.protocol import Wire
from etabli.server.openai.responses.protocol import Metadata
from etabli.training.jobs import MOST_PROBES, PROBES, State

FileId = Annotated[str, Field(min_length=1, max_length=80)]


class MethodOptions(Wire):
    """How one method trains; `auto`, null or nothing for what suits."""

    hyperparameters: dict[str, Any] | None = None


class MethodRequest(Wire):
    """The method; `kto` is our extension, and `auto` takes the one that the examples are made for."""

    type: Literal["auto", "supervised", "dpo", "kto", "reinforcement"] = "auto"
    supervised: MethodOptions | None = None
    dpo: MethodOptions | None = None
    kto: MethodOptions | None = None


class JobExtras(BaseModel):
    """Our extension to the request.

    Attributes:
        assistant: that it is for; certification's probes are tried on it, before and after.
        probes: so many; 0 for none.
        approve: the caller approves beforehand what passes every gate.
    """

    model_config = ConfigDict(extra="forbid")

    assistant: str | None = Field(None, max_length=63)
    probes: int = Field(PROBES, ge=0, le=MOST_PROBES)
    approve: bool = False


class JobCreation(Wire):
    """A job to begin."""

    model: str = Field(min_length=1, max_length=200)
    training_file: FileId
    validation_file: FileId | None = None
    hyperparameters: dict[str, Any] | None = None
    method: MethodRequest | Literal["auto"] | None = None
    suffix: str | None = Field(None, max_length=64)
    seed: int | None = Field(None, ge=0, le=2**31 - 1)
    metadata: Metadata | None = None
    integrations: list[dict[str, Any]] | None = None
    etabli: JobExtras = JobExtras()


class JobError(BaseModel):
    """Why a job failed."""

    code: str
    message: str
    param: str | None


class Hyperparameters(BaseModel):
    """What was decided, as OpenAI names it."""

    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float


class JobDetails(BaseModel):
    """Our extension: what OpenAI's shape cannot say.

    Attributes:
        state: finer than `status`: `paused` and `examining` besides.
        step: of the optimiser.
        total_steps: of the whole job, once it is known.
        checkpoint_step: the last that a crash cannot take away.
        adapter_state: `trained` waits for a person, `approved` answers; None while there is no adapter.
        assistant: that it is for.
        probes: of certification that are tried on it.
        wanted: `pause` or `cancel`, where somebody asked for it and the job has not come to it yet.
        progress: of the examination: `part` (`answers`, `probes`), `done` and `total`; None elsewhere.
    """

    state: State
    step: int
    total_steps: int | None
    checkpoint_step: int
    adapter_state: Literal["trained", "refused", "approved", "retired"] | None
    assistant: str | None
    probes: int
    wanted: Literal["pause", "cancel"] | None
    progress: dict[str, Any] | None


class FineTuningJob(BaseModel):
    """One job. `fine_tuned_model` answers once a person has approved it.

    Attributes:
        method: `type`, and under its name the `hyperparameters` that were decided.
    """

    id: str
    object: Literal["fine_tuning.job"] = "fine_tuning.job"
    created_at: int
    error: JobError | None
    fine_tuned_model: str | None
    finished_at: int | None
    hyperparameters: Hyperparameters
    model: str
    organization_id: str
    result_files: list[str]
    seed: int
    status: Literal["validating_files", "queued", "running", "succeeded", "failed", "cancelled"]
    trained_tokens: int | None
    training_file: str
    validation_file: str | None
    estimated_finish: int | None
    integrations: list[dict[str, Any]] = []
    metadata: dict[str, str] | None
    method: dict[str, Any]
    etabli: JobDetails


class JobList(BaseModel):
    """A page of jobs, the newest first."""

    object: Literal["list"] = "list"
    data: list[FineTuningJob]
    has_more: bool


class JobEvent(BaseModel):
    """Something that a job told."""

    id: str
    object: Literal["fine_tuning.job.event"] = "fine_tuning.job.event"
    created_at: int
    level: Literal["info", "warn", "error"]
    message: str
    type: Literal["message", "metrics"]
    data: dict[str, Any]


class EventList(BaseModel):
    """A page of events, the newest first."""

    object: Literal["list"] = "list"
    data: list[JobEvent]
    has_more: bool


class JobCheckpoint(BaseModel):
    """A state that training can go on from. It is no model that answers: only the job's result can be approved."""

    id: str
    object: Literal["fine_tuning.job.checkpoint"] = "fine_tuning.job.checkpoint"
    created_at: int
    fine_tuned_model_checkpoint: str
    fine_tuning_job_id: str
    metrics: dict[str, float]
    step_number: int


class CheckpointList(BaseModel):
    """A page of checkpoints, the newest first."""

    object: Literal["list"] = "list"
    data: list[JobCheckpoint]
    first_id: str | None
    last_id: str | None
    has_more: bool
