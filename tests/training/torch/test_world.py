"""Two processes as one: the same losses and the same adapter within rounding."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.tiny_jobs import REASON

torch = pytest.importorskip("torch", reason=REASON)

from etabli.training.base import ADAPTER_FILE, EventLog, TrainingPlan  # noqa: E402
from etabli.training.export import read_adapter  # noqa: E402

Make = Callable[..., tuple[Path, TrainingPlan]]


def train_with(processes: int, folder: Path) -> None:
    command = [sys.executable, "-m", "etabli.training.process", str(folder)]
    if processes > 1:
        launcher = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            f"--nproc-per-node={processes}",
        ]
        command = [*launcher, "-m", "etabli.training.process", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, env=environment, timeout=300)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["supervised", "kto", "dpo"])
def test_two_processes_as_one(method: str, make_job: Make) -> None:
    losses, adapters = [], []
    for processes in (1, 2):
        folder, _ = make_job(method, name=f"by-{processes}", rows=10, held_out=3, batch_size=5)
        train_with(processes, folder)
        events = [event for _, event in EventLog(folder).read()]
        found = [event.data for event in events if event.kind == "metrics"]
        losses.append([one["train_loss"] for one in found] + [found[-1]["valid_loss"]])
        assert sum(event.kind == "finished" for event in events) == 1
        file = read_adapter(folder / ADAPTER_FILE)
        adapters.append(np.concatenate([part.ravel() for name in file.shapes for part in file.factors(name)]))
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)
    assert np.abs(adapters[1] - adapters[0]).mean() < 0.05 * np.abs(adapters[0]).mean()
