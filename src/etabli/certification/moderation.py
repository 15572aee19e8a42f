"""What kinds of harm a text may hold, in OpenAI's thirteen categories, by French and English turns of phrase.

A cheap first look, not a judge: it knows words, not what they are meant to do. It misses harm in polite words, other
languages, irony and most of what needs context, and it sometimes flags a harmless text. How often is measured by
`benchmarks/moderation.py` and told in `docs/concepts/detectors.md`. A score is the chance, by the weights of the
rules, that one of the signals found is right (1 - Π(1 - w)); it is not calibrated to a rate.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from etabli.certification import moderation_rules
from etabli.certification.detectors.folding import fold, unleet, views
from etabli.certification.moderation_rules import RULES, SLURS

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
FLAGGED = 0.5
SLUR_WEIGHT = 0.7
LONGEST_SENTENCE = 600
MOST_CHARACTERS = 200_000
"""Of a text that is looked at; callers refuse longer ones."""
_SENTENCE = re.compile(r"[.!?…]+\s|\n+")
_WORD = re.compile(r"[a-z]{3,20}")
_WITHIN = {
    "harassment/threatening": "harassment",
    "hate/threatening": "hate",
    "self-harm/intent": "self-harm",
    "self-harm/instructions": "self-harm",
    "sexual/minors": "sexual",
    "violence/graphic": "violence",
}
"""A narrower category counts towards the wider one."""


@dataclass(frozen=True, slots=True)
class Moderation:
    """What was found in a text.

    Args:
        scores: by category, 0 to 1.
    """

    scores: Mapping[str, float]

    @property
    def categories(self) -> dict[str, bool]:
        """Which categories are flagged."""
        return {category: self.scores[category] >= FLAGGED for category in CATEGORIES}

    @property
    def flagged(self) -> bool:
        """Whether any is."""
        return any(self.categories.values())


def moderate(text: str) -> Moderation:
    """Look at a text, and at what can be decoded from it.

    >>> moderate("Quels sont les horaires de la cantine ?").flagged
    False
    >>> moderate("Je veux mourir.").categories["self-harm/intent"]
    True
    """
    clean = dict.fromkeys(CATEGORIES, 1.0)
    for form, view in views(text[:MOST_CHARACTERS]):
        if form == "rot13":
            continue
        for sentence in _sentences(view):
            for category, weight in _signals(sentence):
                clean[category] = min(clean[category], 1 - weight)
    scores = {category: round(1 - left, 4) for category, left in clean.items()}
    for narrow, wide in _WITHIN.items():
        scores[wide] = max(scores[wide], round(scores[narrow] * 0.9, 4))
    return Moderation(scores)


def flags(text: str) -> tuple[str, ...]:
    """The flagged categories of a text."""
    return tuple(category for category, flagged in moderate(text).categories.items() if flagged)


def version() -> str:
    """Changes with the rules."""
    digest = hashlib.sha256()
    for path in (__file__, moderation_rules.__file__):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:12]


def _sentences(text: str) -> Iterable[str]:
    """Folded sentences; a long one in pieces that overlap, so that no rule is cut in two."""
    for sentence in _SENTENCE.split(fold(text).replace("’", "'")):
        step = LONGEST_SENTENCE // 2
        for start in range(0, max(1, len(sentence) - step), step):
            piece = sentence[start : start + LONGEST_SENTENCE]
            if piece.strip():
                yield piece


def _signals(sentence: str) -> Iterable[tuple[str, float]]:
    """Category and weight of everything met in a folded sentence; signals of a category add up within it."""
    left: dict[str, float] = {}
    for rule in RULES:
        if all(pattern.search(sentence) for pattern in rule.patterns) and not (
            rule.unless is not None and rule.unless.search(sentence)
        ):
            left[rule.category] = left.get(rule.category, 1.0) * (1 - rule.weight)
    if any(_demeans(word) for word in {*_WORD.findall(sentence), *_WORD.findall(unleet(sentence))}):
        left["hate"] = left.get("hate", 1.0) * (1 - SLUR_WEIGHT)
    return [(category, 1 - clean) for category, clean in left.items()]


def _demeans(word: str) -> bool:
    return hashlib.blake2b(word.encode(), digest_size=4).hexdigest() in SLURS
