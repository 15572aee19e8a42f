from pathlib import Path

import numpy as np
import pytest

from etabli.engines.base import FloatMatrix
from etabli.errors import IntegrityError
from etabli.images.generator.fake_text import FakeText
from etabli.images.generator.sampling import Sampling, batch_of, no_prompt, sample, to_patches, to_pictures
from etabli.images.generator.text import MOST_TOKENS
from etabli.images.generator.weights import read_weights


def test_patches_and_pictures_are_each_others_inverse() -> None:
    pictures = np.random.default_rng(1).normal(size=(2, 3, 16, 16)).astype(np.float32)
    patches = to_patches(pictures, patch=4)
    assert patches.shape == (2, 16, 48)
    np.testing.assert_array_equal(patches[0, 1].reshape(4, 4, 3), pictures[0, :, :4, 4:8].transpose(1, 2, 0))
    np.testing.assert_array_equal(to_pictures(patches, size=16, patch=4), pictures)


def test_a_denoiser_that_knows_the_picture_is_followed_to_it() -> None:
    target = np.random.default_rng(2).uniform(-0.9, 0.9, (1, 16, 48)).astype(np.float32)
    asked: list[tuple[int, float]] = []

    def denoiser(
        patches: FloatMatrix, time: FloatMatrix, vector: FloatMatrix, states: FloatMatrix, mask: FloatMatrix
    ) -> FloatMatrix:
        asked.append((len(patches), float(time[0, 0])))
        assert len(patches) == len(time) == len(vector) == len(states) == len(mask)
        return np.repeat(target, len(patches), axis=0)

    noise = np.random.default_rng(3).normal(size=target.shape).astype(np.float32)
    sampling = Sampling(steps=10, guidance=2.0, guided_to=0.5)
    found = sample(denoiser, [FakeText().encode("un chat")], noise, sampling)
    np.testing.assert_allclose(found, target, atol=1e-5)
    assert [size for size, _ in asked] == [2 if time <= 0.5 else 1 for _, time in asked] and len(asked) == 10


def test_guidance_goes_beyond_what_the_prompt_adds() -> None:
    def denoiser(
        patches: FloatMatrix, time: FloatMatrix, vector: FloatMatrix, states: FloatMatrix, mask: FloatMatrix
    ) -> FloatMatrix:
        told = mask.max(axis=1)[:, None, None]
        return np.float32(0.1) + np.float32(0.2) * told * np.ones_like(patches)

    noise = np.zeros((1, 4, 12), np.float32)
    found = sample(denoiser, [FakeText().encode("a")], noise, Sampling(steps=4, guidance=3.0, guided_to=1.0))
    np.testing.assert_allclose(found, 0.1 + 3 * 0.2, atol=1e-5)


def test_a_batch_is_padded_and_no_prompt_is_all_padding() -> None:
    vectors, states, mask = batch_of([FakeText().encode("a b c"), no_prompt()])
    assert (
        vectors.shape == (2, 384) and states.shape == (2, 3, 192) and mask.tolist() == [[1, 1, 1], [0, 0, 0]]
    )
    assert len(FakeText().encode("a " * 100).states) == MOST_TOKENS


def test_a_damaged_weights_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(IntegrityError, match="w.npz is not a weights file"):
        read_weights(path)
    with path.open("wb") as file:
        np.savez(file, other=np.zeros(3))
    with pytest.raises(IntegrityError, match="w.npz is not a weights file"):
        read_weights(path)
