"""How long a token takes on this machine: a few real packs, forward and backward, before the first step."""

import time
from collections.abc import Sequence

from etabli.training.base import Hyperparameters
from etabli.training.examples import Example
from etabli.training.packing import group, pack
from etabli.training.schedule import batch
from etabli.training.torch.objective import Objective

_TIMED = 2


def seconds_per_token(
    objective: Objective, examples: Sequence[Example], hyperparameters: Hyperparameters
) -> float:
    """Seconds for each token of a packed row, the processors of this machine working as they will.

    The first pack is not counted: it fills caches. Nothing is learned: the gradient is forgotten.

    Args:
        objective: of the job.
        examples: of the training.
        hyperparameters: of the job.
    """
    chosen = [examples[number] for number in batch(1, len(examples), hyperparameters)]
    units = [list(one.sequences[: 2 if objective.method == "dpo" else 1]) for one in chosen]
    packs = sorted(group(units, objective.budget), key=len)
    middle = packs[len(packs) // 2]
    row = [one for place in middle for one in units[place]]
    tokens = len(pack(row).tokens)
    begun = 0.0
    for turn in range(_TIMED + 1):
        if turn == 1:
            begun = time.monotonic()
        sums, _, _ = objective.log_probabilities(row, adapted=True)
        (-sums.sum() / tokens).backward()
    objective.adapter.zero_gradient()
    return (time.monotonic() - begun) / _TIMED / tokens
