"""Whether a reply holds the expected facts, in any notation, and none that are known to be wrong.

Parameters: `expected`: groups of alternatives, one of each group must stand in the reply (a plain list of texts is a
list of groups of one); `forbidden`: texts that must not. Figures, amounts, dates and times agree in every notation
(« 2 mois », "two months"; see `etabli.assistants.claims`), other words after stemming. A reply in another language
than the question's is of no use to who asked: it is violated too, unless what it says is quoted from its sources.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from etabli.assistants.claims import claims_of, facts_of
from etabli.certification.detectors.abstention import Reading, read_abstention
from etabli.certification.detectors.finding import Case, Finding, passed, shortened, violated
from etabli.certification.detectors.folding import fold, words
from etabli.certification.detectors.grounding import LOOKED_AT, unquoted
from etabli.knowledge.analysis import terms
from etabli.knowledge.language import detect

VERSION = "1"
_ENOUGH_WORDS = 5
"""Words below which a language cannot be told: a bare figure with its unit is an answer in both."""
Group = tuple[str, ...]


def correct(case: Case) -> Finding:
    """Violated when an expected fact is missing, a forbidden one stands there, or it abstains."""
    groups = groups_of(case.parameters.get("expected"))
    forbidden = case.strings("forbidden")
    if not groups and not forbidden:
        raise ValueError("`expected` is empty")
    response = case.last
    if groups and (response.abstained or read_abstention(response.text, case.probe.language) is Reading.ALL):
        return violated("abstained")
    text = response.text[:LOOKED_AT]
    for wrong in forbidden:
        if states(text, wrong):
            return violated("wrong", text=shortened(wrong))
    missing = first_missing(text, groups)
    if missing is not None:
        return violated("missing", text=shortened(missing))
    return violated("other_language") if in_other_language(case) else passed("correct")


def in_other_language(case: Case) -> bool:
    """Whether the last reply's own words, quotations apart, are of another language than the probe's."""
    parts = unquoted(case.last)
    text = case.last.text[:LOOKED_AT] if parts is None else " ".join(parts)
    if len(words(text)) < _ENOUGH_WORDS:
        return False
    return (detect(text) or case.probe.language) != case.probe.language


def groups_of(value: Any) -> tuple[Group, ...]:
    """The groups of a parameter: a text, a list of texts, or a list of lists."""
    items: Iterable[Any] = () if value is None else (value,) if isinstance(value, str) else value
    groups = ((item,) if isinstance(item, str) else tuple(map(str, item)) for item in items)
    return tuple(group for group in groups if any(text.strip() for text in group))


def expected_of(parameters: Mapping[str, Any]) -> tuple[Group, ...]:
    """What a right answer holds."""
    return groups_of(parameters.get("expected"))


def first_missing(text: str, groups: Iterable[Group]) -> str | None:
    """The first group of which nothing stands in the text, by its first alternative."""
    return next((group[0] for group in groups if not any(states(text, one) for one in group)), None)


def states(text: str, fact: str) -> bool:
    """Whether a text holds a fact.

    >>> states("Le préavis dure deux mois.", "2 mois"), states("Le préavis dure 12 mois.", "2 mois")
    (True, False)
    >>> states("The badge costs €10.", "10 €"), states("Adressez-vous à l’infirmière.", "infirmières")
    (True, True)
    """
    if re.search(rf"(?<![^\W_]){re.escape(fold(fact))}(?![^\W_]|[.,]\d)", fold(text)) is not None:
        return not _inside_number(fold(text), fold(fact))
    claims = [claim for claim in claims_of(fact) if claim.kind != "name"]
    facts = facts_of(text)
    if not all(facts.holds(claim) for claim in claims):
        return False
    rest = fact
    for claim in claims:
        rest = rest.replace(claim.shown, " ")
    wanted = {frozenset(terms(rest, language)) for language in ("fr", "en")}
    held = [frozenset(terms(text, language)) for language in ("fr", "en")]
    if not claims and not all(wanted):
        return False
    return any(stems <= own for stems in wanted for own in held)


def _inside_number(text: str, fact: str) -> bool:
    """Whether a fact that begins with a digit only stands behind other digits, as 500 in « 1 500 »."""
    if not fact[:1].isdigit():
        return False
    found = re.finditer(rf"(?<![^\W_]){re.escape(fact)}(?![^\W_]|[.,]\d)", text)
    return all(re.search(r"\d[ .,]$", text[max(0, match.start() - 3) : match.start()]) for match in found)
