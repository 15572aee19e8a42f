"""Attention over a packed row, and the turning of queries and keys by their positions.

Each segment of a `Pack` sees itself and its ancestors; a layer with a window only the nearest keys. Positions turn
pairs of dimensions (Su et al., 2021, arXiv:2104.09864), in the order that the file's layout wants. All of it is in
fp32: on a processor it costs the same as bf16, and the keys of Qwen 2 are too large for eight bits of mantissa.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from etabli.training.architecture import Architecture
from etabli.training.packing import Pack, Segment


@dataclass(frozen=True, slots=True)
class View:
    """What the layers of one kind need of a pack.

    Attributes:
        cos: (N, rope_size / 2) fp32.
        sin: the same.
        masks: for each segment (queries, keys) of zeros and minus infinities, or None where plain causality holds.
        keys: for each segment the segments whose keys it sees, itself last.
        lengths: of the segments.
        queries: how many places of each segment are asked for.
    """

    cos: Tensor
    sin: Tensor
    masks: tuple[Tensor | None, ...]
    keys: tuple[tuple[int, ...], ...]
    lengths: tuple[int, ...]
    queries: tuple[int, ...]


def make_view(
    pack: Pack,
    architecture: Architecture,
    factors: Tensor | None,
    *,
    local: bool,
    rows: Any = None,
    device: Any,
) -> View:
    """What layers need of `pack`.

    Args:
        pack: the row.
        architecture: of the model.
        factors: of the frequencies (Llama 3's `rope_freqs`), or None.
        local: for the layers with a window.
        rows: ascending places of the row that are asked for; None for all.
        device: where it runs.
    """
    half = architecture.rope_size // 2
    base, scale = architecture.rope_base, architecture.rope_scale
    if local:
        base, scale = architecture.local_rope_base, 1.0
    frequencies = base ** (-torch.arange(half, dtype=torch.float64) * 2 / architecture.rope_size)
    if factors is not None and not local:
        frequencies = frequencies / factors.double().cpu()
    angles = torch.from_numpy(pack.positions).double()[:, None] * scale * frequencies
    window = architecture.window if local else 0
    wanted = np.arange(len(pack.tokens)) if rows is None else np.asarray(rows)
    masks, keys, counts = [], [], []
    for number, segment in enumerate(pack.segments):
        inside = wanted[(wanted >= segment.start) & (wanted < segment.end)]
        chain = (*segment.parents, number)
        keys.append(chain)
        counts.append(len(inside))
        plain = (
            not segment.parents and len(inside) == segment.end - segment.start and not _cuts(segment, window)
        )
        masks.append(None if plain else _mask(pack, chain, inside, window, device))
    return View(
        cos=angles.cos().float().to(device),
        sin=angles.sin().float().to(device),
        masks=tuple(masks),
        keys=tuple(keys),
        lengths=tuple(segment.end - segment.start for segment in pack.segments),
        queries=tuple(counts),
    )


def _cuts(segment: Segment, window: int) -> bool:
    return 0 < window < segment.end - segment.start


def _mask(pack: Pack, chain: Sequence[int], rows: Any, window: int, device: Any) -> Tensor:
    seen = np.concatenate([np.arange(pack.segments[one].start, pack.segments[one].end) for one in chain])
    distance = pack.positions[rows][:, None] - pack.positions[seen][None]
    hidden = distance < 0
    if window:
        hidden |= distance >= window
    mask = torch.zeros(hidden.shape)
    mask[torch.from_numpy(hidden)] = float("-inf")
    return mask.to(device)


def attend(q: Tensor, k: Tensor, v: Tensor, view: View, scale: float) -> Tensor:
    """Attention of every segment.

    Args:
        q: (M, heads, head_size), the places asked for, in order.
        k: (N, kv_heads, head_size).
        v: the same.
        view: of the pack.
        scale: multiplies queries times keys.

    Returns:
        (M, heads * head_size).
    """
    queries, keys, values = q.split(view.queries), k.split(view.lengths), v.split(view.lengths)
    outputs = []
    for number, query in enumerate(queries):
        if not len(query):
            continue
        key, value = _of(keys, view.keys[number]), _of(values, view.keys[number])
        mask = view.masks[number]
        found = torch.nn.functional.scaled_dot_product_attention(
            query.transpose(0, 1)[None],
            key,
            value,
            attn_mask=mask,
            is_causal=mask is None,
            scale=scale,
            enable_gqa=True,
        )
        outputs.append(found[0].transpose(0, 1).reshape(len(query), -1))
    return torch.cat(outputs) if len(outputs) > 1 else outputs[0]


def _of(parts: Sequence[Tensor], chain: Sequence[int]) -> Tensor:
    """(1, kv_heads, keys, head_size) of the segments of a chain."""
    joined = parts[chain[0]] if len(chain) == 1 else torch.cat([parts[one] for one in chain])
    return joined.transpose(0, 1)[None]


def rotate(x: Tensor, cos: Tensor, sin: Tensor, kind: str) -> Tensor:
    """Turn the first dimensions of each head by the angles of its position.

    Args:
        x: (N, heads, head_size).
        cos: (N, n / 2) of the n dimensions that turn.
        sin: the same.
        kind: `halves` or `pairs`.

    Returns:
        the same shape in fp32.
    """
    return _Rotate.apply(x, cos[:, None], sin[:, None], kind)


class _Rotate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor, kind: str) -> Tensor:
        ctx.save_for_backward(cos, sin)
        ctx.kind, ctx.dtype = kind, x.dtype
        return _turn(x, cos, sin, kind)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> Any:
        cos, sin = ctx.saved_tensors
        return _turn(dy, cos, -sin, ctx.kind).to(ctx.dtype), None, None, None


def _turn(x: Tensor, cos: Tensor, sin: Tensor, kind: str) -> Tensor:
    size = 2 * cos.shape[-1]
    out = torch.empty(x.shape, dtype=torch.float32, device=x.device)
    if kind == "halves":
        first, second = slice(0, size // 2), slice(size // 2, size)
    else:
        first, second = slice(0, size, 2), slice(1, size, 2)
    left, right = x[..., first].float(), x[..., second].float()
    out[..., first] = left * cos - right * sin
    out[..., second] = right * cos + left * sin
    if size < x.shape[-1]:
        out[..., size:] = x[..., size:]
    return out
