"""What kind of thing a question asks for: an amount, a duration, a date, a time, a share, a count, a person.

« Combien de temps » wants a duration, so that among ten sentences on the subject the one with a duration in it is
likelier to be the answer. Recognised by the question's words, in French and English; most other questions expect
nothing in particular, and then nothing is gained or lost.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from etabli.assistants.claims import Facts, facts_of, fold, names_of

_TIME_UNITS = ("second", "minute", "hour", "day", "week", "month", "year", "night")
_UNIT_WORDS = {
    "seconde": "second", "minute": "minute", "heure": "hour", "jour": "day", "semaine": "week", "mois": "month",
    "an": "year", "annee": "year", "nuit": "night", "second": "second", "hour": "hour", "day": "day",
    "week": "week", "month": "month", "year": "year", "night": "night",
}  # fmt: skip
_COUNTED_TIME = re.compile(
    r"\b(?:combien (?:de |d')|how many )(?:\w+ )??(secondes?|minutes?|heures?|jours?|semaines?|mois|ans|annees?"
    r"|nuits?|seconds?|hours?|days?|weeks?|months?|years?|nights?)\b"
)
_KINDS = tuple(
    (kind, re.compile("|".join(patterns)))
    for kind, patterns in (
        ("duration", (
            r"combien de temps", r"quel(?:le)? (?:est (?:le|la) )?(?:delai|duree|preavis|periode)",
            r"(?:le|la) (?:delai|duree)", r"how long", r"what (?:is the )?(?:notice|duration|time limit)",
        )),
        ("time", (r"quelles? heures?", r"quels? (?:sont les )?horaires", r"a quels moments", r"what time",
                  r"opening hours")),
        ("share", (r"pourcentage", r"quelle (?:est la )?(?:part|proportion)", r"quel (?:est le )?taux", r"percentage",
                   r"what (?:share|proportion|percent)")),
        ("money", (
            r"(?:combien|how much)\b.*(?:cout|payer?|paie|prix|touch|gagn|vers|euros?|€|rembours|retenir|factur)",
            r"(?:combien|how much)\b.*(?:cost|pay|rent|price|claim|earn)",
            r"quel(?:le)?s? (?:est|sont|etait|sera)? ?(?:les? |la |l')?(?:prix|montants?|tarifs?|cout|salaire)",
            r"quel(?:le)?s? (?:est|sont|etait|sera)? ?(?:les? |la |l')?(?:chiffre d'affaires|prime|indemnite)",
            r"quel(?:le)?s? (?:est|sont|etait|sera)? ?(?:les? |la |l')?(?:caution|loyer|amende|budget)",
            r"\b(?:cost|price|salary|fee|rent) of", r"the most i can claim",
        )),
        ("date", (
            r"\bquand\b", r"quelles? (?:est la |sont les )?(?:dates?|annees?)", r"quels? jours?",
            r"quel (?:mois|siecle)", r"\bwhen\b", r"(?:what|which) (?:date|day|year)",
        )),
        ("number", (r"quel(?:le)? (?:est le )?(?:numero|poste|code|telephone)", r"what (?:phone )?number",
                    r"extension")),
        ("count", (
            r"\bcombien\b", r"quel (?:est le )?nombre", r"le nombre d", r"how many", r"how much", r"what number of",
            r"quelle (?:est la )?(?:dose|quantite|valeur|taille|longueur|hauteur|superficie|temperature)",
            r"quelle (?:est la )?(?:distance|vitesse|population)",
        )),
        ("person", (
            r"(?:^|\W)qui\b(?! (?:sont|est) (?:concerne|dispense))", r"\bwho(?:m|se)?\b", r"what is the name",
            r"quel(?:le)? (?:est le nom|medecin|chirurgien|infirmier|personne|auteur|roi|president|directeur)",
        )),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expected:
    """What a question asks for.

    Args:
        kind: `duration`, `time`, `share`, `money`, `date`, `number`, `count` or `person`.
        unit: the unit that it names, as `claims` spells it (« combien de jours »: `day`); empty when it names none.
        given: what the question says itself: repeating it is no answer.
    """

    kind: str
    unit: str
    given: Facts

    def found_in(self, text: str) -> float:
        """How well a text has such a thing, and not merely the question's own: 1, a half when nearly so, 0."""
        return _FOUND[self.kind](self, text)

    def _new(self, text: str, prefix: str) -> list[str]:
        """Values of one kind in a text that the question does not give."""
        return [
            value
            for value in _facts(text).values
            if value.startswith(prefix) and value not in self.given.values
        ]


@lru_cache(maxsize=256)
def expected(question: str) -> Expected | None:
    """What a question asks for; None when its words do not tell.

    >>> expected("Combien de jours de congé ?").unit, expected("À quelle heure ferme-t-on ?").kind
    ('day', 'time')
    >>> expected("Que faire en cas de feu ?") is None
    True
    """
    text = fold(question)
    counted = _COUNTED_TIME.search(text)
    if counted is not None:
        word = counted.group(1)
        unit = _UNIT_WORDS.get(word) or _UNIT_WORDS[word.rstrip("s")]
        return Expected("duration", unit, facts_of(question))
    for kind, pattern in _KINDS:
        if pattern.search(text):
            return Expected(kind, "", facts_of(question))
    return None


@lru_cache(maxsize=8192)
def _facts(text: str) -> Facts:
    return facts_of(text)


def _quantities(asked: Expected, text: str) -> list[tuple[str, str]]:
    """Numbers and units of a text that the question does not give."""
    found = []
    for value in asked._new(text, "quantity:"):
        number, _, unit = value.removeprefix("quantity:").partition(" ")
        found.append((number, unit))
    return found


def _duration(asked: Expected, text: str) -> float:
    units = {unit for _, unit in _quantities(asked, text)}
    if asked.unit:
        return 1.0 if asked.unit in units else 0.5 if units & set(_TIME_UNITS) else 0.0
    return 1.0 if units & set(_TIME_UNITS) else 0.0


def _money(asked: Expected, text: str) -> float:
    quantities = _quantities(asked, text)
    if any(unit in ("€", "$", "£") for _, unit in quantities):
        return 1.0
    return 0.5 if any(unit in ("", "%") for _, unit in quantities) else 0.0


def _date(asked: Expected, text: str) -> float:
    if asked._new(text, "date:"):
        return 1.0
    years = [n for n, unit in _quantities(asked, text) if not unit and n.isdigit() and 1000 <= int(n) <= 2100]
    return 1.0 if years else 0.3 if _quantities(asked, text) else 0.0


def _time(asked: Expected, text: str) -> float:
    return 1.0 if asked._new(text, "time:") else 0.0


def _share(asked: Expected, text: str) -> float:
    quantities = _quantities(asked, text)
    return 1.0 if any(unit == "%" for _, unit in quantities) else 0.3 if quantities else 0.0


def _number(asked: Expected, text: str) -> float:
    digits = [number for number, _ in _quantities(asked, text) if len(number) >= 3]
    return 1.0 if digits else 0.3 if _quantities(asked, text) else 0.0


def _count(asked: Expected, text: str) -> float:
    return 1.0 if _quantities(asked, text) else 0.0


def _person(asked: Expected, text: str) -> float:
    return 1.0 if any(name not in asked.given.folded for name in names_of(text)) else 0.0


_FOUND: dict[str, Callable[[Expected, str], float]] = {
    "duration": _duration,
    "time": _time,
    "share": _share,
    "money": _money,
    "date": _date,
    "number": _number,
    "count": _count,
    "person": _person,
}
