"""The denoiser in PyTorch: a transformer over patches that says which clean picture it expects.

From "Back to Basics" (Li and He 2025, arXiv 2511.13720): no autoencoder, large patches, the clean picture predicted.
From PixArt (Chen et al. 2023, arXiv 2310.00426): one modulation for all layers plus a small table a layer. The
prompt's tokens pass two layers of their own and are then keys and values beside the patches' own: one attention for
both. `etabli.images.generator.graph` is its twin without PyTorch.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from etabli.engines.base import FloatMatrix
from etabli.images.generator.graph import EPSILON, TIME_UNITS, time_frequencies
from etabli.images.generator.text import MOST_TOKENS, STATE, VECTOR
from etabli.images.generator.weights import DenoiserShape


class Attention(nn.Module):
    """What the two kinds of layers share: heads and the product."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def split(self, flat: Tensor) -> Tensor:
        """(B, N, W) as (B, H, N, W / H)."""
        return flat.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    @staticmethod
    def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
        """Softmax attention with a bias on keys, (B, N, W)."""
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        return mixed.transpose(1, 2).flatten(2)

    def mlp(self, states: Tensor) -> Tensor:
        """Two layers with a bend between."""
        return self.down(F.gelu(self.up(states), approximate="tanh"))


class TextLayer(Attention):
    """A layer over the prompt's tokens."""

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """(B, T, W) to the same."""
        states = norm(tokens)
        q, k, v = (self.split(layer(states)) for layer in (self.q, self.k, self.v))
        tokens = tokens + self.out(self.attend(q, k, v, bias))
        return tokens + self.mlp(norm(tokens))


class Block(Attention):
    """A layer over the picture's patches, which see the prompt's tokens too."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.text_k, self.text_v = nn.Linear(width, width), nn.Linear(width, width)
        self.q_gain, self.k_gain = (
            nn.Parameter(torch.ones(width // heads)),
            nn.Parameter(torch.ones(width // heads)),
        )
        self.modulation = nn.Parameter(torch.zeros(6, width))

    def forward(self, tokens: Tensor, context: Tensor, bias: Tensor, shared: Tensor) -> Tensor:
        """(B, N, W) to the same; context (B, T, W), shared (B, 6, W)."""
        scale, shift, gate, scale_2, shift_2, gate_2 = (shared + self.modulation).unsqueeze(2).unbind(1)
        states = modulated(tokens, scale, shift)
        q = unit(self.split(self.q(states)), self.q_gain)
        k = self.split(torch.cat([self.k(states), self.text_k(context)], 1))
        v = self.split(torch.cat([self.v(states), self.text_v(context)], 1))
        tokens = tokens + gate * self.out(self.attend(q, unit(k, self.k_gain), v, bias))
        return tokens + gate_2 * self.mlp(modulated(tokens, scale_2, shift_2))


class Denoiser(nn.Module):
    """See the module.

    Args:
        shape: sizes.
    """

    vector_mean: Tensor
    vector_scale: Tensor
    states_mean: Tensor
    states_scale: Tensor
    frequencies: Tensor

    def __init__(self, shape: DenoiserShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.from_patches = nn.Linear(shape.patch_values, width)
        self.positions = nn.Parameter(_grid(shape))
        self.from_states = nn.Linear(STATE, width)
        self.text_positions = nn.Parameter(torch.randn(MOST_TOKENS, width) * 0.02)
        self.register = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.text = nn.ModuleList(TextLayer(width, shape.heads) for _ in range(shape.text_layers))
        self.from_vector = nn.Linear(VECTOR, width)
        self.time = nn.ModuleList((nn.Linear(TIME_UNITS, width), nn.Linear(width, width)))
        self.modulation = nn.Linear(width, 6 * width)
        self.blocks = nn.ModuleList(Block(width, shape.heads) for _ in range(shape.layers))
        self.last_modulation = nn.Linear(width, 2 * width)
        self.to_patches = nn.Linear(width, shape.patch_values)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        for module in (self.modulation, self.last_modulation, self.to_patches):
            nn.init.zeros_(module.weight)
        self.register_buffer("vector_mean", torch.zeros(VECTOR))
        self.register_buffer("vector_scale", torch.ones(VECTOR))
        self.register_buffer("states_mean", torch.zeros(STATE))
        self.register_buffer("states_scale", torch.ones(STATE))
        self.register_buffer("frequencies", torch.from_numpy(time_frequencies()), persistent=False)

    def set_statistics(self, vectors: FloatMatrix, states: FloatMatrix) -> None:
        """Centre and scale what comes of the prompt by these examples, (n, 384) and (n, 192).

        Sentence vectors of one encoder lie in a narrow cone: without this, little of them tells prompts apart.
        """
        for name, rows in (("vector", vectors), ("states", states)):
            getattr(self, name + "_mean").copy_(torch.from_numpy(rows.mean(0)))
            getattr(self, name + "_scale").copy_(torch.from_numpy(1 / (rows.std(0) + 1e-3)))

    def forward(self, patches: Tensor, time: Tensor, vector: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """Shapes as in `etabli.images.generator.sampling.Denoiser`."""
        context, bias = self.context(states, mask)
        waves = time * self.frequencies
        waves = torch.cat([waves.cos(), waves.sin()], 1)
        told = self.from_vector((vector - self.vector_mean) * self.vector_scale)
        about = F.silu(self.time[1](F.silu(self.time[0](waves))) + told)
        shared = self.modulation(about).unflatten(1, (6, -1))
        seen = F.pad(bias, (self.shape.patches, 0))
        tokens = self.from_patches(patches) + self.positions
        for block in self.blocks:
            tokens = block(tokens, context, seen, shared)
        scale, shift = self.last_modulation(about).unflatten(1, (2, -1)).unsqueeze(2).unbind(1)
        return self.to_patches(modulated(tokens, scale, shift))

    def context(self, states: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The prompt's tokens (B, T + 1, W), and the bias that hides padding (B, 1, 1, T + 1)."""
        mask = F.pad(mask, (1, 0), value=1.0)
        bias = ((mask - 1) * 10_000.0)[:, None, None]
        tokens = self.from_states((states - self.states_mean) * self.states_scale)
        tokens = tokens + self.text_positions[: states.shape[1]]
        tokens = torch.cat([self.register.expand(len(mask), -1, -1).to(tokens.dtype), tokens], 1)
        for layer in self.text:
            tokens = layer(tokens, bias)
        return norm(tokens), bias

    def arrays(self) -> dict[str, FloatMatrix]:
        """For the weights file: centring and scaling are folded into the layers that follow."""
        found = {name: value.detach().float().numpy() for name, value in self.state_dict().items()}
        for layer, name in (("from_vector", "vector"), ("from_states", "states")):
            mean, scale = found.pop(name + "_mean"), found.pop(name + "_scale")
            matrix = found[layer + ".weight"] * scale
            found[layer + ".bias"] = found[layer + ".bias"] - matrix @ mean
            found[layer + ".weight"] = matrix
        return {name: np.ascontiguousarray(array, np.float32) for name, array in found.items()}


def norm(tokens: Tensor) -> Tensor:
    """Mean 0 and variance 1 over units."""
    return F.layer_norm(tokens, tokens.shape[-1:], eps=EPSILON)


def modulated(tokens: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Normalised, then scaled and shifted by what time and prompt say."""
    return norm(tokens) * (1 + scale) + shift


def unit(heads: Tensor, gain: Tensor) -> Tensor:
    """Root mean square 1 along a head, times a trained gain (Henry et al. 2020, arXiv 2010.04245)."""
    return F.rms_norm(heads, heads.shape[-1:], gain.to(heads.dtype), EPSILON)


def _grid(shape: DenoiserShape) -> Tensor:
    """Sines and cosines of row and column, where patches' positions start from, (N, W)."""
    side, quarter = shape.size // shape.patch, shape.width // 4
    frequencies = 1 / 100 ** (torch.arange(quarter) / quarter)
    angles = torch.arange(side)[:, None] * frequencies
    waves = torch.cat([angles.sin(), angles.cos()], 1)  # (side, W / 2)
    rows = waves[:, None].expand(side, side, -1)
    columns = waves[None].expand(side, side, -1)
    return torch.cat([rows, columns], 2).reshape(side * side, -1) * 0.5
