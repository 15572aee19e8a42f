"""A server whose trainings are scripted: real jobs, real files, real checks; no model learns and none answers."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from running_server import RunningServer

from etabli.engines.fake import FakeEngine
from etabli.engines.fake_embedder import FakeEmbedder
from etabli.errors import InvalidInputError
from etabli.evaluation.adapters import everyday_tasks, held_out_tasks, judge
from etabli.identity.accounts import OWNER_ID
from etabli.identity.sessions import Sessions
from etabli.models.store import ModelStore
from etabli.server.app import create_app
from etabli.serving import services_of
from etabli.settings import Settings
from etabli.training.afterwards import Afterwards
from etabli.training.data.rows import read_rows
from etabli.training.files import TRAINING
from etabli.training.jobs import JobRequest, TrainingJob
from etabli.training.running import Running, TrainingRunner
from etabli.training.submitting import submit
from etabli.workspace import Workspace
from training.training_parts import ScriptedExaminer, look_without_tokens

BASE = "qwen2.5-coder-1.5b"
FAKE = (sys.executable, "-m", "etabli.training.fake")
CLINIC = Path(__file__).parents[2] / "examples" / "clinique"
GATE = {"passed": True, "prompts": 24, "positions": 288, "mean_divergence": 0.0012, "agreement": 0.993}
ESTIMATE = {
    "examples": 270,
    "tokens": 121_500,
    "trained_tokens": 58_300,
    "trained_share": 0.48,
    "longest": 212,
    "steps": 102,
    "computed_tokens": 71_000,
    "memory_bytes": 4_200_000_000,
    "seconds": None,
    "watt_hours": None,
}
ASSISTANT = "title: Fiches\nlanguage: fr\ninstructions: |\n  Tu remplis des fiches.\n"


@dataclass
class Site:
    """A server with one base, one assistant, and trainings that run by script.

    Args:
        refusal: what the estimate says instead of figures.
        estimated: requests that were estimated, and whether steps were timed.
    """

    url: str
    workspace: Workspace
    examiner: ScriptedExaminer
    refusal: str = ""
    estimated: list[tuple[JobRequest, bool]] = field(default_factory=list)

    def link(self, next: str = "/") -> str:
        token = Sessions(self.workspace.database).make_link(OWNER_ID)
        return f"{self.url}/sign-in?link={token}&next={next}"

    def preflight(self, request: JobRequest, calibrate: bool) -> dict[str, Any]:
        self.estimated.append((request, calibrate))
        if self.refusal:
            raise InvalidInputError(self.refusal)
        return ESTIMATE | ({"seconds": 1_260.0, "watt_hours": 4.2} if calibrate else {})

    def submit(self, request: JobRequest) -> TrainingJob:
        workspace = self.workspace
        return submit(
            request,
            store=workspace.training_jobs,
            files=workspace.uploads,
            models=ModelStore(workspace.settings.models_dir),
            folder=workspace.settings.training_dir,
            workspace="clinique",
        )

    def job(self, **changes: Any) -> TrainingJob:
        """A job on the clinic's slips, not yet begun."""
        rows = CLINIC / "training" / "fiches-train.jsonl"
        file = self.workspace.uploads.add_copy(rows, filename="fiches-train.jsonl", purpose=TRAINING)
        return self.submit(JobRequest(base=BASE, training_file=file.id, suffix="fiches", seed=7, **changes))

    def script(self, job: TrainingJob, **script: Any) -> None:
        """What the trainer does with a job that has not begun."""
        place = self.workspace.settings.training_dir / job.id
        place.mkdir(parents=True, exist_ok=True)
        (place / "script.json").write_text(json.dumps(script), encoding="utf-8")

    @contextmanager
    def running(self) -> Iterator[TrainingRunner]:
        """Jobs are run."""
        workspace = self.workspace
        settings = workspace.settings
        afterwards = Afterwards(
            workspace.training_jobs, workspace.adapters, workspace.uploads, examiner=self.examiner
        )
        parts = Running(
            store=workspace.training_jobs,
            files=workspace.uploads,
            models=ModelStore(settings.models_dir),
            afterwards=afterwards,
            folder=settings.training_dir,
            log_path=settings.workspace / "training.log",
            checks=look_without_tokens,
            command=FAKE,
            poll_s=0.05,
        )
        with TrainingRunner(parts) as runner:
            yield runner

    def validate_on_the_way(self, job: TrainingJob) -> None:
        """The scripted trainer measures nothing on what is put aside: say that it did, at every second step."""
        with self.workspace.database.owner() as connection:
            connection.execute(
                "UPDATE training_event SET data = data || jsonb_build_object('valid_loss',"
                " 0.1 + (data->>'train_loss')::float) WHERE job_id = %s AND kind = 'metrics'"
                " AND (data->>'step')::int %% 2 = 0",
                (job.id,),
            )


@contextmanager
def training_site(folder: Path, database_url: str) -> Iterator[Site]:
    """The server."""
    (folder / "assistants").mkdir(parents=True)
    (folder / "assistants" / "fiches.yaml").write_text(ASSISTANT, encoding="utf-8")
    settings = Settings(workspace=folder, database_url=database_url, models_dir=folder / "models")  # type: ignore[arg-type]
    weights = folder / "weights.gguf"
    weights.write_bytes(b"GGUF tiny" * 100)
    ModelStore(settings.models_dir).add_file(
        weights, name=BASE, file_name="tiny.gguf", source="test", licence="MIT"
    )
    with Workspace(settings) as workspace:
        workspace.__dict__["embedder"] = FakeEmbedder()
        services = services_of(workspace, engine=FakeEngine(), state=lambda: {})
        site = Site("", workspace, ScriptedExaminer(gate=GATE, comparison=compared()))
        assert services.training is not None
        training = replace(services.training, preflight=site.preflight, submit=site.submit)
        server = RunningServer(create_app(replace(services, training=training)))
        site.url = server.url
        yield site
        server.close()


def compared(*, forgotten: int = 2, held_out: bool = True) -> dict[str, Any]:
    """A comparison of the product's own, over its own tasks: the slips are learned, some everyday tasks are lost.

    Args:
        forgotten: everyday tasks, from the first on, that are answered wrongly after.
        held_out: whether slips were put aside.
    """
    rows = [*read_rows(CLINIC / "training" / "fiches-held-out.jsonl", "supervised")][:40] if held_out else []
    slips = held_out_tasks(rows)
    answers: dict[tuple[str, str], str] = {}
    for place, task in enumerate(slips):
        right = task.expected[0]
        answers["before", task.id] = right if place % 8 == 0 else right.replace("à jeun", "sans manger")[:-12]
        answers["after", task.id] = right if place % 10 else f"NOTE {right}"
    everyday = everyday_tasks()
    for place, task in enumerate(everyday):
        right = f"C’est {task.expected[0]}."
        answers["before", task.id] = right if place % 4 else "Je ne sais pas."
        answers["after", task.id] = answers["before", task.id] if place > forgotten else "<b>Bonjour</b>."
    return judge([*slips, *everyday], answers).to_json()
