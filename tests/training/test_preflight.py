from collections.abc import Callable
from pathlib import Path

import pytest

from training.tiny_jobs import REASON

pytest.importorskip("tokenizers", reason=REASON)
pytest.importorskip("gguf", reason=REASON)

from etabli.conversations import energy
from etabli.errors import ConfigurationError, InvalidInputError
from etabli.training import preflight
from etabli.training.architecture import read_architecture
from etabli.training.base import Hyperparameters, TrainingPlan
from etabli.training.container import open_container
from etabli.training.preflight import check_fits, estimate, predict_memory

Make = Callable[..., tuple[Path, TrainingPlan]]


def test_counts_are_those_of_the_data(make_job: Make) -> None:
    _, plan = make_job(rows=10, epochs=3, batch_size=4)
    found = estimate(plan, calibrate=False)
    assert found.examples == 10 and found.steps == 9
    assert 0 < found.trained_share < 0.5
    assert found.trained_tokens == round(found.tokens * found.trained_share)
    assert found.longest < found.computed_tokens < 0.7 * found.tokens
    assert found.seconds is None and found.watt_hours is None


def test_what_is_only_read_counts_half(make_job: Make) -> None:
    def computed(method: str, epochs: int) -> int:
        _, plan = make_job(method, name=f"{method}-{epochs}", epochs=epochs)
        return estimate(plan, calibrate=False).computed_tokens

    packed = computed("dpo", 2) - computed("dpo", 1)
    assert computed("dpo", 3) == 3 * packed + packed // 2
    with_mismatched = computed("kto", 6) - computed("kto", 4)
    assert with_mismatched % 3 == 0
    assert computed("kto", 2) == with_mismatched + with_mismatched // 3


def test_calibrated_it_tells_time_and_energy(make_job: Make) -> None:
    pytest.importorskip("torch", reason=REASON)
    _, plan = make_job()
    found = estimate(plan)
    assert found.seconds is not None and found.seconds > 0
    assert found.watt_hours == pytest.approx(found.seconds * 6.0 / 3600)


def test_watts_are_those_of_answers() -> None:
    assert preflight.WATTS_PER_CORE == energy.WATTS_PER_CORE


def test_memory_follows_the_shapes(tiny: Callable[..., Path]) -> None:
    architecture = read_architecture(open_container(tiny()))
    plain, saving = Hyperparameters(), Hyperparameters(gradient_checkpointing=True)
    assert predict_memory(architecture, plain, 2000) > predict_memory(architecture, plain, 1000)
    assert predict_memory(architecture, saving, 2000) < predict_memory(architecture, plain, 2000)


def test_too_large_is_refused_with_what_would_help(make_job: Make) -> None:
    _, plan = make_job()
    found = estimate(plan, calibrate=False)
    from dataclasses import replace

    with pytest.raises(
        ConfigurationError, match="set gradient_checkpointing to true; choose a smaller base model"
    ):
        check_fits(replace(found, memory_bytes=10**15), plan)


def test_a_row_that_is_too_long_is_named(make_job: Make) -> None:
    _, plan = make_job(max_tokens=40)
    with pytest.raises(InvalidInputError, match=r"Row 1 of training.jsonl has \d+ tokens and 40 are allowed"):
        estimate(plan, calibrate=False)
