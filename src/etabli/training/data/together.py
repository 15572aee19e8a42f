"""What can only be seen of many examples together: their languages, lengths, labels and preferences."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from etabli.training.data.findings import Fault

_FEWEST = 20
"""Examples from which a share says something."""
_RARE = 0.1
_HEAVY = 0.25
_PREFERRED = 0.8
_RATIO = 1.3
_LABELS = 0.1
Lengths = npt.NDArray[Any]


def language_faults(counts: Mapping[str, int]) -> Iterator[Fault]:
    """A second language that is there, but rarely: less than one answer in ten."""
    french, english = counts["fr"], counts["en"]
    total = french + english
    if total >= _FEWEST and 0 < min(french, english) < _RARE * total:
        yield Fault("language_mix", {"french": french, "english": english})


def length_faults(lengths: Lengths) -> Iterator[Fault]:
    """A hundredth of the answers that holds more than a quarter of their text.

    Args:
        lengths: of the answers in characters, shape (n,).
    """
    if len(lengths) < 5 * _FEWEST:
        return
    ordered = np.sort(lengths)
    longest = ordered[-max(1, len(ordered) // 100) :]
    total = int(ordered.sum())
    share = int(longest.sum()) / total if total else 0.0
    if share > _HEAVY:
        params = {"share": round(100 * share), "median": int(np.median(ordered)), "longest": int(longest[0])}
        yield Fault("answer_length_skew", params)


def preference_faults(pairs: Lengths) -> Iterator[Fault]:
    """Preferences that length alone would tell: four of five, at lengths that differ by a third.

    Args:
        pairs: lengths of the preferred and the other answer in characters, shape (n, 2).
    """
    if len(pairs) < _FEWEST:
        return
    chosen, rejected = pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64)
    ratio = (np.median(chosen) + 1) / (np.median(rejected) + 1)
    for longer, share, far in (
        (1, float((chosen > rejected).mean()), ratio >= _RATIO),
        (0, float((chosen < rejected).mean()), ratio <= 1 / _RATIO),
    ):
        if share >= _PREFERRED and far:
            yield Fault(
                "longer_preferred", {"share": round(100 * share), "count": len(pairs), "longer": longer}
            )


def label_faults(good: int, total: int) -> Iterator[Fault]:
    """Judged answers of which less than a tenth are of one kind."""
    if total and min(good, total - good) < _LABELS * total:
        yield Fault("labels_one_sided", {"good": good, "bad": total - good})
