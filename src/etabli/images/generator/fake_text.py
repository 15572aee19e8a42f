"""A text encoder without a model, for tests: a word is a random vector, always the same for the same word."""

import hashlib

import numpy as np

from etabli.engines.base import FloatMatrix
from etabli.images.generator.text import MOST_TOKENS, STATE, VECTOR, Condition


class FakeText:
    """Words hashed to vectors; the sentence is their mean."""

    name = "fake-text"

    def encode(self, text: str) -> Condition:
        """See `TextEncoder`."""
        words = text.lower().split()[:MOST_TOKENS] or [""]
        vectors = np.stack([_random(word, VECTOR) for word in words])
        vector: FloatMatrix = vectors.mean(axis=0, dtype=np.float32)
        return Condition(vector, np.stack([_random(word, STATE) for word in words]))


def _random(word: str, size: int) -> FloatMatrix:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    values: FloatMatrix = np.random.default_rng([seed, size]).standard_normal(size, np.float32)
    return values
