"""Which sources a sentence of the answer has: those the model named where they bear it out, else the best one."""

import re
from collections.abc import Sequence

from etabli.assistants.abstaining import is_refusal
from etabli.assistants.answer import Status
from etabli.assistants.citing import Rewritten
from etabli.assistants.evidence import Evidence
from etabli.assistants.guards.grounding import Grounding
from etabli.assistants.quoting import quotation
from etabli.assistants.verifying import (
    Statement,
    Support,
    best_support,
    judge_together,
    needs_source,
    read_statement,
    support_in,
)

_ITEM = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+")
"""What begins an item of a list: its number claims nothing."""
_RANK: dict[Status, int] = {"unsupported": 0, "weak": 1, "verified": 2}


class Attributor:
    """Gives each sentence its sources, and remembers how well the answer stands as a whole.

    Args:
        evidence: what the model read.
        question: what was asked, in the caller's words.
        language: of the answer.
        grounding: decides what is shown; without it everything is, with its status.
    """

    def __init__(
        self, evidence: Evidence, *, question: str, language: str, grounding: Grounding | None = None
    ) -> None:
        self._grounding = grounding
        self._quoted: set[tuple[int, int]] = set()
        self.hidden: list[str] = []
        self._evidence = evidence
        self._question = question
        self._language = language
        self.statuses: list[Status] = []
        self.refusals = 0

    def __call__(self, sentence: str, numbers: Sequence[int]) -> list[Support] | Rewritten:
        """The sources of one sentence, best status first; none for what needs none; or what stands instead.

        Args:
            sentence: without markers.
            numbers: those that the model put there; what points to no passage is ignored.
        """
        sentence = _ITEM.sub("", sentence)
        if is_refusal(sentence):
            self.refusals += 1
            return [] if self._grounding is None else self._hide(sentence)
        statement = read_statement(sentence, question=self._question, language=self._language)
        needed = needs_source(statement)
        supports = self._supports(statement, numbers) if needed else []
        if self._grounding is not None:
            verdict = self._grounding.verdict(statement, supports)
            if verdict != "shown":
                if verdict == "hidden":
                    return self._hide(sentence)
                return self._quote(sentence, supports, closest=verdict == "unread")
        if supports:
            self.statuses.append(max((one.status for one in supports), key=lambda status: _RANK[status]))
        return supports

    def contradicts(self, sentence: str) -> bool:
        """Whether a sentence has a number, date or quotation of its own that no sentence read bears out.

        One that stands somewhere, but among other words, is not borne out either: it belongs to something else.

        Args:
            sentence: without markers. It is not remembered.
        """
        statement = read_statement(sentence, question=self._question, language=self._language)
        if not any(claim not in statement.given for claim in statement.literal):
            return False
        best = best_support(statement, self._evidence.sources)
        return best is None or best.status != "verified"

    def _hide(self, sentence: str) -> Rewritten:
        self.hidden.append(sentence)
        return Rewritten()

    def _quote(self, sentence: str, supports: Sequence[Support], *, closest: bool) -> Rewritten:
        """A passage's own words instead of the model's, each passage's once.

        Args:
            sentence: what the model wrote.
            supports: what was found for it.
            closest: quote what comes closest to the question rather than to the sentence.
        """
        self.hidden.append(sentence)
        best = max(supports, key=lambda support: support.order)
        if (closest or _is_heading(best)) and self._evidence.closest is not None:
            number, position = self._evidence.closest
            source = self._evidence.sources[number - 1]
            unit = source.units[position]
            best = Support(source, unit.char_start, unit.char_end, "verified", None, 1.0)
        text, support = quotation(best, language=self._language)
        place = (support.source.number, support.char_start)
        if not text or place in self._quoted:
            return Rewritten()
        self._quoted.add(place)
        self.statuses.append("verified")
        return Rewritten(text, (support,))

    def whole(self, text: str, *, most: int = 3) -> list[Support]:
        """Sources of a text that takes no markers (JSON): those that bear out some of it."""
        statement = read_statement(text, question=self._question, language=self._language)
        found = [
            one for source in self._evidence.sources if (one := support_in(statement, source)) is not None
        ]
        found.sort(key=lambda support: support.order, reverse=True)
        useful = [support for support in judge_together(statement, found) if support.weight > 0.3]
        return useful[:most]

    @property
    def nothing_stands(self) -> bool:
        """Whether the answer says things, and none of them stands in the documents."""
        return bool(self.statuses) and all(status == "unsupported" for status in self.statuses)

    def _supports(self, statement: Statement, numbers: Sequence[int]) -> list[Support]:
        named = [self._evidence.numbered(number) for number in dict.fromkeys(numbers)]
        supports = [
            support
            for source in named
            if source is not None and (support := support_in(statement, source)) is not None
        ]
        supports = judge_together(statement, supports)
        rank = max((_RANK[support.status] for support in supports), default=-1)
        if rank < _RANK["verified"]:
            best = best_support(statement, self._evidence.sources)
            if best is not None and _RANK[best.status] > rank:
                return [best]
        return supports


def _is_heading(support: Support) -> bool:
    """Whether a span begins with a heading: that says nothing by itself."""
    return any(unit.heading and unit.char_start == support.char_start for unit in support.source.units)
