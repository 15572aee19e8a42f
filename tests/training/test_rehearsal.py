from collections.abc import Callable
from typing import Any

import pytest

from etabli.assistants.claims import fold
from etabli.evaluation.adapters import everyday_tasks
from etabli.training.container import open_container
from etabli.training.rehearsal import rehearsal_rows, training_examples
from etabli.training.template import ChatTemplate


def test_everyday_examples_join_those_of_the_job_and_are_drawn_by_its_seed(
    make_job: Callable[..., Any],
) -> None:
    def examples(**hyperparameters: Any) -> list[tuple[int, ...]]:
        examples.number = getattr(examples, "number", 0) + 1  # type: ignore[attr-defined]
        _, plan = make_job("supervised", name=str(examples.number), rows=10, **hyperparameters)  # type: ignore[attr-defined]
        found = training_examples(plan, ChatTemplate(open_container(plan.base_path)))
        return [tuple(one.sequences[0].tokens) for one in found]

    alone = examples(rehearsal=0)
    mixed = examples(rehearsal=0.25, seed=3)
    assert len(alone) == 10
    assert len(mixed) == 13
    assert mixed[:10] == alone
    assert mixed == examples(rehearsal=0.25, seed=3)
    assert mixed != examples(rehearsal=0.25, seed=4)
    assert not set(mixed[10:]) & set(alone)


@pytest.mark.parametrize("method", ["dpo", "kto"])
def test_preferences_have_none(make_job: Callable[..., Any], method: str) -> None:
    _, plan = make_job(method, rows=10, rehearsal=0.5)
    assert len(training_examples(plan, ChatTemplate(open_container(plan.base_path)))) == 10


def test_a_file_of_many_examples_gets_all_of_them_once(make_job: Callable[..., Any]) -> None:
    _, plan = make_job("supervised", rows=100, rehearsal=1.0, max_tokens=1024)
    found = training_examples(plan, ChatTemplate(open_container(plan.base_path)))[100:]
    assert len(found) == len({tuple(one.sequences[0].tokens) for one in found}) == len(rehearsal_rows())


def test_nothing_is_rehearsed_that_forgetting_is_measured_with() -> None:
    asked = {fold(row.messages[0].content) for row in rehearsal_rows()}
    tested = {fold(task.messages[0]["content"]) for task in everyday_tasks()}
    assert len(asked) == len(rehearsal_rows()) >= 60
    for one in asked:
        words = set(one.split())
        nearest = max(
            tested, key=lambda other: len(words & set(other.split())) / len(words | set(other.split()))
        )
        share = len(words & set(nearest.split())) / len(words | set(nearest.split()))
        assert share < 0.8, (one, nearest)
