"""Packed as one by one: the same loss and gradient; and the losses against their formulas."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training.tiny_jobs import REASON, ROWS, write_rows

torch = pytest.importorskip("torch", reason=REASON)

from etabli.training.base import Hyperparameters  # noqa: E402
from etabli.training.container import open_container  # noqa: E402
from etabli.training.examples import Example, read_examples  # noqa: E402
from etabli.training.packing import pack  # noqa: E402
from etabli.training.template import ChatTemplate  # noqa: E402
from etabli.training.torch import losses  # noqa: E402
from etabli.training.torch.decoder import Decoder  # noqa: E402
from etabli.training.torch.head import label_log_probabilities  # noqa: E402
from etabli.training.torch.lora import Adapter  # noqa: E402
from etabli.training.torch.objective import Objective  # noqa: E402
from etabli.training.torch.world import World  # noqa: E402


def setting(
    path: Path, tmp_path: Path, method: str, *, count: int = 6
) -> tuple[Decoder, Adapter, list[Example]]:
    container = open_container(path)
    decoder = Decoder(container, dtype=torch.float32)
    adapter = Adapter(decoder.architecture.shapes, rank=4, alpha=8.0, seed=0)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for _, b in adapter.tensors().values():
            b.copy_(torch.randn(b.shape, generator=generator) * 0.1)
    rows = write_rows(tmp_path / "rows.jsonl", ROWS[method](count))
    examples = read_examples(rows, method, ChatTemplate(container), max_tokens=400, seed=1)  # type: ignore[arg-type]
    return decoder, adapter, examples


def objective(decoder: Decoder, adapter: Adapter, method: Any, budget: int) -> Objective:
    return Objective(decoder, adapter, method, Hyperparameters(beta=0.3), budget=budget, world=World())


@pytest.mark.parametrize("kind", ["qwen2", "llama", "gemma3"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_packed_as_one_by_one(
    kind: str, checkpointing: bool, tiny: Callable[..., Path], tmp_path: Path
) -> None:
    decoder, adapter, examples = setting(tiny(kind), tmp_path, "supervised")
    decoder.gradient_checkpointing = checkpointing
    row = pack([one for example in examples for one in example.sequences])
    assert len(row.segments) > len(examples) and len(row.tokens) < 0.6 * sum(one.tokens for one in examples)
    together = objective(decoder, adapter, "supervised", 4096).run(examples, None, learn=True)
    gradient = adapter.gradient.clone()
    adapter.zero_gradient()
    total, labels = torch.zeros(()), 0
    for example in examples:
        single = pack(list(example.sequences), shortest_prefix=10_000)
        found, _ = label_log_probabilities(
            decoder(single, adapter), decoder.head, torch.from_numpy(single.targets)
        )
        total, labels = total - found.sum(), labels + len(found)
    (total / labels).backward()
    assert together.loss == pytest.approx(float((total / labels).detach()), rel=1e-5)
    assert float(gradient.norm()) > 0
    assert float((gradient - adapter.gradient).norm() / gradient.norm()) < 1e-4


@pytest.mark.parametrize("method", ["supervised", "dpo", "kto"])
def test_cut_into_packs_as_in_one(method: str, tiny: Callable[..., Path], tmp_path: Path) -> None:
    decoder, adapter, examples = setting(tiny(), tmp_path, method)
    results = []
    for budget in (4096, 150):
        part = objective(decoder, adapter, method, budget)
        reference = None if method == "supervised" else part.references(examples)
        adapter.zero_gradient()
        results.append((part.run(examples, reference, learn=True), adapter.gradient.clone()))
    (whole, gradient), (cut, other) = results
    assert whole.loss == pytest.approx(cut.loss, rel=1e-5)
    assert whole.accuracy == cut.accuracy and whole.reward_accuracy == cut.reward_accuracy
    assert float(gradient.norm()) > 0
    assert float((gradient - other).norm() / gradient.norm()) < 1e-4


@pytest.mark.parametrize("method", ["dpo", "kto"])
def test_before_the_first_step_the_model_is_its_reference(
    method: str, tiny: Callable[..., Path], tmp_path: Path
) -> None:
    decoder, _, examples = setting(tiny(), tmp_path, method)
    fresh = Adapter(decoder.architecture.shapes, rank=4, alpha=8.0, seed=0)
    part = objective(decoder, fresh, method, 4096)
    figures = part.run(examples, part.references(examples), learn=False)
    assert figures.loss == pytest.approx(0.6931 if method == "dpo" else 0.5, abs=1e-3)
    assert figures.reward_margin == pytest.approx(0, abs=1e-4)


def test_dpo_by_its_formula() -> None:
    answers, reference = torch.tensor([[-3.0, -5.0]]), torch.tensor([[-4.0, -4.5]])
    outcome = losses.dpo(answers, reference, 0.5, 1, 2)
    margin = 0.5 * ((-3.0 + 4.0) - (-5.0 + 4.5))
    assert float(outcome.loss) == pytest.approx(-torch.tensor(margin).sigmoid().log().item())
    assert outcome.wins == 1 and outcome.margin == pytest.approx(margin)


def test_kto_by_its_formula() -> None:
    answers, reference = torch.tensor([-3.0, -5.0]), torch.tensor([-4.0, -4.5])
    outcome = losses.kto(answers, reference, torch.tensor([True, False]), torch.tensor(0.2), 0.5, 0, 2)
    good = 1 - torch.tensor(0.5 * (1.0 - 0.2)).sigmoid()
    bad = 1 - torch.tensor(0.5 * (0.2 + 0.5)).sigmoid()
    assert float(outcome.loss) == pytest.approx(float(good + bad))
    assert outcome.wins == 2
