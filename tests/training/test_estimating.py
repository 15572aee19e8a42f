import sys
import threading
import time
from pathlib import Path

import pytest

from etabli.errors import InvalidInputError
from etabli.training import estimating
from etabli.training.base import TrainingPlan


@pytest.fixture
def plan(tmp_path: Path) -> TrainingPlan:
    return TrainingPlan(
        base="none",
        base_path=tmp_path / "none.gguf",
        base_sha256="ab" * 32,
        training_file=tmp_path / "rows.jsonl",
    )


def test_a_base_that_is_not_there_is_told(plan: TrainingPlan) -> None:
    with pytest.raises(InvalidInputError, match="The model file none cannot be read"):
        estimating.estimate_apart(plan, calibrate=False)


def test_an_estimate_can_be_stopped(plan: TrainingPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimating, "COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    said: list[str] = []

    def estimate() -> None:
        with pytest.raises(InvalidInputError) as raised:
            estimating.estimate_apart(plan, calibrate=True)
        said.append(str(raised.value))

    thread = threading.Thread(target=estimate)
    thread.start()
    while not estimating._children:
        time.sleep(0.01)
    estimating.stop_estimates()
    thread.join(timeout=30)
    assert said and "could not be estimated" in said[0]
    assert not estimating._children
