"""What is made small for pairs and judged answers, of the log probabilities of whole answers.

Each gives a sum to be divided by the caller's count, so that a step cut into several packs, or shared by several
processes, comes to the loss and the gradient of the whole step.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


@dataclass(frozen=True, slots=True)
class Outcome:
    """Sums over some examples.

    Attributes:
        loss: with gradient.
        right: tokens that the model had as the most probable, of the answers to be learned.
        tokens: of those answers.
        wins: pairs and judged answers on the right side of their reference.
        margin: sum of the rewards' differences, or of signed rewards.
    """

    loss: Tensor
    right: int
    tokens: int
    wins: int = 0
    margin: float = 0.0


def dpo(answers: Tensor, reference: Tensor, beta: float, right: int, tokens: int) -> Outcome:
    """Direct preference optimisation: Rafailov et al., 2023, arXiv:2305.18290, equation 7; summed over the pairs.

    Args:
        answers: (P, 2) log probabilities of the preferred and the other answer.
        reference: (P, 2) of the base.
        beta: how strongly the base holds.
        right: tokens of preferred answers that were the most probable.
        tokens: of them.
    """
    rewards = beta * (answers - reference)
    margins = rewards[:, 0] - rewards[:, 1]
    return Outcome(
        -logsigmoid(margins).sum(),
        right,
        tokens,
        wins=int((margins > 0).sum()),
        margin=float(margins.detach().sum()),
    )


def kto(
    answers: Tensor, reference: Tensor, good: Tensor, divergence: Any, beta: float, right: int, tokens: int
) -> Outcome:
    """Kahneman-Tversky optimisation: Ethayarajh et al., 2024, arXiv:2402.01306, equation 8, both weights 1.

    Args:
        answers: (E,) log probabilities of the judged answers.
        reference: (E,) of the base.
        good: (E,) their labels.
        divergence: estimate of KL(model, base) from mismatched answers of the whole step, at least 0, no gradient.
        beta: how strongly the base holds.
        right: tokens of these answers that were the most probable.
        tokens: of them.
    """
    ratio = answers - reference
    sign = torch.where(good, 1.0, -1.0)
    value = torch.sigmoid(beta * sign * (ratio - divergence))
    rewards = (beta * sign * ratio).detach()
    return Outcome(
        (1 - value).sum(), right, tokens, wins=int((rewards > 0).sum()), margin=float(rewards.sum())
    )
