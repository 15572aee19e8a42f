"""Drawn lines on a page and the regions that they cut into horizontal bands, as the rows of a table are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

TOUCH = 3.0
"""Rules nearer than this, in points, are taken as touching."""

_MAX_OPEN_BAND = 60.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A drawn line, horizontal (`y0 == y1`) or vertical (`x0 == x1`)."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Region:
    """Two bands or more, one under the other: `ys` are their limits from top to bottom."""

    x0: float
    x1: float
    ys: tuple[float, ...]

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.x0 - TOUCH <= x <= self.x1 + TOUCH and self.ys[0] <= y <= self.ys[-1]


def find_regions(horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> list[Region]:
    """Stretches of horizontal rules of one extent.

    Where vertical rules stand at the sides, a band must have one beside it; else it must be low, since a
    page also has rules that only decorate.
    """
    extents: dict[tuple[int, int], list[Rule]] = defaultdict(list)
    for rule in horizontal:
        extents[round(rule.x0 / 4), round(rule.x1 / 4)].append(rule)
    regions: list[Region] = []
    for rules in extents.values():
        if len(rules) < 3:
            continue
        x0, x1 = rules[0].x0, rules[0].x1
        ys = positions([rule.y0 for rule in rules])
        sides = [rule for rule in vertical if x0 - TOUCH <= rule.x0 <= x1 + TOUCH]
        stretch = ys[:1]
        for above, below in zip(ys, ys[1:], strict=False):
            if not _is_band(above, below, sides):
                _add(regions, x0, x1, stretch)
                stretch = []
            stretch.append(below)
        _add(regions, x0, x1, stretch)
    return sorted(regions, key=lambda region: region.ys[0])


def _is_band(above: float, below: float, sides: Sequence[Rule]) -> bool:
    beside = [rule for rule in sides if rule.y0 < below and rule.y1 > above]
    if beside:
        return any(rule.y0 <= above + TOUCH and rule.y1 >= below - TOUCH for rule in beside)
    return below - above <= _MAX_OPEN_BAND and not sides


def _add(regions: list[Region], x0: float, x1: float, ys: Sequence[float]) -> None:
    if len(ys) >= 3:
        regions.append(Region(x0, x1, tuple(ys)))


def positions(values: Sequence[float]) -> list[float]:
    """Distinct values in order, those nearer than the tolerance taken as one.

    >>> positions([10.0, 50.0, 11.5])
    [10.0, 50.0]
    """
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > TOUCH:
            found.append(value)
    return found
