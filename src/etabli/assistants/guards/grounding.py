"""Whether a sentence of an answer may be shown where only what passages support is: `guards.grounded: strict`.

A sentence is shown when a passage supports it and it brings in nothing from outside: no name that no passage has, no
word of the question that no document knows. What is supported but brings something in is replaced by the words of
the passage; all else is left out. Then an order to write something finds no way out, whatever the model does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from etabli.assistants.evidence import Evidence
from etabli.assistants.verifying import Statement, Support, needs_source
from etabli.knowledge.analysis import terms
from etabli.knowledge.language import detect

_LINKING = frozenset(
    stem
    for language, words in (
        (
            "fr",
            "bonjour bonsoir merci voici voilà suivant suivante suivants suivantes étape étapes point points élément éléments "
            "oui non réponse document documents passage passages règle règles selon donc ainsi résumé liste exemple note "
            "détail détails cas condition conditions information informations source sources faut devez pouvez dit indique "
            "d'accord bien sûr également enfin ensuite premièrement cordialement question",
        ),
        (
            "en",
            "hello hi thanks thank here following step steps point points item items yes answer document documents passage "
            "passages rule rules according therefore thus summary list example note detail details case condition conditions "
            "information source sources must may says states also finally then first regards question sure course welcome",
        ),
    )
    for stem in terms(words, language)
)
"""Words that say nothing by themselves: a lead-in made of these and of the passages' words may stand."""
_LONG_NUMBER = re.compile(r"\d{4,}")


@dataclass(frozen=True)
class Grounding:
    """Judges the sentences of one answer.

    Args:
        evidence: what the model read.
        unknown: terms of the question that no document knows.
    """

    evidence: Evidence
    unknown: frozenset[str]

    @cached_property
    def _known(self) -> frozenset[str]:
        texts = [
            "\n".join([source.first.title or "", source.first.breadcrumb, *(unit.text for unit in source.units)])
            for source in self.evidence.sources
        ]
        return frozenset(term for text in texts for language in ("fr", "en") for term in terms(text, language))

    def verdict(self, statement: Statement, supports: Sequence[Support]) -> str:
        """`shown`, `quoted` (the passage's words instead) or `hidden`.

        Args:
            statement: the sentence, without markers.
            supports: what was found for it.
        """
        foreign_words = self._echoes(statement)
        if not needs_source(statement):
            stems = statement.stems - self._known - _LINKING
            return "hidden" if stems or foreign_words else "shown"
        best = max(supports, key=lambda support: support.order, default=None)
        if best is None or best.status == "unsupported":
            return "hidden"
        if foreign_words or self._brings_names(statement) or self._is_unread(statement, best):
            return "quoted"
        return "shown"

    def _echoes(self, statement: Statement) -> bool:
        """Whether it repeats a word of the question that no document knows; short numbers aside."""
        stems = statement.stems | frozenset(terms(statement.text, "fr")) | frozenset(terms(statement.text, "en"))
        return any(
            term in stems and term not in self._known and (not term.isdigit() or _LONG_NUMBER.fullmatch(term))
            for term in self.unknown
        )

    def _brings_names(self, statement: Statement) -> bool:
        """Whether it holds a name that neither a passage nor the question has."""
        return any(
            not any(
                term in self._known
                for language in ("fr", "en")
                for term in terms(claim.shown, language)
            )
            for claim in statement.names
        )

    def _is_unread(self, statement: Statement, best: Support) -> bool:
        """Whether its passage is in another language and nothing literal joins the two."""
        if best.status == "verified":
            return False
        span = "\n".join(
            unit.text
            for unit in best.source.units
            if unit.char_start >= best.char_start and unit.char_end <= best.char_end
        )
        return (detect(span) or statement.language) != statement.language and not statement.literal
