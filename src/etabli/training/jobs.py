"""Words of training jobs: what is asked, what is known of one, how OpenAI's hyperparameters become ours.

Knows no database and starts nothing. Source of the names: OpenAI's API description 2.3.0, "Fine-tuning".
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.training.base import EVENTS_FILE, Event, Hyperparameters, Method

JSON = dict[str, Any]
State = Literal["validating", "queued", "running", "paused", "examining", "succeeded", "failed", "cancelled"]
ENDED = frozenset({"succeeded", "failed", "cancelled"})
METHODS: tuple[str, ...] = get_args(Method)
AUTO = "auto"
MOST_SUFFIX = 64
PROBES = 24
"""Of certification, tried on the assistant of a training: about one of each family, some minutes on two cores."""
MOST_PROBES = 500
_LEARNING_RATES: dict[Method, float] = {"supervised": 2e-4, "dpo": 5e-5, "kto": 5e-5}
"""What `learning_rate_multiplier` multiplies: preferences are learnt from pairs, so with smaller steps."""
_RENAMED = {"n_epochs": "epochs"}
_MOST_EVENT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What is asked.

    Attributes:
        base: name of the base model in the store.
        training_file: id of an uploaded file.
        validation_file: the same, held out; None for none.
        method: None where the first example says it.
        hyperparameters: as OpenAI names them, ours besides; `auto` for what suits.
        suffix: a word of the adapter's name.
        seed: None for one that is drawn.
        metadata: the caller's own words.
        assistant: that it is for, and on which certification's probes are tried before and after; None for none.
        probes: so many; 0 for none.
        recipe: digest of the recipe; a second run of it goes on with the job.
        approve: the person approves beforehand what passes every gate.
        account_id: who asks.
    """

    base: str
    training_file: str
    validation_file: str | None = None
    method: Method | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ""
    seed: int | None = None
    metadata: Mapping[str, str] | None = None
    assistant: str | None = None
    probes: int = PROBES
    recipe: str | None = None
    approve: bool = False
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One job as the database knows it.

    Attributes:
        id: `ftjob-…`.
        state: what it does now; `paused` waits for a person, `examining` has its adapter and looks at it.
        wanted: `pause` or `cancel` where a person asked a running job for it.
        hyperparameters: resolved, as `Hyperparameters` writes them.
        model_name: `ft:…`, of the adapter that comes out.
        event_offset: bytes of `events.jsonl` that the database knows.
        step: the last that was told.
        checkpoint_step: the last that a crash cannot take away.
        crashes: since then.
        estimated_finish: as the process expects; None while it does not run.
        preflight: what the process estimated before its first step.
        gate: what the comparison of trainer and engine found.
        comparison: what answers were like before and after; under `probes` what certification's probes found.
        progress: of the examination: `part`, `done`, `total`.
        error: `code`, `message` (see `etabli.messages.kept`) and `param`.
    """

    id: str
    number: int
    state: State
    wanted: Literal["pause", "cancel"] | None
    base: str
    base_sha256: str
    method: Method
    hyperparameters: JSON
    training_file: str
    validation_file: str | None
    suffix: str
    seed: int
    metadata: dict[str, str] | None
    model_name: str
    assistant: str | None
    probes: int
    recipe: str | None
    approve: bool
    event_offset: int
    step: int
    total_steps: int | None
    checkpoint_step: int
    crashes: int
    trained_tokens: int | None
    estimated_finish: datetime | None
    preflight: JSON | None
    gate: JSON | None
    comparison: JSON | None
    progress: JSON | None
    error: JSON | None
    result_files: list[str]
    account_id: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that a job told.

    Attributes:
        id: `ftevent-…`.
        message: as it is kept: see `etabli.messages.told`.
        data: figures.
    """

    id: str
    at: datetime
    level: Literal["info", "warn", "error"]
    kind: Literal["message", "metrics"]
    message: Any
    data: JSON


@dataclass(frozen=True, slots=True)
class JobCheckpoint:
    """A state that the training can go on from."""

    id: str
    step: int
    metrics: JSON
    created_at: datetime


def resolve(given: Mapping[str, Any], method: Method, *, seed: int) -> Hyperparameters:
    """OpenAI's hyperparameters, and ours besides them, as the trainer reads them.

    Args:
        given: `n_epochs`, `batch_size`, `learning_rate_multiplier`, `beta`, or a name of `Hyperparameters`; `auto`
            or None for what suits.
        method: decides what suits.
        seed: of the job.

    Raises:
        InvalidInputError: a name is unknown or a value is not allowed.

    >>> resolve({"n_epochs": 2, "learning_rate_multiplier": 0.5}, "supervised", seed=1).learning_rate
    0.0001
    """
    values: JSON = {"learning_rate": _LEARNING_RATES[method], "seed": seed}
    known = set(Hyperparameters.model_fields) - {"seed"} | {"n_epochs", "learning_rate_multiplier"}
    for name, value in given.items():
        if name not in known:
            raise InvalidInputError(
                tr(
                    "The hyperparameter {name} is unknown. Allowed: {allowed}.",
                    name=name,
                    allowed=", ".join(sorted(known)),
                ),
                param="hyperparameters",
            )
        if value is None or value == AUTO:
            continue
        if name == "beta" and method == "supervised":
            raise InvalidInputError(
                tr("beta belongs to dpo and kto; the method is {method}. Leave it out.", method=method),
                param="hyperparameters",
            )
        if name == "learning_rate_multiplier":
            values["learning_rate"] = _multiplied(value, method)
        else:
            values[_RENAMED.get(name, name)] = value
    try:
        return Hyperparameters.model_validate(values)
    except ValidationError as error:
        fault = error.errors()[0]
        raise InvalidInputError(
            tr(
                "The hyperparameter {name} is {found}: {reason}.",
                name=".".join(map(str, fault["loc"])),
                found=str(fault["input"])[:60],
                reason=fault["msg"],
            ),
            param="hyperparameters",
        ) from None


def _multiplied(value: object, method: Method) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1000:
        raise InvalidInputError(
            tr(
                "learning_rate_multiplier is {found}; it must be a number above 0, such as 1.",
                found=str(value)[:60],
            ),
            param="hyperparameters",
        )
    return _LEARNING_RATES[method] * value


def multiplier(hyperparameters: Mapping[str, Any], method: Method) -> float:
    """The learning rate of a job as OpenAI tells it: so many times what suits."""
    return float(round(float(hyperparameters["learning_rate"]) / _LEARNING_RATES[method], 6))


def method_of_file(path: Path) -> Method | None:
    """The method that the first example of a file is made for; None where it is none of ours."""
    try:
        with path.open("rb") as file:
            line = file.readline(_MOST_EVENT_BYTES)
        value = json.loads(line)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    if "input" in value and "preferred_output" in value:
        return "dpo"
    if "label" in value and "completion" in value:
        return "kto"
    return "supervised" if "messages" in value else None


def new_job_id() -> str:
    """A name that nothing else has."""
    return f"ftjob-{secrets.token_hex(12)}"


def draw_seed() -> int:
    """A seed for a job that was given none."""
    return secrets.randbelow(2**31 - 1)


def model_name(base: str, workspace: str, suffix: str) -> str:
    """The name of what comes out: `ft:<base>:<workspace>:<suffix>:<id>`; the id is new each time.

    >>> model_name("qwen", "Notre clinique", "Ton d'accueil").rpartition(":")[0]
    'ft:qwen:notre-clinique:ton-d-accueil'
    """
    return f"ft:{base}:{_word(workspace) or 'etabli'}:{_word(suffix)}:{secrets.token_hex(4)}"


def checked_suffix(suffix: str | None) -> str:
    """A suffix that fits.

    Raises:
        InvalidInputError: it is too long.
    """
    text = (suffix or "").strip()
    if len(text) > MOST_SUFFIX:
        raise InvalidInputError(
            tr(
                "The suffix has {found} characters; at most {allowed} fit.",
                found=len(text),
                allowed=MOST_SUFFIX,
            ),
            param="suffix",
        )
    return text


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:MOST_SUFFIX]


def event_id(job: str, offset: int, line: bytes) -> str:
    """The id of a line of `events.jsonl`: the same place and words give the same id, however often it is read."""
    digest = hashlib.sha256(f"{job}\0{offset}\0".encode() + line).hexdigest()
    return f"ftevent-{digest[:24]}"


def read_events(folder: Path, offset: int) -> Iterator[tuple[int, bytes, Event | None]]:
    """Lines of `events.jsonl` from a byte offset on: the offset after each, its bytes, and the event in it.

    A process that is killed while it writes leaves half a line, and what comes later is appended to it: such a line
    is given with None for its event. A line that is still being written waits.
    """
    path = folder / EVENTS_FILE
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield offset, line, _event(line)


def _event(line: bytes) -> Event | None:
    try:
        event = Event(**json.loads(line))
        datetime.fromisoformat(event.at)
        valid = (
            isinstance(event.data, dict) and isinstance(event.step, int) and isinstance(event.message, str)
        ) and isinstance(event.said, dict | None)
    except (ValueError, TypeError, RecursionError):
        return None
    return event if valid else None
