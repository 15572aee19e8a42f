"""Reading order of a page: tables first found, then columns, then runs of lines cut apart by white space."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from etabli.knowledge.readers.pdf_page import Line, Page
from etabli.knowledge.readers.pdf_tables import Table, aligned_tables, ruled_tables

Unit = Line | Table

_MIN_COLUMN_LINES = 5
_MIN_COLUMN_CHARS = 18


def reading_order(page: Page) -> list[Unit]:
    """Lines and tables of a page in the order in which a person reads them."""
    tables, lines = ruled_tables(page)
    return _columns([*tables, *lines], 0.0, page.width, depth=0)


def _columns(units: Sequence[Unit], left: float, right: float, *, depth: int) -> list[Unit]:
    gutter = _gutter(units, left, right) if depth < 3 else None
    if gutter is None:
        tables, rest = aligned_tables([unit for unit in units if isinstance(unit, Line)])
        return _by_white_space([*(unit for unit in units if isinstance(unit, Table)), *tables, *rest])
    spanning = sorted((unit for unit in units if unit.x0 < gutter - 2 and unit.x1 > gutter + 2), key=_top)
    bands: list[tuple[list[Unit], list[Unit]]] = [([], []) for _ in range(len(spanning) + 1)]
    ids = {id(unit) for unit in spanning}
    for unit in units:
        if id(unit) not in ids:
            band = sum(other.y0 < unit.y0 for other in spanning)
            bands[band][unit.x0 >= gutter - 2].append(unit)
    ordered: list[Unit] = []
    for index, (before, after) in enumerate(bands):
        for side, low, high in ((before, left, gutter), (after, gutter, right)):
            ordered += _columns(side, low, high, depth=depth + 1)
        ordered += spanning[index : index + 1]
    return ordered


def _gutter(units: Sequence[Unit], left: float, right: float) -> float | None:
    """Where the second of two columns of prose begins, or None."""
    width = right - left
    lines = [unit for unit in units if isinstance(unit, Line) and not unit.vertical]
    if len(lines) < 2 * _MIN_COLUMN_LINES:
        return None
    starts = Counter(
        round(line.x0 / 3) for line in lines if left + 0.25 * width < line.x0 < left + 0.75 * width
    )
    for bucket, count in starts.most_common(2):
        if count < _MIN_COLUMN_LINES - 1:
            return None
        gutter = 3.0 * bucket - 2
        before = [line for line in lines if line.x1 <= gutter]
        after = [line for line in lines if line.x0 >= gutter - 2]
        crossing = len(lines) - len(before) - len(after)
        if crossing <= 0.4 * len(lines) and _is_prose(before) and _is_prose(after):
            overlap = min(_bottom(before), _bottom(after)) - max(
                min(map(_top, before)), min(map(_top, after))
            )
            if overlap > 0:
                return gutter
    return None


def _is_prose(lines: Sequence[Line]) -> bool:
    """Whether lines fill a column: long, and most of them nearly as wide as it."""
    if len(lines) < _MIN_COLUMN_LINES:
        return False
    widths = [line.x1 - line.x0 for line in lines]
    full = sorted(widths)[-max(1, len(widths) // 5)]
    return median(len(line.text) for line in lines) >= _MIN_COLUMN_CHARS and median(widths) > 0.6 * full


def _by_white_space(units: Sequence[Unit]) -> list[Unit]:
    """Gather lines that stand under each other into runs, then cut between runs, across first."""
    runs: list[list[Unit]] = []
    for unit in sorted(units, key=_top):
        best: list[Unit] | None = None
        for run in reversed(runs[-12:]):
            last = run[-1]
            if isinstance(last, Table) or isinstance(unit, Table):
                continue
            if (
                unit.x0 < last.x1
                and unit.x1 > last.x0
                and -1 < unit.y0 - last.y1 + 0.5 * unit.size < 1.6 * unit.size
            ):
                best = run
                break
        if best is None:
            runs.append([unit])
        else:
            best.append(unit)
    return [unit for run in _cut([_Run(run) for run in runs]) for unit in run.units]


class _Run:
    """Lines under each other, with their common box."""

    def __init__(self, units: list[Unit]) -> None:
        self.units = units
        self.x0, self.x1 = min(u.x0 for u in units), max(u.x1 for u in units)
        self.y0, self.y1 = min(u.y0 for u in units), max(u.y1 for u in units)


def _cut(runs: list[_Run], *, depth: int = 0) -> list[_Run]:
    if len(runs) < 2 or depth > 20:
        return sorted(runs, key=lambda run: (run.y0, run.x0))
    for across in (True, False):
        groups = _groups(runs, across=across)
        if len(groups) > 1:
            return [run for group in groups for run in _cut(group, depth=depth + 1)]
    return sorted(runs, key=lambda run: (run.y0, run.x0))


def _groups(runs: list[_Run], *, across: bool) -> list[list[_Run]]:
    """Runs whose extents overlap on one axis, group after group."""
    groups: list[list[_Run]] = []
    end = 0.0
    for run in sorted(runs, key=lambda item: item.y0 if across else item.x0):
        low, high = (run.y0, run.y1) if across else (run.x0, run.x1)
        if groups and low < end - 1:
            groups[-1].append(run)
            end = max(end, high)
        else:
            groups.append([run])
            end = high
    return groups


def _top(unit: Unit) -> float:
    return unit.y0


def _bottom(units: Sequence[Unit]) -> float:
    return max(unit.y1 for unit in units)
