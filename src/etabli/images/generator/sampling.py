"""From noise to a picture: the steps along a straight path, guided by the prompt.

The denoiser says which clean picture it expects (Li and He 2025, arXiv 2511.13720); a step goes from where the path
is towards it. At time 0 all is noise, at time 1 all is picture. Guidance (Ho and Salimans 2022, arXiv 2207.12598)
goes beyond the picture that the prompt adds to the one expected without a prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from etabli.engines.base import FloatMatrix
from etabli.images.generator.text import STATE, VECTOR, Condition

# The last step's division by the rest of the path stays bounded, as it was in training.
LEAST_REST = 0.05


class Denoiser(Protocol):
    """Expects clean patches from noisy ones."""

    def __call__(
        self,
        patches: FloatMatrix,
        time: FloatMatrix,
        vector: FloatMatrix,
        states: FloatMatrix,
        mask: FloatMatrix,
    ) -> FloatMatrix:
        """Shapes (B, N, P), (B, 1), (B, 384), (B, T, 192), (B, T) to (B, N, P)."""
        ...


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a picture is sought.

    Attributes:
        steps: evaluations of the denoiser (each of a pair, with and without the prompt).
        guidance: 1 follows the prompt as the training data did; more exaggerates what it adds.
        guided_from, guided_to: times between which guidance acts; outside it costs variety or does nothing.
    """

    steps: int = 20
    guidance: float = 3.0
    guided_from: float = 0.0
    guided_to: float = 0.9


def batch_of(conditions: Sequence[Condition]) -> tuple[FloatMatrix, FloatMatrix, FloatMatrix]:
    """Vectors (B, 384), states (B, T, 192) and mask (B, T) of several prompts."""
    longest = max(len(one.states) for one in conditions)
    vectors = np.stack([one.vector for one in conditions]).astype(np.float32)
    states = np.zeros((len(conditions), longest, STATE), np.float32)
    mask = np.zeros((len(conditions), longest), np.float32)
    for row, one in enumerate(conditions):
        states[row, : len(one.states)] = one.states
        mask[row, : len(one.states)] = 1.0
    return vectors, states, mask


def no_prompt() -> Condition:
    """What the denoiser was trained with where the prompt was left out."""
    return Condition(np.zeros(VECTOR, np.float32), np.zeros((0, STATE), np.float32))


def sample(
    denoiser: Denoiser, conditions: Sequence[Condition], noise: FloatMatrix, sampling: Sampling
) -> FloatMatrix:
    """Pictures for prompts.

    Args:
        denoiser: of the model.
        conditions: one a picture.
        noise: normal numbers, shape (B, N, P): the seed's only effect.
        sampling: how.

    Returns:
        Patches from -1 to 1, shape (B, N, P).
    """
    count = len(conditions)
    vector, states, mask = batch_of([*conditions, *[no_prompt()] * count])
    path = noise.astype(np.float32)
    times = _times(sampling.steps)
    for now, after in zip(times[:-1], times[1:], strict=True):
        guided = sampling.guided_from <= now <= sampling.guided_to and sampling.guidance != 1.0
        rows = slice(None) if guided else slice(count)
        twice = np.concatenate([path, path]) if guided else path
        time = np.full((len(twice), 1), now, np.float32)
        clean = denoiser(twice, time, vector[rows], states[rows], mask[rows])
        if guided:
            told, untold = clean[:count], clean[count:]
            clean = untold + np.float32(sampling.guidance) * (told - untold)
        clean = np.clip(clean, -1.0, 1.0)
        path = path + np.float32((after - now) / max(1.0 - now, LEAST_REST)) * (clean - path)
    result: FloatMatrix = np.clip(path, -1.0, 1.0).astype(np.float32)
    return result


def to_pictures(patches: FloatMatrix, *, size: int, patch: int) -> FloatMatrix:
    """Patches (B, N, P) as pictures (B, 3, S, S)."""
    side = size // patch
    grid = patches.reshape(-1, side, side, patch, patch, 3)
    pictures: FloatMatrix = grid.transpose(0, 5, 1, 3, 2, 4).reshape(-1, 3, size, size)
    return pictures


def to_patches(pictures: FloatMatrix, *, patch: int) -> FloatMatrix:
    """Pictures (B, 3, S, S) as patches (B, N, P); the inverse of `to_pictures`."""
    batch, _, size, _ = pictures.shape
    side = size // patch
    grid = pictures.reshape(batch, 3, side, patch, side, patch)
    patches: FloatMatrix = grid.transpose(0, 2, 4, 3, 5, 1).reshape(batch, side * side, patch * patch * 3)
    return patches


def _times(steps: int) -> list[float]:
    """From 0 to 1, closer together at the beginning, where what the picture is of is decided."""
    even = np.linspace(0.0, 1.0, steps + 1)
    return [float(time) for time in even**1.3]
