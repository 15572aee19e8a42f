"""One ranking from several scores of the same passages.

First a convex combination of lexical and dense evidence over the union of both top lists:

    lex   = (1 − λ)·bm25/max + λ·bm25 of the document/max
    dense = (1 − δ)·cos + δ·cos of the document's lead, moved linearly to [0, 1] over the union
    fused = (1 − α)·lex + α·dense

Every member of the union brings all its true scores, not only the one that found it. What the document is about
supports its passages: among passages of one document it changes nothing, between documents it tells apart two
passages that read alike. Then the best are ranked again by late interaction, and both scores combined:

    score = (1 − ω)·fused + ω·maxsim, each moved to [0, 1] over the passages ranked again

A passage that was just added has no vector yet. It is taken to be as near by meaning as it is by words: its dense
evidence is what the embedded members have at its own rank of lexical evidence. Late interaction leaves it its place.

Source of the combination: Bruch, Gai and Ingber, An Analysis of Fusion Functions for Hybrid Retrieval, 2023.
`benchmarks/retrieval.py` measures each step; all four weights have flat optima.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ALPHA = 0.6
"""Weight of the dense evidence."""
LEXICAL_SUPPORT = 0.5
"""λ, weight of the document as a whole in the lexical evidence."""
DENSE_SUPPORT = 0.7
"""δ, weight of the document's lead in the dense evidence."""
OMEGA = 0.5
"""Weight of late interaction among the passages ranked again."""

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one passage.

    Args:
        lexical: its BM25, 0 where no term is shared.
        document_lexical: BM25 of its document.
        dense: its cosine; None while its vector is not there.
        lead_dense: cosine of its document's first chunk; None while that vector is not there.
    """

    lexical: float
    document_lexical: float
    dense: float | None
    lead_dense: float | None


def fuse(
    members: Sequence[Evidence],
    *,
    alpha: float = ALPHA,
    lexical_support: float = LEXICAL_SUPPORT,
    dense_support: float = DENSE_SUPPORT,
) -> Scores:
    """Fused scores of the members of a union, in [0, 1]. Where none has a vector, words alone decide.

    >>> known = [Evidence(4.0, 4.0, 0.8, 0.8), Evidence(2.0, 2.0, 0.9, 0.9), Evidence(0.0, 0.0, None, None)]
    >>> fuse(known, alpha=0.5).round(2).tolist()
    [0.5, 0.75, 0.0]
    """
    own = _share([member.lexical for member in members])
    whole = _share([member.document_lexical for member in members])
    lexical = (1 - lexical_support) * own + lexical_support * whole
    cosines = np.array([_cosine(member, dense_support) for member in members], dtype=float)
    known = ~np.isnan(cosines)
    if not known.any():
        return lexical
    dense = np.zeros(len(members))
    dense[known] = stretch(cosines[known])
    dense[~known] = _at_rank(lexical[~known], lexical[known], dense[known])
    return (1 - alpha) * lexical + alpha * dense


def combine(fused: Scores, late: Scores, *, omega: float = OMEGA) -> Scores:
    """Scores of passages ranked again by late interaction, in [0, 1]; NaN in `late` where it is not known."""
    known = ~np.isnan(late)
    by_late = stretch(fused)
    by_late[known] = stretch(late[known])
    combined: Scores = (1 - omega) * stretch(fused) + omega * by_late
    return combined


def stretch(values: Scores) -> Scores:
    """Values moved linearly to [0, 1]; all 0 when they are equal."""
    if values.size == 0 or values.max() <= values.min():
        return np.zeros_like(values)
    stretched: Scores = (values - values.min()) / (values.max() - values.min())
    return stretched


def _share(values: Sequence[float]) -> Scores:
    """Values as shares of the largest."""
    array = np.array(values, dtype=float)
    top = array.max(initial=0.0)
    return array / top if top > 0 else np.zeros_like(array)


def _cosine(member: Evidence, support: float) -> float:
    """Of the passage and its document's lead together; one stands for both where the other is not there, else NaN."""
    own = member.lead_dense if member.dense is None else member.dense
    lead = member.dense if member.lead_dense is None else member.lead_dense
    return math.nan if own is None or lead is None else (1 - support) * own + support * lead


def _at_rank(wanted: Scores, evidence: Scores, values: Scores) -> Scores:
    """What the sorted `values` have at the ranks that `wanted` has in `evidence`; of equals the middle one."""
    ordered = np.sort(evidence)
    ranks = (np.searchsorted(ordered, wanted, "left") + np.searchsorted(ordered, wanted, "right")) / 2
    found: Scores = np.quantile(values, ranks / len(ordered))
    return found
