"""An embedder for tests: shipped so that users can test their own code without a model."""

import hashlib
from collections.abc import Sequence

import numpy as np

from etabli.engines.base import FloatMatrix


class FakeEmbedder:
    """Vectors of hashed words: texts that share words are near, and equal texts are equal.

    Args:
        dimensions: length of a vector.
        name: identity; two names make two incompatible models.
    """

    def __init__(self, *, dimensions: int = 64, name: str = "fake-embedder") -> None:
        self.dimensions = dimensions
        self.name = name

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        """See `Embedder`."""
        return self.embed_passages(texts)

    def embed_passages(self, texts: Sequence[str]) -> FloatMatrix:
        """See `Embedder`."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                digest = hashlib.sha256(word.encode()).digest()
                vectors[row, int.from_bytes(digest[:4], "little") % self.dimensions] += 1.0
        vectors[~vectors.any(axis=1), 0] = 1.0
        unit: FloatMatrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def close(self) -> None:
        """Nothing to give back."""
