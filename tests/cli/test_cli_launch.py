"""`etabli train launch` and `etabli adapters import`: what a tiny model learnt outside comes back."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from etabli.cli import training_session
from etabli.errors import ConfigurationError, InvalidInputError
from etabli.models.store import ModelStore
from etabli.training.afterwards import Afterwards
from etabli.training.base import ADAPTER_FILE
from etabli.training.checking import FileChecks
from etabli.training.launch import JOB_FOLDER, TRAINING_FILE, read_launch
from etabli.training.running import Running, TrainingRunner
from etabli.workspace import Workspace
from training.tiny_jobs import REASON
from training.training_parts import ScriptedExaminer, rows, write_rows

Run = Callable[..., Result]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    pytest.importorskip("torch", reason=REASON)
    from training.tiny_models import write_model

    return write_model(tmp_path / "tiny.gguf")


@pytest.fixture
def run(in_office: Run, office: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands in a workspace that has the base and a recipe; what is trained is examined by a script."""
    monkeypatch.setenv("ETABLI_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("ETABLI_MODEL", "real-tiny")
    monkeypatch.delenv("ETABLI_ENGINE_URL")
    monkeypatch.delenv("ETABLI_ENGINE_MODEL")
    ModelStore(tmp_path / "models").add_file(
        base, name="real-tiny", file_name="t", source="test", licence="MIT"
    )

    def runner(
        self: Workspace, *, only: str | None = None, gives_way: bool = True, **_: Any
    ) -> TrainingRunner:
        settings = self.settings
        afterwards = Afterwards(self.training_jobs, self.adapters, self.uploads, examiner=ScriptedExaminer())
        parts = Running(
            store=self.training_jobs, files=self.uploads, models=ModelStore(settings.models_dir),
            afterwards=afterwards, folder=settings.training_dir, log_path=settings.logs_dir / "training.log",
            checks=FileChecks(), command=("false",), gives_way=gives_way, poll_s=0.03,
        )  # fmt: skip
        return TrainingRunner(parts, only=only)

    monkeypatch.setattr(Workspace, "training_runner", runner)
    monkeypatch.setattr(training_session, "_POLL_S", 0.03)
    (office / "training").mkdir()
    write_rows(office / "training" / "rows.jsonl", rows(40))
    (office / "training" / "forms.yaml").write_text(
        "data: rows.jsonl\nvalidation: 0.25\nsuffix: Forms\n"
        "hyperparameters: {epochs: 1, batch_size: 10, rank: 4, alpha: 8, max_tokens: 256, rehearsal: 0}\n"
    )
    return in_office


def recipe(office: Path) -> str:
    return str(office / "training" / "forms.yaml")


def test_a_launch_is_written_and_nothing_is_trained(run: Run, office: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "launch"
    done = run("train", "launch", recipe(office), "--nodes", "5", "--processes", "2", "--out", str(folder))
    assert done.exit_code == 0 and "README.md says how to start it" in done.output, done.output
    launch = read_launch(folder)
    assert (launch.nodes, launch.processes, launch.recipe.suffix, launch.method) == (
        5,
        2,
        "Forms",
        "supervised",
    )
    assert launch.recipe.hyperparameters["batch_size"] == 10 and len(launch.recipe.hyperparameters) > 10
    assert len((folder / TRAINING_FILE).read_text().splitlines()) == 30
    assert json.loads(run("train", "list", "--json").stdout) == []
    again = run("train", "launch", recipe(office), "--out", str(folder))
    assert isinstance(again.exception, ConfigurationError) and "is there already" in str(again.exception)
    three = run("train", "launch", recipe(office), "--processes", "3", "--out", str(tmp_path / "three"))
    assert isinstance(three.exception, ConfigurationError) and "3 processes cannot share" in str(
        three.exception
    )
    assert not (tmp_path / "three").exists()
    write_rows(office / "training" / "rows.jsonl", [{"messages": []}])
    wrong = run("train", "launch", recipe(office), "--out", str(tmp_path / "wrong"))
    assert isinstance(wrong.exception, ConfigurationError) and not (tmp_path / "wrong").exists()


@pytest.mark.slow
def test_what_was_trained_elsewhere_comes_back_and_is_examined(
    run: Run, office: Path, base: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "launch"
    assert run("train", "launch", recipe(office), "--for", "ray", "--out", str(folder)).exit_code == 0
    early = run("adapters", "import", str(folder))
    assert isinstance(early.exception, InvalidInputError) and "holds no finished training" in str(
        early.exception
    )
    command = [sys.executable, "-m", "etabli.training.launched", str(folder), "--base", str(base)]
    there = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert there.returncode == 0 and "Trained: 3 steps" in there.stdout, there.stderr
    adapter = folder / JOB_FOLDER / ADAPTER_FILE
    whole = adapter.read_bytes()
    adapter.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    changed = run("adapters", "import", str(folder))
    assert isinstance(changed.exception, InvalidInputError), changed.output
    assert json.loads(run("train", "list", "--json").stdout) == []
    adapter.write_bytes(whole)
    done = run("adapters", "import", str(folder))
    assert done.exit_code == 0, (done.output, done.exception)
    assert "waits for approval" in done.output and "training begins" not in done.output
    (job,) = json.loads(run("train", "list", "--json").stdout)
    assert (job["state"], job["step"], job["total_steps"]) == ("succeeded", 3, 3)
    shown = json.loads(run("train", "show", job["id"], "--json").stdout)
    assert [one["step"] for one in shown["curve"]] == [1, 2, 3] and shown["gate"]["passed"]
    (kept,) = json.loads(run("adapters", "list", "--json").stdout)
    assert kept["state"] == "trained" and kept["figures"]["training"]["processes"] == 1
    again = run("adapters", "import", str(folder))
    assert again.exit_code == 0 and f"{kept['name']} is this adapter already" in again.output
    assert len(json.loads(run("train", "list", "--json").stdout)) == 1
    assert run("adapters", "approve", kept["name"]).exit_code == 0
    trained_here = run("train", recipe(office))
    assert trained_here.exit_code == 0 and len(json.loads(run("train", "list", "--json").stdout)) == 1, (
        "the recipe was trained already"
    )
