"""A training that runs elsewhere: its folder is written, and later taken in with the adapter.

What comes back becomes a job like any other, whose training is over: the same gate, the same comparison, and a person
who approves.
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from etabli.cli.terminal import NOTE, make_console, say_step
from etabli.cli.training_session import Session
from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.models.hashing import sha256_of

if TYPE_CHECKING:
    from etabli.training.jobs import JobRequest, TrainingJob
    from etabli.training.launch import Launch, Launcher
    from etabli.training.recipe import Recipe
    from etabli.workspace import Workspace

_TOLD = frozenset({"message", "preflight", "metrics", "finished"})
"""Events that are taken over: checkpoints and failures of another machine are nobody's any more."""


class LaunchWriting(Session):
    """One run of `etabli train launch`."""

    def write(self, folder: Path, *, launcher: "Launcher", nodes: int, processes: int) -> int:
        """Check the data and write the folder; gives the exit status."""
        import tempfile

        from etabli.training.launch import launch_of, write_launch
        from etabli.training.launch_files import README, write_files

        self._check_assistant()
        with tempfile.TemporaryDirectory() as place:
            training, held_out = self._files(Path(place))
            plan = self._plan(training, held_out)
            launch = launch_of(plan, self._recipe, digest=self._digest(), nodes=nodes, processes=processes)
            if not self._check(training, held_out, plan.hyperparameters.max_tokens):
                return 1
            write_launch(folder, launch, plan)
            write_files(folder, launch, launcher)
        self._say(
            tr("{folder} holds what {launcher} needs; {file} says how to start it",
               folder=folder, launcher=launcher, file=folder / README)
        )  # fmt: skip
        return 0


class LaunchReading(Session):
    """One run of `etabli adapters import`.

    Args:
        workspace: where the adapter will serve.
        folder: of the launch.
        launch: what it says.
        quiet: JSON at the end and nothing before it.
    """

    def __init__(self, workspace: "Workspace", folder: Path, launch: "Launch", *, quiet: bool) -> None:
        super().__init__(workspace, recipe_of(folder, launch), quiet=quiet)
        self._folder = folder
        self._launch = launch

    def take_in(self, *, approve: bool) -> int:
        """Make a job of what was trained and have it examined; gives the exit status.

        Raises:
            InvalidInputError: the folder holds no finished training, or its adapter is not for the base of this
                machine.
        """
        from etabli.training.base import ADAPTER_FILE, RESULT_FILE
        from etabli.training.export import check_adapter
        from etabli.training.launch import trained

        job = trained(self._folder)
        base = self._base()
        adapter = job / ADAPTER_FILE
        check_adapter(adapter, self._models.path_of(base.sha256), base.sha256)
        sha256 = sha256_of(adapter)
        if _result(job / RESULT_FILE).get("adapter_sha256") != sha256:
            raise InvalidInputError(
                tr("{file} is not what the training wrote. Bring the folder back whole.", file=adapter.name)
            )
        for known in self._workspace.adapters.list():
            if known.sha256 == sha256:
                say_step(
                    make_console(stderr=True),
                    tr("{name} is this adapter already", name=known.name),
                    mark=NOTE,
                )
                return self._end(self._store.get(known.job_id))
        return self.train(approve=approve, again=True)

    def _digest(self) -> str:
        return self._launch.digest

    def _submit(self, request: "JobRequest", *, job_id: str | None = None) -> "TrainingJob":
        """The job, with a folder in which the training is over, so that whoever runs it only examines."""
        from etabli.training.base import ADAPTER_FILE, EVENTS_FILE, RESULT_FILE
        from etabli.training.jobs import new_job_id
        from etabli.training.launch import JOB_FOLDER

        job_id, source = job_id or new_job_id(), self._folder / JOB_FOLDER
        place = self._workspace.settings.training_dir / job_id
        place.mkdir(mode=0o700, parents=True)
        try:
            (place / EVENTS_FILE).write_bytes(_told(source / EVENTS_FILE))
            for name in (ADAPTER_FILE, RESULT_FILE):
                shutil.copyfile(source / name, place / name)
            job = super()._submit(request, job_id=job_id)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        self._store.absorb(job.id, place)
        return job


def recipe_of(folder: Path, launch: "Launch") -> "Recipe":
    """The recipe of a launch, with its files where they are."""
    held_out = None if launch.held_out_sha256 is None else folder.absolute() / str(launch.recipe.validation)
    data = folder.absolute() / launch.recipe.data
    return launch.recipe.model_copy(update={"data": data, "validation": held_out})


def _result(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _told(path: Path) -> bytes:
    """Lines of a log of events that are worth keeping."""
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    return b"".join(line for line in lines if _kind(line) in _TOLD)


def _kind(line: bytes) -> object:
    try:
        return json.loads(line).get("kind")
    except (ValueError, AttributeError, RecursionError):
        return None
