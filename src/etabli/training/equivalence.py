"""The gate between training and serving: does the engine say with the adapter's file what the trainer says with it?

For some conversations the answer is forced, token by token, and both tell what they find probable at each place of
it. Compared are

- the mean of KL(engine || trainer), over the engine's most probable tokens and one bucket for all the others, which
  is never more than the true divergence: below 0.01;
- how often both find the same token most probable: above 97 %;
- the prompt itself: the engine's own chat template, given the messages, must come to the same count of tokens and to
  the distribution that it gives for our ids.

The trainer's half runs in a process of its own, so that its memory is given back. No torch here.
"""

import asyncio
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from etabli.engines.base import ChatEngine
from etabli.errors import EngineError, InvalidInputError
from etabli.messages import tr
from etabli.training.base import TrainingPlan
from etabli.training.container import open_container
from etabli.training.data.rows import JSON, Row, read_rows
from etabli.training.extra import need
from etabli.training.template import ChatTemplate

PROMPTS = 24
POSITIONS = 12
TOP = 64
MOST_DIVERGENCE = 0.01
LEAST_AGREEMENT = 0.97
_COMMAND = (sys.executable, "-m", "etabli.training.torch.scoring")
_LOGGED_FLOOR = -60.0
Distribution = dict[int, float]
"""Log probability of the most probable tokens by their ids."""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """What the comparison found.

    Attributes:
        passed: whether all three hold.
        prompts: conversations compared.
        positions: places of their answers.
        mean_divergence: KL(engine || trainer) in nats, mean over the places.
        largest_divergence: at one place.
        agreement: share of places where both find the same token most probable.
        same_prompts: whether all prompts came to the same ids.
        top: tokens told apart at each place; the others are one bucket.
    """

    passed: bool
    prompts: int
    positions: int
    mean_divergence: float
    largest_divergence: float
    agreement: float
    same_prompts: bool
    top: int

    def to_json(self) -> JSON:
        """As it is kept."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Probe:
    """One conversation to compare on.

    Attributes:
        harmless: a token of plain text. The engine is made to write it, whatever it finds probable: about half a
            character, which it holds back, it tells no probabilities.
        messages: the prompt, as OpenAI writes it.
        tools: functions that may be called.
        tokens: prompt and forced answer.
        prompt_tokens: how many of them are the prompt.
        prompt: the prompt's ids as the engine should make them.
    """

    harmless: int
    messages: list[JSON]
    tools: list[JSON]
    tokens: list[int]
    prompt_tokens: int
    prompt: list[int]

    @property
    def places(self) -> range:
        """Lengths of the beginnings whose next token is compared."""
        return range(self.prompt_tokens, min(len(self.tokens), self.prompt_tokens + POSITIONS))


def compare(
    plan: TrainingPlan,
    adapter: Path,
    engine: ChatEngine,
    *,
    model: str,
    tick: Callable[[], None] = lambda: None,
) -> Equivalence:
    """Compare engine and trainer on an adapter. Blocks, for a minute or two with 0.5 B parameters on two cores.

    Args:
        plan: of the job that made it.
        adapter: its file.
        engine: one that holds it; every request goes through it and so carries the whole vector of adapters.
        model: the adapter's name at that engine.
        tick: called now and then; what it raises ends the comparison.

    Raises:
        EngineError: the engine does not tell probabilities, or the trainer's half failed.
        InvalidInputError: plan, data or adapter cannot be used.
        ConfigurationError: the extra `training` is not installed.
    """
    need()
    probes = choose(plan)
    told, same = asyncio.run(_ask(engine, model, probes, tick))
    scored = _score(plan, adapter, probes, told, tick)
    return judge(told, scored, same_prompts=same, prompts=len(probes))


def choose(plan: TrainingPlan, count: int = PROMPTS) -> list[Probe]:
    """Conversations to compare on: held-out rows first, then rows of the training, spread over the file."""
    template = ChatTemplate(open_container(plan.base_path, name=plan.base))
    rows = [
        row
        for path in (plan.validation_file, plan.training_file)
        if path
        for row in _spread(path, plan, count)
    ]
    return [_probe(row, template) for row in rows[:count]]


def judge(
    told: Sequence[Sequence[Distribution]],
    scored: Sequence[Sequence[Mapping[str, Any]]],
    *,
    same_prompts: bool,
    prompts: int,
) -> Equivalence:
    """The figures and the verdict.

    Args:
        told: of each probe, at each place, what the engine finds probable.
        scored: the same of the trainer: `log_probabilities` of the engine's tokens in their order, and `best`.
        same_prompts: whether the prompts came to the same ids.
        prompts: how many there are.
    """
    divergences, agreed = [], 0
    for engine_places, trainer_places in zip(told, scored, strict=True):
        for engine_one, trainer_one in zip(engine_places, trainer_places, strict=True):
            divergences.append(divergence(list(engine_one.values()), trainer_one["log_probabilities"]))
            agreed += max(engine_one, key=lambda token: engine_one[token]) == trainer_one["best"]
    mean = sum(divergences) / len(divergences)
    agreement = agreed / len(divergences)
    return Equivalence(
        passed=same_prompts and mean < MOST_DIVERGENCE and agreement > LEAST_AGREEMENT,
        prompts=prompts,
        positions=len(divergences),
        mean_divergence=mean,
        largest_divergence=max(divergences),
        agreement=agreement,
        same_prompts=same_prompts,
        top=TOP,
    )


def divergence(left: Sequence[float], right: Sequence[float]) -> float:
    """KL of two distributions in nats, from log probabilities of the same tokens; the others are one bucket.

    >>> round(divergence([math.log(0.5), math.log(0.25)], [math.log(0.25), math.log(0.5)]), 4)
    0.1733
    """
    p, q = np.exp(np.maximum(left, _LOGGED_FLOOR)), np.exp(np.maximum(right, _LOGGED_FLOOR))
    rest_p, rest_q = max(1e-12, 1 - float(p.sum())), max(1e-12, 1 - float(q.sum()))
    return max(0.0, float((p * (np.log(p) - np.log(q))).sum()) + rest_p * math.log(rest_p / rest_q))


def _spread(path: Path, plan: TrainingPlan, count: int) -> list[Row]:
    rows = list(read_rows(path, plan.method))
    step = max(1, len(rows) // count)
    return rows[::step][:count]


def _probe(row: Row, template: ChatTemplate) -> Probe:
    """Prompt and answer of a row: its last trained message, or the preferred answer."""
    messages = list(row.messages)
    if row.chosen is None:
        last = max(number for number, message in enumerate(messages) if message.trained)
        before, answer = messages[:last], messages[last]
    else:
        before, answer = messages, row.chosen
    encoded = template.encode([*before, answer], tools=row.tools)
    start = int(np.flatnonzero(encoded.trained)[-1]) + 1
    while start > 0 and encoded.trained[start - 1]:
        start -= 1
    end = int(np.flatnonzero(encoded.trained)[-1]) + 1
    plain = [message.to_json() for message in before]
    return Probe(
        harmless=template.tokenizer.encode_text("a", first=False)[-1],
        messages=plain,
        tools=list(row.tools),
        tokens=[int(one) for one in encoded.tokens[:end]],
        prompt_tokens=start,
        prompt=template.prompt_ids(plain, tools=row.tools),
    )


async def _ask(
    engine: ChatEngine, model: str, probes: Sequence[Probe], tick: Callable[[], None]
) -> tuple[list[list[Distribution]], bool]:
    told, same = [], True
    for probe in probes:
        places = []
        for length in probe.places:
            tick()
            places.append(await _next_token(engine, model, probe, probe.tokens[:length]))
        told.append(places)
        same = same and await _is_same_prompt(engine, model, probe)
    return told, same


async def _next_token(engine: ChatEngine, model: str, probe: Probe, tokens: list[int]) -> Distribution:
    answer = await engine.complete(
        {**_one_token(model, probe), "prompt": tokens, "logprobs": TOP, "n_probs": TOP}, path="/completions"
    )
    return _distribution(answer)


async def _is_same_prompt(engine: ChatEngine, model: str, probe: Probe) -> bool:
    body = {**_one_token(model, probe), "messages": probe.messages, "logprobs": True, "top_logprobs": TOP}
    if probe.tools:
        body["tools"] = probe.tools
    answer = await engine.complete(body)
    if int((answer.get("usage") or {}).get("prompt_tokens", -1)) != len(probe.prompt):
        return False
    rendered, ours = _distribution(answer), await _next_token(engine, model, probe, probe.prompt)
    return (
        divergence(list(ours.values()), [rendered.get(token, _LOGGED_FLOOR) for token in ours])
        < MOST_DIVERGENCE
    )


def _one_token(model: str, probe: Probe) -> JSON:
    return {"model": model, "max_tokens": 1, "temperature": 0, "logit_bias": {str(probe.harmless): 1000}}


def _distribution(answer: JSON) -> Distribution:
    try:
        first = answer["choices"][0]["logprobs"]["content"][0]
        found = {int(one["id"]): float(one["logprob"]) for one in first["top_logprobs"]}
    except (KeyError, IndexError, TypeError, ValueError):
        raise EngineError(
            tr(
                "The engine does not tell how probable its tokens are, so trainer and engine cannot be compared."
            )
        ) from None
    return found


def _score(
    plan: TrainingPlan,
    adapter: Path,
    probes: Sequence[Probe],
    told: Sequence[Sequence[Distribution]],
    tick: Callable[[], None],
) -> list[list[dict[str, Any]]]:
    """The trainer's half, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="etabli-") as name:
        question, answer = Path(name) / "question.json", Path(name) / "answer.json"
        items = [
            {"tokens": probe.tokens, "places": list(probe.places), "wanted": [list(one) for one in places]}
            for probe, places in zip(probes, told, strict=True)
        ]
        content = {
            "base": str(plan.base_path),
            "sha256": plan.base_sha256,
            "adapter": str(adapter),
            "items": items,
        }
        question.write_text(json.dumps({**content, "threads": plan.threads}), encoding="utf-8")
        child = subprocess.Popen(
            [*_COMMAND, str(question), str(answer)], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            while child.poll() is None:
                tick()
                time.sleep(0.2)
        finally:
            child.kill()
            _, said = child.communicate()
        if child.returncode != 0 or not answer.exists():
            reason = said.decode("utf-8", "replace").strip().splitlines()[-1:] or [
                f"status {child.returncode}"
            ]
            raise InvalidInputError(tr("The trainer cannot read the adapter: {reason}", reason=reason[0]))
        scored: list[list[dict[str, Any]]] = json.loads(answer.read_text(encoding="utf-8"))
        return scored
