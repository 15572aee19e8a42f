"""What is required of an evaluation, such as `correct>=0.6`, and whether it was shown.

Shown means that the lower end of the printed interval reaches it: an observed share above it is not enough.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from etabli.errors import InvalidInputError
from etabli.evaluation.measures import MEASURES
from etabli.evaluation.summary import Rate, Summary
from etabli.messages import tr

NOT_SHOWN = 3
"""Exit status of a command whose requirements are not all shown."""
_FORM = re.compile(r"\s*(\w+)\s*>=\s*(\d+(?:[.,]\d+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One wish: the share of a measure is at least `least`, between 0 and 1."""

    measure: str
    least: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether it was shown, by which figures."""

    requirement: Requirement
    rate: Rate

    @property
    def shown(self) -> bool:
        """Whether the lower end of the interval reaches it; never where nothing was measured."""
        return self.rate.n > 0 and self.rate.low >= self.requirement.least

    def to_json(self) -> dict[str, Any]:
        """For files and programs."""
        rate = self.rate
        return {
            "measure": rate.measure,
            "least": self.requirement.least,
            "low": rate.low,
            "good": rate.good,
            "n": rate.n,
            "shown": self.shown,
        }

    def sentence(self) -> str:
        """The same for people."""
        least, low = _percent(self.requirement.least), _percent(self.rate.low)
        values = {"measure": self.rate.measure, "good": self.rate.good, "n": self.rate.n, "low": low}
        if not self.rate.n:
            return tr("{measure}: not measured; no question says anything about it.",
                      measure=self.rate.measure)  # fmt: skip
        if self.shown:
            return tr("{measure} is at least {least}: shown ({good} of {n}, so at least {low}).",
                      least=least, **values)  # fmt: skip
        if self.rate.good / self.rate.n >= self.requirement.least:
            return tr("{measure} is at least {least}: not shown. {good} of {n} allow as little as {low}: more "
                      "questions are needed.", least=least, **values)  # fmt: skip
        return tr("{measure} is at least {least}: not reached. {good} of {n} were right.",
                  measure=self.rate.measure, least=least, good=self.rate.good, n=self.rate.n)  # fmt: skip


def read_requirements(texts: Iterable[str]) -> tuple[Requirement, ...]:
    """Requirements as they are typed: `correct>=0.6`, `abstains >= 80 %`; several with commas in between.

    >>> read_requirements(["correct>=0.6,cited>=50%"])
    (Requirement(measure='correct', least=0.6), Requirement(measure='cited', least=0.5))

    Raises:
        InvalidInputError: one is none.
    """
    found = []
    for text in texts:
        for part in re.split(r",(?=\s*[^\W\d])", text):
            match = _FORM.fullmatch(part)
            least = float(match[2].replace(",", ".")) / (100 if match[3] else 1) if match else -1.0
            if match is None or match[1] not in MEASURES or not 0 <= least <= 1:
                raise InvalidInputError(
                    tr("{found} is no requirement. Write a measure and a share, such as correct>=0.6 or cited>=50%. "
                       "Measures are {allowed}.", found=f"“{part.strip()}”", allowed=", ".join(MEASURES))
                )  # fmt: skip
            found.append(Requirement(match[1], least))
    return tuple(found)


def check(requirements: Iterable[Requirement], summary: Summary) -> tuple[Outcome, ...]:
    """Each requirement with the figures that decide."""
    return tuple(Outcome(one, summary.rate(one.measure)) for one in requirements)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
