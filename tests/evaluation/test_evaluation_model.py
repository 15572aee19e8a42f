"""The whole way with a real model: questions proposed from documents, then asked."""

import asyncio
from pathlib import Path

import pytest

from etabli.engines.local import start_engine
from etabli.evaluation.questions import read_question_file
from etabli.models.pull import ensure_model
from etabli.settings import load_settings

from .conftest import QUESTIONS, Bench

pytestmark = [pytest.mark.model, pytest.mark.slow]
MODEL = "qwen2.5-coder-0.5b"


def test_a_small_model_proposes_questions_and_is_evaluated(bench: Bench, tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "workspace", threads=1, context_tokens=2048, slots=1)
    engine = start_engine(settings, ensure_model(settings, MODEL), MODEL)
    bench.engine, bench.slots = engine, 1  # type: ignore[assignment]
    path = tmp_path / "rh.jsonl"
    path.write_text(QUESTIONS, encoding="utf-8")
    evaluator = bench.evaluator

    async def work() -> None:
        try:
            made = await evaluator.generate(bench.assistant, 2)
            rows = evaluator.generated(bench.assistant).rows()
            assert len(rows) == made.proposed + made.dropped.total() and rows
            for row in rows:
                if row.answerable:
                    assert row.source and row.quote and row.quote in bench.corpus.texts[row.source]
                if row.state == "proposed":
                    assert row.question.endswith("?") and row.model == MODEL
            planned = evaluator.plan(bench.assistant, read_question_file(path))
            report = await evaluator.run(evaluator.begin(planned), bench.assistant)
            rates = {one.measure: (one.good, one.n) for one in report.summary.rates}
            assert report.summary.errors == 0 and rates["found"] == (2, 2) and rates["abstains"][1] == 1
            quoted, citing = rates["literal"]
            assert citing and quoted == citing
            total = next(one for one in report.summary.times if one.name == "total")
            assert total.n == 3 and total.median > 0
        finally:
            await engine.aclose()

    try:
        engine.wait_ready(300)
        asyncio.run(work())
    finally:
        engine.stop()
