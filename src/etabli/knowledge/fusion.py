"""One ranking from two: a convex combination of lexical and dense scores over the union of both top lists.

    lex = bm25 / max over the union          dense = (cos − min) / (max − min) over the union
    final = (1 − α)·lex + α·dense

Every member of the union brings both its true scores, not only the one that found it. Source: Bruch, Gai and
Ingber, An Analysis of Fusion Functions for Hybrid Retrieval, 2023; α by `benchmarks/retrieval.py`.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ALPHA = 0.65
"""Weight of the dense scores. Between 0.5 and 0.7 the results hardly differ."""

Scores = npt.NDArray[np.float64]


def convex(
    lexical: Sequence[float] | Scores, dense: Sequence[float | None], *, alpha: float = ALPHA
) -> Scores:
    """Fused scores of the members of a union, in [0, 1].

    Args:
        lexical: BM25 of each member, 0 where no term is shared.
        dense: cosine of each member, None where its vector is not there yet: such a member keeps its lexical
            score whole, so that a document just added is not buried.
        alpha: weight of the dense scores, 0 to 1.

    >>> convex([4.0, 2.0, 0.0], [0.8, 0.9, None], alpha=0.5).round(2).tolist()
    [0.5, 0.75, 0.0]
    """
    lex = np.asarray(lexical, dtype=float)
    top = lex.max(initial=0.0)
    lex = lex / top if top > 0 else np.zeros_like(lex)
    missing = np.array([value is None for value in dense], dtype=bool)
    cosines = np.array([0.0 if value is None else value for value in dense], dtype=float)
    return np.where(missing, lex, (1 - alpha) * lex + alpha * stretch(cosines, ignore=missing))


def stretch(values: Scores, *, ignore: npt.NDArray[np.bool_] | None = None) -> Scores:
    """Values moved linearly to [0, 1]; all 0 when they are equal."""
    seen = values if ignore is None else values[~ignore]
    if seen.size == 0 or seen.max() <= seen.min():
        return np.zeros_like(values)
    stretched: Scores = (values - seen.min()) / (seen.max() - seen.min())
    return stretched
