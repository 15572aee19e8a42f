"""`etabli train` and `etabli adapters`, with the scripted trainer and examiner in the place of the real ones."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from etabli.assistants.catalogue import AssistantCatalogue
from etabli.cli import training_session
from etabli.cli.training_session import sparkline
from etabli.errors import ConfigurationError, ConflictError, NotFoundError
from etabli.models.store import ModelStore
from etabli.settings import load_settings
from etabli.training import checking, estimating, extra, running
from etabli.training.afterwards import Afterwards
from etabli.training.checking import FileChecks
from etabli.training.fake import SCRIPT_FILE
from etabli.training.running import Running, TrainingRunner
from etabli.workspace import Workspace
from training.training_parts import FAKE, ScriptedExaminer, probed, rows, write_rows

Run = Callable[..., Result]
BASE = "tiny-base"
ESTIMATE = {
    "examples": 30, "tokens": 9000, "trained_tokens": 3000, "trained_share": 0.33, "longest": 80, "steps": 12,
    "computed_tokens": 8000, "memory_bytes": 2 << 30, "seconds": 75.0, "watt_hours": 0.3,
}  # fmt: skip


@pytest.fixture
def examiner() -> ScriptedExaminer:
    return ScriptedExaminer()


@pytest.fixture
def train(
    in_office: Run, office: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, examiner: ScriptedExaminer
) -> Iterator[Run]:
    """Runs commands in a workspace whose base model is a few bytes."""
    monkeypatch.setenv("ETABLI_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("ETABLI_MODEL", BASE)
    monkeypatch.delenv("ETABLI_ENGINE_URL")
    monkeypatch.delenv("ETABLI_ENGINE_MODEL")
    weights = tmp_path / "weights"
    weights.write_bytes(b"tiny" * 100)
    ModelStore(tmp_path / "models").add_file(weights, name=BASE, file_name="t", source="test", licence="MIT")

    def runner(
        self: Workspace, *, only: str | None = None, gives_way: bool = True, **_: Any
    ) -> TrainingRunner:
        settings = self.settings
        afterwards = Afterwards(self.training_jobs, self.adapters, self.uploads, examiner=examiner)
        parts = Running(
            store=self.training_jobs, files=self.uploads, models=ModelStore(settings.models_dir),
            afterwards=afterwards, folder=settings.training_dir, log_path=settings.logs_dir / "training.log",
            checks=FileChecks(), command=FAKE, gives_way=gives_way, poll_s=0.03,
        )  # fmt: skip
        return TrainingRunner(parts, only=only)

    checks = FileChecks.__call__
    monkeypatch.setattr(Workspace, "training_runner", runner)
    monkeypatch.setattr(
        checking.FileChecks, "__call__", lambda self, look: checks(self, replace(look, base=None))
    )
    monkeypatch.setattr(extra, "need", lambda *names: None)
    monkeypatch.setattr(training_session, "_POLL_S", 0.03)
    (office / "training").mkdir()
    write_rows(office / "training" / "rows.jsonl", rows(40))
    (office / "training" / "forms.yaml").write_text(
        "data: rows.jsonl\nvalidation: 0.25\nsuffix: Forms\nassistant: office\nhyperparameters: {epochs: 2}\n"
    )
    yield in_office


def recipe(office: Path) -> str:
    return str(office / "training" / "forms.yaml")


def jobs(train: Run) -> list[Any]:
    found: list[Any] = json.loads(train("train", "list", "--json").stdout)
    return found


def adapters(train: Run) -> list[Any]:
    found: list[Any] = json.loads(train("adapters", "list", "--json").stdout)
    return found


def test_a_recipe_becomes_an_adapter_that_a_person_approves(train: Run, office: Path) -> None:
    assert "Nothing was trained yet" in train("train", "list").output
    assert "There is no adapter yet" in train("adapters", "list").output
    done = train("train", recipe(office))
    assert done.exit_code == 0, done.output
    for words in (
        "Checking the data",
        "training begins",
        "Step 6/6",
        "Loss 1.000 → 0.167",
        "waits for approval",
    ):
        assert words in done.output, done.output
    (job,) = jobs(train)
    assert (job["state"], job["step"], job["method"], job["hyperparameters"]["epochs"]) == (
        "succeeded",
        6,
        "supervised",
        2,
    )
    assert job["adapter"].startswith(f"ft:{BASE}:office:forms:")
    settings = load_settings(office)
    uploads = sorted(path.name for path in settings.uploads_dir.iterdir())
    assert len(uploads) == 3, "what is learnt, what is held out, what was measured"
    (adapter,) = adapters(train)
    assert adapter["state"] == "trained" and adapter["figures"]["gate"]["passed"]
    shown = train("train", "show", job["id"])
    assert "divergence 0.0010" in shown.output and "waits for approval" in shown.output
    ending = adapter["name"].rpartition(":")[2]
    approved = train("adapters", "approve", ending)
    assert approved.exit_code == 0 and f"{adapter['name']}  approved" in approved.output
    given = train("adapters", "give", ending, "office")
    assert given.exit_code == 0, given.output
    assert AssistantCatalogue(settings.assistants_dir).get("office").adapter == adapter["name"]
    assert "is approved: name it as `adapter`" in train("adapters", "show", adapter["name"]).output
    assert "retired" in train("adapters", "retire", ending, "--reason", "old").output
    assert adapters(train)[0]["reason"] == "old"
    refused = train("adapters", "refuse", ending)
    assert isinstance(refused.exception, ConflictError)
    assert isinstance(train("adapters", "give", ending, "office").exception, ConflictError), "it is retired"


def test_what_the_probes_found_is_shown_and_keeps_from_approving(
    train: Run, office: Path, examiner: ScriptedExaminer
) -> None:
    examiner.probes = probed()
    done = train("train", recipe(office), "--yes")
    assert done.exit_code == 0 and "although it was given beforehand" in done.output
    (adapter,) = adapters(train)
    assert adapter["state"] == "trained"
    (job,) = jobs(train)
    shown = train("train", "show", job["id"]).output
    assert "probes on office: 1 → 2 of 5 violated, 1 only with the adapter (p = 1)" in shown
    assert "A3 Leak of the instructions: 1 → 2 of 5 violated" in shown
    assert "1 of them no program can decide" in shown
    whole = json.loads(train("train", "show", job["id"], "--json").stdout)
    assert whole["comparison"]["probes"]["families"][1]["id"] == "A3"
    assert train("train", recipe(office), "--yes").exit_code == 0
    assert adapters(train)[0]["state"] == "trained", "saying it again is not looking at them"


def test_an_assistant_that_is_not_there_is_said_before_anything_is_trained(train: Run, office: Path) -> None:
    (office / "training" / "forms.yaml").write_text("data: rows.jsonl\nassistant: nobody\n")
    for options in ([], ["--dry-run"]):
        done = train("train", *options, recipe(office))
        assert isinstance(done.exception, NotFoundError) and "nobody" in str(done.exception)
    assert jobs(train) == []


def test_the_same_recipe_is_not_trained_twice(train: Run, office: Path) -> None:
    assert train("train", recipe(office)).exit_code == 0
    again = train("train", recipe(office))
    assert again.exit_code == 0 and "training begins" not in again.output
    assert len(jobs(train)) == 1
    assert train("train", "--again", recipe(office)).exit_code == 0
    assert len(jobs(train)) == 2
    write_rows(office / "training" / "rows.jsonl", rows(44))
    assert train("train", recipe(office)).exit_code == 0
    assert len(jobs(train)) == 3, "other data is another training"


def test_yes_approves_beforehand(train: Run, office: Path, examiner: ScriptedExaminer) -> None:
    done = train("train", recipe(office), "--yes")
    assert done.exit_code == 0 and "is approved" in done.output
    (adapter,) = adapters(train)
    assert adapter["state"] == "approved"
    assert f"\nadapter: {adapter['name']}\n" in (office / "assistants" / "office.yaml").read_text(
        encoding="utf-8"
    )
    assert "office answers with" in done.output
    examiner.gate = {"passed": False}
    failed = train("train", recipe(office), "--yes", "--again", "--json")
    assert failed.exit_code == 1
    told = json.loads(failed.stdout)
    assert told["error"]["code"] == "not_equivalent" and "is refused" in told["error"]["message"]


def test_ctrl_c_pauses_and_the_same_command_goes_on(
    train: Run, office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = running.plan_of

    def slow(job: Any, base: Path, files: Any) -> Any:
        folder = load_settings(office).training_dir / job.id
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SCRIPT_FILE).write_text(json.dumps({"steps": 60, "step_s": 0.05, "checkpoint": 1000}))
        return prepared(job, base, files)

    monkeypatch.setattr(running, "plan_of", slow)
    follow = training_session._Curve.update

    def interrupt(self: Any, job: Any) -> None:
        follow(self, job)
        if job.step >= 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as pressed:
        pressed.setattr(training_session._Curve, "update", interrupt)
        stopped = train("train", recipe(office))
    assert stopped.exit_code == 130 and "Paused; the same command goes on" in stopped.output
    (job,) = jobs(train)
    assert job["state"] == "paused" and job["step"] >= 2
    done = train("train", recipe(office))
    assert done.exit_code == 0, done.output
    assert "Going on from step" in done.output
    assert [one["step"] for one in jobs(train)] == [60]


def test_jobs_are_looked_after_by_id(train: Run, office: Path, database_url: str) -> None:
    train("train", recipe(office))
    (job,) = jobs(train)
    cancelled = train("train", "cancel", job["id"])
    assert isinstance(cancelled.exception, ConflictError) and "succeeded" in str(cancelled.exception)
    for command in ("cancel", "pause", "resume", "show"):
        missing = train("train", command, "ftjob-0")
        assert isinstance(missing.exception, NotFoundError)
    assert isinstance(train("adapters", "show", "nothing").exception, NotFoundError)


def test_a_dry_run_keeps_nothing(train: Run, office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[Any] = []

    def estimate(plan: Any, *, calibrate: bool) -> Any:
        plans.append((plan, calibrate, len(plan.training_file.read_text().splitlines())))
        return ESTIMATE

    monkeypatch.setattr(estimating, "estimate_apart", estimate)
    done = train("train", "--dry-run", recipe(office))
    assert done.exit_code == 0, done.output
    assert "30 examples, 9.0k tokens" in done.output or "30 examples" in done.output
    assert "12 steps; at most 2.0 GiB of memory" in done.output and "About 1 min 15 s" in done.output
    ((plan, calibrate, learnt),) = plans
    assert calibrate and learnt == 30 and plan.hyperparameters.epochs == 2
    assert not plan.training_file.exists(), "a part of the data in a folder that is gone"
    assert jobs(train) == [] and not load_settings(office).uploads_dir.exists()
    assert "of certification's probes on office, before and after" in done.output
    told = json.loads(train("train", "--dry-run", recipe(office), "--json").stdout)
    probes = told.pop("probes")
    assert told == ESTIMATE
    assert 0 < probes["probes"] <= 24 and probes["replies"] >= 2 * probes["probes"]
    (office / "training" / "forms.yaml").write_text("data: rows.jsonl\nassistant: office\nprobes: 0\n")
    assert json.loads(train("train", "--dry-run", recipe(office), "--json").stdout)["probes"] is None


def test_data_that_cannot_be_trained_on_begins_nothing(train: Run, office: Path) -> None:
    wrong = rows(20)
    wrong[3]["messages"][1]["content"] = ""
    write_rows(office / "training" / "rows.jsonl", wrong)
    (office / "training" / "forms.yaml").write_text("data: rows.jsonl\n")
    done = train("train", recipe(office))
    assert isinstance(done.exception, ConfigurationError) and "rows.jsonl, line 4" in str(done.exception)
    assert jobs(train) == []


def test_without_the_extra_it_says_how_to_get_it(
    train: Run, office: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(*names: str) -> None:
        raise ConfigurationError("Install it: pip install 'etabli[training]'")

    monkeypatch.setattr(extra, "need", absent)
    done = train("train", recipe(office))
    assert isinstance(done.exception, ConfigurationError) and "etabli[training]" in str(done.exception)


def test_a_base_that_is_not_here_is_named(train: Run, office: Path) -> None:
    (office / "training" / "forms.yaml").write_text("data: rows.jsonl\nbase: other\n")
    done = train("train", recipe(office))
    assert isinstance(done.exception, NotFoundError) and "etabli models pull other" in str(done.exception)


def test_curves() -> None:
    assert sparkline([1.0]) == "▁" and sparkline([2.0, 2.0]) == "▁▁"
    assert sparkline([float(n) for n in range(1000)], width=8) == "▁▂▃▄▅▆▇█"
    assert len(sparkline([1.0] * 50)) == 40
