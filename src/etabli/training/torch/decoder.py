"""The decoder: Qwen2, Qwen3, Llama (Mistral, SmolLM) and Gemma 3 over a packed row, in the file's own layout.

The file keeps the queries and keys of Llama's family in the order of its rotation, and here they stay so: an adapter
trained on them is written out as it is. The residual stream is fp32, as in the engine; products run in `dtype`.
Pre-norm blocks with RMS norm (Zhang & Sennrich, 2019, arXiv:1910.07467), grouped queries (Ainslie et al., 2023,
arXiv:2305.13245), gated MLP (Shazeer, 2020, arXiv:2002.05202).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from etabli.training.architecture import Architecture, read_architecture
from etabli.training.container import Container
from etabli.training.packing import Pack
from etabli.training.torch.attention import View, attend, make_view, rotate
from etabli.training.torch.linear import Factors, gated_mlp, linear
from etabli.training.torch.lora import Adapter
from etabli.training.torch.weights import Rows, read_tensor


class Block(nn.Module):
    """One transformer block. All its parameters are frozen.

    Args:
        architecture: of the model.
        layer: its number.
        container: of the file.
        dtype: of the matrices.
    """

    def __init__(self, architecture: Architecture, layer: int, container: Container, dtype: Any) -> None:
        super().__init__()
        self.architecture = architecture
        self.layer = layer

        def read(name: str, kind: Any = torch.float32) -> nn.Parameter | None:
            full = f"blk.{layer}.{name}"
            return _frozen(read_tensor(container, full, kind)) if full in container.tensors else None

        def join(*names: str) -> nn.Parameter:
            return _frozen(
                torch.cat([read_tensor(container, f"blk.{layer}.{name}.weight", dtype) for name in names])
            )

        self.q = join("attn_q")
        self.kv = join("attn_k", "attn_v")
        self.output = join("attn_output")
        self.gate_up = join("ffn_gate", "ffn_up")
        self.down = join("ffn_down")
        biases = [read(f"{name}.bias", dtype) for name in ("attn_q", "attn_k", "attn_v")]
        self.q_bias = biases[0]
        self.kv_bias = (
            None if biases[1] is None or biases[2] is None else _frozen(torch.cat([biases[1], biases[2]]))
        )
        self.attention_norm, self.feed_norm = read("attn_norm.weight"), read("ffn_norm.weight")
        self.q_norm, self.k_norm = read("attn_q_norm.weight"), read("attn_k_norm.weight")
        self.attention_post_norm, self.feed_post_norm = (
            read("post_attention_norm.weight"),
            read("post_ffw_norm.weight"),
        )

    def forward(
        self, x: Tensor, view: View, factors: dict[str, Factors] | None, scale: float, rows: Tensor | None
    ) -> Tensor:
        """The block's output.

        Args:
            x: (N, width) fp32.
            view: of the pack, for this layer's kind.
            factors: of the adapter's layers by their short names, or None.
            scale: alpha / rank.
            rows: (M,) the places wanted; None for all N.

        Returns:
            (M, width) fp32.
        """
        shape = self.architecture
        normed = self._norm(x, self.attention_norm).to(self.q.dtype)
        asked, cos, sin = normed, view.cos, view.sin
        if rows is not None:
            x, asked, cos, sin = x[rows], normed[rows], view.cos[rows], view.sin[rows]
        q = linear(asked, self.q, self.q_bias, _some(factors, "attn_q"), scale)
        kv = linear(normed, self.kv, self.kv_bias, _some(factors, "attn_k", "attn_v"), scale)
        k, v = kv.view(len(normed), 2, shape.kv_heads, shape.head_size).unbind(1)
        q = q.view(len(asked), shape.heads, shape.head_size)
        if self.q_norm is not None:
            q, k = self._norm(q, self.q_norm), self._norm(k, self.k_norm)
        q, k = rotate(q, cos, sin, shape.rope), rotate(k, view.cos, view.sin, shape.rope)
        mixed = attend(q, k, v.float(), view, shape.attention_scale).to(self.q.dtype)
        mixed = linear(mixed, self.output, None, _some(factors, "attn_output"), scale)
        x = x + self._norm(mixed, self.attention_post_norm)
        normed = self._norm(x, self.feed_norm).to(self.q.dtype)
        three = _some(factors, "ffn_gate", "ffn_up", "ffn_down")
        fed = gated_mlp(normed, self.gate_up, self.down, three, scale, shape.activation)
        return x + self._norm(fed, self.feed_post_norm)

    def _norm(self, x: Tensor, weight: Tensor | None) -> Tensor:
        if weight is None:
            return x.float()
        return nn.functional.rms_norm(x.float(), (x.shape[-1],), weight, self.architecture.epsilon)


class Decoder(nn.Module):
    """A frozen language model over packed rows.

    Args:
        container: of its file.
        dtype: of the matrices: bfloat16, or float32 to compare.
        device: where it runs.
        each_block: called with every block once it is read, before the next one is: to share it out.

    Raises:
        InvalidInputError: the file's architecture or one of its tensors is not known here.
    """

    def __init__(
        self,
        container: Container,
        *,
        dtype: Any = torch.bfloat16,
        device: Any = "cpu",
        each_block: Callable[[nn.Module], None] = lambda block: None,
    ) -> None:
        super().__init__()
        self.architecture = read_architecture(container)
        self.dtype = dtype
        self.device = torch.device(device)
        self.gradient_checkpointing = False
        self._embedding = Rows(container, "token_embd.weight")
        self.blocks = nn.ModuleList()
        for layer in range(self.architecture.layers):
            block = Block(self.architecture, layer, container, dtype).to(device)
            each_block(block)
            self.blocks.append(block)
        self.norm = _frozen(read_tensor(container, "output_norm.weight").to(device))
        head = "token_embd.weight" if self.architecture.tied else "output.weight"
        self.head = _frozen(read_tensor(container, head, dtype).to(device))
        factors = "rope_freqs.weight"
        self._rope_factors = read_tensor(container, factors) if factors in container.tensors else None

    def forward(self, pack: Pack, adapter: Adapter | None = None) -> Tensor:
        """What the places that foretell a label see of the row.

        Args:
            pack: the row.
            adapter: applied where given.

        Returns:
            (L, width) normed outputs in `dtype`, one for each of `pack.sources`.
        """
        shape = self.architecture
        rows, inverse = np.unique(pack.sources, return_inverse=True)
        views = {local: self._view(pack, local=local) for local in set(shape.local[:-1])}
        last = self._view(pack, local=shape.local[-1], rows=rows)
        x = self._embedding.take(pack.tokens, torch.float32).to(self.device)
        if shape.embedding_scale != 1:
            x = x * shape.embedding_scale
        scale = 0.0 if adapter is None else adapter.scale
        wanted = torch.from_numpy(rows).to(self.device)
        for layer, block in enumerate(self.blocks):
            final = layer == shape.layers - 1
            view = last if final else views[shape.local[layer]]
            factors = None if adapter is None else adapter.factors(layer)
            arguments = (x, view, factors, scale, wanted if final else None)
            if self.gradient_checkpointing and torch.is_grad_enabled():
                x = checkpoint(block, *arguments, use_reentrant=False)
            else:
                x = block(*arguments)
        x = nn.functional.rms_norm(x, (shape.width,), self.norm, shape.epsilon).to(self.dtype)
        return x[torch.from_numpy(inverse).to(self.device)]

    @property
    def held_bytes(self) -> int:
        """Of the weights that this process holds now: its part of those that are shared out."""
        local = [one.to_local() if hasattr(one, "to_local") else one for one in self.parameters()]
        return sum(one.numel() * one.element_size() for one in local)

    def _view(self, pack: Pack, *, local: bool, rows: Any = None) -> View:
        return make_view(
            pack,
            self.architecture,
            self._rope_factors,
            local=local,
            rows=rows,
            device=self.device,
        )


def _some(factors: dict[str, Factors] | None, *names: str) -> list[Factors] | None:
    return None if factors is None else [factors[name] for name in names]


def _frozen(tensor: Tensor) -> nn.Parameter:
    return nn.Parameter(tensor, requires_grad=False)
