"""Two evaluations of the same questions, question by question: another version of the assistant, another model.

Pairs only: a question that both were asked, with the same expectation. Whether they differ is decided by McNemar's
exact test over the pairs that only one got right; how much, by an interval of the difference that holds at any sample
size. First tries count. Pure.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from etabli.certification.bundle import changed
from etabli.certification.statistics import increase_upper, mcnemar
from etabli.errors import InvalidInputError
from etabli.evaluation.measures import MEASURES, Tried
from etabli.evaluation.questions import Item
from etabli.evaluation.store import Report
from etabli.evaluation.summary import ALPHA
from etabli.messages import tr

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure in both runs.

    Args:
        measure: of `MEASURES`.
        n: questions of which both have it.
        old: how many the old run got right.
        new: how many the new one did.
        better: that only the new one got right.
        worse: that only the old one got right.
        p: of McNemar's exact test: the chance of so uneven a split if neither were better.
        low: lower end of the 95 % interval of (new − old) / n.
        high: upper end.
    """

    measure: str
    n: int
    old: int
    new: int
    better: int
    worse: int
    p: float
    low: float
    high: float

    @property
    def shown(self) -> bool:
        """Whether a difference is shown at the 5 % level."""
        return self.p < ALPHA


@dataclass(frozen=True, slots=True)
class Changed:
    """A question that went from wrong to right, or back.

    Args:
        item: the question.
        old: what came before.
        new: what comes now.
        better: whether it is right now.
    """

    item: Item
    old: Tried
    new: Tried
    better: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side.

    Args:
        old: id of the first run.
        new: id of the second.
        parts: what the assistants differ in: names of components of their bundles.
        common: questions that both were asked.
        apart: questions that only one of them was.
        differences: by measure, those that at least one pair has.
        changed: questions that went from right to wrong or back, the worse ones first.
    """

    old: str
    new: str
    parts: tuple[str, ...]
    common: int
    apart: int
    differences: tuple[Difference, ...]
    changed: tuple[Changed, ...]

    def to_json(self) -> JSON:
        """For files and programs."""
        return {
            "old": self.old,
            "new": self.new,
            "changed_parts": list(self.parts),
            "common": self.common,
            "apart": self.apart,
            "differences": [asdict(one) for one in self.differences],
            "questions": [
                {
                    "key": one.item.key,
                    "id": one.item.id,
                    "question": one.item.question.question,
                    "became": "better" if one.better else "worse",
                    "old": one.old.text,
                    "new": one.new.text,
                }
                for one in self.changed
            ],
        }


def compare(old: Report, new: Report) -> Comparison:
    """The second run against the first.

    Raises:
        InvalidInputError: they have no question in common.
    """
    before, after = old.first(), new.first()
    items = [item for item in new.run.asked if item.key in before and item.key in after]
    if not items:
        raise InvalidInputError(
            tr("{old} and {new} have no question in common: they were not asked the same, or not of the same file. "
               "Ask both the same questions with --questions.", old=old.run.id, new=new.run.id)
        )  # fmt: skip
    moved = [
        Changed(item, before[item.key], after[item.key], after[item.key].right)
        for item in items
        if before[item.key].right != after[item.key].right
    ]
    return Comparison(
        old=old.run.id,
        new=new.run.id,
        parts=tuple(changed(old.run.components, new.run.components)),
        common=len(items),
        apart=len(before.keys() ^ after.keys()),
        differences=tuple(
            one for name in MEASURES if (one := _difference(name, items, before, after)) is not None
        ),
        changed=tuple(sorted(moved, key=lambda one: one.better)),
    )


def _difference(
    measure: str, items: list[Item], before: Mapping[str, Tried], after: Mapping[str, Tried]
) -> Difference | None:
    pairs = [
        (first, second)
        for item in items
        if (first := before[item.key].measures.get(measure)) is not None
        and (second := after[item.key].measures.get(measure)) is not None
    ]
    if not pairs:
        return None
    better = sum(second and not first for first, second in pairs)
    worse = sum(first and not second for first, second in pairs)
    return Difference(
        measure=measure,
        n=len(pairs),
        old=sum(first for first, _ in pairs),
        new=sum(second for _, second in pairs),
        better=better,
        worse=worse,
        p=mcnemar(better, worse),
        low=-increase_upper(worse, better, len(pairs), ALPHA / 2),
        high=increase_upper(better, worse, len(pairs), ALPHA / 2),
    )
