"""A training that runs elsewhere: the folder that goes to a cluster, and comes back with the adapter.

    <folder>/
      launch.json         `Launch`: the recipe with everything decided, and the SHA-256 of base and data
      training.jsonl      the examples, as they were checked
      held-out.jsonl      those that are held out, where there are some
      README.md           the commands (`etabli.training.launch_files`)
      accelerate.yaml     or ray_job.py
      job/                made there: the folder of the job (`etabli.training.base`) with its adapter

The base is not in it: large, and known by its hash. Nothing is looked up in the cluster: what is decided here is
what is trained there. No torch.
"""

import shutil
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import etabli
from etabli.errors import ConfigurationError, InvalidInputError
from etabli.messages import tr
from etabli.models.hashing import sha256_of
from etabli.processes import write_private
from etabli.training.base import ADAPTER_FILE, PLAN_FILE, RESULT_FILE, Method, TrainingPlan
from etabli.training.jobs import resolve
from etabli.training.recipe import Recipe

LAUNCH_FILE = "launch.json"
TRAINING_FILE, HELD_OUT_FILE = "training.jsonl", "held-out.jsonl"
JOB_FOLDER = "job"
Launcher = Literal["accelerate", "ray"]
_Sha256 = Field(pattern=r"^[0-9a-f]{64}$")


class Launch(BaseModel):
    """What is trained elsewhere.

    Attributes:
        etabli: version that wrote it, and that the cluster needs.
        recipe: with everything decided; its paths are names in the folder.
        digest: of the recipe that it was made from: see `etabli.training.recipe.digest_of`.
        base_sha256: of the base's file.
        base_bytes: of it.
        training_sha256: of the examples.
        held_out_sha256: of those that are held out; None for none.
        nodes: machines.
        processes: on each of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    etabli: str = etabli.__version__
    recipe: Recipe
    digest: str = _Sha256
    base_sha256: str = _Sha256
    base_bytes: int = Field(ge=0)
    training_sha256: str = _Sha256
    held_out_sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    nodes: int = Field(ge=1, le=1024)
    processes: int = Field(ge=1, le=64)

    @model_validator(mode="after")
    def _says_what_to_train(self) -> "Launch":
        if self.recipe.base is None or self.recipe.method is None:
            raise ValueError("base and method must be decided")
        if self.recipe.data != Path(TRAINING_FILE):
            raise ValueError(f"data must be {TRAINING_FILE}")
        if self.recipe.validation != (None if self.held_out_sha256 is None else Path(HELD_OUT_FILE)):
            raise ValueError(f"validation must be {HELD_OUT_FILE}, with its SHA-256, or absent")
        return self

    @property
    def base(self) -> str:
        """Name of the base."""
        assert self.recipe.base is not None
        return self.recipe.base

    @property
    def method(self) -> Method:
        """What the examples are."""
        assert self.recipe.method is not None
        return self.recipe.method

    @property
    def together(self) -> int:
        """How many processes train together."""
        return self.nodes * self.processes


def launch_of(plan: TrainingPlan, recipe: Recipe, *, digest: str, nodes: int, processes: int) -> Launch:
    """A plan of this machine as one for others.

    Args:
        plan: resolved and checked.
        recipe: that it was made from.
        digest: of the recipe.
        nodes: machines.
        processes: on each of them.

    Raises:
        ConfigurationError: the processes cannot share a step equally.
    """
    check_shares(plan.hyperparameters.batch_size, nodes * processes)
    without = {"seed"} | ({"beta"} if plan.method == "supervised" else set())
    held_out = plan.validation_file
    decided = recipe.model_copy(
        update={
            "data": Path(TRAINING_FILE),
            "validation": None if held_out is None else Path(HELD_OUT_FILE),
            "base": plan.base,
            "method": plan.method,
            "examples": None,  # they are drawn
            "validation_examples": None,
            "suffix": recipe.suffix or recipe.data.stem,
            "hyperparameters": plan.hyperparameters.model_dump(mode="json", exclude=without),
        }
    )
    return Launch(
        recipe=decided,
        digest=digest,
        base_sha256=plan.base_sha256,
        base_bytes=plan.base_path.stat().st_size,
        training_sha256=sha256_of(plan.training_file),
        held_out_sha256=None if held_out is None else sha256_of(held_out),
        nodes=nodes,
        processes=processes,
    )


def write_launch(folder: Path, launch: Launch, plan: TrainingPlan) -> None:
    """Write what is the same for every launcher into a new folder.

    Raises:
        ConfigurationError: there is something in the folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(
            tr("{folder} is there already. Name a new folder, or remove this one.", folder=folder)
        )
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(plan.training_file, folder / TRAINING_FILE)
    if plan.validation_file is not None:
        shutil.copyfile(plan.validation_file, folder / HELD_OUT_FILE)
    (folder / LAUNCH_FILE).write_text(launch.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_launch(folder: Path) -> Launch:
    """What a folder says, with its data as they were when it was written.

    Raises:
        ConfigurationError: it is no such folder, or something in it was changed.
    """
    try:
        launch = Launch.model_validate_json((folder / LAUNCH_FILE).read_bytes())
    except OSError:
        raise ConfigurationError(
            tr("{folder} holds no launch: {file} is not in it. Write one with: etabli train launch RECIPE",
               folder=folder, file=LAUNCH_FILE)
        ) from None  # fmt: skip
    except ValidationError as error:
        fault = error.errors()[0]
        raise ConfigurationError(
            tr("{file} was changed and cannot be used ({place}: {reason}). Write the launch anew.",
               file=LAUNCH_FILE, place=".".join(map(str, fault["loc"])), reason=fault["msg"])
        ) from None  # fmt: skip
    for name, expected in ((TRAINING_FILE, launch.training_sha256), (HELD_OUT_FILE, launch.held_out_sha256)):
        path = folder / name
        if expected is not None and (not path.is_file() or sha256_of(path) != expected):
            raise ConfigurationError(
                tr("{file} is gone or is not what was checked. Write the launch anew.", file=name)
            )
    return launch


def prepare(folder: Path, launch: Launch, base: Path, *, processes: int, reads_base: bool = True) -> Path:
    """Make the folder of the job, in which every process then finds its plan.

    Args:
        folder: of the launch, on a disk that all machines see at the same place.
        launch: what it says.
        base: the model's file on this machine.
        processes: that train together.
        reads_base: whether this process compares the base's hash; one on each machine is enough.

    Returns:
        the folder of the job.

    Raises:
        ConfigurationError: the base is another one, the processes cannot share a step equally, or what was trained
            so far was another training.
    """
    hyperparameters = resolve(launch.recipe.hyperparameters, launch.method, seed=launch.recipe.seed)
    check_shares(hyperparameters.batch_size, processes)
    _check_base(launch, base, reads=reads_base)
    plan = TrainingPlan(
        base=launch.base,
        base_path=base.absolute(),
        base_sha256=launch.base_sha256,
        method=launch.method,
        training_file=(folder / TRAINING_FILE).absolute(),
        validation_file=None if launch.held_out_sha256 is None else (folder / HELD_OUT_FILE).absolute(),
        hyperparameters=hyperparameters,
    )
    job = folder.absolute() / JOB_FOLDER
    text = plan.model_dump_json(indent=1) + "\n"
    try:
        found = (job / PLAN_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        write_private(job / PLAN_FILE, text)
        return job
    if found != text:
        raise ConfigurationError(
            tr("{folder} began as another training, or with files at other places. Give the same as then, or remove "
               "it to begin anew.", folder=job)
        )  # fmt: skip
    return job


def trained(folder: Path) -> Path:
    """The folder of the job, once it holds what was trained.

    Raises:
        InvalidInputError: it does not yet.
    """
    job = folder / JOB_FOLDER
    for name in (ADAPTER_FILE, RESULT_FILE):
        if not (job / name).is_file():
            raise InvalidInputError(
                tr("{folder} holds no finished training: {file} is missing. Train to the end and bring the folder "
                   "back whole.", folder=folder, file=f"{JOB_FOLDER}/{name}")
            )  # fmt: skip
    return job


def check_shares(batch_size: int, processes: int) -> None:
    """Make sure that every process has equally many examples of a step.

    Raises:
        ConfigurationError: it has not.
    """
    if batch_size % processes == 0:
        return
    nearest = max(1, round(batch_size / processes)) * processes
    raise ConfigurationError(
        tr("{processes} processes cannot share {batch_size} examples equally. Set batch_size to a multiple of "
           "{processes}, such as {nearest}, or start another number of processes.",
           processes=processes, batch_size=batch_size, nearest=nearest)
    )  # fmt: skip


def _check_base(launch: Launch, base: Path, *, reads: bool) -> None:
    try:
        size = base.stat().st_size
        found = launch.base_sha256 if not reads else sha256_of(base) if size == launch.base_bytes else None
    except OSError as error:
        raise ConfigurationError(
            tr("The base {name} cannot be read: {reason}. Copy it to this machine and name it with --base.",
               name=base.name, reason=error.strerror or type(error).__name__)
        ) from None  # fmt: skip
    if size != launch.base_bytes or found != launch.base_sha256:
        raise ConfigurationError(
            tr("{name} is not the base {base} that this training is for: {bytes} bytes with the SHA-256 {sha256} are "
               "wanted, and {found} bytes with {other} were found. Copy the file from the machine that wrote the "
               "launch.", name=base.name, base=launch.base, bytes=launch.base_bytes, sha256=launch.base_sha256[:12],
               found=size, other=found[:12] if found is not None else "–")
        )  # fmt: skip
