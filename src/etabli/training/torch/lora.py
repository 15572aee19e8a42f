"""The trained numbers: a low-rank adapter on every linear layer of the blocks (Hu et al., 2021, arXiv:2106.09685).

All its matrices are views of one flat fp32 vector, and their gradients of another: the optimiser, the length of the
gradient, its sum over processes and the checkpoint each deal with one vector.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from etabli.training.torch.linear import Factors


class Adapter:
    """A and B of each layer. B begins at zero, so that the adapter begins without effect.

    Args:
        shapes: (out, in) of each layer by its tensor's name: `blk.0.attn_q.weight`.
        rank: of the matrices.
        alpha: the adapter acts with the strength alpha / rank.
        seed: of A, drawn as Kaiming uniform with a = √5, as the paper's own code does.
        device: where it lies.

    Attributes:
        flat: (P,) all numbers, fp32.
        gradient: (P,) their gradients.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, int]],
        *,
        rank: int,
        alpha: float,
        seed: int,
        device: Any = "cpu",
    ) -> None:
        self.rank, self.alpha = rank, alpha
        self.scale = alpha / rank
        self.shapes = dict(shapes)
        total = sum(rank * (rows + columns) for rows, columns in shapes.values())
        self.flat = torch.zeros(total, dtype=torch.float32, device=device)
        self.gradient = torch.zeros_like(self.flat)
        self._factors: dict[int, dict[str, Factors]] = {}
        generator = torch.Generator().manual_seed(seed)
        at = 0
        for name, (rows, columns) in shapes.items():
            _, layer, short, _ = name.split(".")
            bound = 1 / math.sqrt(columns)
            drawn = torch.empty(rank, columns).uniform_(-bound, bound, generator=generator)
            a, at = self._leaf(at, (rank, columns))
            b, at = self._leaf(at, (rows, rank))
            with torch.no_grad():
                a.copy_(drawn)
            self._factors.setdefault(int(layer), {})[short] = (a, b)

    def factors(self, layer: int) -> dict[str, Factors]:
        """A (rank, in) and B (out, rank) of the layers of one block, by their short names."""
        return self._factors[layer]

    def tensors(self) -> dict[str, tuple[Tensor, Tensor]]:
        """A and B of each layer by its tensor's name."""
        return {name: self._factors[int(name.split(".")[1])][name.split(".")[2]] for name in self.shapes}

    def zero_gradient(self) -> None:
        """Forget the gradients, which otherwise add up."""
        self.gradient.zero_()

    def _leaf(self, at: int, shape: tuple[int, int]) -> tuple[Tensor, int]:
        size = shape[0] * shape[1]
        leaf = self.flat[at : at + size].view(shape).requires_grad_()
        leaf.grad = self.gradient[at : at + size].view(shape)
        return leaf, at + size
