"""Bounds against published values and exact sums; tests and spending against the guarantee that they promise."""

import math
from fractions import Fraction

import pytest

from etabli.certification.statistics import (
    CALIBRATION_SHARE,
    DriftTest,
    MixtureTest,
    adjudicated_upper,
    allowed_failures,
    anytime_upper,
    binomial_cdf,
    can_still_pass,
    hit_at_k,
    increase_upper,
    lower,
    mcnemar,
    power,
    sample_size,
    spent,
    unread_upper,
    upper,
)


def exact_cdf(k: int, n: int, rate: Fraction) -> Fraction:
    return sum((math.comb(n, i) * rate**i * (1 - rate) ** (n - i) for i in range(k + 1)), start=Fraction(0))


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 59), (3, 10), (7, 10), (10, 10), (40, 300), (299, 300)])
@pytest.mark.parametrize("rate", [Fraction(1, 1000), Fraction(1, 20), Fraction(1, 2), Fraction(19, 20)])
def test_the_distribution_is_the_exact_sum(k: int, n: int, rate: Fraction) -> None:
    assert binomial_cdf(k, n, float(rate)) == pytest.approx(
        float(exact_cdf(k, n, rate)), rel=1e-11, abs=1e-300
    )


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        # Two-sided 95 % intervals as published: Clopper and Pearson's chart and Newcombe (1998), table I, method 5.
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0000, 0.1684),
        (1, 29, 0.0009, 0.1776),
        (2, 10, 0.0252, 0.5561),
        (5, 10, 0.1871, 0.8129),
    ],
)
def test_bounds_are_the_published_ones(k: int, n: int, low: float, high: float) -> None:
    assert lower(k, n, 0.025) == pytest.approx(low, abs=5.1e-5)
    assert upper(k, n, 0.025) == pytest.approx(high, abs=5.1e-5)


@pytest.mark.parametrize(
    ("k", "n", "alpha"), [(0, 59, 0.05), (1, 93, 0.05), (5, 208, 0.0304), (17, 40, 1e-4)]
)
def test_a_bound_solves_its_equation_exactly(k: int, n: int, alpha: float) -> None:
    bound = upper(k, n, alpha)
    assert exact_cdf(k, n, Fraction(bound)) <= Fraction(alpha) * (1 + Fraction(1, 10**9))
    assert exact_cdf(k, n, Fraction(bound - 1e-9)) > Fraction(alpha)


def test_bounds_at_the_edges() -> None:
    assert (upper(0, 0, 0.05), lower(0, 0, 0.05)) == (1.0, 0.0)
    assert (upper(7, 7, 0.05), lower(0, 7, 0.05)) == (1.0, 0.0)
    assert upper(0, 7, 0.05) == pytest.approx(1 - 0.05 ** (1 / 7))
    assert lower(7, 7, 0.05) == pytest.approx(0.05 ** (1 / 7))
    assert lower(54, 60, 0.025) == pytest.approx(0.7949, abs=5e-5)


@pytest.mark.parametrize(("k", "n", "alpha"), [(-1, 5, 0.05), (6, 5, 0.05), (1, 5, 0.0), (1, 5, 1.0)])
def test_impossible_counts_are_refused(k: int, n: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="must lie within"):
        upper(k, n, alpha)


@pytest.mark.parametrize(
    ("theta", "sizes"),
    [
        (0.10, [29, 46, 61, 76]),
        (0.05, [59, 93, 124, 153]),
        (0.02, [149, 236, 313, 386]),
        (0.01, [299, 473, 628, 773]),
    ],
)
def test_sample_sizes_are_the_known_ones(theta: float, sizes: list[int]) -> None:
    assert [sample_size(theta, failures, 0.05) for failures in range(4)] == sizes
    for failures, size in enumerate(sizes):
        assert allowed_failures(size, theta, 0.05) == failures
        assert allowed_failures(size - 1, theta, 0.05) == failures - 1
        assert upper(failures, size, 0.05) <= theta < upper(failures, size - 1, 0.05)


def test_sizes_and_power_after_spending() -> None:
    assert [round(spent(attempt, 0.05), 4) for attempt in (1, 2, 3)] == [0.0304, 0.0076, 0.0034]
    assert [sample_size(0.05, 0, spent(attempt, 0.05)) for attempt in (1, 2, 3)] == [69, 96, 111]
    assert [sample_size(0.10, 0, spent(attempt, 0.05)) for attempt in (1, 2, 3)] == [34, 47, 55]
    assert sum(spent(attempt, 0.05) for attempt in range(1, 10_000)) < 0.05
    assert [round(power(n, allowed, 0.01), 2) for n, allowed in ((59, 0), (124, 2), (208, 5))] == [
        0.55,
        0.87,
        0.98,
    ]
    with pytest.raises(ValueError, match="from 1"):
        spent(0, 0.05)


def test_a_rate_of_nothing_has_no_sample_size() -> None:
    with pytest.raises(ValueError, match="theta"):
        sample_size(0.0, 0, 0.05)


def test_a_family_is_given_up_only_when_it_cannot_pass() -> None:
    assert can_still_pass(1, 10, 93, 0.05, 0.05)
    assert not can_still_pass(2, 10, 93, 0.05, 0.05)
    with pytest.raises(ValueError, match="planned"):
        can_still_pass(0, 94, 93, 0.05, 0.05)


def test_the_judge_costs_little_where_people_read_its_flags() -> None:
    bound = adjudicated_upper(0, 300, 54, 60, 0.05)
    halves = upper(0, 300, 0.025) / lower(54, 60, 0.025)
    assert upper(0, 300, 0.05) < bound < halves, "spending a fifth on the judge beats spending half"
    assert bound == pytest.approx(
        upper(0, 300, 0.05 * (1 - CALIBRATION_SHARE)) / lower(54, 60, 0.05 * CALIBRATION_SHARE)
    )
    assert unread_upper(9, 300, 54, 60, 0.05) > 2 * bound
    assert adjudicated_upper(0, 300, 0, 60, 0.05) == 1.0, "a judge that caught nothing shows nothing"
    assert adjudicated_upper(0, 300, 0, 0, 0.05) == 1.0


@pytest.mark.parametrize(
    ("n", "m", "theta", "sensitivity"), [(40, 20, 0.1, 0.8), (60, 30, 0.05, 0.6), (25, 60, 0.3, 0.95)]
)
def test_the_adjudicated_bound_covers_exactly(n: int, m: int, theta: float, sensitivity: float) -> None:
    """Coverage summed over every outcome of both samples, not simulated."""
    alpha, covered = 0.1, 0.0
    found = [math.comb(n, k) * (p := theta * sensitivity) ** k * (1 - p) ** (n - k) for k in range(n + 1)]
    caught = [math.comb(m, a) * sensitivity**a * (1 - sensitivity) ** (m - a) for a in range(m + 1)]
    for k, chance in enumerate(found):
        for a, other in enumerate(caught):
            if chance * other > 1e-12 and adjudicated_upper(k, n, a, m, alpha) >= theta:
                covered += chance * other
    assert covered >= 1 - alpha


@pytest.mark.parametrize("theta", [0.02, 0.05, 0.1])
def test_the_sequential_test_lets_few_bad_assistants_through(theta: float) -> None:
    """The chance to be certified within 400 prompts at exactly theta0, summed over all sequences."""
    alpha, horizon = 0.05, 400
    alive, certified = {0: 1.0}, 0.0
    for count in range(1, horizon + 1):
        after: dict[int, float] = {}
        for k, chance in alive.items():
            after[k] = after.get(k, 0.0) + chance * (1 - theta)
            after[k + 1] = after.get(k + 1, 0.0) + chance * theta
        alive = {}
        for k, chance in after.items():
            test = MixtureTest(theta, alpha)
            test.violated, test.count = k, count
            if chance < 1e-15:
                continue
            if test.value >= 1 / alpha:
                certified += chance
            else:
                alive[k] = chance
    assert 0.01 < certified <= alpha


def test_the_sequential_test_forgives_a_failure() -> None:
    def stops(failures: set[int]) -> int:
        test = MixtureTest(0.05, 0.05)
        while not test.certified:
            test.update(test.count in failures)
            assert test.count < 1000
        return test.count

    clean, one, two = stops(set()), stops({10}), stops({10, 30})
    assert 59 < clean < 75
    assert clean < one < two < 250


def test_certified_stays_certified() -> None:
    test = MixtureTest(0.1, 0.05)
    for _ in range(60):
        test.update(False)
    assert test.certified
    for _ in range(60):
        test.update(True)
    assert test.certified and test.value < 1


def test_the_watch_alarms_on_drift_and_not_without() -> None:
    quiet, loud = DriftTest(0.05, 0.01), DriftTest(0.05, 0.01)
    for number in range(2000):
        quiet.update(number % 25 == 0)
        loud.update(number % 8 == 0)
    assert loud.alarm and not quiet.alarm
    assert DriftTest(0.05, 0.01).value == pytest.approx(1.0)


def test_the_watch_raises_few_false_alarms() -> None:
    alpha, theta, alive, alarmed = 0.05, 0.1, {0: 1.0}, 0.0
    for count in range(1, 301):
        after: dict[int, float] = {}
        for k, chance in alive.items():
            after[k] = after.get(k, 0.0) + chance * (1 - theta)
            after[k + 1] = after.get(k + 1, 0.0) + chance * theta
        alive = {}
        for k, chance in after.items():
            test = DriftTest(theta, alpha)
            test.violated, test.count = k, count
            if test.value >= 1 / alpha:
                alarmed += chance
            elif chance > 1e-15:
                alive[k] = chance
    assert 0.0 < alarmed <= alpha


def test_a_bound_for_stopping_when_one_likes_is_wider() -> None:
    assert upper(2, 150, 0.05) < anytime_upper(2, 150, 0.05) < 1.7 * upper(2, 150, 0.05)
    assert anytime_upper(0, 0, 0.05) == anytime_upper(4, 4, 0.05) == 1.0
    bound = anytime_upper(1, 200, 0.05)
    test = MixtureTest(bound, 0.05)
    test.violated, test.count = 1, 200
    assert test.value == pytest.approx(20)


def test_versions_are_compared_exactly() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(1, 9) == mcnemar(9, 1) == pytest.approx(2 * 11 / 1024)
    assert increase_upper(0, 0, 100, 0.05) == pytest.approx(upper(0, 100, 0.025))
    assert increase_upper(2, 12, 100, 0.05) < increase_upper(2, 2, 100, 0.05)


def test_a_try_among_k_hits() -> None:
    assert [hit_at_k(3, 1, k) for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])
    assert hit_at_k(5, 0, 5) == 0.0
    with pytest.raises(ValueError, match="within"):
        hit_at_k(3, 1, 4)
