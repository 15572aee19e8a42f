"""What a check found in a file: its findings, how many of each rule, figures, and what becomes of every line."""

from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from etabli.training.base import Method
from etabli.training.data.findings import JSON, Finding
from etabli.training.data.rules import CODES, PLACES, RULES, Severity

KEPT, MENDED = 0, 1
"""What becomes of a line in a corrected copy; any other number is two more than the place of a rule, by which it is
left out."""


def fate_of(rule: str) -> int:
    """The fate of a line that is left out because of a rule."""
    return PLACES[rule] + 2


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures of the examples that can be used, as they are or mended.

    Args:
        answers: that are trained, or compared.
        median_answer: characters.
        longest_answer: characters.
        french: answers in French.
        english: answers in English.
        good: kto: labels that are true.
        tokens: of all examples; None where they were not counted.
        trained_tokens: of them those that are learned.
        longest_example: in tokens.
    """

    answers: int = 0
    median_answer: int = 0
    longest_answer: int = 0
    french: int = 0
    english: int = 0
    good: int = 0
    tokens: int | None = None
    trained_tokens: int | None = None
    longest_example: int | None = None


@dataclass(frozen=True)
class Report:
    """What a check found.

    Args:
        path: the file of training data.
        sha256: of its bytes.
        size: bytes.
        method: what its examples are for: as asked, else as its rows say.
        lines: of the file.
        findings: by file and line; at most `listing.MOST_LISTED` of a rule.
        counts: how many there are of each rule, listed or not.
        statistics: figures.
        fates: what becomes of each line in a corrected copy.
        validation: the held-out file; None for none.
        correctable: a corrected copy can be written: the lines are examples.
    """

    path: Path
    sha256: str
    size: int
    method: Method
    lines: int
    findings: tuple[Finding, ...]
    counts: Mapping[str, int]
    statistics: Statistics = field(default_factory=Statistics)
    fates: "array[int]" = field(default_factory=lambda: array("B"))
    validation: Path | None = None
    correctable: bool = True

    @cached_property
    def errors(self) -> tuple[Finding, ...]:
        """What stops a training."""
        return self._of("error")

    @cached_property
    def warnings(self) -> tuple[Finding, ...]:
        """What should be looked at."""
        return self._of("warning")

    @cached_property
    def notes(self) -> tuple[Finding, ...]:
        """What was not checked."""
        return self._of("note")

    @property
    def kept(self) -> int:
        """Lines that a corrected copy has byte for byte."""
        return self.fates.count(KEPT)

    @property
    def mended(self) -> int:
        """Lines that it mends."""
        return self.fates.count(MENDED)

    @property
    def examples(self) -> int:
        """Examples that can be used, as they are or mended."""
        return self.kept + self.mended

    def count(self, severity: Severity) -> int:
        """How many findings there are of a severity, listed or not."""
        return sum(number for code, number in self.counts.items() if RULES[code].severity == severity)

    def left_out(self) -> dict[str, int]:
        """How many lines a corrected copy leaves out, by rule."""
        counted = {code: self.fates.count(fate_of(code)) for code in CODES}
        return {code: number for code, number in counted.items() if number}

    def to_json(self) -> JSON:
        """For programs, with the sentences in the language in force now."""
        return {
            "file": str(self.path),
            "sha256": self.sha256,
            "bytes": self.size,
            "method": self.method,
            "lines": self.lines,
            "examples": self.examples,
            "validation": None if self.validation is None else str(self.validation),
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "counts": {code: self.counts[code] for code in CODES if code in self.counts},
            "statistics": asdict(self.statistics),
            "corrected": {"kept": self.kept, "mended": self.mended, "left_out": self.left_out()},
            "findings": [finding.to_json() for finding in self.findings],
        }

    def _of(self, severity: Severity) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity == severity)
