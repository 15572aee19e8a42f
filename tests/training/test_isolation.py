"""Adapters on one engine stay apart; the two ways that go wrong still go wrong, or the rule can be reviewed."""

from pathlib import Path

import pytest

from training.tiny_jobs import REASON

pytest.importorskip("gguf", reason=REASON)

from benchmarks.adapters import measure

pytestmark = [pytest.mark.model, pytest.mark.slow]


def test_interleaved_requests_are_answered_as_alone(small_model: Path, tmp_path: Path) -> None:
    found = measure(small_model, tmp_path)
    assert found.requests == 200 and found.differences == 0
    assert found.switches > 100 and found.reused == 0
    assert found.without_the_vector > 0, "llama.cpp may have mended #26207: review the rule"
    assert found.with_other_prompts_kept > 0, "llama.cpp may have mended #26207: review the rule"
