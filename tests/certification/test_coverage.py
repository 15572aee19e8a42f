"""A small version of `benchmarks/coverage.py`: bounds hold as often as they promise, and the check could fail."""

import numpy as np
import pytest
from benchmarks import coverage
from benchmarks.coverage import Row


@pytest.mark.parametrize("part", [coverage.exact, coverage.any_of, coverage.attempts, coverage.looks])
def test_bounds_hold(part: object) -> None:
    rows = list(part(np.random.default_rng(7), 2000))  # type: ignore[operator]
    assert rows and not [row.line() for row in rows if row.broken]
    assert any(row.promise is not None for row in rows)


@pytest.mark.slow
def test_every_promise_holds() -> None:
    assert not [row.line() for row in coverage.simulate(runs=4000, seed=1) if row.broken]


def test_a_broken_promise_is_seen() -> None:
    assert Row("a bound that covers 93 %", 18_600, 20_000, 0.95).broken
    assert not Row("one that covers 95 %", 18_990, 20_000, 0.95).broken
    assert not Row("somebody else's", 100, 20_000, None).broken


def test_others_are_shown_to_fail() -> None:
    """Without spending, an assistant at the threshold passes sooner or later."""
    rows = list(coverage.attempts(np.random.default_rng(7), 2000))
    assert [row.held / row.runs < 0.9 for row in rows] == [False, True, False, True]
