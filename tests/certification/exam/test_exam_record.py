"""The exam's figures are quoted for exactly what sat the exam, and for nothing else."""

import json

from etabli.certification.exam.record import certifier_claim, examined_digest, figures_of
from etabli.certification.exam.reporting import sit

FIGURES = {
    "version": "0.1.0", "examined": "ab" * 32, "seed": "exam 1", "tier": "standard",
    "planted": 100, "found": 99, "clean": 60, "refused": 0,
}  # fmt: skip


def test_figures_are_quoted_with_their_bounds() -> None:
    claim = certifier_claim(json.dumps(FIGURES), "ab" * 32)
    assert claim is not None and claim["recall"]["found"] == 99 and claim["falseAlarm"]["clean"] == 60
    assert claim["recall"]["lower95"].startswith("0.953") and claim["falseAlarm"]["upper95"].startswith(
        "0.0487"
    )
    assert len(claim["exam"]["sha256"]) == 64


def test_another_version_was_not_examined() -> None:
    assert certifier_claim(json.dumps(FIGURES), "cd" * 32) is None
    assert certifier_claim(json.dumps(FIGURES)) is None, "these detectors and probes have another digest"


def test_the_figures_come_from_the_sitting() -> None:
    sitting = sit(seed="t", clean_rounds=1, flawed_rounds=1, domains=["health"], rates=[1.0])
    values = figures_of(sitting, seed="t", tier="standard")
    assert values["examined"] == examined_digest()
    assert values["clean"] == len(sitting.clean) and 0 < values["found"] <= values["planted"] <= len(
        sitting.flawed
    )
    assert certifier_claim(json.dumps(values)) is not None
