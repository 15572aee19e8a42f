"""Late interaction (MaxSim): a question's tokens against a passage's tokens, from the states of one encoder.

    score = Σ_i w_i · max_j max(0, q_i · p_j)²  /  Σ_i w_i

q_i, p_j are token states of unit length, w_i the rarity of the question's token. Source: Khattab and Zaharia,
ColBERT, 2020, whose sum of maxima it is; squares and weights suit states that were never trained for it
(`benchmarks/retrieval.py` measures what it gains). Stored states take 4 bits a component: about 13 kB for a
passage of 220 tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from etabli.engines.base import Embedder, FloatMatrix

_STEPS = 7
"""4-bit values run from -7 to 7."""
_ONE_THREAD = 200_000
"""Multiplications of one product that OpenBLAS (0.3) does in the calling thread; it takes more from 262,144."""


@dataclass(frozen=True, slots=True)
class QueryStates:
    """A question for late interaction.

    Args:
        states: shape (tokens, components), rows of L2 norm 1.
        weights: shape (tokens,), positive.
    """

    states: FloatMatrix
    weights: FloatMatrix


class LateEmbedder(Embedder, Protocol):
    """An embedder that also gives token states."""

    @property
    def has_token_states(self) -> bool:
        """Whether it can on this machine."""
        ...

    def embed_query_with_states(self, text: str) -> tuple[FloatMatrix, QueryStates]:
        """A question's vector, shape (dimensions,), and its token states."""
        ...

    def embed_passages_with_states(self, texts: Sequence[str]) -> tuple[FloatMatrix, list[bytes]]:
        """Passages' vectors, shape (len(texts), dimensions), and their packed token states."""
        ...


def late_embedder(embedder: Embedder) -> LateEmbedder | None:
    """The embedder as one that gives token states, or None where it gives none."""
    return cast(LateEmbedder, embedder) if getattr(embedder, "has_token_states", False) else None


def pack(states: FloatMatrix) -> bytes:
    """Token states as bytes, 4 bits a component. A row's length is not kept: only its direction counts.

    Args:
        states: shape (tokens, components), an even number of components.
    """
    scales = np.abs(states).max(axis=1, keepdims=True) / _STEPS
    steps = np.rint(states / np.maximum(scales, 1e-9)).clip(-_STEPS, _STEPS)
    nibbles = (steps + _STEPS + 1).astype(np.uint8)
    packed: npt.NDArray[np.uint8] = nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)
    return packed.tobytes()


def unpack(data: bytes, *, components: int) -> FloatMatrix:
    """The states that `pack` packed, of unit length again, shape (tokens, components)."""
    rows = np.frombuffer(data, np.uint8).reshape(-1, components // 2)
    steps: npt.NDArray[np.float32] = np.empty((len(rows), components), np.float32)
    steps[:, 0::2] = rows & 15
    steps[:, 1::2] = rows >> 4
    steps -= _STEPS + 1
    norms = np.linalg.norm(steps, axis=1, keepdims=True)
    unit: FloatMatrix = steps / np.maximum(norms, 1e-9)
    return unit


def max_sim(query: QueryStates, passages: Sequence[bytes]) -> list[float]:
    """Scores of passages against a question, each in [0, 1]; 0 for a passage without tokens."""
    scores = np.zeros(len(passages))
    present = [place for place, data in enumerate(passages) if data]
    if not present or not query.weights.size:
        return scores.tolist()
    components = query.states.shape[1]
    states = unpack(b"".join(passages[place] for place in present), components=components)
    lengths = [len(passages[place]) // (components // 2) for place in present]
    starts = np.cumsum([0, *lengths[:-1]])
    best = np.maximum(np.maximum.reduceat(_products(query.states, states), starts, axis=1), 0.0)
    scores[present] = (query.weights / query.weights.sum()) @ best**2
    return scores.tolist()


def _products(left: FloatMatrix, right: FloatMatrix) -> FloatMatrix:
    """All inner products of rows, shape (len(left), len(right)), in blocks too small for OpenBLAS to take threads.

    Its threads wait for each other by spinning: a few milliseconds become hundreds while an engine generates.
    """
    block = max(1, _ONE_THREAD // left.size)
    parts = [left @ right[start : start + block].T for start in range(0, len(right), block)]
    return np.concatenate(parts, axis=1)
