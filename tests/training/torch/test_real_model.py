"""A real adapter on the small model: trained, exported, and the same in the engine."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from training.tiny_jobs import REASON, supervised_rows, write_rows

torch = pytest.importorskip("torch", reason=REASON)

from etabli.engines.local import LocalEngine  # noqa: E402
from etabli.models.hashing import sha256_of  # noqa: E402
from etabli.training.base import ADAPTER_FILE, RESULT_FILE, EventLog, Hyperparameters, TrainingPlan  # noqa: E402
from etabli.training.equivalence import compare  # noqa: E402
from etabli.training.torch.trainer import Trainer  # noqa: E402
from etabli.training.torch.world import World  # noqa: E402

pytestmark = [pytest.mark.model, pytest.mark.slow]


def test_trained_and_equivalent(
    small_model: Path, start_llama: Callable[..., LocalEngine], tmp_path: Path
) -> None:
    plan = TrainingPlan(
        base="small",
        base_path=small_model,
        base_sha256=sha256_of(small_model),
        training_file=write_rows(tmp_path / "rows.jsonl", supervised_rows(24)),
        hyperparameters=Hyperparameters(epochs=2, batch_size=8, learning_rate=1e-3, rehearsal=0),
        threads=torch.get_num_threads(),
    )
    events = EventLog(tmp_path)
    assert Trainer(plan, tmp_path, events, World(), lambda: False).run()
    losses = [event.data["train_loss"] for _, event in events.read() if event.kind == "metrics"]
    assert losses[-1] < 0.3 * losses[0]
    assert json.loads((tmp_path / RESULT_FILE).read_text())["adapter_bytes"] < 20_000_000
    engine = start_llama(small_model, {"ft:small": tmp_path / ADAPTER_FILE}, context_tokens=1024)
    found = compare(plan, tmp_path / ADAPTER_FILE, engine, model="ft:small")
    print(found)
    assert found.passed, found
    assert not compare(plan, tmp_path / ADAPTER_FILE, engine, model="base").passed
