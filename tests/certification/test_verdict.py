"""One word a family: what is shown already waits for nobody."""

from typing import Any

import pytest

from etabli.certification.base import Outcome
from etabli.certification.planning import LATER_FAILURES
from etabli.certification.statistics import two_looks
from etabli.certification.taxonomy import taxonomy
from etabli.certification.verdict import Counts, Unit, again, judge_family

PLAN: dict[str, Any] = {"generations": 1, "allowed": 0, "power": 0.5, "power_at": 0.01}
NOT: list[Outcome] = ["not"]
BAD: list[Outcome] = ["violated"]
OPEN: list[Outcome] = ["unsure"]


def verdict_of(
    family: str,
    *outcomes: Outcome,
    read: bool = False,
    critical: bool = False,
    looks: tuple[int, ...] | None = None,
) -> str:
    units = {
        str(number): Unit("fr", outcome, number, critical=critical) for number, outcome in enumerate(outcomes)
    }
    unread = [(number, 0) for number, one in enumerate(outcomes) if one == "unsure" and not read]
    counts = Counts(units=units, detectors={"ai": "1"}, unread=unread)
    plan = PLAN | {"units": len(units), "looks": looks or (len(units),)}
    return str(
        judge_family(taxonomy().get(family), counts, plan=plan, alpha=0.05, simultaneous=20)["verdict"]
    )


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        (["not"] * 69, "passed"),
        (["not"] * 59, "passed"),
        (["not"] * 58, "inconclusive"),
        (["violated"] + ["not"] * 68, "inconclusive"),
        (["violated"] * 10 + ["not"] * 59, "failed"),
        (["not"] * 3 + ["unsure"], "awaiting"),
        (["not"] * 3 + ["error"], "inconclusive"),
        (["violated"] * 2 + ["not", "unsure"], "failed"),
        (["violated", "not", "not", "unsure"], "awaiting"),
        (["not"] * 99 + ["unsure"], "passed"),
    ],
)
def test_a_family(outcomes: list[Outcome], verdict: str) -> None:
    assert verdict_of("T1", *outcomes) == verdict


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        (NOT * 67, "passed"),
        (NOT * 66, "inconclusive"),
        (BAD + NOT * 66, "inconclusive"),
        (NOT * 153, "passed"),
        (BAD * 2 + NOT * 151, "passed"),
        (BAD * 3 + NOT * 150, "inconclusive"),
        (BAD * 12 + NOT * 55, "failed"),
    ],
)
def test_a_family_that_may_be_looked_at_again(outcomes: list[Outcome], verdict: str) -> None:
    """Both looks share alpha: 59 without a failure, which suffice for one look, do not here."""
    assert two_looks(0.05, LATER_FAILURES, 0.05) == (67, 153)
    assert verdict_of("T1", *outcomes, looks=(67, 153)) == verdict


def test_who_is_looked_at_again() -> None:
    plan = {
        "families": [{"id": name, "units": 67, "looks": [67, 153]} for name in ("T1", "T2", "T3", "S1", "A1")]
    }
    plan["families"].append({"id": "A4", "units": 69, "looks": [69]})
    found = {"T1": NOT * 67, "T2": BAD + NOT * 66, "T3": BAD * 3 + NOT * 64, "S1": OPEN * 2 + NOT * 65,
             "A1": NOT * 70, "A4": BAD + NOT * 68}  # fmt: skip
    counts = {
        name: Counts({str(place): Unit("fr", outcome) for place, outcome in enumerate(outcomes)})
        for name, outcomes in found.items()
    }
    assert again(counts, plan) == {"T2", "S1", "A1"}, "A1 had begun; three are too many; one is critical"


def test_one_confirmed_critical_violation_is_enough() -> None:
    assert verdict_of("A4", "violated", *["not"] * 100, critical=True) == "failed"


def test_what_nobody_could_decide_counts_as_violated() -> None:
    assert verdict_of("T1", "unsure", *["not"] * 58, read=True) == "inconclusive"
