"""What is done in which order, decided by the plan alone, so that a job that goes on does what it would have done.

No torch here: the preflight counts with the same functions as the trainer works with.
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np

from etabli.training.architecture import Architecture
from etabli.training.base import Hyperparameters, TrainingPlan
from etabli.training.examples import Example

_ACTIVATION_BYTES = 1_300_000_000
_LEAST_PACK, _LARGEST_PACK = 512, 4096


def plan_sha256(plan: TrainingPlan) -> str:
    """What a plan is, in one word: a checkpoint of another plan is never used."""
    return hashlib.sha256(plan.model_dump_json().encode()).hexdigest()


def steps_per_epoch(examples: int, hyperparameters: Hyperparameters) -> int:
    """Steps of the optimiser in one epoch; the last may be smaller."""
    return math.ceil(examples / hyperparameters.batch_size)


def batch(step: int, examples: int, hyperparameters: Hyperparameters) -> list[int]:
    """The examples of a step, from 1: every epoch has its own order, drawn from the seed."""
    epoch, place = divmod(step - 1, steps_per_epoch(examples, hyperparameters))
    order = np.random.default_rng([hyperparameters.seed, epoch]).permutation(examples)
    start = place * hyperparameters.batch_size
    return [int(number) for number in order[start : start + hyperparameters.batch_size]]


def learning_rate(step: int, total: int, hyperparameters: Hyperparameters) -> float:
    """Of a step, from 1: rising to the largest, then half a cosine down (arXiv:1608.03983, equation 5).

    >>> slow_start = Hyperparameters(warmup_ratio=0.25, learning_rate=1)
    >>> [round(learning_rate(step, 4, slow_start), 2) for step in (1, 2, 3, 4)]
    [1.0, 1.0, 0.75, 0.25]
    """
    warm = round(total * hyperparameters.warmup_ratio)
    if step <= warm:
        return hyperparameters.learning_rate * step / warm
    progress = (step - 1 - warm) / max(1, total - warm)
    return hyperparameters.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


def activation_bytes_per_token(architecture: Architecture) -> int:
    """What one block keeps of a token for the way back (measured, see docs/concepts/training.md)."""
    return (
        26 * architecture.width
        + 4 * architecture.feed_forward
        + 8 * architecture.heads * architecture.head_size
    )


def pack_budget(architecture: Architecture, hyperparameters: Hyperparameters) -> int:
    """Most tokens of one pack: enough for the products to be large, few enough for the memory."""
    per_token = activation_bytes_per_token(architecture)
    kept = per_token * (1 if hyperparameters.gradient_checkpointing else architecture.layers)
    return max(_LEAST_PACK, min(_LARGEST_PACK, _ACTIVATION_BYTES // kept))


def labels(example: Example) -> int:
    """Tokens that the example's own sequences teach."""
    own = example.sequences if example.label is None else example.sequences[:1]
    return sum(int(one.trained[1:].sum()) for one in own)


def total_labels(examples: Sequence[Example]) -> int:
    """Of all of them."""
    return sum(labels(example) for example in examples)
