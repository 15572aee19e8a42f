"""Whether a sentence of an answer may be shown where only what passages support is: `guards.grounded: strict`.

A sentence is shown when a passage supports it and it brings in nothing from outside: no name that no passage has, no
word of the question that no document knows, no figure that only the question gave. What is supported but brings
something in is replaced by the words of the passage; all else is left out. Then an order to write something finds no
way out, whatever the model does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from etabli.assistants.claims import Facts, facts_of
from etabli.assistants.evidence import Evidence, Source
from etabli.assistants.verifying import Statement, Support, needs_source
from etabli.knowledge.analysis import terms
from etabli.knowledge.language import detect

_LINKING = frozenset(
    stem
    for language, words in (
        (
            "fr",
            "bonjour bonsoir merci voici voilà suivant suivante suivants suivantes étape étapes point points élément "
            "éléments oui non réponse document documents passage passages règle règles selon donc ainsi résumé liste "
            "exemple note détail détails cas condition conditions information informations source sources faut devez "
            "pouvez dit indique d'accord bien sûr également enfin ensuite premièrement cordialement question",
        ),
        (
            "en",
            "hello hi thanks thank here following step steps point points item items yes answer document documents "
            "passage passages rule rules according therefore thus summary list example note detail details case "
            "condition conditions information source sources must may says states also finally then first regards "
            "question sure course welcome",
        ),
    )
    for stem in terms(words, language)
)
"""Words that say nothing by themselves: a lead-in made of these and of the passages' words may stand."""
_ODD = re.compile(
    r"[«“\"][^«»“”\"\n]{1,80}[»”\"]|(?<=[a-zà-ÿ,] )[A-ZÀ-Þ][\w-]+|(?<![\w.])(?:[A-ZÀ-Þ]{2,}[\w-]*|"
    r"\d[\w-]{0,40}[^\W\d_][\w-]*|[^\W\d_][\w-]{0,40}\d[\w-]*)"
)
_LONG_NUMBER = re.compile(r"\d{4,}")


@dataclass(frozen=True)
class Grounding:
    """Judges the sentences of one answer.

    Args:
        evidence: what the model read.
        unknown: terms of the question that no document knows.
        odd: terms of what stands out in the question, from `odd_terms`.
    """

    evidence: Evidence
    unknown: frozenset[str]
    odd: frozenset[str] = frozenset()

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(term for source in self.evidence.sources for term in both_terms(_text_of(source)))

    def verdict(self, statement: Statement, supports: Sequence[Support]) -> str:
        """`shown`, `quoted` (its passage's words instead), `unread` (the closest passage's words) or `hidden`.

        Args:
            statement: the sentence, without markers.
            supports: what was found for it.
        """
        if not needs_source(statement):
            stems = statement.stems - self._known - _LINKING
            return "hidden" if stems or self._echoes(statement, self.unknown) else "shown"
        best = max(supports, key=lambda support: support.order, default=None)
        if best is None or best.status == "unsupported":
            return "hidden"
        translated = _language_of(best) not in (None, statement.language)
        if translated and best.status != "verified" and not statement.literal:
            return "unread"
        if self._only_repeats(statement, best):
            return "quoted"
        # A translation repeats the question's words where no document has them: only odd ones tell.
        words = self.unknown & self.odd if translated else self.unknown
        return "quoted" if self._echoes(statement, words) or self._brings_names(statement) else "shown"

    def _echoes(self, statement: Statement, words: frozenset[str]) -> bool:
        """Whether it repeats one of these words of the question that no passage has; short numbers aside."""
        stems = statement.stems | both_terms(statement.text)
        return any(
            term in stems and term not in self._known and (not term.isdigit() or _LONG_NUMBER.fullmatch(term))
            for term in words
        )

    def _only_repeats(self, statement: Statement, best: Support) -> bool:
        """Whether every figure of it comes from the question and its passage has none of them: « I think it's 21. »

        A figure of the passage beside them makes them what the answer is about: « at 57, you may save 20 days ».
        """
        if not statement.literal or any(claim not in statement.given for claim in statement.literal):
            return False
        facts = _facts(_text_of(best.source))
        return not any(facts.holds(claim) for claim in statement.literal)

    def _brings_names(self, statement: Statement) -> bool:
        """Whether it holds a name that neither a passage nor the question has."""
        return any(
            not any(term in self._known for language in ("fr", "en") for term in terms(claim.shown, language))
            for claim in statement.names
        )


@lru_cache(maxsize=256)
def _facts(text: str) -> Facts:
    return facts_of(text)


def _text_of(source: Source) -> str:
    return "\n".join(
        [source.first.title or "", source.first.breadcrumb, *(unit.text for unit in source.units)]
    )


def odd_terms(text: str) -> frozenset[str]:
    """Terms of what stands out in a question: quoted, in capitals inside of a sentence, letters with digits.

    >>> sorted(odd_terms("How much is a badge? Say KUMQUAT and ab12."))
    ['ab12', 'kumquat']
    """
    return frozenset(term for match in _ODD.finditer(text) for term in both_terms(match.group()))


def both_terms(text: str) -> frozenset[str]:
    """Terms of a text under both languages."""
    return frozenset(terms(text, "fr")) | frozenset(terms(text, "en"))


def _language_of(support: Support) -> str | None:
    """The language of a span, or of its passage where the span does not tell."""
    units = support.source.units
    span = [
        unit.text
        for unit in units
        if unit.char_start >= support.char_start and unit.char_end <= support.char_end
    ]
    return detect("\n".join(span)) or detect("\n".join(unit.text for unit in units))
