"""Tables on a PDF page: from ruling lines where they are drawn, else from aligned columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from etabli.knowledge.readers.pdf_page import Line, Page
from etabli.knowledge.readers.pdf_rules import TOUCH, Region, Rule, positions

_MAX_GRID = 400


@dataclass(slots=True)
class Table:
    """Rows of cells, a cell being the lines in it from top to bottom, and the table's own box."""

    rows: list[list[list[Line]]]
    x0: float = field(init=False)
    y0: float = field(init=False)
    x1: float = field(init=False)
    y1: float = field(init=False)

    def __post_init__(self) -> None:
        lines = [line for row in self.rows for cell in row for line in cell]
        self.x0, self.y0 = min(line.x0 for line in lines), min(line.y0 for line in lines)
        self.x1, self.y1 = max(line.x1 for line in lines), max(line.y1 for line in lines)


def ruled_tables(page: Page) -> tuple[list[Table], list[Line]]:
    """Tables drawn with lines, and the page's lines that are in none."""
    rest = page.lines
    tables: list[Table] = []
    if not page.horizontal or not rest:
        return tables, rest
    for horizontal, vertical in _grids(page):
        xs = positions([r.x0 for r in vertical] + [x for r in horizontal for x in (r.x0, r.x1)])
        ys = positions([r.y0 for r in horizontal] + [y for r in vertical for y in (r.y0, r.y1)])
        if len(xs) < 3 or len(ys) < 2 or not vertical:
            continue
        rows: list[list[list[Line]]] = [[[] for _ in xs[1:]] for _ in ys[1:]]
        outside: list[Line] = []
        for line in rest:
            column, row = _slot(xs, (line.x0 + line.x1) / 2), _slot(ys, line.middle)
            if column is None or row is None:
                outside.append(line)
            else:
                rows[row][column].append(line)
        rows = _without_empty(rows)
        if len(rows) >= 1 and len(rows) * len(rows[0]) >= 3 and len(rows[0]) >= 2:
            for row_cells in rows:
                for cell in row_cells:
                    cell.sort(key=lambda line: (round(line.middle / 4), line.x0))
            tables.append(Table(rows))
            rest = outside
    for region in page.regions:
        table, rest = _banded(region, rest)
        if table is not None:
            tables.append(table)
    return tables, rest


def _banded(region: Region, lines: list[Line]) -> tuple[Table | None, list[Line]]:
    """The table whose rows are a region's bands and whose columns are seen from its text."""
    inside = [
        line for line in lines if region.holds((line.x0 + line.x1) / 2, line.middle) and not line.vertical
    ]
    columns = _text_columns(inside)
    if len(columns) < 2:
        return None, lines
    bands: list[list[list[Line]]] = [[[] for _ in columns] for _ in region.ys[1:]]
    for line in inside:
        band = _slot(region.ys, line.middle)
        column = _nearest(columns, line)
        if band is not None:
            bands[band][column].append(line)
    rows: list[list[list[Line]]] = []
    for cells in bands:
        rows += _split_band(cells) if len(region.ys) <= 4 else [cells]
    rows = [row for row in rows if any(row)]
    full = sum(sum(map(bool, row)) >= 2 for row in rows)
    if len(rows) < 2 or full < 0.5 * len(rows):
        return None, lines
    for row in rows:
        for cell in row:
            cell.sort(key=lambda line: (round(line.middle / 4), line.x0))
    used = {id(line) for line in inside}
    return Table(rows), [line for line in lines if id(line) not in used]


def _text_columns(lines: Sequence[Line]) -> list[tuple[float, float]]:
    """Extents of text that stand apart, the narrow lines deciding: a wide one may run over several columns."""
    columns: list[list[float]] = []
    for line in sorted(lines, key=lambda item: item.x1 - item.x0):
        over = [column for column in columns if line.x0 < column[1] and line.x1 > column[0]]
        if len(over) > 1 and all(column[2] > 1 for column in over):
            continue
        merged = [min([line.x0, *(c[0] for c in over)]), max([line.x1, *(c[1] for c in over)])]
        columns = [column for column in columns if column not in over]
        columns.append([*merged, 1 + sum(c[2] for c in over)])
    return sorted((column[0], column[1]) for column in columns)


def _nearest(columns: Sequence[tuple[float, float]], line: Line) -> int:
    """The column that a line begins in, or the one that it overlaps most."""
    overlaps = [min(line.x1, x1) - max(line.x0, x0) for x0, x1 in columns]
    return max(range(len(columns)), key=lambda index: overlaps[index])


def _split_band(cells: list[list[Line]]) -> list[list[list[Line]]]:
    """A band with more than five lines in its first column is a whole table body, one row a line."""
    lines = [line for cell in cells for line in cell]
    if len(cells[0]) <= 5:
        return [cells]
    rows: list[list[list[Line]]] = []
    for visual in visual_rows(lines):
        if not rows or any(line in cells[0] for line in visual):
            rows.append([[] for _ in cells])
        for line in visual:
            rows[-1][next(i for i, cell in enumerate(cells) if line in cell)].append(line)
    return rows


def _grids(page: Page) -> list[tuple[list[Rule], list[Rule]]]:
    """Groups of horizontal and vertical rules that touch."""
    horizontal, vertical = page.horizontal[:_MAX_GRID], page.vertical[:_MAX_GRID]
    parent = list(range(len(horizontal) + len(vertical)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, h in enumerate(horizontal):
        for j, v in enumerate(vertical):
            if h.x0 - TOUCH <= v.x0 <= h.x1 + TOUCH and v.y0 - TOUCH <= h.y0 <= v.y1 + TOUCH:
                parent[root(i)] = root(len(horizontal) + j)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for i, rule in enumerate(horizontal + vertical):
        group = groups.setdefault(root(i), ([], []))
        group[0 if i < len(horizontal) else 1].append(rule)
    return sorted(
        (group for group in groups.values() if len(group[0]) > 1 and group[1]),
        key=lambda group: min(rule.y0 for rule in group[0]),
    )


def _slot(limits: Sequence[float], value: float) -> int | None:
    for index, (low, high) in enumerate(zip(limits, limits[1:], strict=False)):
        if low <= value < high:
            return index
    return None


def _without_empty(rows: list[list[list[Line]]]) -> list[list[list[Line]]]:
    rows = [row for row in rows if any(row)]
    used = [column for column in range(len(rows[0])) if any(row[column] for row in rows)] if rows else []
    return [[row[column] for column in used] for row in rows]


def aligned_tables(lines: Sequence[Line]) -> tuple[list[Table], list[Line]]:
    """Tables without ruling lines: two rows or more whose parts stand under each other."""
    rows = visual_rows([line for line in lines if not line.vertical])
    tables: list[Table] = []
    rest = [line for line in lines if line.vertical]
    index = 0
    while index < len(rows):
        if len(rows[index]) >= 2:
            table, used = _grow(rows, index)
            if table is not None:
                tables.append(table)
                index += used
                continue
        rest += rows[index]
        index += 1
    return tables, rest


def visual_rows(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines side by side at one height, from top to bottom, each row from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda item: item.middle):
        if rows and line.middle - rows[-1][0].middle < 0.45 * max(4.0, min(line.size, rows[-1][0].size)):
            rows[-1].append(line)
        else:
            rows.append([line])
    for row in rows:
        row.sort(key=lambda item: item.x0)
    return rows


def _grow(rows: Sequence[Sequence[Line]], first: int) -> tuple[Table | None, int]:
    """The table that begins at a row, and how many rows it takes."""
    columns = [[line.x0, line.x1] for line in rows[first]]
    cells: list[list[list[Line]]] = [[[line] for line in rows[first]]]
    full_rows = 1
    index = first + 1
    while index < len(rows):
        row, above = rows[index], rows[index - 1]
        size = max(4.0, above[0].size)
        step = row[0].middle - above[0].middle
        slots = _assign(row, columns)
        if step > 3 * size or slots is None:
            break
        if len(row) == 1 and (slots[0] == 0 or step > 1.6 * size):
            break
        if slots[0] > 0 and step <= 1.6 * size:
            for slot, line in zip(slots, row, strict=True):
                cells[-1][slot].append(line)
        else:
            cells.append([[] for _ in columns])
            for slot, line in zip(slots, row, strict=True):
                cells[-1][slot].append(line)
            full_rows += 1
        for slot, line in zip(slots, row, strict=True):
            columns[slot] = [min(columns[slot][0], line.x0), max(columns[slot][1], line.x1)]
        index += 1
    lengths = [len(line.text) for row in cells for cell in row for line in cell]
    if full_rows < 2 or sum(lengths) > 60 * len(lengths):
        return None, 0
    return Table(cells), index - first


def _assign(row: Sequence[Line], columns: Sequence[Sequence[float]]) -> list[int] | None:
    """The column of each part of a row, or None when it does not fit."""
    slots: list[int] = []
    for line in row:
        over = [i for i, (x0, x1) in enumerate(columns) if line.x0 < x1 + 2 and line.x1 > x0 - 2]
        if len(over) != 1 or over[0] in slots:
            return None
        slots.append(over[0])
    return slots
