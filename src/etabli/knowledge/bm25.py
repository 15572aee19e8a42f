"""BM25 in two halves whose inner product is the score, so that PostgreSQL can compute it.

    document half at term t:  tf·(k1+1) / (tf + k1·(1 − b + b·len/avglen))
    query half at term t:     ln(1 + (N − df + 0.5)/(df + 0.5))

`len` counts all terms of a chunk, `avglen` is their mean, N the number of chunks, df the chunks that have t. Of whole
documents it is the same with other constants: their lengths differ far more, and a term that comes back in a long
text still tells something. Measured by `benchmarks/retrieval.py`; see docs/decisions/retrieval.md.
Source: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009; the idf that
cannot be negative is Lucene's.
"""

import math
from collections.abc import Mapping, Sequence

K1 = 1.2
B = 0.75
DOCUMENT_K1 = 2.0
DOCUMENT_B = 0.8
SPARSE_DIMENSIONS = 1_000_000_000
"""Declared dimension of every sparse vector: both sides of an inner product must declare the same."""


def document_half(counts: Sequence[int], *, mean_length: float, k1: float = K1, b: float = B) -> list[float]:
    """Weights of the terms of a chunk, or of a whole document with its own constants; parallel to their counts.

    >>> [round(weight, 3) for weight in document_half([1, 3], mean_length=4.0)]
    [1.0, 1.571]
    """
    length = sum(counts)
    norm = k1 * (1 - b + b * length / max(mean_length, 1.0))
    return [tf * (k1 + 1) / (tf + norm) for tf in counts]


def idf(df: int, chunks: int) -> float:
    """Weight of a term in a question; df may lag behind `chunks` but never makes it negative."""
    return math.log(1 + (max(chunks - df, 0) + 0.5) / (df + 0.5))


def sparse_literal(weights: Mapping[int, float]) -> str:
    """A pgvector `sparsevec` of term ids (from 1) and weights, ids ascending.

    >>> sparse_literal({7: 0.5, 2: 1.0})
    '{2:1,7:0.5}/1000000000'
    """
    entries = ",".join(f"{term}:{weights[term]:.7g}" for term in sorted(weights))
    return f"{{{entries}}}/{SPARSE_DIMENSIONS}"
