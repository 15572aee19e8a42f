import numpy as np
import pytest

from etabli.training.packing import Segment, group, pack
from etabli.training.template import Encoded


def sequence(tokens: list[int], labels: int = 2) -> Encoded:
    trained = np.zeros(len(tokens), dtype=bool)
    trained[-labels:] = True
    return Encoded(np.array(tokens, dtype=np.int32), trained)


def rebuilt(sequences: list[Encoded], shortest: int) -> None:
    """Every label must be foretold at its place, seeing just its own beginning at the right positions."""
    row = pack(sequences, shortest_prefix=shortest)
    for number, one in enumerate(sequences):
        labels = np.flatnonzero(one.trained[1:]) + 1
        own = row.owners == number
        assert row.targets[own].tolist() == one.tokens[labels].tolist()
        for source, label in zip(row.sources[own], labels, strict=True):
            assert row.positions[source] == label - 1
            segment = next(one for one in row.segments if one.start <= source < one.end)
            seen = [*segment.parents, row.segments.index(segment)]
            places = np.concatenate(
                [np.arange(row.segments[part].start, row.segments[part].end) for part in seen]
            )
            places = places[row.positions[places] <= label - 1]
            assert row.tokens[places].tolist() == one.tokens[:label].tolist()
            assert row.positions[places].tolist() == list(range(label))


def test_a_shared_beginning_stands_once() -> None:
    row = pack([sequence([1, 2, 3, 4, 5]), sequence([1, 2, 3, 6, 7, 8])], shortest_prefix=3)
    assert row.tokens.tolist() == [1, 2, 3, 4, 6, 7]
    assert row.positions.tolist() == [0, 1, 2, 3, 3, 4]
    assert row.segments == (Segment(0, 3, (), 0), Segment(3, 4, (0,), 3), Segment(4, 6, (0,), 3))
    assert row.sources.tolist() == [2, 3, 4, 5] and row.targets.tolist() == [4, 5, 7, 8]
    assert row.owners.tolist() == [0, 0, 1, 1] and row.sequences == 2


@pytest.mark.parametrize("shortest", [1, 2, 4, 100])
def test_any_sequences_are_rebuilt(shortest: int) -> None:
    random = np.random.default_rng(shortest)
    for _ in range(60):
        count = int(random.integers(1, 9))
        sequences = [
            sequence([int(one) for one in random.integers(0, 2, random.integers(3, 14))])
            for _ in range(count)
        ]
        rebuilt(sequences, shortest)


def test_a_tree_of_two_levels_for_pairs() -> None:
    rules, first, second = list(range(20)), list(range(30, 50)), list(range(60, 80))
    row = pack([sequence([*rules, *prompt, answer, 99]) for prompt in (first, second) for answer in (90, 91)])
    assert len(row.tokens) == 60 + 4
    assert sorted(len(one.parents) for one in row.segments) == [0, 1, 1, 2, 2, 2, 2]


def test_the_same_sequence_twice() -> None:
    rebuilt([sequence([1, 2, 3, 4]), sequence([1, 2, 3, 4])], 2)
    row = pack([sequence([1, 2, 3, 4]), sequence([1, 2, 3, 4])], shortest_prefix=2)
    assert row.tokens.tolist() == [1, 2, 3] and row.owners.tolist() == [0, 0, 1, 1]


def test_groups_stay_within_their_budget_and_lose_nothing() -> None:
    random = np.random.default_rng(0)
    rules = list(range(100, 140))
    units = [
        [sequence([*rules, *[int(one) for one in random.integers(0, 90, random.integers(5, 60))]])]
        for _ in range(40)
    ]
    groups = group(units, 200)
    assert sorted(number for members in groups for number in members) == list(range(40))
    for members in groups:
        assert len(pack([one for number in members for one in units[number]]).tokens) <= 200
    assert len(group(units, 100_000)) == 1
    assert [len(members) for members in group(units[:3], 1)] == [1, 1, 1]
