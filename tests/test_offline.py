"""Nothing leaves the machine: the product works in a network namespace that has no route out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from etabli.models.pull import ensure_model
from etabli.settings import load_settings
from product import QUESTION, REPLY, make_office

UNSHARE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]


def may_unshare() -> bool:
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(
    not may_unshare(), reason="network namespaces are not permitted here (unshare --net)"
)


def run_offline(workspace: Path, *options: str) -> tuple[str, dict[str, object]]:
    """What `start --once` printed, and what `ask --json` answered."""
    script = Path(__file__).parent / "offline_product.py"
    done = subprocess.run(
        [*UNSHARE, sys.executable, str(script), str(workspace), *options],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown, _, answer = done.stdout.partition("\n{\n")
    return shown, json.loads("{" + answer)


@pytest.mark.slow
def test_the_product_starts_reads_and_answers_without_a_network(tmp_path: Path) -> None:
    shown, answer = run_offline(make_office(tmp_path / "office"), "--fake")
    assert "2 documents can be searched" in shown
    assert REPLY in shown
    assert answer["text"] == REPLY


@pytest.mark.model
def test_with_its_own_engine_and_embeddings(tmp_path: Path) -> None:
    office = make_office(tmp_path / "office")
    ensure_model(load_settings(office), "qwen2.5-coder-0.5b")
    shown, answer = run_offline(office)
    assert f"? {QUESTION}" in shown
    assert "Ready in" in shown
    assert answer["trace"]["passages"], "the documents were found"  # type: ignore[index]
