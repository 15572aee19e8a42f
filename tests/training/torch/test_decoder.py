"""The decoder against llama.cpp: same file, same tokens, same probabilities, with and without an adapter."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.tiny_jobs import REASON, next_token
from training.tiny_models import SHAPES

torch = pytest.importorskip("torch", reason=REASON)

from etabli.engines.local import LocalEngine  # noqa: E402
from etabli.training.architecture import read_architecture  # noqa: E402
from etabli.training.base import TrainingPlan  # noqa: E402
from etabli.training.container import open_container  # noqa: E402
from etabli.training.export import check_adapter, write_adapter  # noqa: E402
from etabli.training.packing import pack  # noqa: E402
from etabli.training.template import Encoded  # noqa: E402
from etabli.training.tokenizer import Tokenizer  # noqa: E402
from etabli.training.torch.decoder import Decoder  # noqa: E402
from etabli.training.torch.head import exact_log_probabilities  # noqa: E402
from etabli.training.torch.lora import Adapter  # noqa: E402
from etabli.training.torch.scoring import load_adapter  # noqa: E402

SHA256 = "5" * 64
LENGTHS = (2, 7, 12, 23)


def random_adapter(path: Path, *, seed: int, strength: float = 0.3) -> Adapter:
    adapter = Adapter(read_architecture(open_container(path)).shapes, rank=4, alpha=8.0, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, b in adapter.tensors().values():
            b.copy_(torch.randn(b.shape, generator=generator) * strength)
    return adapter


def save(adapter: Adapter, base: Path, path: Path) -> Path:
    plan = TrainingPlan(base="tiny", base_path=base, base_sha256=SHA256, training_file=base)
    write_adapter(path, adapter, plan)
    return path


def ours(decoder: Decoder, tokens: Any, adapter: Adapter | None) -> Any:
    """Log probabilities after each beginning of `LENGTHS`."""
    trained = np.zeros(len(tokens), dtype=bool)
    trained[list(LENGTHS)] = True
    with torch.no_grad():
        row = pack([Encoded(tokens, trained)])
        return exact_log_probabilities(decoder(row, adapter), decoder.head)


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_same_probabilities_as_the_engine(
    kind: str, tiny: Callable[..., Path], start_llama: Callable[..., LocalEngine], tmp_path: Path
) -> None:
    path = tiny(kind)
    decoder = Decoder(open_container(path), dtype=torch.float32)
    adapter = random_adapter(path, seed=3)
    file = save(adapter, path, tmp_path / "a.gguf")
    engine = start_llama(path, {"a": file})
    loaded = load_adapter(check_adapter(file, path, SHA256))
    (whole,) = Tokenizer(open_container(path)).encode_text("a", first=False)
    tokens = np.random.default_rng(1).integers(0, decoder.architecture.vocabulary, 24).astype(np.int32)
    for model, applied in (("base", None), ("a", loaded)):
        mine = ours(decoder, tokens, applied)
        for place, length in enumerate(LENGTHS):
            told = next_token(engine, tokens[:length].tolist(), whole=whole, model=model)
            assert len(told) > 100
            expected = torch.tensor([told[token] for token in sorted(told)])
            found = mine[place][sorted(told)]
            assert float((found - expected).abs().max()) < 0.02, (model, length)
            assert int(mine[place].argmax()) == max(told, key=lambda token: told[token])
    assert float((ours(decoder, tokens, loaded) - ours(decoder, tokens, None)).abs().max()) > 0.5


def test_an_adapter_without_effect_changes_nothing(tiny: Callable[..., Path]) -> None:
    decoder = Decoder(open_container(tiny()), dtype=torch.float32)
    fresh = Adapter(decoder.architecture.shapes, rank=4, alpha=8.0, seed=0)
    tokens = np.arange(30, dtype=np.int32)
    assert torch.equal(ours(decoder, tokens, fresh), ours(decoder, tokens, None))


def test_bfloat16_stays_near(tiny: Callable[..., Path]) -> None:
    container = open_container(tiny())
    tokens = np.arange(30, dtype=np.int32)
    exact, rounded = Decoder(container, dtype=torch.float32), Decoder(container)
    difference = (ours(exact, tokens, None) - ours(rounded, tokens, None)).abs()
    assert 0 < float(difference.max()) < 0.3
