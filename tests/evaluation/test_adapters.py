import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from etabli.errors import EngineRequestError, EngineUnavailableError
from etabli.evaluation.adapters import (
    HELD_OUT,
    Comparison,
    Task,
    compare,
    everyday_tasks,
    held_out_tasks,
    judge,
    score,
)
from etabli.training.data.rows import read_rows

CLINIC = Path(__file__).parents[2] / "examples" / "clinique" / "training"


def exact(number: int, expected: str) -> Task:
    return Task(
        f"h{number}", HELD_OUT, "", ({"role": "user", "content": f"note {number}"},), (expected,), "exact"
    )


def everyday(number: int, *accepted: str) -> Task:
    return Task(
        f"e{number}", "fact", "fr", ({"role": "user", "content": f"question {number}"},), accepted, "contains"
    )


class Engine:
    """Answers by model and request; counts what it is asked."""

    def __init__(self, answers: Mapping[tuple[str, str], str], *, dies_after: int | None = None) -> None:
        self.answers, self.dies_after, self.asked = answers, dies_after, 0

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> dict[str, Any]:
        await asyncio.sleep(0)
        self.asked += 1
        if self.dies_after is not None and self.asked > self.dies_after:
            raise EngineUnavailableError("gone")
        assert body["temperature"] == 0
        text = self.answers[body["model"], body["messages"][-1]["content"]]
        if text == "refused":
            raise EngineRequestError("the prompt is too long")
        return {"choices": [{"message": {"role": "assistant", "content": text}}]}


TASKS = [exact(1, "A\nB"), exact(2, "C"), everyday(1, "Madrid"), everyday(2, "douze", "12")]
ANSWERS = {
    ("base", "note 1"): "A\nX",
    ("base", "note 2"): "refused",
    ("base", "question 1"): "C’est Madrid.",
    ("base", "question 2"): "Il y en a 12.",
    ("ft:one", "note 1"): " A \nB\n",
    ("ft:one", "note 2"): "C",
    ("ft:one", "question 1"): "MADRID",
    ("ft:one", "question 2"): "Il y en a 120.",
}


def run(engine: Engine, kept: Path) -> Comparison:
    return asyncio.run(compare(engine, TASKS, base="base", adapter="ft:one", kept=kept, slots=2))


def test_gain_and_damage_are_counted(tmp_path: Path) -> None:
    found = run(Engine(ANSWERS), tmp_path / "answers.jsonl")
    gain, damage, fact = found.gains
    assert (gain.kind, gain.n, gain.before, gain.after, gain.better, gain.worse) == (HELD_OUT, 2, 0, 2, 2, 0)
    assert gain.lines_before == 0.25 and gain.lines_after == 1
    assert gain.p == 0.5 and gain.low < 0 < gain.high, "two pairs show nothing"
    assert (damage.kind, damage.before, damage.after, damage.worse) == ("everyday", 2, 1, 1)
    assert fact.kind == "fact" and found.forgot
    assert found.held_out == gain


def test_an_interrupted_comparison_goes_on(tmp_path: Path) -> None:
    kept = tmp_path / "answers.jsonl"
    with pytest.raises(ExceptionGroup):
        run(Engine(ANSWERS, dies_after=3), kept)
    with kept.open("a", encoding="utf-8") as file:
        file.write('["after", "h1", "cut in the mid')  # killed while it wrote
    done = len(kept.read_text(encoding="utf-8").splitlines()) - 1
    engine = Engine(ANSWERS)
    assert run(engine, kept).gains[0].after == 2
    assert engine.asked == 8 - done and done == 3


def test_the_same_answers_show_no_difference() -> None:
    answers = {(side, task.id): task.expected[0] for side in ("before", "after") for task in TASKS}
    found = judge(TASKS, answers)
    assert not found.forgot
    assert all(gain.p == 1 and gain.low <= 0 <= gain.high for gain in found.gains)
    assert json.loads(json.dumps(found.to_json()))["gains"][0]["n"] == 2


@pytest.mark.parametrize(
    ("answer", "right"),
    [("A\nB", True), ("A\u00a0\nB", True), ("A\nB\nC", False), ("a\nB", False), ("Voici :\nA\nB", False)],
)
def test_a_form_must_be_exact(answer: str, right: bool) -> None:
    assert score(exact(1, "A\nB"), answer).right is right


@pytest.mark.parametrize(
    ("accepted", "answer", "right"),
    [
        ("5", "Elle en tient 5.", True),
        ("5", "Elle en tient 45.", False),
        ("21 h 00", "à 21h00", False),
        ("Élève", "un eleve", True),
        ("0 8", "0.8", True),
        ("colour red", '{"colour": "red"}', True),
    ],
)
def test_a_short_answer_is_found_as_a_whole_word(accepted: str, answer: str, right: bool) -> None:
    assert score(everyday(1, accepted), answer).right is right


def test_everyday_tasks_are_in_both_languages_and_none_is_right_by_its_question() -> None:
    tasks = everyday_tasks()
    assert len(tasks) >= 100 and len({task.id for task in tasks}) == len(tasks)
    assert {task.language for task in tasks} == {"fr", "en"}
    echoed = [task.id for task in tasks if task.kind in ("fact", "sum", "grammar") and score(
        task, str(task.messages[0]["content"])
    ).right]  # fmt: skip
    assert not echoed, "a model that repeats the question must not be right"


def test_the_clinics_forms_become_tasks_whose_answers_were_never_trained() -> None:
    held_out = held_out_tasks(read_rows(CLINIC / "fiches-held-out.jsonl", "supervised"))
    trained = held_out_tasks(read_rows(CLINIC / "fiches-train.jsonl", "supervised"))
    assert (len(held_out), len(trained)) == (100, 300)
    notes = {task.messages[-1]["content"] for task in trained}
    assert not notes & {task.messages[-1]["content"] for task in held_out}
    assert all(score(task, task.expected[0]).right for task in held_out)
