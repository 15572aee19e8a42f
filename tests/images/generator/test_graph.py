"""The graphs against their twins in PyTorch, with random weights."""

from pathlib import Path

import numpy as np
import pytest

from images.conftest import REASON

torch = pytest.importorskip("torch", reason=REASON)

from etabli.images.generator.graph import compile_denoiser, compile_upscaler  # noqa: E402
from etabli.images.generator.text import STATE, VECTOR  # noqa: E402
from etabli.images.generator.weights import (  # noqa: E402
    DenoiserShape,
    GeneratorWeights,
    UpscalerShape,
    read_weights,
    write_weights,
)
from etabli.images.training.denoiser import Denoiser  # noqa: E402
from etabli.images.training.upscaler import Upscaler  # noqa: E402

SHAPE = DenoiserShape(size=16, patch=4, width=64, layers=2, heads=2, text_layers=2)
SMALL = UpscalerShape(width=8, layers=2, factor=4)


@pytest.fixture(scope="module")
def models() -> tuple[Denoiser, Upscaler]:
    torch.manual_seed(1)
    denoiser, upscaler = Denoiser(SHAPE).eval(), Upscaler(SMALL).eval()
    source = np.random.default_rng(1)
    for model in (denoiser, upscaler):
        for value in model.parameters():
            torch.nn.init.normal_(value, std=0.1)
    denoiser.set_statistics(
        source.normal(0.7, 0.1, (50, VECTOR)).astype(np.float32),
        source.normal(0.2, 2, (50, STATE)).astype(np.float32),
    )
    return denoiser, upscaler


@pytest.fixture(scope="module")
def weights(models: tuple[Denoiser, Upscaler]) -> GeneratorWeights:
    arrays = {f"denoiser.{name}": array for name, array in models[0].arrays().items()}
    arrays |= {f"upscaler.{name}": array for name, array in models[1].arrays().items()}
    return GeneratorWeights(SHAPE, SMALL, "fake-text", arrays, frozenset(), {"steps": 3})


def inputs() -> list[np.ndarray]:
    source = np.random.default_rng(2)
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], np.float32)
    return [
        source.normal(0, 1, (3, SHAPE.patches, SHAPE.patch_values)).astype(np.float32),
        np.array([[0.0], [0.3], [0.95]], np.float32),
        source.normal(0.7, 0.1, (3, VECTOR)).astype(np.float32),
        source.normal(0.2, 2, (3, 5, STATE)).astype(np.float32) * mask[:, :, None],
        mask,
    ]


def test_the_denoiser_is_its_twin(models: tuple[Denoiser, Upscaler], weights: GeneratorWeights) -> None:
    with torch.no_grad():
        expected = models[0](*map(torch.from_numpy, inputs())).numpy()
    found = compile_denoiser(weights, threads=1, exact=True)(inputs())[0]
    assert expected.std() > 0.1
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_padding_says_nothing(weights: GeneratorWeights) -> None:
    compiled = compile_denoiser(weights, threads=1, exact=True)
    patches, time, vector, states, mask = inputs()
    noisy = states + (1 - mask[:, :, None]) * 5
    first, second = (
        compiled([patches, time, vector, states, mask])[0],
        compiled([patches, time, vector, noisy, mask])[0],
    )
    np.testing.assert_allclose(first, second, atol=1e-4)
    other = compiled([patches, time, vector, states * 2, mask])[0]
    assert np.abs(other[0] - first[0]).max() > 1e-2


def test_the_upscaler_is_its_twin(models: tuple[Denoiser, Upscaler], weights: GeneratorWeights) -> None:
    picture = np.random.default_rng(3).uniform(-1, 1, (2, 3, 16, 16)).astype(np.float32)
    with torch.no_grad():
        expected = models[1](torch.from_numpy(picture)).numpy()
    found = compile_upscaler(weights, threads=1, exact=True)([picture])[0]
    assert found.shape == (2, 3, 64, 64)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_int8_stays_close_and_takes_a_byte_a_weight(
    models: tuple[Denoiser, Upscaler], weights: GeneratorWeights, tmp_path: Path
) -> None:
    path = tmp_path / "w.npz"
    write_weights(path, weights)
    read = read_weights(path)
    assert read.denoiser == SHAPE and read.upscaler == SMALL and read.details == {"steps": 3}
    assert "denoiser.blocks.0.up.weight" in read.quantised and "denoiser.text_positions" in read.arrays
    matrices = sum(weights.arrays[name].size for name in read.quantised)
    others = sum(array.size for name, array in weights.arrays.items() if name not in read.quantised)
    assert path.stat().st_size < 1.1 * matrices + 2 * others + 80_000
    with torch.no_grad():
        expected = models[0](*map(torch.from_numpy, inputs())).numpy()
    scale = np.abs(expected).mean()
    rounded = compile_denoiser(read, threads=1, exact=True)(inputs())[0]
    assert np.abs(rounded - expected).mean() < 0.08 * scale
    # Activations in bf16 or int8, as the processor has it: random layers swell such differences, trained ones do not.
    fast = compile_denoiser(read, threads=1)(inputs())[0]
    assert np.abs(fast - expected).mean() < 0.25 * scale
