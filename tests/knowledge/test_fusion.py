"""One ranking from several scores, some of which are not there yet."""

import math
from dataclasses import replace

import numpy as np
import pytest

from etabli.knowledge.fusion import ALPHA, DENSE_SUPPORT, LEXICAL_SUPPORT, OMEGA, Evidence, combine, fuse

PENDING = {"dense": None, "lead_dense": None}


def union(size: int, *, agreement: float, seed: int) -> list[Evidence]:
    """Members whose words and meanings agree more or less."""
    draw = np.random.default_rng(seed)
    made = []
    for lexical, other in draw.uniform(0.05, 1.0, (size, 2)):
        meaning = agreement * lexical + (1 - agreement) * other
        made.append(Evidence(20 * lexical, 50 * lexical, 0.7 + 0.2 * meaning, 0.7 + 0.2 * meaning))
    return made


def rank(scores: np.ndarray, place: int) -> int:
    return int((scores > scores[place]).sum())


def test_with_all_vectors_the_formula_holds() -> None:
    members = [Evidence(10.0, 30.0, 0.8, 0.9), Evidence(5.0, 40.0, 0.9, 0.7), Evidence(0.0, 20.0, 0.7, 0.8)]
    lexical = (1 - LEXICAL_SUPPORT) * np.array([1, 0.5, 0]) + LEXICAL_SUPPORT * np.array([0.75, 1, 0.5])
    cosines = (1 - DENSE_SUPPORT) * np.array([0.8, 0.9, 0.7]) + DENSE_SUPPORT * np.array([0.9, 0.7, 0.8])
    dense = (cosines - cosines.min()) / (cosines.max() - cosines.min())
    assert fuse(members) == pytest.approx((1 - ALPHA) * lexical + ALPHA * dense)


def test_without_any_vector_words_decide() -> None:
    members = [replace(one, **PENDING) for one in union(20, agreement=0.5, seed=1)]
    order = sorted(range(20), key=lambda place: -members[place].lexical)
    assert np.argsort(-fuse(members)).tolist() == order
    assert fuse([]).tolist() == []


@pytest.mark.parametrize("agreement", [0.0, 0.5, 1.0])
def test_a_pending_member_is_neither_favoured_nor_buried(agreement: float) -> None:
    """Hidden one after the other, as many members rise as fall; the less words tell, the further each may move."""
    moves = []
    for seed in range(10):
        members = union(60, agreement=agreement, seed=seed)
        whole = fuse(members)
        for place in range(60):
            hidden = [*members]
            hidden[place] = replace(members[place], **PENDING)
            moves.append(rank(fuse(hidden), place) - rank(whole, place))
    assert abs(np.mean(moves)) < 0.5
    assert np.mean(np.abs(moves)) < (1.0 if agreement == 1.0 else 20.0)


def test_the_best_by_words_is_found_while_its_vector_is_pending() -> None:
    members = union(60, agreement=0.3, seed=2)
    fresh = Evidence(20.0, 50.0, None, None)
    assert rank(fuse([*members, fresh]), 60) == 0
    weak = Evidence(0.2, 0.5, None, None)
    assert rank(fuse([*members, weak]), 60) > 50


def test_a_vector_of_the_lead_stands_for_the_passage() -> None:
    members = union(10, agreement=0.5, seed=3)
    assert fuse([*members[:9], replace(members[9], dense=None)]) == pytest.approx(fuse(members))
    assert fuse([*members[:9], replace(members[9], lead_dense=None)]) == pytest.approx(fuse(members))


def test_late_interaction_keeps_the_place_of_what_it_does_not_know() -> None:
    fused = np.array([0.9, 0.7, 0.5, 0.3])
    assert combine(fused, np.array([0.1, 0.3, 0.5, 0.9]))[[0, 3]] == pytest.approx([OMEGA, OMEGA])
    partly = combine(fused, np.array([0.1, math.nan, 0.4, 0.8]))
    assert partly[1] == pytest.approx((0.7 - 0.3) / 0.6)
    assert combine(fused, np.full(4, math.nan)) == pytest.approx((fused - 0.3) / 0.6)
