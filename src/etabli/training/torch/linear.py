"""Linear layers with a low-rank adapter, forward and backward written out.

    y = x Wᵀ + b + s (x Aᵀ) Bᵀ        Hu et al., 2021, arXiv:2106.09685, section 4.1; s = alpha / rank

W is frozen and gets no gradient. Layers that read the same x (queries, keys and values; gate and up) are one matrix
product with one product for all their A. Written out, a layer keeps x and x Aᵀ only, and the MLP keeps x, gate and up
and makes the rest again: about half the memory of the same operations recorded one by one, and fewer of them.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

Factors = tuple[Any, Any]
"""A (rank, in) and B (out, rank) of one layer, the trained numbers in fp32."""


def linear(
    x: Tensor, weight: Tensor, bias: Tensor | None, factors: Sequence[Factors] | None, scale: float
) -> Tensor:
    """Layers side by side on the same input.

    Args:
        x: (N, in).
        weight: (sum of out, in), the layers' rows one after the other.
        bias: (sum of out) or None.
        factors: of each layer in that order; None without an adapter.
        scale: alpha / rank.

    Returns:
        (N, sum of out).
    """
    if factors is None:
        return torch.nn.functional.linear(x, weight, bias)
    flat = [one for pair in factors for one in pair]
    return _Linear.apply(x, weight, bias, scale, *flat)


def gated_mlp(
    x: Tensor, gate_up: Tensor, down: Tensor, factors: Sequence[Factors] | None, scale: float, activation: str
) -> Tensor:
    """down(act(gate(x)) * up(x)).

    Args:
        x: (N, width).
        gate_up: (2 F, width), gate above up.
        down: (width, F).
        factors: of gate, up and down; None without an adapter.
        scale: alpha / rank.
        activation: `silu`, or `gelu` in its tanh form.
    """
    if factors is None:
        both = torch.nn.functional.linear(x, gate_up)
        return torch.nn.functional.linear(_activate(both, activation), down)
    flat = [one for pair in factors for one in pair]
    return _GatedMlp.apply(x, gate_up, down, scale, activation, *flat)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, scale: float, *flat: Tensor
    ) -> Tensor:
        y, low, stacked = _forward(x, weight, bias, scale, flat)
        ctx.save_for_backward(x, weight, low, stacked, *flat[1::2])
        ctx.scale = scale
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        x, weight, low, stacked, *ups = ctx.saved_tensors
        dx, grads = _backward(
            dy.contiguous(), x, weight, low, stacked, ups, ctx.scale, need_dx=ctx.needs_input_grad[0]
        )
        return dx, None, None, None, *grads


class _GatedMlp(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gate_up: Tensor, down: Tensor, scale: float, activation: str, *flat: Tensor
    ) -> Tensor:
        both, low, stacked = _forward(x, gate_up, None, scale, flat[:4])
        inner = _activate(both, activation)
        y, low_down, stacked_down = _forward(inner, down, None, scale, flat[4:])
        ctx.save_for_backward(x, gate_up, down, both, low, stacked, low_down, stacked_down, *flat[1::2])
        ctx.scale, ctx.activation = scale, activation
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        x, gate_up, down, both, low, stacked, low_down, stacked_down, *ups = ctx.saved_tensors
        inner = _activate(both, ctx.activation)
        d_inner, down_grads = _backward(
            dy.contiguous(), inner, down, low_down, stacked_down, ups[2:], ctx.scale, need_dx=True
        )
        del inner
        d_both = _activate_backward(d_inner, both, ctx.activation)
        dx, grads = _backward(
            d_both, x, gate_up, low, stacked, ups[:2], ctx.scale, need_dx=ctx.needs_input_grad[0]
        )
        return dx, None, None, None, None, *grads, *down_grads


def _forward(
    x: Tensor, weight: Tensor, bias: Tensor | None, scale: float, flat: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Give y (N, out), x Aᵀ of all layers (N, k r), and all A (k r, in) in the type of the weights."""
    y = torch.nn.functional.linear(x, weight, bias)
    stacked = torch.cat(list(flat[0::2])).to(weight.dtype)
    low = x @ stacked.T
    row = column = 0
    for a, b in zip(flat[0::2], flat[1::2], strict=True):
        y[:, row : row + len(b)].addmm_(low[:, column : column + len(a)], b.to(weight.dtype).T, alpha=scale)
        row, column = row + len(b), column + len(a)
    return y, low, stacked


def _backward(
    dy: Tensor,
    x: Tensor,
    weight: Tensor,
    low: Tensor,
    stacked: Tensor,
    ups: Sequence[Tensor],
    scale: float,
    *,
    need_dx: bool,
) -> tuple[Tensor | None, list[Tensor]]:
    """Give dx (N, in), and the gradients of A and B of each layer in fp32."""
    d_low = torch.empty_like(low)
    rank = ups[0].shape[1]
    d_ups = []
    row = 0
    for number, b in enumerate(ups):
        part = dy[:, row : row + len(b)]
        columns = slice(number * rank, (number + 1) * rank)
        d_low[:, columns] = part @ b.to(dy.dtype)
        d_ups.append((part.T @ low[:, columns]).float().mul_(scale))
        row += len(b)
    d_low.mul_(scale)
    d_downs = (d_low.T @ x).float().split(rank)
    dx = None
    if need_dx:
        dx = dy @ weight
        dx.addmm_(d_low, stacked)
    return dx, [one for pair in zip(d_downs, d_ups, strict=True) for one in pair]


def _activate(both: Tensor, activation: str) -> Tensor:
    gate, up = both.chunk(2, dim=1)
    if activation == "silu":
        return torch.nn.functional.silu(gate).mul_(up)
    return torch.nn.functional.gelu(gate, approximate="tanh").mul_(up)


def _activate_backward(d_inner: Tensor, both: Tensor, activation: str) -> Tensor:
    gate, up = both.chunk(2, dim=1)
    d_both = torch.empty_like(both)
    d_gate, d_up = d_both.chunk(2, dim=1)
    if activation == "silu":
        torch.mul(d_inner, torch.nn.functional.silu(gate), out=d_up)
        d_gate.copy_(torch.ops.aten.silu_backward(d_inner * up, gate))
    else:
        torch.mul(d_inner, torch.nn.functional.gelu(gate, approximate="tanh"), out=d_up)
        d_gate.copy_(torch.ops.aten.gelu_backward(d_inner * up, gate, approximate="tanh"))
    return d_both
