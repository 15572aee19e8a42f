import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training.tiny_jobs import REASON

torch = pytest.importorskip("torch", reason=REASON)

from etabli.engines.local import LocalEngine  # noqa: E402
from etabli.errors import InvalidInputError  # noqa: E402
from etabli.training import equivalence  # noqa: E402
from etabli.training.base import ADAPTER_FILE, EventLog, TrainingPlan  # noqa: E402
from etabli.training.equivalence import compare, divergence, judge  # noqa: E402
from etabli.training.torch.trainer import Trainer  # noqa: E402
from etabli.training.torch.world import World  # noqa: E402

Make = Callable[..., tuple[Path, TrainingPlan]]
Start = Callable[..., LocalEngine]


def trained(make_job: Make, **more: Any) -> tuple[Path, TrainingPlan]:
    torch.set_num_threads(1)
    folder, plan = make_job(**more)
    assert Trainer(plan, folder, EventLog(folder), World(), lambda: False).run()
    return folder / ADAPTER_FILE, plan


def test_the_engine_says_what_the_trainer_says(make_job: Make, start_llama: Start) -> None:
    adapter, plan = trained(make_job, epochs=8)
    engine = start_llama(plan.base_path, {"ft:tiny": adapter})
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1

    found = compare(plan, adapter, engine, model="ft:tiny", tick=tick)
    assert found.same_prompts and found.prompts == 12 and found.positions > 100 and ticks > 100
    assert found.mean_divergence < 0.01 and found.agreement > 0.9
    without = compare(plan, adapter, engine, model="base")
    assert (
        without.same_prompts and not without.passed and without.mean_divergence > 10 * found.mean_divergence
    )


def test_another_template_is_seen(
    make_job: Make, start_llama: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equivalence, "PROMPTS", 2)
    adapter, plan = trained(make_job)
    engine = start_llama(plan.base_path, {"ft:tiny": adapter})
    original = equivalence.choose

    def changed(plan: TrainingPlan) -> Any:
        return [replace(probe, prompt=probe.prompt[:-1]) for probe in original(plan, 2)]

    monkeypatch.setattr(equivalence, "choose", changed)
    found = compare(plan, adapter, engine, model="ft:tiny")
    assert not found.same_prompts and not found.passed


def test_an_adapter_for_another_base_cannot_be_compared(make_job: Make, start_llama: Start) -> None:
    adapter, plan = trained(make_job)
    engine = start_llama(plan.base_path, {"ft:tiny": adapter})
    other = plan.model_copy(update={"base_sha256": "0" * 64})
    with pytest.raises(InvalidInputError, match="another base"):
        compare(other, adapter, engine, model="ft:tiny")


def test_divergence_by_hand() -> None:
    half, quarter = math.log(0.5), math.log(0.25)
    assert divergence([half, quarter], [half, quarter]) == 0
    expected = 0.5 * math.log(2) + 0.25 * math.log(0.5)
    assert divergence([half, quarter], [quarter, half]) == pytest.approx(expected)
    rest = 0.5 * math.log(0.5 / 0.75)
    assert divergence([half], [quarter]) == pytest.approx(0.5 * math.log(2) + rest)


def test_all_three_must_hold() -> None:
    told = [[{1: math.log(0.9), 2: math.log(0.1)}] * 100]
    same = [[{"log_probabilities": [math.log(0.9), math.log(0.1)], "best": 1}] * 100]
    assert judge(told, same, same_prompts=True, prompts=1).passed
    assert not judge(told, same, same_prompts=False, prompts=1).passed
    flipped = [[*same[0][:96], *[{**same[0][0], "best": 2}] * 4]]
    assert not judge(told, flipped, same_prompts=True, prompts=1).passed
    far = [[{"log_probabilities": [math.log(0.8), math.log(0.2)], "best": 1}] * 100]
    assert not judge(told, far, same_prompts=True, prompts=1).passed
