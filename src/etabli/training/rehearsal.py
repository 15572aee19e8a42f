"""Everyday examples mixed into what an adapter learns: without them it does nothing else any more.

An adapter that saw only forms writes forms, or their refusal, whatever it is asked. The examples are fixed
(`rehearsal.yaml`), short, and none of them is a task of `evaluation/forgetting.yaml`, which measures what was lost.
Preference training keeps to the base by its own loss and needs none.
"""

import math
from functools import cache
from importlib import resources

import numpy as np
import yaml

from etabli.errors import InvalidInputError
from etabli.training.base import TrainingPlan
from etabli.training.data.rows import Message, Row
from etabli.training.examples import Example, encode_row, read_examples
from etabli.training.template import ChatTemplate


def training_examples(plan: TrainingPlan, template: ChatTemplate) -> list[Example]:
    """What a job learns: the rows of its file, then the everyday ones.

    Args:
        plan: resolved.
        template: of the base.

    Raises:
        InvalidInputError: as `read_examples`.
    """
    h = plan.hyperparameters
    examples = read_examples(plan.training_file, plan.method, template, max_tokens=h.max_tokens, seed=h.seed)
    if plan.method != "supervised" or not h.rehearsal:
        return examples
    return examples + _encoded(
        template, count=math.ceil(h.rehearsal * len(examples)), max_tokens=h.max_tokens, seed=h.seed
    )


@cache
def rehearsal_rows() -> tuple[Row, ...]:
    """All everyday examples, French and English."""
    text = (resources.files("etabli.training") / "rehearsal.yaml").read_text(encoding="utf-8")
    return tuple(
        Row((Message("user", one["ask"]), Message("assistant", one["answer"], trained=True)))
        for items in yaml.safe_load(text).values()
        for one in items
    )


def _encoded(template: ChatTemplate, *, count: int, max_tokens: int, seed: int) -> list[Example]:
    """So many of them, drawn by the seed, without those that are too long or that this template does not take."""
    rows = rehearsal_rows()
    found: list[Example] = []
    for number in np.random.default_rng([seed, len(rows)]).permutation(len(rows)):
        if len(found) == count:
            break
        try:
            example = encode_row(rows[int(number)], template, max_tokens)
        except InvalidInputError:
            continue
        if example.tokens <= max_tokens:
            found.append(example)
    return found
