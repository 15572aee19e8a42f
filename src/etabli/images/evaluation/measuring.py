"""Figures of one way to make pictures: how often what was asked is recognised, how often the rules are kept.

A way is a function from prompt and seed to a picture. The judge is given as a function, so that this reads without
PyTorch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etabli.images.evaluation.prompts import Asked
from etabli.images.evaluation.rules import checks, reduced
from etabli.images.pictograms.concepts import Language
from etabli.images.pictograms.picture import Pixels

Way = Callable[[Asked, Language], Pixels]
Ranks = Callable[[Pixels, Sequence[int]], npt.NDArray[np.int64]]
TOP = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """A share of right pictures.

    Attributes:
        group: see `Asked`.
        language: of the prompts.
        right, asked: how many.
    """

    group: str
    language: Language
    right: int
    asked: int

    @property
    def share(self) -> float:
        """Right among asked; 0 where nothing was asked."""
        return self.right / self.asked if self.asked else 0.0


def recognised(
    asked: Sequence[Asked],
    way: Way,
    language: Language,
    ranks: Ranks,
    judged: Sequence[str],
    *,
    top: int = TOP,
) -> list[Figure]:
    """How often the concept is among the judge's first `top`, by group."""
    numbers = {concept: number for number, concept in enumerate(judged)}
    pictures = np.stack([reduced(way(one, language)) for one in asked])
    found = ranks(pictures, [numbers[one.concept] for one in asked]) < top
    groups = list(dict.fromkeys(one.group for one in asked))
    return [
        Figure(
            group,
            language,
            int(sum(hit for hit, one in zip(found, asked, strict=True) if one.group == group)),
            sum(one.group == group for one in asked),
        )
        for group in groups
    ]


def kept(asked: Sequence[Asked], way: Way, language: Language) -> list[Figure]:
    """How often the group's rule is kept, by group."""
    right: dict[str, list[bool]] = {}
    for one in asked:
        passes = checks(one.scene)[one.group](reduced(way(one, language)))
        right.setdefault(one.group, []).append(passes)
    return [Figure(group, language, sum(values), len(values)) for group, values in right.items()]
