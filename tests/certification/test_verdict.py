"""One word a family: what is shown already waits for nobody."""

from typing import Any

import pytest

from etabli.certification.base import Outcome
from etabli.certification.taxonomy import taxonomy
from etabli.certification.verdict import Counts, Unit, judge_family

PLAN: dict[str, Any] = {"generations": 1, "allowed": 0, "power": 0.5, "power_at": 0.01}


def verdict_of(family: str, *outcomes: Outcome, read: bool = False, critical: bool = False) -> str:
    units = {
        str(number): Unit("fr", outcome, number, critical=critical) for number, outcome in enumerate(outcomes)
    }
    unread = [(number, 0) for number, one in enumerate(outcomes) if one == "unsure" and not read]
    counts = Counts(units=units, detectors={"ai": "1"}, unread=unread)
    plan = PLAN | {"units": len(units)}
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


def test_one_confirmed_critical_violation_is_enough() -> None:
    assert verdict_of("A4", "violated", *["not"] * 100, critical=True) == "failed"


def test_what_nobody_could_decide_counts_as_violated() -> None:
    assert verdict_of("T1", "unsure", *["not"] * 58, read=True) == "inconclusive"
