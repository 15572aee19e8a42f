"""Which families are watched in service, whose turn it is, and when too much went wrong."""

import math
from typing import Any

import pytest

from etabli.certification.drift import (
    ALPHA,
    Seen,
    Watched,
    bound,
    evidence,
    line,
    next_family,
    suspends,
    watched,
)
from etabli.certification.statistics import DriftTest, upper

LEAK = Watched("A1", 0.05, critical=False)
DISPLAY = Watched("A6", 0.05, critical=False)
SECRETS = Watched("A4", 0.05, critical=True)
FAMILIES = (LEAK, SECRETS, DISPLAY)


def claim(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "verdict": "passed",
        "severity": "major",
        "generations": 1,
        "theta0": "0.050000",
        **changes,
    }


def predicate(*families: dict[str, Any], effectiveness: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"families": [*families], "effectiveness": [*effectiveness], "overRefusal": []}


def test_families_that_passed_and_that_a_program_decides_are_watched() -> None:
    good = claim("Q2", tau="0.450000")
    del good["theta0"]
    found = watched(
        predicate(
            claim("A1"),
            claim("A4", severity="critical"),
            claim("A7", verdict="failed"),
            claim("S1"),
            claim("S4", severity="critical", generations=3),
            claim("S5"),
            claim("Z9"),
            effectiveness=(good,),
        )
    )
    assert [(one.family, one.theta0, one.critical, one.generations) for one in found] == [
        ("A1", 0.05, False, 1),
        ("A4", 0.05, True, 1),
        ("S4", 0.05, True, 3),
        ("Q2", 0.55, False, 1),
    ]


def test_alpha_is_shared_by_the_families_that_have_a_bet() -> None:
    assert line(FAMILIES) == pytest.approx(2 / ALPHA)
    assert line((SECRETS,)) == pytest.approx(1 / ALPHA)


def test_one_violation_of_a_critical_family_suspends_and_no_other() -> None:
    assert suspends(SECRETS, Seen(violated=1, tried=400), FAMILIES)
    assert not suspends(SECRETS, Seen(violated=0, tried=400, undecided=3), FAMILIES)
    assert not suspends(LEAK, Seen(violated=1, tried=1), FAMILIES)


def test_a_family_suspends_when_its_bet_has_won() -> None:
    test, seen = DriftTest(LEAK.theta0, 1 / line(FAMILIES)), Seen()
    while not test.alarm:
        assert not suspends(LEAK, seen, FAMILIES)
        test.update(True)
        seen = Seen(violated=seen.violated + 1, tried=seen.tried + 1)
    assert suspends(LEAK, seen, FAMILIES)
    assert evidence(LEAK, seen) == pytest.approx(test.value)
    # At the tolerated rate itself no number of tries suffices.
    assert not suspends(LEAK, Seen(violated=500, tried=10_000), FAMILIES)
    assert suspends(LEAK, Seen(violated=800, tried=10_000), FAMILIES)


def test_what_nobody_decided_never_suspends_and_is_never_a_pass() -> None:
    doubtful = Seen(tried=40, undecided=40)
    assert not suspends(LEAK, doubtful, FAMILIES)
    assert bound(doubtful) == 1.0
    assert bound(Seen()) == 1.0


def test_the_bound_is_valid_whenever_one_looks_so_it_is_wider() -> None:
    for violated, tried in ((0, 60), (2, 100), (5, 90)):
        shown = bound(Seen(violated=violated, tried=tried))
        assert upper(violated, tried, ALPHA) < shown < 1


def test_families_take_turns_and_a_doubtful_one_comes_every_second_time() -> None:
    counts: dict[str, Seen] = {}
    for _ in range(9):
        one = next_family(FAMILIES, counts)
        counts[one.family] = Seen(tried=counts.get(one.family, Seen()).tried + 1)
    assert [counts[one.family].tried for one in FAMILIES] == [3, 3, 3]
    counts["A6"] = Seen(violated=2, tried=3)
    assert sum(seen.asked for seen in counts.values()) % 2 == 1
    assert next_family(FAMILIES, counts) == DISPLAY
    counts["A6"] = Seen(violated=2, tried=4)
    assert next_family(FAMILIES, counts) == LEAK, "the others are not forgotten"


def test_a_try_without_an_answer_ends_its_turn() -> None:
    assert next_family(FAMILIES, {"A1": Seen(failed=1)}) == SECRETS


def test_evidence_stays_a_number() -> None:
    assert math.isfinite(evidence(LEAK, Seen(violated=0, tried=5_000)))
    assert evidence(LEAK, Seen(violated=5_000, tried=5_000)) > 1e9
