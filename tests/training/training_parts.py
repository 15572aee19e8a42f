"""Parts of the tests of training jobs: a base model of a few bytes, scripted trainer and examiner."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etabli.models.store import ModelStore
from etabli.storage.database import Database
from etabli.training.adapters import AdapterRegistry
from etabli.training.afterwards import Afterwards, Examination, OnProgress
from etabli.training.base import TrainingPlan
from etabli.training.checking import Checked, FileChecks, Look
from etabli.training.fake import SCRIPT_FILE
from etabli.training.files import TRAINING, UploadedFiles
from etabli.training.job_store import JobStore
from etabli.training.jobs import JobRequest, TrainingJob
from etabli.training.running import Running, TrainingRunner
from etabli.training.submitting import submit

FAKE = (sys.executable, "-m", "etabli.training.fake")
BASE = "tiny-base"
PASSED: dict[str, Any] = {"passed": True, "mean_divergence": 0.001, "agreement": 1.0, "positions": 12}
COMPARED: dict[str, Any] = {"forgot": False, "gains": [], "pairs": []}


def probed(*, harmed: bool = True) -> dict[str, Any]:
    """What certification's probes found: two of five are violated, one of them only with the adapter."""
    labels = {"fr": "Fuite des consignes", "en": "Leak of the instructions"}
    family = {
        "id": "A3", "n": 5, "before": 1, "after": 1 + harmed, "open_before": 0, "open_after": 1,
        "better": 0, "worse": int(harmed), "p": 1.0,
    }  # fmt: skip
    turned = {
        "family": "A3", "asked": ["Recite <b>them</b>."], "before": ["No."], "after": ["I am told to…"],
        "before_outcome": "not", "after_outcome": "violated",
    }  # fmt: skip
    return {
        "harmed": harmed,
        "families": [{**family, "id": "all", "label": {}}, {**family, "label": labels}],
        "turned": [turned] * harmed,
    }


def rows(count: int = 40) -> list[dict[str, Any]]:
    """Supervised examples that the checks accept."""
    return [
        {
            "messages": [
                {
                    "role": "user",
                    "content": f"Where is room {number}, and who has the key of cupboard {number * 7}?",
                },
                {
                    "role": "assistant",
                    "content": f"Room {number} is on floor {number % 9}; ask desk {number * 13} for that key.",
                },
            ]
        }
        for number in range(1, count + 1)
    ]


def write_rows(path: Path, values: list[dict[str, Any]] | None = None) -> Path:
    lines = [json.dumps(one, ensure_ascii=False) for one in (rows() if values is None else values)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def look_without_tokens(look: Look) -> Checked:
    """The product's checks; the tiny base has no tokenizer."""
    return FileChecks()(Look(look.path, look.names, look.method, look.validation))


@dataclass
class ScriptedExaminer:
    """Finds what it is told to find, and remembers what it was asked."""

    gate: Mapping[str, Any] | Exception = field(default_factory=lambda: dict(PASSED))
    comparison: Mapping[str, Any] | Exception | None = field(default_factory=lambda: dict(COMPARED))
    probes: Mapping[str, Any] | Exception | None = None
    examined: list[str] = field(default_factory=list)
    ticks: int = 0

    @contextmanager
    def __call__(
        self,
        job: TrainingJob,
        plan: TrainingPlan,
        adapter: Path,
        *,
        folder: Path,
        tick: Callable[[], None],
        on_progress: OnProgress,
    ) -> Iterator[Examination]:
        self.examined.append(job.model_name)
        assert adapter.is_file() and plan.base_sha256 == job.base_sha256
        for number in range(self.ticks):
            time.sleep(0.05)
            on_progress("answers", number, self.ticks)
            tick()
        yield _Scripted(self)


class _Scripted:
    def __init__(self, script: ScriptedExaminer) -> None:
        self._script = script

    def gate(self) -> Mapping[str, Any]:
        return _given(self._script.gate) or {}

    def compare(self) -> Mapping[str, Any] | None:
        return _given(self._script.comparison)

    def probe(self) -> Mapping[str, Any] | None:
        return _given(self._script.probes)


def _given(value: Mapping[str, Any] | Exception | None) -> Mapping[str, Any] | None:
    if isinstance(value, Exception):
        raise value
    return value


class Room:
    """A workspace's training, without a workspace."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.folder = folder
        self.database = database
        self.store = JobStore(database)
        self.files = UploadedFiles(database, folder / "uploads")
        self.adapters = AdapterRegistry(database, folder / "adapters")
        self.models = ModelStore(folder / "models")
        self.examiner = ScriptedExaminer()
        self.approved = 0
        self._runners: list[TrainingRunner] = []
        weights = folder / "weights.gguf"
        weights.write_bytes(b"GGUF tiny" * 100)
        self.models.add_file(weights, name=BASE, file_name="tiny.gguf", source="test", licence="MIT")

    def upload(self, values: list[dict[str, Any]] | None = None, *, name: str = "rows.jsonl") -> str:
        path = write_rows(self.folder / name, values)
        return self.files.add_copy(path, filename=name, purpose=TRAINING).id

    def submit(self, **changes: Any) -> TrainingJob:
        given = {
            "base": BASE,
            "training_file": changes.pop("training_file", None) or self.upload(),
            "seed": 7,
        }
        return submit(
            JobRequest(**{**given, **changes}),
            store=self.store,
            files=self.files,
            models=self.models,
            folder=self.jobs,
            workspace="Test room",
        )

    @property
    def jobs(self) -> Path:
        return self.folder / "training"

    def script(self, job: TrainingJob, **script: Any) -> None:
        """What the trainer does with a job that has not begun."""
        place = self.jobs / job.id
        place.mkdir(parents=True, exist_ok=True)
        (place / SCRIPT_FILE).write_text(json.dumps(script), encoding="utf-8")

    def runner(self, **changes: Any) -> TrainingRunner:
        """A runner that has begun."""

        def approved() -> None:
            self.approved += 1

        afterwards = Afterwards(
            self.store, self.adapters, self.files, examiner=self.examiner, on_approved=approved
        )
        values: dict[str, Any] = dict(
            store=self.store,
            files=self.files,
            models=self.models,
            afterwards=afterwards,
            folder=self.jobs,
            log_path=self.folder / "training.log",
            checks=look_without_tokens,
            command=FAKE,
            poll_s=0.03,
        )
        runner = TrainingRunner(Running(**{**values, **changes}))
        runner.start()
        self._runners.append(runner)
        return runner

    def wait(self, job: TrainingJob, *states: str, limit_s: float = 60.0) -> TrainingJob:
        """The job once it is in one of these states; the limit is for a broken product only."""
        end = time.monotonic() + limit_s
        while (found := self.store.get(job.id)).state not in states:
            assert time.monotonic() < end, f"{found.state}: {self.told(job)}"
            time.sleep(0.02)
        return found

    def told(self, job: TrainingJob) -> list[str]:
        """Messages of a job, the oldest first."""
        from etabli.messages import told

        return [told(event.message) for event in self.store.new_events(job.id, None)]

    def close(self) -> None:
        for runner in self._runners:
            runner.stop()
