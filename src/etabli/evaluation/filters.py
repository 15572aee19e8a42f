"""Whether a question that a model wrote can be asked: pure checks, each with its reason for dropping one.

What they cannot see: a question that asks for another thing than the fact it was written for. A person reviews.
"""

import re
from collections.abc import Iterable
from typing import Literal

from etabli.certification.base import Language
from etabli.certification.detectors.correctness import states
from etabli.evaluation.spans import Span
from etabli.knowledge.analysis import terms
from etabli.knowledge.language import detect
from etabli.messages import tr

Reason = Literal[
    "no_json", "not_literal", "no_question", "leans", "holds_answer", "other_language", "unrelated", "duplicate",
    "names_known", "not_found",
]  # fmt: skip
REASONS: tuple[Reason, ...] = (
    "no_json", "not_literal", "no_question", "leans", "holds_answer", "other_language", "unrelated", "duplicate",
    "names_known", "not_found",
)  # fmt: skip
NEAR = 0.75
"""Share of common stems from which two questions are one."""
_RELATED = 0.3
"""Share of a question's stems that its document must have, at least one of them."""
_SHORTEST, _LONGEST, _FEWEST_WORDS = 15, 220, 4
_LEANS = re.compile(
    r"\b(?:ce|cet|cette|ces|le|la|l['’]|du|au)\s?(?:document|texte|passage|extrait|phrase|paragraphe|tableau|"
    r"ligne|article ci|rubrique|source)s?\b"
    r"|\bci-(?:dessus|dessous|contre|après|joint)|\b(?:cela|ceci|celui-ci|celle-ci|ceux-ci)\b"
    r"|\bmentionnée?s?\b|\bréponse attendue\b"
    r"|\b(?:this|the|that)\s(?:document|text|passage|excerpt|sentence|paragraph|table|row|section|source)s?\b"
    r"|\b(?:above|below|aforementioned)\b|\bexpected answer\b|\bmentioned\b",
    re.IGNORECASE,
)


def fault_of(question: str, span: Span, *, text: str, known: Iterable[str]) -> Reason | None:
    """Why a question for the fact of a span cannot be asked; None when it can.

    Args:
        question: as the model wrote it.
        span: what it was written for.
        text: of the document, where the span must stand literally.
        known: questions that there are already.
    """
    if span.quote not in text or span.answer not in span.quote:
        return "not_literal"
    fault = _own_fault(question, span.language, known)
    if fault is not None:
        return fault
    if holds(question, span):
        return "holds_answer"
    own = set(terms(question, span.language))
    given = set(terms(f"{span.title}\n{span.heading}\n{span.told}", span.language))
    shared = len(own & given)
    return None if shared and shared >= _RELATED * len(own) else "unrelated"


def absent_fault_of(
    question: str, thing: str, span: Span, *, unknown: frozenset[str], known: Iterable[str]
) -> Reason | None:
    """Why a question about a thing that no document names cannot be asked; None when it can.

    Args:
        question: as the model wrote it.
        thing: what it must be about.
        span: whose question it was made from.
        unknown: stems of the question that no document of the index has.
        known: questions that there are already.
    """
    fault = _own_fault(question, span.language, known)
    if fault is not None:
        return fault
    telling = set(terms(telling_word(thing), span.language))
    if not telling & set(terms(question, span.language)):
        return "unrelated"
    return None if telling & unknown else "names_known"


def _own_fault(question: str, language: Language, known: Iterable[str]) -> Reason | None:
    """Faults that a question has by itself."""
    text = question.strip()
    if (
        not _SHORTEST <= len(text) <= _LONGEST
        or not text.endswith("?")
        or text.count("?") > 1
        or "\n" in text
    ):
        return "no_question"
    if len(text.split()) < _FEWEST_WORDS or not text[0].isalnum():
        return "no_question"
    if _LEANS.search(text) is not None:
        return "leans"
    if (detect(text) or language) != language:
        return "other_language"
    return "duplicate" if any(near(text, other) for other in known) else None


def holds(question: str, span: Span) -> bool:
    """Whether a question gives its own answer away, in any notation."""
    return states(question, span.answer) or all(states(question, word) for word in span.keywords)


def near(first: str, second: str) -> bool:
    """Whether two questions ask nearly the same words.

    >>> near("Combien coûte un badge perdu ?", "Un badge perdu coûte combien ?")
    True
    """
    one, other = (frozenset((*terms(text, "fr"), *terms(text, "en"))) for text in (first, second))
    return bool(one | other) and len(one & other) >= NEAR * len(one | other)


def telling_word(thing: str) -> str:
    """The longest word of a thing's name.

    >>> telling_word("la salle de yoga du personnel")
    'personnel'
    """
    return max(re.findall(r"[^\W_]+", thing), key=len, default="")


def reason_label(reason: str) -> str:
    """Why a question was dropped, for people."""
    return {
        "no_json": tr("the model wrote no question"),
        "not_literal": tr("the quotation is not in the document"),
        "no_question": tr("no question, or too short or long"),
        "leans": tr("cannot be understood alone"),
        "holds_answer": tr("gives its own answer away"),
        "other_language": tr("in another language than its document"),
        "unrelated": tr("not about its sentence"),
        "duplicate": tr("asks what another one asks"),
        "names_known": tr("about a thing that the documents name"),
        "not_found": tr("the search does not find its document"),
    }.get(reason, reason)
