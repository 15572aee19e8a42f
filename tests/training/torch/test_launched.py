"""Launches run as their README says, with two processes on this machine: the same adapter as one process makes."""

import importlib.util
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.launches import alone, finish, start, write
from training.tiny_jobs import REASON

torch = pytest.importorskip("torch", reason=REASON)

from etabli.errors import ConfigurationError  # noqa: E402
from etabli.training.base import (  # noqa: E402
    ADAPTER_FILE,
    RESULT_FILE,
    EventLog,
    TrainingPlan,
)
from etabli.training.export import check_adapter, read_adapter  # noqa: E402
from etabli.training.launch import JOB_FOLDER  # noqa: E402
from etabli.training.torch.trainer import Trainer  # noqa: E402
from etabli.training.torch.world import World  # noqa: E402

Make = Callable[..., tuple[Path, TrainingPlan]]
needs_accelerate = pytest.mark.skipif(
    importlib.util.find_spec("accelerate") is None, reason="the launch needs accelerate"
)
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the launch needs Ray")


def by_one_process(folder: Path, plan: TrainingPlan) -> None:
    torch.set_num_threads(1)
    assert Trainer(plan, folder, EventLog(folder), World(), lambda: False).run()


def measured(folder: Path) -> list[dict[str, Any]]:
    events = [event for _, event in EventLog(folder).read()]
    return [event.data | {"step": event.step} for event in events if event.kind == "metrics"]


def losses(folder: Path) -> list[float]:
    found = measured(folder)
    return [one["train_loss"] for one in found] + [one["valid_loss"] for one in found if "valid_loss" in one]


def numbers(folder: Path) -> Any:
    file = read_adapter(folder / ADAPTER_FILE)
    return np.concatenate([part.ravel() for name in file.shapes for part in file.factors(name)])


def assert_same_training(there: Path, here: Path) -> None:
    """Within what other packs round otherwise in bf16."""
    np.testing.assert_allclose(losses(there), losses(here), rtol=0.02)
    assert np.abs(numbers(there) - numbers(here)).mean() < 0.05 * np.abs(numbers(here)).mean()


@needs_accelerate
@pytest.mark.slow
@pytest.mark.parametrize("method", ["supervised", "dpo", "kto"])
def test_accelerate_trains_the_same_with_the_base_shared_out(
    method: str, make_job: Make, tmp_path: Path
) -> None:
    here, plan = make_job(
        method, rows=9, held_out=3, epochs=1
    )  # the last step has one example for two processes
    by_one_process(here, plan)
    write(tmp_path / "launch", plan)
    status, said = finish(start(tmp_path / "launch", plan.base_path))
    there = tmp_path / "launch" / JOB_FOLDER
    assert status == 0 and "Trained: 3 steps" in said, said
    assert_same_training(there, here)
    check_adapter(there / ADAPTER_FILE, plan.base_path, plan.base_sha256)
    shared, whole = (json.loads((place / RESULT_FILE).read_text()) for place in (there, here))
    assert (shared["processes"], whole["processes"]) == (2, 1)
    assert shared["base_bytes"] < 0.75 * whole["base_bytes"], "the blocks are halved, the output is not"


@needs_accelerate
@pytest.mark.slow
def test_a_base_that_is_shared_out_makes_the_same_adapter_bit_for_bit(make_job: Make, tmp_path: Path) -> None:
    _, plan = make_job(rows=9, epochs=1, gradient_checkpointing=True)
    found = []
    for program in ("accelerate", "torchrun"):
        write(tmp_path / program, plan)
        status, said = finish(start(tmp_path / program, plan.base_path, program))
        assert status == 0, said
        found.append(tmp_path / program / JOB_FOLDER)
    assert losses(found[0]) == losses(found[1])
    assert (found[0] / ADAPTER_FILE).read_bytes() == (found[1] / ADAPTER_FILE).read_bytes()
    shared, whole = (json.loads((place / RESULT_FILE).read_text()) for place in found)
    assert shared["base_bytes"] < whole["base_bytes"]


@needs_accelerate
@pytest.mark.slow
def test_a_stopped_launch_goes_on_also_with_another_number_of_processes(
    make_job: Make, tmp_path: Path
) -> None:
    here, plan = make_job(epochs=15)
    by_one_process(here, plan)
    write(tmp_path / "launch", plan)
    there = tmp_path / "launch" / JOB_FOLDER
    process = start(tmp_path / "launch", plan.base_path)
    until = time.monotonic() + 200
    while not (there.exists() and len(measured(there)) >= 3) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    status, said = finish(process)
    stopped = len(measured(there))
    assert status != 0 and "Paused after step" in said and 3 <= stopped < 45, said
    status, said = finish(alone(tmp_path / "launch", plan.base_path))
    assert status == 0 and f"Going on after step {stopped} of 45" in said, said
    assert [one["step"] for one in measured(there)] == list(range(1, 46))
    np.testing.assert_allclose(losses(there)[:20], losses(here)[:20], rtol=0.05)


@needs_ray
@pytest.mark.slow
def test_ray_trains_the_same(make_job: Make, tmp_path: Path) -> None:
    here, plan = make_job(rows=9, held_out=3, epochs=1)
    by_one_process(here, plan)
    write(tmp_path / "launch", plan, "ray")
    command = (tmp_path / "launch" / "README.md").read_text()
    assert "python ray_job.py --base /models/base.gguf" in command
    (tmp_path / "launch" / "README.md").write_text(command.replace("base.gguf\n", "base.gguf --no-gpu\n"))
    status, said = finish(start(tmp_path / "launch", plan.base_path, "python"))
    assert status == 0, said
    assert_same_training(tmp_path / "launch" / JOB_FOLDER, here)
    result = json.loads((tmp_path / "launch" / JOB_FOLDER / RESULT_FILE).read_text())
    assert result["processes"] == 2


def test_machines_that_do_not_share_their_folder_are_told(make_job: Make) -> None:
    class Apart(World):
        def same(self, value: int) -> bool:
            return False

    folder, plan = make_job()
    with pytest.raises(ConfigurationError, match="do not find the same checkpoints"):
        Trainer(plan, folder, EventLog(folder), Apart(), lambda: False).run()
