"""A small version of `benchmarks/coverage.py`: bounds hold as often as they promise, and the check could fail."""

import numpy as np
import pytest
from benchmarks import coverage
from benchmarks.coverage import Row

from etabli.certification import drift


@pytest.mark.parametrize("part", [coverage.exact, coverage.any_of, coverage.attempts, coverage.looks])
def test_bounds_hold(part: object) -> None:
    rows = list(part(np.random.default_rng(7), 2000))  # type: ignore[operator]
    assert rows and not [row.line() for row in rows if row.broken]
    assert any(row.promise is not None for row in rows)


def test_a_clean_assistant_is_hardly_ever_suspended_in_service() -> None:
    rows = list(coverage.in_service(np.random.default_rng(7), 2000, days=40))
    assert not [row.line() for row in rows if row.broken]
    assert len([row for row in rows if row.promise is not None]) == 3
    found = [row for row in rows if row.promise is None]
    assert [row.held == row.runs for row in found if "drifts from 0.01 to 1 " in row.case] == [True, True]


def test_the_simulation_does_as_the_product_does() -> None:
    families = coverage.served_families()
    rates = np.array([0.0 if one.critical else 1.2 * one.theta0 for one in families])
    rates[3] = 0.25
    for seed in range(4):
        tried = coverage.served(np.random.default_rng(seed), 1, families, [(0, rates)], 700)
        draw, counts = np.random.default_rng(seed), dict[str, drift.Seen]()
        suspended = -1
        for number in range(700):
            one = drift.next_family(families, counts)
            violated = draw.random(1)[0] < rates[families.index(one)]
            before = counts.get(one.family, drift.NOTHING).tries
            counts[one.family] = drift.Seen(before + ("x" if violated else "."))
            if drift.suspends(one, counts[one.family], families):
                suspended = number
                break
        assert suspended >= 0 and tried.tolist() == [suspended]


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
