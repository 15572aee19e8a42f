"""Findings as they come in: all of them counted, the first ones of each rule kept, told in the order of the file."""

from collections import Counter

from etabli.training.data.findings import Fault, Finding
from etabli.training.data.rules import PLACES

MOST_LISTED = 100_000
"""Findings of one rule that are kept with their lines; all of them are counted."""


class Listing:
    """The findings of one check."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._found: list[Finding] = []

    def add(self, file: str, line: int, fault: Fault) -> None:
        """One more.

        Args:
            file: name of the file.
            line: from 1; 0 for the whole file.
            fault: what is wrong.
        """
        self.counts[fault.rule] += 1
        if self.counts[fault.rule] <= MOST_LISTED:
            self._found.append(Finding(fault.rule, file, line, fault.place, fault.mended, fault.params))

    def findings(self, *, first: str) -> tuple[Finding, ...]:
        """All that are kept: those of the file `first` before those of others, by line, then as rules are told."""
        return tuple(
            sorted(self._found, key=lambda one: (one.file != first, one.file, one.line, PLACES[one.rule]))
        )
