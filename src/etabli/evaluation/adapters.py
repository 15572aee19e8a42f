"""A model before and after an adapter: what it gained on held-out examples, and what it lost elsewhere.

Both answer the same tasks, at temperature 0, through one engine that holds the adapter: `model` is the base's name
or the adapter's. Each answer is right or wrong by program. The gain is over examples that the adapter never saw;
the damage over a fixed set of everyday tasks in French and English (`forgetting.yaml`: reading, saying that a text
does not tell, pointing at a source, facts, sums, grammar, instructions). Differences are McNemar's exact test over
the tasks that only one got right, with an interval that holds at any sample size, as everywhere in this package.

Answers are kept as they come, so that an interrupted comparison goes on where it was.
"""

import asyncio
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Protocol

import yaml

from etabli.certification.statistics import increase_upper, mcnemar
from etabli.errors import EngineRequestError
from etabli.evaluation.kept import keep, kept_lines
from etabli.training.data.rows import Row

JSON = dict[str, Any]
Rule = Literal["exact", "contains"]
Side = Literal["before", "after"]
HELD_OUT = "held_out"
ALPHA = 0.05
LARGEST_LOSS = 0.02
"""Share of everyday tasks that may go from right to wrong, net, before the damage is called one."""
_SHORT_TOKENS = 64
"""For an everyday task, which asks for a few words."""
_CHARACTERS_PER_TOKEN = 2
"""Fewer than any language has, so that a right answer is never cut; one that is longer is wrong already."""


class Completes(Protocol):
    """The part of a chat engine that is needed."""

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> JSON:
        """Send `body` and wait for the whole answer."""
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """Something to answer, and what is right.

    Attributes:
        id: unique in a comparison.
        kind: `held_out`, or a key of `forgetting.yaml`.
        language: of the request, `fr` or `en`; empty where it is not known.
        messages: as the engine gets them.
        expected: of `exact`, the one right answer; of `contains`, any of them.
        rule: how an answer is judged.
    """

    id: str
    kind: str
    language: str
    messages: tuple[JSON, ...]
    expected: tuple[str, ...]
    rule: Rule


@dataclass(frozen=True, slots=True)
class Score:
    """One answer, judged.

    Attributes:
        right: whether it is right.
        lines: share of the expected lines that it has, in [0, 1]; of `contains`, 1 or 0.
    """

    right: bool
    lines: float


@dataclass(frozen=True, slots=True)
class Gain:
    """Tasks of one kind, before and after.

    Attributes:
        kind: of the tasks; `everyday` for all but the held-out ones.
        n: how many.
        before: right without the adapter.
        after: right with it.
        better: right only with it.
        worse: right only without it.
        p: McNemar's exact test.
        low: lower end of the 95 % interval of (after − before) / n.
        high: upper end.
        lines_before: mean share of right lines without the adapter.
        lines_after: with it.
    """

    kind: str
    n: int
    before: int
    after: int
    better: int
    worse: int
    p: float
    low: float
    high: float
    lines_before: float
    lines_after: float


@dataclass(frozen=True, slots=True)
class Pair:
    """One task with both answers."""

    task: Task
    before: str
    after: str
    before_right: bool
    after_right: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an adapter changed.

    Attributes:
        gains: the held-out examples, everyday tasks together, then each kind of them.
        pairs: every task with both answers, the held-out ones first.
    """

    gains: tuple[Gain, ...]
    pairs: tuple[Pair, ...]

    @property
    def held_out(self) -> Gain | None:
        """The gain, or None where nothing was held out."""
        return next((one for one in self.gains if one.kind == HELD_OUT), None)

    @property
    def everyday(self) -> Gain:
        """The damage."""
        return next(one for one in self.gains if one.kind == "everyday")

    @property
    def forgot(self) -> bool:
        """Whether more everyday tasks were lost than may be."""
        return self.everyday.before - self.everyday.after > LARGEST_LOSS * self.everyday.n

    def to_json(self) -> JSON:
        """For files, programs and screens."""
        return {
            "forgot": self.forgot,
            "gains": [asdict(one) for one in self.gains],
            "pairs": [
                {
                    "id": one.task.id,
                    "kind": one.task.kind,
                    "language": one.task.language,
                    "request": one.task.messages[-1]["content"],
                    "expected": list(one.task.expected),
                    "before": one.before,
                    "after": one.after,
                    "before_right": one.before_right,
                    "after_right": one.after_right,
                }
                for one in self.pairs
            ],
        }


def held_out_tasks(rows: Iterable[Row]) -> list[Task]:
    """One task per conversation: all before its last trained message, whose text is the one right answer."""
    tasks = []
    for number, row in enumerate(rows, 1):
        last = row.messages[-1] if row.chosen is None else row.chosen
        before = row.messages[:-1] if row.chosen is None else row.messages
        if row.label is False or last.tool_calls or not last.content:
            continue
        messages = tuple(message.to_json() for message in before)
        tasks.append(Task(f"held-out-{number}", HELD_OUT, "", messages, (last.content,), "exact"))
    return tasks


@cache
def everyday_tasks() -> tuple[Task, ...]:
    """The tasks that show what a model forgot."""
    text = (resources.files("etabli.evaluation") / "forgetting.yaml").read_text(encoding="utf-8")
    tasks = []
    for kind, by_language in yaml.safe_load(text).items():
        for language, items in by_language.items():
            for number, item in enumerate(items, 1):
                message = {"role": "user", "content": item["ask"]}
                accepted = tuple(str(one) for one in item["accept"])
                tasks.append(
                    Task(f"{kind}-{language}-{number}", kind, language, (message,), accepted, "contains")
                )
    return tuple(tasks)


def score(task: Task, answer: str) -> Score:
    """Judge an answer. `exact` ignores spaces at line ends and how apostrophes and spaces are typed; `contains` also
    accents and case, and looks for a whole word.
    """
    if task.rule == "exact":
        wanted, found = _lines(task.expected[0]), _lines(answer)
        hits = sum(line in found for line in wanted)
        return Score(wanted == found, hits / max(1, len(wanted)))
    words = f" {_folded(answer)} "
    right = any(f" {_folded(one)} " in words for one in task.expected)
    return Score(right, float(right))


async def compare(
    engine: Completes,
    tasks: Sequence[Task],
    *,
    base: str,
    adapter: str,
    kept: Path,
    slots: int = 4,
    on_progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Have every task answered without and with the adapter.

    Args:
        engine: that holds the adapter.
        tasks: of `held_out_tasks` and `everyday_tasks`.
        base: name of the base model at the engine.
        adapter: name of the adapter at the engine.
        kept: file of answers; those in it are not asked again.
        slots: requests at once.
        on_progress: told how many answers there are, of how many.

    Raises:
        EngineUnavailableError: the engine does not answer; what was answered is kept.
    """
    answers: dict[tuple[str, str], str] = {(side, key): text for side, key, text in kept_lines(kept, 3)}
    wanted: list[tuple[Side, Task]] = [
        (side, task) for side in ("before", "after") for task in tasks if (side, task.id) not in answers
    ]
    total = 2 * len(tasks)
    queue = iter(wanted)

    async def work() -> None:
        for side, task in queue:
            text = await _ask(engine, task, model=base if side == "before" else adapter)
            answers[side, task.id] = text
            keep(kept, (side, task.id, text))
            if on_progress is not None:
                on_progress(len(answers), total)

    async with asyncio.TaskGroup() as group:
        for _ in range(slots):
            group.create_task(work())
    return judge(tasks, answers)


def judge(tasks: Sequence[Task], answers: Mapping[tuple[str, str], str]) -> Comparison:
    """The comparison from the answers by side and task."""
    scored = [
        (task, score(task, answers["before", task.id]), score(task, answers["after", task.id]))
        for task in tasks
    ]
    everyday = [one for one in scored if one[0].kind != HELD_OUT]
    kinds = list(dict.fromkeys(task.kind for task, _, _ in everyday))
    groups = [(HELD_OUT, [one for one in scored if one[0].kind == HELD_OUT]), ("everyday", everyday)]
    groups += [(kind, [one for one in everyday if one[0].kind == kind]) for kind in kinds]
    pairs = tuple(
        Pair(task, answers["before", task.id], answers["after", task.id], before.right, after.right)
        for task, before, after in scored
    )
    return Comparison(tuple(_gain(kind, some) for kind, some in groups if some), pairs)


def _gain(kind: str, scored: Sequence[tuple[Task, Score, Score]]) -> Gain:
    n = len(scored)
    better = sum(after.right and not before.right for _, before, after in scored)
    worse = sum(before.right and not after.right for _, before, after in scored)
    return Gain(
        kind=kind,
        n=n,
        before=sum(before.right for _, before, _ in scored),
        after=sum(after.right for _, _, after in scored),
        better=better,
        worse=worse,
        p=mcnemar(better, worse),
        low=-increase_upper(worse, better, n, ALPHA / 2),
        high=increase_upper(better, worse, n, ALPHA / 2),
        lines_before=sum(before.lines for _, before, _ in scored) / n,
        lines_after=sum(after.lines for _, _, after in scored) / n,
    )


async def _ask(engine: Completes, task: Task, *, model: str) -> str:
    body = {
        "model": model,
        "messages": list(task.messages),
        "temperature": 0,
        "seed": 1,
        "max_tokens": _most_tokens(task),
    }
    try:
        reply = await engine.complete(body)
    except EngineRequestError as error:
        return f"({error})"
    return str(reply["choices"][0]["message"].get("content") or "")


def _most_tokens(task: Task) -> int:
    if task.rule == "contains":
        return _SHORT_TOKENS
    return _SHORT_TOKENS + len(task.expected[0]) // _CHARACTERS_PER_TOKEN


def _lines(text: str) -> list[str]:
    plain = text.replace("’", "'").replace("\u00a0", " ").replace("\u202f", " ")
    return [" ".join(line.split()) for line in plain.strip().splitlines()]


def _folded(text: str) -> str:
    """Small letters without accents, one space between words, digits kept together with their separators."""
    plain = "".join(
        one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one)
    )
    return " ".join("".join(one if one.isalnum() else " " for one in plain).split())
