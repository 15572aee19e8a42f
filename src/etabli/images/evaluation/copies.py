"""How near a picture is to the nearest one that the generator was shown.

Distances are root mean squares over 16 by 16 pixels and three channels, of 255. How far two artists' drawings of one
thing are from each other is the measure to read them by: a picture that is nearer to a training picture than nine
tenths of such pairs are to each other is called a copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from etabli.engines.base import FloatMatrix
from etabli.images.pictograms.concepts import Library
from etabli.images.pictograms.picture import Pixels, render, scene_svg
from etabli.images.pictograms.scene import Item, Scene

_SIDE = 16
_RENDERED = 64
_ROWS_AT_ONCE = 4096
COPY_QUANTILE = 0.1


@dataclass(frozen=True, slots=True)
class Nearest:
    """The training picture that is nearest to a picture: its number and how far it is."""

    number: int
    distance: float


def signature(pictures: Pixels) -> FloatMatrix:
    """Pictures (B, S, S, 3) as rows of 768 numbers, by the mean of squares."""
    factor = pictures.shape[1] // _SIDE
    blocks = pictures.reshape(len(pictures), _SIDE, factor, _SIDE, factor, 3).astype(np.float32)
    rows: FloatMatrix = blocks.mean((2, 4)).reshape(len(pictures), -1)
    return rows


def nearest(pictures: FloatMatrix, shown: FloatMatrix) -> list[Nearest]:
    """For each row of `pictures` the nearest row of `shown` (signatures)."""
    best = np.full(len(pictures), np.inf)
    place = np.zeros(len(pictures), np.int64)
    for start in range(0, len(shown), _ROWS_AT_ONCE):
        rows = shown[start : start + _ROWS_AT_ONCE]
        # Without the pictures' own squares, which change no order.
        order = np.square(rows).sum(1)[None] - 2 * pictures @ rows.T
        number = order.argmin(1)
        value = order[np.arange(len(pictures)), number]
        better = value < best
        best[better], place[better] = value[better], number[better] + start
    distances = np.sqrt(np.square(pictures - shown[place]).mean(1))
    return [Nearest(int(number), float(distance)) for number, distance in zip(place, distances, strict=True)]


def drawings(library: Library, concepts: Sequence[str]) -> dict[tuple[str, str], Pixels]:
    """Every set's drawing of every concept as the generator was shown it: alone, on white; by concept and set."""
    return {
        (concept, name): render(scene_svg(Scene((Item(concept),)), own), _RENDERED)
        for concept in concepts
        for name, own in library.drawings.items()
        if concept in own
    }


def copy_threshold(shown: dict[tuple[str, str], Pixels]) -> float:
    """The distance below which only a tenth of the pairs of two sets' drawings of one thing lie; 0 without pairs."""
    rows = dict(zip(shown, signature(np.stack(list(shown.values()))), strict=True))
    by_concept: dict[str, list[FloatMatrix]] = {}
    for (concept, _), row in rows.items():
        by_concept.setdefault(concept, []).append(row)
    distances = [
        float(np.sqrt(np.square(own[0] - other).mean())) for own in by_concept.values() for other in own[1:]
    ]
    return float(np.quantile(distances, COPY_QUANTILE)) if distances else 0.0
