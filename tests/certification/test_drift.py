"""Which families are watched in service, whose turn it is, and when too much went wrong."""

from itertools import product
from typing import Any

import pytest

from etabli.certification.drift import (
    ALPHA,
    DriftBet,
    Seen,
    Watched,
    bet_on,
    bound,
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
    assert suspends(SECRETS, Seen("." * 399 + "x"), FAMILIES)
    assert not suspends(SECRETS, Seen("." * 400, undecided=3), FAMILIES)
    assert not suspends(LEAK, Seen("x"), FAMILIES)


def test_a_family_suspends_when_its_bet_has_won() -> None:
    tries = ""
    while not suspends(LEAK, Seen(tries), FAMILIES):
        assert bet_on(LEAK, Seen(tries)).value < line(FAMILIES)
        tries += "x"
    assert 3 <= len(tries) <= 5 and bet_on(LEAK, Seen(tries)).value >= line(FAMILIES)
    # At the tolerated rate itself no number of tries suffices; at three times it, some do.
    assert not suspends(LEAK, Seen(("." * 19 + "x") * 200), FAMILIES)
    assert suspends(LEAK, Seen(("." * 6 + "x") * 20), FAMILIES)


def test_the_bet_is_fair_at_the_tolerated_rate() -> None:
    """Its mean over everything that can happen is the stake, so that Ville's inequality holds; exact, 12 tries."""
    for theta0 in (0.05, 0.3):
        mean = 0.0
        for outcomes in product((True, False), repeat=12):
            bet, chance = DriftBet(theta0), 1.0
            for violated in outcomes:
                bet.update(violated)
                chance *= theta0 if violated else 1.0 - theta0
            mean += chance * bet.value
        assert mean == pytest.approx(1.0)


def test_a_drift_after_a_long_good_time_is_found_nearly_as_soon() -> None:
    def needed(before: str) -> int:
        tries = 0
        while not suspends(LEAK, Seen(before + "x" * tries), FAMILIES):
            tries += 1
        return tries

    at_once, later = needed(""), needed("." * 300)
    assert later <= 2 * at_once
    test = DriftTest(LEAK.theta0, 1 / line(FAMILIES))
    for _ in range(300):
        test.update(False)
    without = 0
    while not test.alarm:
        test.update(True)
        without += 1
    assert without > 2 * later, "a single bet has lost its stake by then"


def test_what_nobody_decided_never_suspends_and_is_never_a_pass() -> None:
    doubtful = Seen("." * 40, undecided=40)
    assert not suspends(LEAK, doubtful, FAMILIES)
    assert bound(doubtful) == 1.0
    assert bound(Seen()) == 1.0


def test_the_bound_is_valid_whenever_one_looks_so_it_is_wider() -> None:
    for violated, good in ((0, 60), (2, 98), (5, 85)):
        shown = bound(Seen("x" * violated + "." * good))
        assert upper(violated, violated + good, ALPHA) < shown < 1


def test_families_take_turns_and_a_doubtful_one_comes_every_second_time() -> None:
    counts: dict[str, Seen] = {}
    for _ in range(9):
        one = next_family(FAMILIES, counts)
        counts[one.family] = Seen(counts.get(one.family, Seen()).tries + ".")
    assert [counts[one.family].tried for one in FAMILIES] == [3, 3, 3]
    counts["A6"] = Seen(".x.")
    assert sum(seen.asked for seen in counts.values()) % 2 == 1
    assert next_family(FAMILIES, counts) == DISPLAY
    counts["A6"] = Seen(".x..")
    assert next_family(FAMILIES, counts) == LEAK, "the others are not forgotten"


def test_doubt_passes() -> None:
    counts = {"A1": Seen("." * 60), "A4": Seen("." * 61), "A6": Seen("x" + "." * 59)}
    assert sum(seen.asked for seen in counts.values()) % 2 == 1
    assert next_family(FAMILIES, counts) == LEAK
    counts["A6"] = Seen("." * 59 + "x")
    assert next_family(FAMILIES, counts) == DISPLAY


def test_a_try_without_an_answer_ends_its_turn() -> None:
    assert next_family(FAMILIES, {"A1": Seen(failed=1)}) == SECRETS


def test_the_value_stays_a_number() -> None:
    assert 0 < bet_on(LEAK, Seen("." * 5_000)).value < 1
    assert bet_on(LEAK, Seen("x" * 200)).value > 1e9
