"""Words of training: one job as it was resolved, the folder it works in, and what it tells while it works.

No torch here, and no database: whoever starts a job writes a `TrainingPlan`, starts `etabli.training.process` on its
folder, and reads what that process appends to `events.jsonl`. The process can be killed at any moment; started again
on the same folder it goes on from the last checkpoint and comes to the same adapter.

    <folder>/
      plan.json                 the plan, never changed
      events.jsonl              one `Event` a line, only appended
      checkpoints/step-000040/  adapter, optimiser, random state, place in the data; the newest two are kept
      adapter.gguf              the result
      result.json               figures of the whole job
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from etabli.messages import kept

Method = Literal["supervised", "dpo", "kto"]
EventKind = Literal["message", "preflight", "metrics", "checkpoint", "finished", "failed"]
PLAN_FILE = "plan.json"
EVENTS_FILE = "events.jsonl"
RESULT_FILE = "result.json"
ADAPTER_FILE = "adapter.gguf"
CHECKPOINTS = "checkpoints"
EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_PAUSED = 75
"""It was told to stop (SIGTERM), wrote a checkpoint and can go on. Any other code is a crash, which can go on too."""


class Hyperparameters(BaseModel):
    """What decides how an adapter is trained. The defaults suit some hundred examples on two cores."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: int = Field(16, ge=1, le=256, description="Rank of the adapter's matrices.")
    alpha: float = Field(32.0, gt=0, description="The adapter acts with the strength alpha / rank.")
    learning_rate: float = Field(2e-4, gt=0, le=1, description="Largest step size, after the warm-up.")
    epochs: int = Field(3, ge=1, le=100, description="How often each example is seen.")
    batch_size: int = Field(8, ge=1, le=1024, description="Examples to one step of the optimiser.")
    max_tokens: int = Field(1024, ge=32, description="Longest example, in tokens; longer ones are refused.")
    warmup_ratio: float = Field(
        0.05, ge=0, le=0.5, description="Share of the steps over which the rate rises."
    )
    weight_decay: float = Field(0.0, ge=0, le=1, description="Of the adapter's weights.")
    max_gradient_norm: float = Field(1.0, gt=0, description="A longer gradient is cut to this length.")
    beta: float = Field(
        0.1, gt=0, le=10, description="DPO and KTO: how strongly the base holds the adapter back."
    )
    rehearsal: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Everyday examples mixed in, as a share of yours, so that the model keeps what it could.",
    )
    checkpoint_steps: int = Field(20, ge=1, description="A crash costs at most so many steps.")
    gradient_checkpointing: bool = Field(False, description="Compute activations twice to save memory.")
    seed: int = Field(
        1, ge=0, le=2**31 - 1, description="Of the adapter's start and of the order of examples."
    )


class TrainingPlan(BaseModel):
    """One job, resolved: nothing in it is looked up again.

    Attributes:
        base: name of the base model in the store.
        base_path: its GGUF file.
        base_sha256: of that file; written into the adapter.
        method: what the examples are and which loss they get.
        training_file: checked rows of `etabli.training.data.rows`, JSON lines.
        validation_file: the same, held out; None for none.
        hyperparameters: of this job.
        threads: of the processor; None for all cores.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str
    base_path: Path
    base_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    method: Method = "supervised"
    training_file: Path
    validation_file: Path | None = None
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters)
    threads: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _absolute(self) -> "TrainingPlan":
        for path in (self.base_path, self.training_file, self.validation_file):
            if path is not None and not path.is_absolute():
                raise ValueError(f"{path} must be absolute: the job runs in another process")
        return self


@dataclass(frozen=True, slots=True)
class Event:
    """What a job says of itself.

    Attributes:
        at: UTC, ISO 8601.
        kind: `metrics` at every step, `preflight` once before the first, `checkpoint`, `finished` or `failed` at
            the end; `message` for everything else that a person wants to know.
        message: for people, one sentence, in the language of the process.
        step: of the optimiser, from 1; 0 before the first.
        data: figures. Of `metrics`: train_loss, train_mean_token_accuracy, learning_rate, tokens_per_second,
            trained_tokens, total_steps, remaining_s, and valid_loss, valid_mean_token_accuracy where measured. Of
            `preflight`: tokens, trained_share, steps, seconds, memory_bytes, watt_hours. Of `checkpoint`: path.
            Of `failed`: code, the word of the error.
        said: what the sentence was made of, to be told again in the reader's language; see `etabli.messages.kept`.
    """

    at: str
    kind: EventKind
    message: str
    step: int
    data: dict[str, Any]
    said: Any = None


class EventLog:
    """The events of one job, on the disk.

    Args:
        folder: of the job.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS_FILE

    def append(self, kind: EventKind, message: str, *, step: int = 0, **data: Any) -> Event:
        """Write one event; it is on the disk when this returns."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        said = kept(message)
        event = Event(at, kind, str(message), step, data, said if isinstance(said, dict) else None)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(event), ensure_ascii=False) + "\n")
        return event

    def read(self, offset: int = 0) -> Iterator[tuple[int, Event]]:
        """Events from a byte offset on, each with the offset after it. A line that is still being written waits."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                offset += len(line)
                yield offset, Event(**json.loads(line))
