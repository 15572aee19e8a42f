"""The wire types of what OpenAI's shape cannot say: estimates, figures of a job, adapters and who approved them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from etabli.server.openai.fine_tuning.protocol import FineTuningJob, JobCreation

JSON = dict[str, Any]


class PreflightBody(JobCreation):
    """The same as for a job; nothing is kept.

    Attributes:
        calibrate: time a few real steps, which takes a minute or two.
    """

    calibrate: bool = False


class PreflightEntry(BaseModel):
    """What a job would take: tokens, steps, seconds, memory, energy."""

    object: Literal["etabli.preflight"] = "etabli.preflight"
    estimate: JSON


class JobEntry(BaseModel):
    """A job with all its figures.

    Attributes:
        job: in OpenAI's shape.
        adapter: name of what comes out of it.
        preflight: what the process estimated before the first step.
        curve: what was measured, by step.
        gate: what the comparison of trainer and engine found.
        comparison: the answers before and after, with every pair.
    """

    object: Literal["etabli.training_job"] = "etabli.training_job"
    job: FineTuningJob
    adapter: str
    preflight: JSON | None
    curve: list[JSON]
    gate: JSON | None
    comparison: JSON | None


class AdapterEntry(BaseModel):
    """One adapter.

    Attributes:
        state: `trained` waits for a person; only an `approved` one answers.
        loaded: whether the engine holds it now.
        not_loaded: why not, where it is approved.
        figures: of training, of the gate and of the comparison.
        reason: why it was refused or retired.
    """

    object: Literal["etabli.adapter"] = "etabli.adapter"
    name: str
    sha256: str
    bytes: int
    base: str
    base_sha256: str
    job: str
    state: Literal["trained", "refused", "approved", "retired"]
    loaded: bool
    not_loaded: str | None = None
    figures: JSON
    reason: str | None
    created_at: int
    decided_at: int | None
    decided_by: str | None


class AdapterList(BaseModel):
    """All of them, the newest first."""

    object: Literal["list"] = "list"
    data: list[AdapterEntry]


class ReasonBody(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=500)
