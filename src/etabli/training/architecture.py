"""The shape of a decoder as its GGUF file tells it: what the forward pass, the adapter and the sizes are made from.

Only what is known to be computed alike here and in the engine is accepted: a tensor or a scaling that this module
does not know is refused by name, never ignored. Source of each rule: llama.cpp, `src/models/*.cpp` and
`src/llama-model.cpp` (what it computes for these architectures); `tests/training/torch/test_decoder.py` runs both.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.training.container import Container

LINEARS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
"""The linear layers of a block, all of which an adapter changes."""

_ROPE: dict[str, Literal["halves", "pairs"]] = {
    "qwen2": "halves",
    "qwen3": "halves",
    "gemma3": "halves",
    "llama": "pairs",
}
_WEIGHTS = {f"{name}.weight" for name in LINEARS}
_NORMS = {"attn_norm.weight", "ffn_norm.weight"}
_ALLOWED: dict[str, set[str]] = {
    "qwen2": _WEIGHTS | _NORMS | {"attn_q.bias", "attn_k.bias", "attn_v.bias"},
    "qwen3": _WEIGHTS | _NORMS | {"attn_q_norm.weight", "attn_k_norm.weight"},
    "llama": _WEIGHTS | _NORMS,
    "gemma3": _WEIGHTS | _NORMS
    | {"attn_q_norm.weight", "attn_k_norm.weight", "post_attention_norm.weight", "post_ffw_norm.weight"},
}  # fmt: skip
_TOP = {"token_embd.weight", "output_norm.weight", "output.weight", "rope_freqs.weight"}
_GEMMA_WINDOW_PERIOD, _GEMMA_LOCAL_BASE, _GEMMA_27B_LAYERS = 6, 10_000.0, 62


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of one decoder.

    Attributes:
        name: `qwen2`, `qwen3`, `llama` (Mistral, SmolLM and their like too) or `gemma3`.
        layers: transformer blocks.
        width: of the residual stream.
        heads: of the queries.
        kv_heads: of keys and values; divides `heads`.
        head_size: of queries, keys and values.
        feed_forward: width inside the MLP.
        vocabulary: rows of the embedding.
        context_tokens: of the model's own training.
        epsilon: of the RMS norms.
        rope: which dimensions turn together: d and d + n/2 (`halves`), or 2d and 2d + 1 (`pairs`).
        rope_size: dimensions of a head that turn.
        rope_base: of the frequencies.
        rope_scale: multiplies positions; 1 unless the context was stretched linearly.
        local_rope_base: of the layers with a window.
        window: keys that a layer with a window sees, its own included; 0 for no such layers.
        local: for each layer whether it has the window.
        embedding_scale: multiplies the embedding.
        attention_scale: multiplies queries times keys.
        activation: of the MLP's gate.
        tied: whether the output matrix is the embedding.
        shapes: (out, in) of each linear layer, by the name of its tensor in the file.
    """

    name: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_size: int
    feed_forward: int
    vocabulary: int
    context_tokens: int
    epsilon: float
    rope: Literal["halves", "pairs"]
    rope_size: int
    rope_base: float
    rope_scale: float
    local_rope_base: float
    window: int
    local: tuple[bool, ...]
    embedding_scale: float
    attention_scale: float
    activation: Literal["silu", "gelu"]
    tied: bool
    shapes: dict[str, tuple[int, int]]

    def linear(self, layer: int, name: str) -> str:
        """The tensor of a linear layer: `blk.3.attn_q.weight`."""
        return f"blk.{layer}.{name}.weight"

    def adapter_parameters(self, rank: int) -> int:
        """How many numbers an adapter of this rank has."""
        return sum(rank * (rows + columns) for rows, columns in self.shapes.values())


def read_architecture(container: Container) -> Architecture:
    """The shape of the model in `container`.

    Raises:
        InvalidInputError: its architecture, or something in it, is none that can be trained here.
    """
    name = container.architecture
    if name not in _ROPE:
        raise InvalidInputError(
            tr("{model} has the architecture {architecture}, which cannot be trained here. Possible are: {known}.",
               model=container.name, architecture=name or "?", known=", ".join(sorted(_ROPE)))
        )  # fmt: skip
    try:
        return _read(container, name)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        reason = f"{error.args[0]}" if error.args else type(error).__name__
        raise InvalidInputError(
            tr("{model} cannot be trained here: {reason}. Choose another base model.",
               model=container.name, reason=reason)
        ) from None  # fmt: skip


def _read(container: Container, name: str) -> Architecture:
    def number(key: str, default: Any = None) -> Any:
        value = container.of(key, default)
        if value is None:
            raise ValueError(f"{name}.{key} is missing")
        return value

    layers, width, heads = (
        int(number("block_count")),
        int(number("embedding_length")),
        int(number("attention.head_count")),
    )
    head_size = int(container.of("attention.key_length", width // heads))
    if int(container.of("attention.value_length", head_size)) != head_size:
        raise ValueError("keys and values of different sizes")
    _check_tensors(container, name, layers)
    kv_heads = int(container.of("attention.head_count_kv", heads))
    if heads % kv_heads:
        raise ValueError(f"{heads} heads for {kv_heads} of keys")
    vocabulary = container.tensors["token_embd.weight"].shape[0]
    shapes = {
        f"blk.{layer}.{linear}.weight": container.tensors[f"blk.{layer}.{linear}.weight"].shape
        for layer in range(layers)
        for linear in LINEARS
    }
    feed_forward = int(number("feed_forward_length"))
    _check_shapes(shapes, width, heads * head_size, kv_heads * head_size, feed_forward)
    gemma = name == "gemma3"
    window = int(container.of("attention.sliding_window", 0)) if gemma else 0
    return Architecture(
        name=name,
        layers=layers,
        width=width,
        heads=heads,
        kv_heads=kv_heads,
        head_size=head_size,
        feed_forward=feed_forward,
        vocabulary=vocabulary,
        context_tokens=int(number("context_length")),
        epsilon=float(number("attention.layer_norm_rms_epsilon")),
        rope=_ROPE[name],
        rope_size=int(container.of("rope.dimension_count", head_size)),
        rope_base=float(container.of("rope.freq_base", 10_000.0)),
        rope_scale=_rope_scale(container),
        local_rope_base=float(container.of("rope.freq_base_swa", _GEMMA_LOCAL_BASE)),
        window=window,
        local=_local_layers(container, layers) if window else (False,) * layers,
        embedding_scale=math.sqrt(width) if gemma else 1.0,
        attention_scale=1 / math.sqrt(width // heads if gemma and layers == _GEMMA_27B_LAYERS else head_size),
        activation="gelu" if gemma else "silu",
        tied="output.weight" not in container.tensors,
        shapes={key: (int(rows), int(columns)) for key, (rows, columns) in shapes.items()},
    )


def _check_tensors(container: Container, name: str, layers: int) -> None:
    expected = {f"blk.{layer}.{part}" for layer in range(layers) for part in _WEIGHTS | _NORMS}
    missing = sorted((expected | {"token_embd.weight", "output_norm.weight"}) - container.tensors.keys())
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    for tensor in container.tensors:
        part = tensor.split(".", 2)[2] if tensor.startswith("blk.") and tensor.count(".") >= 2 else ""
        if tensor not in _TOP and part not in _ALLOWED[name]:
            raise ValueError(f"the tensor {tensor} is not known for {name}")
    if container.of("final_logit_softcapping") or container.of("attn_logit_softcapping"):
        raise ValueError("it caps its logits")


def _check_shapes(shapes: dict[str, Any], width: int, queries: int, keys: int, feed_forward: int) -> None:
    wanted = {
        "attn_q": (queries, width), "attn_k": (keys, width), "attn_v": (keys, width), "attn_output": (width, queries),
        "ffn_gate": (feed_forward, width), "ffn_up": (feed_forward, width), "ffn_down": (width, feed_forward),
    }  # fmt: skip
    for tensor, shape in shapes.items():
        expected = wanted[tensor.split(".")[2]]
        if tuple(shape) != expected:
            raise ValueError(f"{tensor} has the shape {shape} instead of {expected}")


def _rope_scale(container: Container) -> float:
    kind = str(container.of("rope.scaling.type", "none"))
    factor = float(container.of("rope.scaling.factor", container.of("rope.scale_linear", 1.0)) or 1.0)
    if kind not in ("none", "linear"):
        raise ValueError(f"its positions are stretched by {kind}")
    return 1 / factor


def _local_layers(container: Container, layers: int) -> tuple[bool, ...]:
    """All but every sixth layer have the window, unless the file says otherwise."""
    pattern = container.of("attention.sliding_window_pattern", _GEMMA_WINDOW_PERIOD)
    if hasattr(pattern, "__len__"):
        return tuple(bool(value) for value in pattern)[:layers]
    return tuple(layer % int(pattern) < int(pattern) - 1 for layer in range(layers))
