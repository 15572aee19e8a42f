"""An evaluation in figures: shares with exact intervals, times, repeats. Pure: tries go in, numbers come out.

The unit is the question. Shares count its first try, since tries of one question resemble each other; what several
tries add stands apart (any of K, all of K, hit@k). Intervals are two-sided, 95 %: Clopper and Pearson for shares,
order statistics for medians; both hold at any sample size.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from etabli.certification.statistics import binomial_cdf, hit_at_k, lower, upper
from etabli.evaluation.measures import MEASURES, Tried
from etabli.evaluation.questions import Item, languages_of

JSON = dict[str, Any]
ALPHA = 0.05
REPEATED = ("correct", "abstains")
"""Measures of which repeats are told."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of questions, with its interval.

    Args:
        measure: of `MEASURES`.
        good: how many.
        n: of how many.
        low: lower end of the 95 % interval; 0 where nothing was measured.
        high: upper end.
    """

    measure: str
    good: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """Good of all; None where nothing was measured."""
        return self.good / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Duration:
    """Milliseconds of many answers.

    Args:
        name: `first_token`, `first_text` or `total`.
        n: answers.
        median: of them.
        low: lower end of the median's 95 % interval; None below 6 answers.
        high: upper end.
        p95: that 95 of 100 answers do not pass.
    """

    name: str
    n: int
    median: float
    low: float | None
    high: float | None
    p95: float


@dataclass(frozen=True, slots=True)
class Repeats:
    """What several tries of each question add.

    Args:
        measure: of `MEASURES`.
        k: tries of each.
        any_of: right in at least one of them.
        all_of: right in every one.
        hit_at: unbiased chance that one of 1, 2, … `k` tries is right, averaged over the questions.
    """

    measure: str
    k: int
    any_of: Rate
    all_of: Rate
    hit_at: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """One evaluation in figures.

    Args:
        questions: asked at least once.
        errors: of them without an answer at the first try.
        rates: over all questions.
        languages: the same of each language that is asked in.
        times: of the first tries.
        repeats: where each was asked more than once.
    """

    questions: int
    errors: int
    rates: tuple[Rate, ...]
    languages: Mapping[str, tuple[Rate, ...]]
    times: tuple[Duration, ...]
    repeats: tuple[Repeats, ...] = ()

    def rate(self, measure: str) -> Rate:
        """Of one measure."""
        return next(one for one in self.rates if one.measure == measure)

    def to_json(self) -> JSON:
        """For files and programs."""
        return {
            "questions": self.questions,
            "errors": self.errors,
            "rates": [_rate_json(one) for one in self.rates],
            "languages": {name: [_rate_json(one) for one in rates] for name, rates in self.languages.items()},
            "times_ms": [asdict(one) for one in self.times],
            "repeats": [
                {
                    "measure": one.measure,
                    "k": one.k,
                    "any_of": _rate_json(one.any_of),
                    "all_of": _rate_json(one.all_of),
                    "hit_at": list(one.hit_at),
                }
                for one in self.repeats
            ],
        }


def summarise(items: Sequence[Item], tried: Iterable[Tried]) -> Summary:
    """The figures of what was tried so far.

    Args:
        items: the questions.
        tried: in any order; of two of the same question and trial the later counts.
    """
    known = {(one.key, one.trial): one for one in tried}
    first = {item.key: known[item.key, 0] for item in items if (item.key, 0) in known}
    asked = [item for item in items if item.key in first]
    languages = languages_of(asked)
    return Summary(
        questions=len(asked),
        errors=sum(bool(one.error) for one in first.values()),
        rates=rates_of(first.values()),
        languages={
            name: rates_of(first[item.key] for item in asked if item.question.language == name)
            for name in languages
        },
        times=tuple(_times(list(first.values()))),
        repeats=tuple(_repeats(asked, known)),
    )


def rates_of(tried: Iterable[Tried]) -> tuple[Rate, ...]:
    """Each measure over these tries, which must be of different questions."""
    rows = list(tried)
    return tuple(
        rate(name, [value for row in rows if (value := row.measures.get(name)) is not None])
        for name in MEASURES
    )


def rate(measure: str, values: Sequence[bool]) -> Rate:
    """A share with its exact interval.

    >>> one = rate("correct", [True] * 5)
    >>> one.good, one.n, round(one.low, 3), one.high
    (5, 5, 0.478, 1.0)
    """
    good, n = sum(values), len(values)
    return Rate(measure, good, n, lower(good, n, ALPHA / 2), upper(good, n, ALPHA / 2))


def median_interval(ordered: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the median by order statistics; None where there are fewer than 6 values.

    P(the r-th smallest lies above the median) = P(Binomial(n, 1/2) < r), whatever the values' distribution.

    >>> median_interval([1, 2, 3, 4, 5, 6, 7, 8])
    (1, 8)
    """
    rank = 0
    while binomial_cdf(rank, len(ordered), 0.5) <= ALPHA / 2:
        rank += 1
    return (ordered[rank - 1], ordered[len(ordered) - rank]) if rank else None


def _times(rows: Sequence[Tried]) -> Iterable[Duration]:
    pick: dict[str, Callable[[Tried], float | None]] = {
        "first_token": lambda one: one.first_token_ms,
        "first_text": lambda one: one.first_text_ms,
        "total": lambda one: None if one.error else one.total_ms,
    }
    for name, of in pick.items():
        ordered = sorted(value for row in rows if (value := of(row)) is not None)
        if ordered:
            ends = median_interval(ordered)
            middle = len(ordered) // 2
            median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
            p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
            low, high = ends if ends is not None else (None, None)
            yield Duration(name, len(ordered), median, low, high, p95)


def _repeats(items: Sequence[Item], known: Mapping[tuple[str, int], Tried]) -> Iterable[Repeats]:
    k = 1 + max((trial for _, trial in known), default=0)
    if k == 1:
        return
    for measure in REPEATED:
        groups = []
        for item in items:
            rows = [known[item.key, trial] for trial in range(k) if (item.key, trial) in known]
            values = [value for row in rows if (value := row.measures.get(measure)) is not None]
            if len(values) == k:
                groups.append(values)
        if groups:
            yield Repeats(
                measure,
                k,
                any_of=rate(measure, [any(values) for values in groups]),
                all_of=rate(measure, [all(values) for values in groups]),
                hit_at=tuple(
                    sum(hit_at_k(k, sum(values), tries) for values in groups) / len(groups)
                    for tries in range(1, k + 1)
                ),
            )


def _rate_json(one: Rate) -> JSON:
    return {**asdict(one), "share": one.share}
