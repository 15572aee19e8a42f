"""Which concepts look alike, so that a drawing that training knows is not held out under another name.

Clock faces, one person under two names, a sign in two colours: two concepts are alike when any set draws them with a
mean difference below a threshold, at 24 by 24 pixels.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from etabli.images.pictograms.drawing import Drawing
from etabli.images.pictograms.picture import drawing_svg, render

_SIZE = 24
# Of 255, mean over pixels and channels; unrelated drawings differ by some 60.
ALIKE = 9.0
_ROWS_AT_ONCE = 128


def alike(drawings: Mapping[str, Mapping[str, Drawing]], threshold: float = ALIKE) -> list[frozenset[str]]:
    """Groups of two and more concepts that look alike in some set.

    Args:
        drawings: by set and concept.
        threshold: mean difference below which two drawings are alike.
    """
    parents: dict[str, str] = {}

    def root(concept: str) -> str:
        while parents.setdefault(concept, concept) != concept:
            concept = parents[concept]
        return concept

    for own in drawings.values():
        names = list(own)
        for first, second in _close_pairs([own[name] for name in names], threshold):
            parents[root(names[first])] = root(names[second])
    groups: dict[str, set[str]] = {}
    for concept in parents:
        groups.setdefault(root(concept), set()).add(concept)
    return [frozenset(group) for group in groups.values() if len(group) > 1]


def _close_pairs(drawings: Sequence[Drawing], threshold: float) -> list[tuple[int, int]]:
    if not drawings:
        return []
    pixels = np.stack([render(drawing_svg(drawing), _SIZE) for drawing in drawings])
    flat = pixels.reshape(len(drawings), -1).astype(np.int16)
    found = []
    for start in range(len(flat)):
        rest = flat[start + 1 :]
        for chunk in range(0, len(rest), _ROWS_AT_ONCE):
            difference = np.abs(rest[chunk : chunk + _ROWS_AT_ONCE] - flat[start]).mean(1)
            found += [
                (start, start + 1 + chunk + int(place)) for place in np.flatnonzero(difference < threshold)
            ]
    return found
