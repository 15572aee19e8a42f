"""How probable each label is, computed at the labels only and some at a time.

A row of the vocabulary's projection is 152,000 numbers for Qwen: it is made for the places that foretell a label,
a chunk after the other. The gradient of each log probability with respect to its place, (onehot - p) W, is taken in
the same pass while p is there, so that nothing of that size is kept or made twice, whatever loss follows.
"""

from typing import Any

import torch
from torch import Tensor

CHUNK = 128
"""Places at once: 78 MB of fp32 for a vocabulary of 152,000."""


def label_log_probabilities(hidden: Tensor, head: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Log probability of each target.

    Args:
        hidden: (L, width) normed outputs.
        head: (V, width) frozen.
        targets: (L,) ids.

    Returns:
        (L,) fp32 log probabilities, with gradient to `hidden`; (L,) whether the target was the most probable.
    """
    found, right = _LabelLogProbabilities.apply(hidden, head, targets)
    return found, right


class _LabelLogProbabilities(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        wanted = ctx.needs_input_grad[0]
        slopes = torch.empty_like(hidden) if wanted else None
        found = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
        right = torch.empty(len(targets), dtype=torch.bool, device=hidden.device)
        for start in range(0, len(targets), CHUNK):
            part = slice(start, start + CHUNK)
            target = targets[part, None]
            logits = (hidden[part] @ head.T).float()
            right[part] = logits.argmax(dim=1) == target[:, 0]
            total = logits.logsumexp(dim=1, keepdim=True)
            found[part] = (logits.gather(1, target) - total)[:, 0]
            if slopes is not None:
                minus = logits.sub_(total).exp_().neg_()
                minus.scatter_add_(1, target, torch.ones_like(target, dtype=torch.float32))
                slopes[part] = minus.to(head.dtype) @ head
        if slopes is not None:
            ctx.save_for_backward(slopes)
        ctx.mark_non_differentiable(right)
        return found, right

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Any) -> Any:
        (slopes,) = ctx.saved_tensors
        return (gradient[:, None] * slopes.float()).to(slopes.dtype), None, None


def exact_log_probabilities(hidden: Tensor, head: Tensor, *, rows_at_once: int = 8192) -> Tensor:
    """(L, V) log probabilities in fp32 throughout, for comparing models; slow, and as large as it says.

    Args:
        hidden: (L, width).
        head: (V, width).
        rows_at_once: of the head turned to fp32 at a time.
    """
    wide = hidden.float()
    parts = [
        wide @ head[start : start + rows_at_once].float().T for start in range(0, len(head), rows_at_once)
    ]
    return torch.log_softmax(torch.cat(parts, dim=1), dim=1)
