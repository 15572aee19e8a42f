"""Which sentence or row answers: scored by words, meaning, late interaction, its passage and what is asked for.

A sentence is read in its context (`wording`), for a bare table row resembles no question. Its score is a sum of five
figures whose weights were fitted on PIAF's questions, none of the demo's (`python benchmarks/pointing.py`, which
prints them). They maximise the likelihood of the right sentence among all (conditional logit; McFadden, 1974).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etabli.assistants.expecting import Expected
from etabli.assistants.sentences import Unit
from etabli.knowledge.analysis import terms

NEIGHBOURS = 0.7
SHORT = 25
"""Characters under which a sentence is hardly one."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each figure of a sentence counts.

    Args:
        words: share of the question's terms, by idf, in the sentence with its heading and column names; those that
            only the sentences before and behind it have count `NEIGHBOURS`.
        likeness: how close it is to the question: late interaction, in [0, 1].
        passage: the score of its passage, in [0, 1].
        expected: whether it has the kind of thing that is asked for, in [0, 1].
        short: whether it is shorter than `SHORT`.
    """

    words: float
    likeness: float
    passage: float
    expected: float
    short: float


WEIGHTS = Weights(words=2.55, likeness=9.7, passage=5.43, expected=1.78, short=-1.92)
WITHOUT_MODEL = Weights(words=5.1, likeness=0.0, passage=5.43, expected=1.78, short=-1.92)
"""Where no embedding model is there."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What speaks for one sentence; see `Weights`.

    Args:
        meaning: its cosine with the question; None without an embedding model.
    """

    words: float
    likeness: float
    passage: float
    expected: float
    short: float
    meaning: float | None = None

    def score(self, weights: Weights) -> float:
        """Comparable among the sentences of one question."""
        return (
            weights.words * self.words
            + weights.likeness * self.likeness
            + weights.passage * self.passage
            + weights.expected * self.expected
            + weights.short * self.short
        )


def word_figures(
    asked: Mapping[str, float],
    wanted: Expected | None,
    units: Sequence[Unit],
    texts: Sequence[str],
    passage: float,
) -> list[Figures]:
    """Figures of the units of one passage that need no model.

    Args:
        asked: weight of each of the question's terms.
        wanted: what it asks for.
        units: of the passage.
        texts: the same in words (`wording.in_words`).
        passage: its score.
    """
    total = sum(asked.values()) or 1.0
    held = [asked.keys() & both_languages(text) for text in texts]
    figures = []
    for index, unit in enumerate(units):
        near = set().union(*held[max(0, index - 1) : index + 2])
        own = sum(asked[term] for term in held[index])
        figures.append(
            Figures(
                words=(own + NEIGHBOURS * (sum(asked[term] for term in near) - own)) / total,
                likeness=0.0,
                passage=passage,
                expected=wanted.found_in(unit.text) if wanted is not None else 0.0,
                short=float(len(unit.text) < SHORT),
            )
        )
    return figures


def both_languages(text: str) -> set[str]:
    """Terms in both languages: the passage may be in the other one than the question."""
    return set(terms(text, "fr")) | set(terms(text, "en"))
