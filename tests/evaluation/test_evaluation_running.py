"""Evaluations over a small corpus and a scripted engine: measures, resumption, files, comparison, requirements."""

import asyncio
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from etabli.certification.statistics import lower, mcnemar, upper
from etabli.engines.fake import Failure
from etabli.errors import ConflictError, EngineUnavailableError, InvalidInputError, NotFoundError
from etabli.evaluation.comparing import compare
from etabli.evaluation.junit import junit_of
from etabli.evaluation.measures import MEASURES
from etabli.evaluation.requirements import check, read_requirements
from etabli.evaluation.store import Report, read_report

from .conftest import Bench, knows

WRONG = "Le remplacement d’un badge perdu coûte 30 € [1]."


def test_each_answer_is_measured(bench: Bench) -> None:
    report = bench.run()
    assert report.run.id == "rh-1" and report.run.state == "finished"
    first = {item.id: report.first()[item.key] for item in report.run.asked}
    badge, pool = first["badge"], first["pool"]
    assert badge.measures == {**dict.fromkeys(MEASURES, True), "abstains": None}
    assert badge.found[0] == "badge.md" and "10 €" in badge.text and badge.total_ms > 0
    assert pool.measures["abstains"] is True and pool.measures["correct"] is None and pool.abstained
    assert badge.first_text_ms is not None and badge.first_token_ms is not None
    summary = report.summary
    rate = summary.rate("correct")
    assert (rate.good, rate.n) == (2, 2)
    assert (rate.low, rate.high) == (lower(2, 2, 0.025), upper(2, 2, 0.025))
    assert list(summary.languages) == ["fr"] and summary.errors == 0
    assert {one.name for one in summary.times} == {"first_token", "first_text", "total"}


def test_a_wrong_answer_and_a_failure_count_as_wrong(bench: Bench) -> None:
    bench.assistant = bench.assistant.model_copy(update={"abstain": False})
    bench.engine.replies = [lambda body: Failure("refuse") if "piscine" in str(body) else WRONG]
    report = bench.run()
    first = {item.id: report.first()[item.key] for item in report.run.asked}
    assert first["badge"].measures["correct"] is False and not first["badge"].right
    assert "10 €" in first["badge"].detail
    assert first["pool"].error and first["pool"].measures["abstains"] is False
    assert report.summary.errors == 1


def test_as_many_at_once_as_there_are_slots(bench: Bench) -> None:
    running, most = 0, 0

    class Asker:
        async def ask(self, question: str, *, seed: int) -> Any:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            from etabli.certification.base import Response
            from etabli.evaluation.asking import Reply

            return Reply(Response("x"))

    from etabli.evaluation.running import Evaluation

    evaluator = bench.evaluator
    run = evaluator.begin(evaluator.plan(bench.assistant, bench.questions(), repeat=5))
    asyncio.run(Evaluation(evaluator.store, Asker()).run(run.id))
    assert bench.slots <= most <= bench.slots + 1


def test_what_was_interrupted_goes_on(bench: Bench) -> None:
    def stop(progress: Any) -> None:
        if progress.done == 1:
            raise KeyboardInterrupt

    bench.slots = 1
    with pytest.raises(KeyboardInterrupt):
        bench.run(on_progress=stop)
    store = bench.evaluator.store
    assert store.get("rh-1").state == "stopped"
    kept = len(store.tried("rh-1"))
    assert 1 <= kept < 3
    asked: list[Any] = []
    report = bench.run(on_progress=asked.append)
    assert report.run.id == "rh-1" and len(asked) == 3 - kept and len(report.tried) == 3
    assert bench.run().run.id == "rh-2", "a finished one is not gone on with"


def test_only_what_asks_the_same_of_the_same_goes_on(bench: Bench) -> None:
    evaluator = bench.evaluator
    planned = evaluator.plan(bench.assistant, bench.questions())
    begun = evaluator.begin(planned)
    assert evaluator.store.get(begun.id).state == "stopped", "no process runs it"
    assert evaluator.begin(planned).id == begun.id
    assert evaluator.begin(planned, anew=True).id != begun.id
    bench.assistant = bench.assistant.model_copy(update={"instructions": "Tu tutoies."})
    other = evaluator.plan(bench.assistant, bench.questions())
    assert evaluator.store.resumable(other) is None


def test_a_line_cut_short_is_asked_again(bench: Bench) -> None:
    report = bench.run()
    path = bench.folder / "evaluations" / "rh-1" / "answers.jsonl"
    assert path.stat().st_mode & 0o077 == 0
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], lines[2][:40]]), encoding="utf-8")
    assert len(bench.evaluator.store.tried("rh-1")) == 2 < len(report.tried)


def test_one_process_at_a_time(bench: Bench) -> None:
    evaluator = bench.evaluator
    run = evaluator.begin(evaluator.plan(bench.assistant, bench.questions()))
    with evaluator.store.alone(run.id):
        assert evaluator.store.get(run.id).state == "running"
        with pytest.raises(ConflictError, match="runs already"):
            asyncio.run(evaluator.run(run, bench.assistant))
    finished = asyncio.run(evaluator.run(run, bench.assistant))
    with pytest.raises(ConflictError, match="is finished"):
        asyncio.run(evaluator.run(finished.run, bench.assistant))


def test_nothing_but_errors_stops_it(bench: Bench) -> None:
    bench.assistant = bench.assistant.model_copy(update={"abstain": False})
    bench.engine.replies = [Failure("unavailable")]
    with pytest.raises(EngineUnavailableError, match="nothing but errors"):
        bench.run(repeat=10)
    assert bench.evaluator.store.get("rh-1").state == "failed"
    bench.engine.replies = [knows]
    report = bench.run(repeat=10)
    assert report.run.id == "rh-1" and report.summary.errors == 0 and len(report.tried) == 30


def test_repeats(bench: Bench) -> None:
    bench.assistant = bench.assistant.model_copy(update={"abstain": False})
    seeds: list[int] = []

    def sometimes(body: Any) -> str:
        seeds.append(body["seed"])
        return knows(body) if body["seed"] == 6 else WRONG

    bench.engine.replies = [sometimes]
    report = bench.run(repeat=3, seed=5)
    assert set(seeds) == {5, 6, 7}
    assert report.summary.rate("correct").good == 0, "shares count the first try"
    one = next(one for one in report.summary.repeats if one.measure == "correct")
    assert (one.k, one.any_of.good, one.any_of.n, one.all_of.good) == (3, 2, 2, 0)
    assert one.hit_at == pytest.approx((1 / 3, 2 / 3, 1))


def test_a_report_survives_a_file(bench: Bench, tmp_path: Path) -> None:
    report = bench.run()
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report.to_json(), ensure_ascii=False), encoding="utf-8")
    assert read_report(path) == report
    path.write_text('{"format": "other"}', encoding="utf-8")
    with pytest.raises(InvalidInputError, match="is no evaluation"):
        read_report(path)
    for name in ("rh-9", "../rh-1", "rh-1/../rh-1"):
        with pytest.raises(NotFoundError, match="There is no evaluation"):
            bench.evaluator.store.get(name)


def test_two_runs_are_compared_question_by_question(bench: Bench) -> None:
    old = bench.run()
    bench.engine.replies = [WRONG]
    bench.assistant = bench.assistant.model_copy(update={"abstain": False, "instructions": "Sois bref."})
    new = bench.run()
    comparison = compare(old, new)
    assert set(comparison.parts) == {"guards", "instructions"} and comparison.common == 3
    correct = next(one for one in comparison.differences if one.measure == "correct")
    assert (correct.old, correct.new, correct.better, correct.worse, correct.n) == (2, 0, 0, 2, 2)
    assert correct.p == mcnemar(0, 2) and not correct.shown
    assert correct.low <= -1 <= correct.high and correct.low >= -1
    assert {one.item.id for one in comparison.changed if not one.better} >= {"badge", "leave"}
    assert compare(new, old).changed[-1].better
    same = compare(old, old)
    assert same.parts == () and same.changed == () and all(one.p == 1 for one in same.differences)


def test_nothing_in_common_is_said(bench: Bench) -> None:
    old = bench.run()
    other = '{"question": "Quel est le poste du PC sécurité ?", "language": "fr", "keywords": ["4118"]}'
    with pytest.raises(InvalidInputError, match="no question in common"):
        compare(old, bench.run(bench.questions(other)))


def test_a_requirement_is_met_by_the_lower_bound_alone(bench: Bench) -> None:
    report = bench.run()
    required = read_requirements(["correct>=0.1, cited >= 90 %", "abstains>=0"])
    outcomes = check(required, report.summary)
    assert [one.shown for one in outcomes] == [True, False, True]
    assert "more questions are needed" in outcomes[1].sentence()
    assert "2 of 2" in outcomes[0].sentence()
    for bad in ("right>=0.5", "correct>0.5", "correct>=1.5", "correct"):
        with pytest.raises(InvalidInputError, match="is no requirement"):
            read_requirements([bad])


def test_what_was_not_measured_is_not_shown(bench: Bench) -> None:
    one = '{"question": "Quel est le poste du PC sécurité ?", "language": "fr", "keywords": ["4118"]}'
    summary = bench.run(bench.questions(one)).summary
    (outcome,) = check(read_requirements(["abstains>=0"]), summary)
    assert not outcome.shown and "not measured" in outcome.sentence()


def junit_counts(report: Report, *required: str) -> dict[str, str]:
    root = ElementTree.fromstring(junit_of(report, check(read_requirements(required), report.summary)))
    assert len(root.findall(".//testcase")) == int(root.attrib["tests"])
    return {name: root.attrib[name] for name in ("tests", "failures", "errors")}


def test_junit(bench: Bench) -> None:
    bench.assistant = bench.assistant.model_copy(update={"abstain": False})
    bench.engine.replies = [lambda body: WRONG + "\x01" if "badge" in str(body) else knows(body)]
    report = bench.run()
    wrong = sum(not one.right for one in report.tried)
    assert wrong
    assert junit_counts(report) == {"tests": "3", "failures": str(wrong), "errors": "0"}
    assert junit_counts(report, "correct>=0.9") == {"tests": "1", "failures": "1", "errors": "0"}
    assert junit_counts(report, "found>=0.1") == {"tests": "1", "failures": "0", "errors": "0"}
