"""What a judge is worth, and that a bad or changed one is refused."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from etabli.certification.judges.calibration import Calibration, JudgeRegistry, calibrate, kappa
from etabli.certification.judges.judge import Judge
from etabli.certification.judges.labelled import (
    LabelledAnswer,
    digest_of,
    load_labelled,
    of_family,
    own_labelled,
)
from etabli.certification.judges.policy import policies
from etabli.engines.fake import FakeEngine, Reply
from etabli.errors import ConfigurationError, InvalidInputError, JudgeRefusedError
from etabli.messages import set_language


def knowing(answers: tuple[LabelledAnswer, ...], *, misses: int = 0) -> Reply:
    """A model that knows every label but those of the first violations."""
    violations = [one.answer for one in answers if one.violation][misses:]

    def reply(body: Mapping[str, Any]) -> dict[str, str]:
        told, shown = (message["content"] for message in body["messages"])
        violation_first = told.index("rabaisse") < told.index("respectueuse")
        violation = any(answer in shown for answer in violations)
        return {"reason": "r", "choice": "A" if violation is violation_first else "B"}

    return reply


def make(reply: Reply, *, digest: str = "00" * 32) -> Judge:
    return Judge(FakeEngine((reply,)), policies()["S2"], language="fr", model_digest=digest)


def measured(misses: int = 0) -> tuple[Judge, Calibration]:
    answers = of_family(own_labelled(), "S2", "fr")
    made = make(knowing(answers, misses=misses))
    return made, asyncio.run(calibrate(made, answers, source="own"))


def test_our_labelled_answers() -> None:
    for family in ("S1", "S2", "S3", "S4", "S5", "S6"):
        for language in ("fr", "en"):
            own = of_family(own_labelled(), family, language)
            assert sum(one.violation for one in own) >= 10 and sum(not one.violation for one in own) >= 10
    texts = [(one.question, one.answer) for one in own_labelled()]
    assert len(set(texts)) == len(texts)
    assert all(one.question.strip() and one.answer.strip() for one in own_labelled())


def test_a_perfect_judge() -> None:
    judge, calibration = measured()
    assert (calibration.positives, calibration.hits, calibration.negatives, calibration.false_alarms) == (
        10,
        10,
        10,
        0,
    )
    assert calibration.kappa == 1 and calibration.unsure == calibration.errors == 0
    # Clopper-Pearson, one-sided: 10 of 10 shows 0.05 ** (1 / 10).
    assert calibration.sensitivity_lower() == pytest.approx(0.05 ** (1 / 10), abs=1e-9)
    assert calibration.false_alarm_upper() == pytest.approx(1 - 0.05 ** (1 / 10), abs=1e-9)
    assert calibration.key == judge.key


def test_unsure_is_a_miss() -> None:
    answers = of_family(own_labelled(), "S2", "fr")
    calibration = asyncio.run(calibrate(make({"reason": "r", "choice": "A"}), answers, source="own"))
    assert (calibration.hits, calibration.unsure, calibration.false_alarms) == (0, 20, 0)
    assert calibration.kappa == 0


def test_a_hopeless_judge_is_not_measured_further() -> None:
    answers = tuple(sorted(of_family(own_labelled(), "S2", "fr"), key=lambda one: not one.violation))
    blind = make({"reason": "r", "choice": "A"})
    calibration = asyncio.run(calibrate(blind, answers, source="own", floor=0.6))
    # Nine of ten show 0.606, eight of ten do not reach 0.6: two misses are enough.
    assert (calibration.positives, calibration.hits, calibration.negatives) == (2, 0, 0)
    good = asyncio.run(calibrate(make(knowing(answers)), answers, source="own", floor=0.6))
    assert (good.positives, good.hits, good.negatives) == (10, 10, 10)


def test_the_registry_keeps_refuses_and_forgets(tmp_path: Path) -> None:
    registry = JudgeRegistry(tmp_path / "deep" / "judges.json")
    good, calibration = measured()
    with pytest.raises(JudgeRefusedError, match="was not measured"):
        registry.require(good)
    registry.record(calibration)
    registry.record(calibration)
    assert registry.require(good) == calibration and len(registry.all()) == 1
    bad, missing = measured(misses=4)
    assert bad.key == good.key
    registry.record(missing)
    with pytest.raises(JudgeRefusedError, match="6 of 10 known violations.* 0.60 is asked"):
        registry.require(bad)
    changed = make({"reason": "r", "choice": "A"}, digest="11" * 32)
    with pytest.raises(JudgeRefusedError):
        registry.require(changed)
    assert [one.key for one in registry.stale([changed.key])] == [good.key]
    registry.forget([good.key])
    assert registry.all() == ()


def test_the_smaller_bound_of_two_sources_counts(tmp_path: Path) -> None:
    registry = JudgeRegistry(tmp_path / "judges.json")
    judge, own = measured()
    registry.record(own)
    registry.record(Calibration(**{**_fields(own), "source": "planted", "hits": 5}))
    with pytest.raises(JudgeRefusedError, match="5 of 10"):
        registry.require(judge)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "judges.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="calibrate the judges again"):
        JudgeRegistry(path).all()


def test_the_refusal_in_french(tmp_path: Path) -> None:
    set_language("fr")
    with pytest.raises(JudgeRefusedError, match="laissez une personne décider"):
        JudgeRegistry(tmp_path / "judges.json").require(measured()[0])


def test_what_cannot_be_measured() -> None:
    judge, _ = measured()
    with pytest.raises(ValueError, match="another family"):
        asyncio.run(calibrate(judge, of_family(own_labelled(), "S1", "fr"), source="own"))
    with pytest.raises(ValueError, match="clean"):
        only = tuple(one for one in of_family(own_labelled(), "S2", "fr") if one.violation)
        asyncio.run(calibrate(judge, only, source="own"))


def test_kappa() -> None:
    # Cohen (1960), worked by hand: p_o = 0.7, p_e = 0.5.
    pairs = [("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([]) == 0 and kappa([("a", "a")]) == 1


def test_a_users_own_set(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    good = {"family": "S2", "language": "fr", "question": "q", "answer": "a", "violation": True}
    path.write_text(json.dumps(good) + "\n\n", encoding="utf-8")
    assert load_labelled(path) == (LabelledAnswer("S2", "fr", "q", "a", True),)
    assert digest_of(load_labelled(path)) == digest_of([LabelledAnswer("S2", "fr", "q", "a", True)])
    for fault in ({**good, "violation": "yes"}, {**good, "extra": 1}, {**good, "language": "de"}):
        path.write_text(json.dumps(good) + "\n" + json.dumps(fault), encoding="utf-8")
        with pytest.raises(InvalidInputError, match="Line 2"):
            load_labelled(path)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        load_labelled(tmp_path / "none.jsonl")


def _fields(calibration: Calibration) -> dict[str, Any]:
    return {name: getattr(calibration, name) for name in Calibration.__dataclass_fields__}
