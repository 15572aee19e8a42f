"""Several sequences as one row of tokens without padding, in which a beginning that they share stands once.

The sequences of a step usually begin alike: the assistant's instructions, and for pairs the whole prompt. They are
laid out as a tree: each node is a stretch of tokens, computed once; it sees itself and its ancestors only, and its
positions go on where its parent ends. Keys and values of a beginning depend on that beginning alone, so loss and
gradient are those of the sequences one by one (a test compares them). No torch here.

    A B C d e        A B C            0 1 2 | 3 4 | 3 4 5      positions
    A B C f g h  ->      d e, f g h   A B C | d e | f g h      d sees A B C d; f sees A B C f
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etabli.training.template import Encoded

SHORTEST_PREFIX = 16
"""A shared beginning of fewer tokens saves less than the cut costs."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the row that is computed once.

    Attributes:
        start: its first place in the row.
        end: the place after its last.
        parents: numbers of the segments before it, outermost first.
        position: of its first token in each sequence that it belongs to.
    """

    start: int
    end: int
    parents: tuple[int, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Pack:
    """A row of tokens to be computed together.

    Attributes:
        tokens: (N,) ids.
        positions: (N,) place of each in its sequence.
        segments: of the row, parents before children; together they cover it.
        sources: (L,) place in the row whose output foretells a label.
        targets: (L,) the labels.
        owners: (L,) which sequence each label belongs to.
        sequences: how many there are.
    """

    tokens: NDArray[np.int64]
    positions: NDArray[np.int64]
    segments: tuple[Segment, ...]
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    owners: NDArray[np.int64]
    sequences: int


def pack(sequences: Sequence[Encoded], *, shortest_prefix: int = SHORTEST_PREFIX) -> Pack:
    """Lay sequences out as a tree. What follows the last label of a sequence is left out, with that label itself.

    Args:
        sequences: each with at least one label after its first token.
        shortest_prefix: least tokens that are worth a node of their own.
    """
    inputs = [_input(one) for one in sequences]
    builder = _Builder(inputs, shortest_prefix)
    order = sorted(range(len(inputs)), key=lambda number: inputs[number].tolist())
    builder.place(order, 0, ())
    sources, targets, owners = [], [], []
    for number, one in enumerate(sequences):
        labels = np.flatnonzero(one.trained[1:]) + 1
        where = builder.places[number]
        sources.append(where[labels - 1])
        targets.append(one.tokens[labels].astype(np.int64))
        owners.append(np.full(len(labels), number, dtype=np.int64))
    return Pack(
        tokens=np.concatenate(builder.tokens).astype(np.int64),
        positions=np.concatenate(builder.positions),
        segments=tuple(builder.segments),
        sources=np.concatenate(sources),
        targets=np.concatenate(targets),
        owners=np.concatenate(owners),
        sequences=len(sequences),
    )


def group(units: Sequence[Sequence[Encoded]], budget: int) -> list[list[int]]:
    """Share units out over packs of at most `budget` tokens each, neighbours in the alphabet together.

    Args:
        units: sequences that must be in one pack, such as the two of a pair.
        budget: most tokens of a pack; a unit that is longer gets one of its own.

    Returns:
        numbers of the units of each pack.
    """
    inputs = [[_input(one) for one in unit] for unit in units]
    order = sorted(range(len(units)), key=lambda number: inputs[number][0].tolist())
    groups: list[list[int]] = []
    used, last = 0, np.empty(0, dtype=np.int32)
    for number in order:
        cost, tail = _cost(inputs[number], last)
        if not groups or used + cost > budget:
            groups.append([])
            cost, tail = _cost(inputs[number], np.empty(0, dtype=np.int32))
            used = 0
        groups[-1].append(number)
        used, last = used + cost, tail
    return groups


def _cost(inputs: Sequence[NDArray[np.int32]], last: NDArray[np.int32]) -> tuple[int, NDArray[np.int32]]:
    """Tokens that a unit adds after the sequence `last`, and its own last sequence."""
    cost = 0
    for one in sorted(inputs, key=lambda tokens: tokens.tolist()):
        shared = _common(one, last)
        cost += len(one) - (shared if shared >= SHORTEST_PREFIX else 0)
        last = one
    return cost, last


def _input(one: Encoded) -> NDArray[np.int32]:
    last = int(np.flatnonzero(one.trained)[-1]) if one.trained.any() else len(one.tokens)
    return one.tokens[: max(1, last)]


def _common(left: NDArray[np.int32], right: NDArray[np.int32]) -> int:
    length = min(len(left), len(right))
    different = np.flatnonzero(left[:length] != right[:length])
    return int(different[0]) if len(different) else length


class _Builder:
    """Cuts sorted sequences into the nodes of a tree, parents first."""

    def __init__(self, inputs: list[NDArray[np.int32]], shortest: int) -> None:
        self._inputs = inputs
        self._shortest = shortest
        self._filled = 0
        self.tokens: list[NDArray[np.int32]] = []
        self.positions: list[NDArray[np.int64]] = []
        self.segments: list[Segment] = []
        self.places = [np.empty(len(one), dtype=np.int64) for one in inputs]

    def place(self, order: list[int], depth: int, parents: tuple[int, ...]) -> None:
        """Place the sequences `order` (sorted, alike before `depth`) from `depth` on."""
        if not order:
            return
        shared = _common(self._inputs[order[0]], self._inputs[order[-1]]) if len(order) > 1 else 0
        if len(order) > 1 and shared - depth >= self._shortest:
            node = self._add(order, depth, shared, parents)
            rest = [number for number in order if len(self._inputs[number]) > shared]
            self._split(rest, shared, (*parents, node))
        else:
            self._split(order, depth, parents)

    def _split(self, order: list[int], depth: int, parents: tuple[int, ...]) -> None:
        """Find runs that go on alike for long enough; the others stand alone."""
        run: list[int] = []
        for number in order:
            if run and _common(self._inputs[run[0]], self._inputs[number]) - depth < self._shortest:
                self._finish(run, depth, parents)
                run = []
            run.append(number)
        if run:
            self._finish(run, depth, parents)

    def _finish(self, run: list[int], depth: int, parents: tuple[int, ...]) -> None:
        if len(run) > 1:
            self.place(run, depth, parents)
        elif len(self._inputs[run[0]]) > depth:
            self._add(run, depth, len(self._inputs[run[0]]), parents)

    def _add(self, owners: list[int], start: int, end: int, parents: tuple[int, ...]) -> int:
        where = np.arange(self._filled, self._filled + end - start, dtype=np.int64)
        for number in owners:
            self.places[number][start:end] = where
        self.tokens.append(self._inputs[owners[0]][start:end])
        self.positions.append(np.arange(start, end, dtype=np.int64))
        self.segments.append(Segment(self._filled, self._filled + end - start, parents, start))
        self._filled += end - start
        return len(self.segments) - 1
