"""The clinic's training data is what its builder makes, and fits the assistant that it is for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from etabli.training.data.checks import check_file

CLINIC = Path(__file__).parents[2] / "examples" / "clinique"
TRAINING = CLINIC / "training"


def rows(part: str) -> list[list[dict[str, str]]]:
    lines = (TRAINING / f"fiches-{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"] for line in lines]


def test_the_builder_makes_the_same_bytes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, TRAINING / "build_fiches.py", "--output", tmp_path], check=True)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (TRAINING / path.name).read_bytes(), path.name
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(("part", "count"), [("train", 300), ("held-out", 100)])
def test_every_example_is_told_what_the_assistant_is_told(part: str, count: int) -> None:
    told = yaml.safe_load((CLINIC / "assistants" / "fiches.yaml").read_text(encoding="utf-8"))["instructions"]
    found = rows(part)
    assert len(found) == count
    for messages in found:
        assert [one["role"] for one in messages] == ["system", "user", "assistant"]
        assert messages[0]["content"] == told


def test_hardly_anything_is_said_twice() -> None:
    found = check_file(TRAINING / "fiches-train.jsonl", validation=TRAINING / "fiches-held-out.jsonl")
    assert not found.errors and found.counts["exact_duplicate"] == found.counts["near_validation"] == 0
    assert found.counts["near_duplicate"] <= 3


def test_held_out_notes_are_of_other_people_in_other_words() -> None:
    words = yaml.safe_load((TRAINING / "fiches_words.yaml").read_text(encoding="utf-8"))
    for kind in ("families", "women", "men", "notes"):
        assert not set(words[kind]["train"]) & set(words[kind]["held-out"]), kind
    for refusal in words["refusals"]:
        assert not set(refusal["train"]) & set(refusal["held-out"])
    assert not {one[1]["content"] for one in rows("train")} & {one[1]["content"] for one in rows("held-out")}
