"""Whole jobs on a tiny model: they learn, and come to the same adapter however they were interrupted."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from training.tiny_jobs import REASON

torch = pytest.importorskip("torch", reason=REASON)

from etabli.training.base import (  # noqa: E402
    ADAPTER_FILE,
    CHECKPOINTS,
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_PAUSED,
    RESULT_FILE,
    EventLog,
    TrainingPlan,
)
from etabli.training.export import check_adapter  # noqa: E402
from etabli.training.torch.trainer import Trainer  # noqa: E402
from etabli.training.torch.world import World  # noqa: E402

Make = Callable[..., tuple[Path, TrainingPlan]]


def train(folder: Path, plan: TrainingPlan, *, stop_after: int | None = None) -> bool:
    torch.set_num_threads(1)
    steps = 0

    def stopping() -> bool:
        nonlocal steps
        steps += 1
        return steps == stop_after

    return Trainer(plan, folder, EventLog(folder), World(), stopping).run()


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [
        event.data | {"step": event.step} for _, event in EventLog(folder).read() if event.kind == "metrics"
    ]


@pytest.mark.parametrize("method", ["supervised", "dpo", "kto"])
def test_it_learns(method: str, make_job: Make) -> None:
    folder, plan = make_job(method, epochs=6, held_out=5)
    assert train(folder, plan)
    found = metrics(folder)
    assert [one["step"] for one in found] == list(range(1, 19))
    assert found[-1]["train_loss"] < 0.8 * found[0]["train_loss"]
    validated = [one for one in found if "valid_loss" in one]
    assert [one["step"] for one in validated] == [3, 6, 9, 12, 15, 18]
    assert validated[-1]["valid_loss"] < validated[0]["valid_loss"]
    if method != "supervised":
        assert found[-1]["train_reward_accuracy"] >= 0.75
    result = json.loads((folder / RESULT_FILE).read_text())
    assert result["steps"] == 18 and result["adapter_bytes"] == (folder / ADAPTER_FILE).stat().st_size
    assert check_adapter(folder / ADAPTER_FILE, plan.base_path, plan.base_sha256).rank == 4
    kinds = [event.kind for _, event in EventLog(folder).read()]
    assert kinds.index("preflight") < kinds.index("metrics") and kinds[-1] == "finished"
    assert len(list((folder / CHECKPOINTS).iterdir())) == 2


@pytest.mark.parametrize("method", ["supervised", "kto"])
def test_stopped_and_gone_on_is_the_same_bit_for_bit(method: str, make_job: Make) -> None:
    whole, plan = make_job(method, name="whole")
    assert train(whole, plan)
    parts, other = make_job(method, name="parts")
    assert not train(parts, other, stop_after=3)
    assert not (parts / ADAPTER_FILE).exists()
    assert not train(parts, other, stop_after=2)
    assert train(parts, other)
    assert _numbers(whole) == _numbers(parts)
    assert [one["train_loss"] for one in metrics(whole)] == [one["train_loss"] for one in metrics(parts)]


def test_a_damaged_checkpoint_is_passed_over(make_job: Make) -> None:
    whole, plan = make_job(name="whole")
    train(whole, plan)
    parts, other = make_job(name="parts")
    train(parts, other, stop_after=5)
    newest = sorted((parts / CHECKPOINTS).iterdir())[-1]
    (newest / "state.safetensors").write_bytes(b"cut")
    assert train(parts, other)
    assert _numbers(whole) == _numbers(parts)


def test_another_plan_does_not_take_up_a_checkpoint(make_job: Make) -> None:
    folder, plan = make_job()
    train(folder, plan, stop_after=2)
    changed = plan.model_copy(update={"hyperparameters": plan.hyperparameters.model_copy(update={"seed": 9})})
    assert train(folder, changed)
    assert [one["step"] for one in metrics(folder)] == [1, 2, 1, 2, 3, 4, 5, 6]


Start = Callable[[Path], "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the process that trains, with a parent that holds its stdin."""
    children = []

    def begin(folder: Path) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "etabli.training.process", str(folder)]
        children.append(subprocess.Popen(command, stdin=subprocess.PIPE))
        return children[-1]

    yield begin
    for child in children:
        if child.stdin is not None:
            child.stdin.close()
        child.kill()
        child.wait()


def wait_for_step(folder: Path, step: int) -> None:
    for _ in range(1200):
        if any(one["step"] >= step for one in metrics(folder)):
            return
        time.sleep(0.05)
    raise AssertionError("no such step")


@pytest.mark.slow
def test_killed_in_the_middle_it_comes_to_the_same_adapter(make_job: Make, start: Start) -> None:
    whole, _ = make_job(name="whole", epochs=30)
    child = start(whole)
    assert child.wait(300) == EXIT_DONE
    killed, _ = make_job(name="killed", epochs=30)
    for step in (7, 31):
        child = start(killed)
        wait_for_step(killed, step)
        child.kill()
        assert child.wait(60) == -signal.SIGKILL
    child = start(killed)
    wait_for_step(killed, 50)
    child.terminate()
    assert child.wait(60) == EXIT_PAUSED
    child = start(killed)
    assert child.wait(300) == EXIT_DONE
    assert _numbers(whole) == _numbers(killed)
    assert start(killed).wait(60) == EXIT_DONE


@pytest.mark.slow
def test_the_process_ends_with_its_parent_and_tells_failures(make_job: Make, start: Start) -> None:
    folder, _ = make_job(name="orphan", epochs=100)
    child = start(folder)
    wait_for_step(folder, 1)
    assert child.stdin is not None
    child.stdin.close()
    child.wait(60)
    assert not (folder / ADAPTER_FILE).exists()
    broken, plan = make_job(name="broken")
    plan.training_file.write_text("")
    assert start(broken).wait(60) == EXIT_FAILED
    last = [event for _, event in EventLog(broken).read()][-1]
    assert last.kind == "failed" and last.data["code"] == "invalid_request" and "no rows" in last.message


def _numbers(folder: Path) -> bytes:
    return (folder / ADAPTER_FILE).read_bytes()
