"""Sentences and table rows of documents that hold one fact worth asking for, chosen by program.

A fact is an amount, a delay, a date, a time, a number to call, a name, a place or a condition. Which ones are taken
depends on the text and a seed only. Text that gives orders is never taken: a model reads what comes from here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from etabli.assistants.claims import Claim, claims_of
from etabli.assistants.guards.commands import is_command
from etabli.assistants.sentences import Unit, units_of
from etabli.assistants.wording import heading_over, row_in_words
from etabli.certification.base import Language
from etabli.certification.probes.base import MaterialDocument
from etabli.certification.probes.crafting import Dice

T = TypeVar("T")
Kind = Literal["amount", "delay", "date", "time", "number", "name", "place", "condition"]
_SHORTEST, _LONGEST, _LONGEST_ROW = 40, 260, 320
_MONEY = frozenset("€ $ £ %".split())
_DELAYS = frozenset("second minute hour day week month year night".split())
_LEANS_BACK = frozenset(
    "il ils elle elles ce cela ceci ces cette celui-ci celle-ci ceux-ci it they this these he she that those "
    "such".split()
)
"""First words of a sentence that cannot be understood alone."""
_TITLE = r"(?:(?:Dr|Pr|M\.|Mme|Mlle|Me|Mr|Mrs|Ms)\s+)?"
_NAME = re.compile(_TITLE + r"[A-ZÀ-Þ][a-zà-ÿ]+(?:[-’'][A-ZÀ-Þ][a-zà-ÿ]+)*(?:\s+(?:de|du|des|van|von))?"
                   r"\s+[A-ZÀ-Þ][a-zà-ÿ]+(?:-[A-ZÀ-Þ][a-zà-ÿ]+)*")  # fmt: skip
_NUMBER = re.compile(r"\b(?:poste|extension|ext\.)\s+(\d{3,6})\b", re.IGNORECASE)
_PLACES: dict[Language, re.Pattern[str]] = {
    "fr": re.compile(
        r"\b(?:salle|bureau|parking|bâtiment|pavillon|porte|entrée|quai|gare|rue|avenue|place|chambre)\s+"
        r"(?:des?\s+|du\s+|de la\s+)?(?:[A-ZÀ-Þ][\w’-]*|\d{1,4})(?:\s+[A-ZÀ-Þ][\w’-]+)*"
        r"|\b(?:premier|deuxième|second|troisième|quatrième|\d+e)\s+étage\b|\brez-de-chaussée\b"
    ),
    "en": re.compile(
        r"\b(?:[Rr]oom|[Bb]uilding|[Oo]ffice|[Gg]ate|[Ww]ard|[Cc]ar park|[Ss]treet)\s+(?:[A-Z][\w’-]*|\d{1,4})"
        r"|\b(?:ground|first|second|third|fourth)\s+floor\b"
    ),
}
_CONDITIONS: dict[Language, re.Pattern[str]] = {
    "fr": re.compile(
        r"\b(?:(?:à condition|sous réserve) (?:que\s|qu’|de\s|d’)|(?:sauf|seulement|uniquement|en cas de|si)\s)"
        r"[^.;:,()]{8,70}"
    ),
    "en": re.compile(
        r"\b(?:provided(?: that)?|unless|except|only (?:if|when|for)|in case of|if)\s[^.;:,()]{8,70}"
    ),
}
_TELLING_WORDS = 2
"""Words of a condition that a right answer must hold: its longest."""


@dataclass(frozen=True, slots=True)
class Span:
    """One place of a document with the fact that a question may ask for.

    Args:
        document: its file name.
        title: the document's.
        language: of the text.
        quote: literal words of the document: a sentence or a table row.
        told: the same so that it can be read alone: a row with the names of its columns.
        heading: over it; empty when there is none.
        answer: the fact, literally.
        keywords: what a right answer holds.
        kind: of the fact.
    """

    document: str
    title: str
    language: Language
    quote: str
    told: str
    heading: str
    answer: str
    keywords: tuple[str, ...]
    kind: Kind


def spread_spans(
    documents: Sequence[MaterialDocument], *, seed: int, taken: Iterable[str] = ()
) -> Iterator[Span]:
    """Spans in turn of all documents, the languages alternating as long as there are documents of both.

    Args:
        documents: to take from.
        seed: of the order.
        taken: quotes that are not taken again.
    """
    used = set(taken)
    key = str(seed).encode()
    queues = {}
    for document in documents:
        found = [span for span in spans_of(document) if span.quote not in used]
        if found:
            queues[document.name] = _kinds_in_turn(Dice(key, "spans", document.name).shuffled(found))
    names = {one.name: one.language for one in documents}
    order = Dice(key, "documents").shuffled(sorted(queues))
    sides = [[name for name in order if names[name] == side] for side in ("fr", "en")]
    turn = [name for pair in _in_turn(sides) for name in pair]
    while queues:
        for name in turn:
            if name in queues:
                yield queues[name].pop(0)
                if not queues[name]:
                    del queues[name]


def spans_of(document: MaterialDocument) -> tuple[Span, ...]:
    """Every span of a document, in its order; at most one a sentence and a row.

    >>> text = "Le préavis de démission est fixé à 2 mois pour les infirmiers."
    >>> [(span.answer, span.kind) for span in spans_of(MaterialDocument("a.md", "Livret", text))]
    [('2 mois', 'delay')]
    """
    units = units_of(document.text, offset=0)
    found = [_span(document, units, index) for index in range(len(units))]
    return tuple({span.quote: span for span in found if span is not None}.values())


def _span(document: MaterialDocument, units: Sequence[Unit], index: int) -> Span | None:
    unit = units[index]
    if unit.heading or is_command(unit.text):
        return None
    told = unit.text
    if unit.row:
        header = None if unit.header is None else units[unit.header].text
        told = row_in_words(unit.text, header)
        if told == unit.text or len(told) > _LONGEST_ROW:
            return None
        cells = [cell.strip() for cell in unit.text.split("|")]
        fact = next(
            (one for cell in cells[:0:-1] if (one := _fact(cell, document.language, whole=True))), None
        )
    elif not _stands_alone(unit.text):
        return None
    else:
        fact = _fact(unit.text, document.language)
    if fact is None:
        return None
    kind, answer = fact
    return Span(
        document=document.name,
        title=document.title,
        language=document.language,
        quote=unit.text,
        told=" ".join(told.split()),
        heading=heading_over(units, index, ""),
        answer=answer,
        keywords=_keywords(kind, answer),
        kind=kind,
    )


def _stands_alone(sentence: str) -> bool:
    if not _SHORTEST <= len(sentence) <= _LONGEST or not sentence[0].isupper() or sentence[-1] != ".":
        return False
    if sentence.count("(") != sentence.count(")") or sentence.count("«") != sentence.count("»"):
        return False
    return re.split(r"[\s’']", sentence.lower(), maxsplit=1)[0] not in _LEANS_BACK


def _fact(text: str, language: Language, *, whole: bool = False) -> tuple[Kind, str] | None:
    """The fact of a sentence, or of a cell, where `whole` asks for a cell that is little more than its fact."""
    number = _NUMBER.search(text)
    if number is not None:
        return "number", number[1]
    place = _PLACES[language].search(text)
    if place is not None and not whole:
        return "place", place.group()
    claims = [claim for claim in claims_of(text) if claim.kind in ("quantity", "date", "time")]
    told = [(kind, claim.shown.rstrip(" .,;")) for claim in claims if (kind := _kind(claim)) is not None]
    if told:
        # The last one: what a sentence says of a thing stands behind the thing.
        return told[-1]
    name = _NAME.search(text, 0 if whole else text.find(" ") + 1)
    if name is not None:
        return "name", name.group()
    if whole:
        return None
    condition = _CONDITIONS[language].search(text)
    return ("condition", condition.group().strip()) if condition is not None else None


def _kind(claim: Claim) -> Kind | None:
    if claim.kind in ("date", "time"):
        return "date" if claim.kind == "date" else "time"
    if not claim.shown[0].isdigit() and claim.shown[0] not in _MONEY:
        return None  # a number in words, which may be no number at all (« un », "six")
    units = {value.partition(" ")[2] for value in claim.values if value.startswith("quantity:")}
    if units & _DELAYS:
        return "delay"
    return "amount" if any(units) else None


def _keywords(kind: Kind, answer: str) -> tuple[str, ...]:
    if kind != "condition":
        return (answer,)
    words = sorted(dict.fromkeys(re.findall(r"[^\W\d_]{4,}", answer)), key=len, reverse=True)
    return tuple(words[:_TELLING_WORDS]) or (answer,)


def _kinds_in_turn(spans: Sequence[Span]) -> list[Span]:
    """The same spans, one of each kind, then a second of each, and so on."""
    kinds: dict[Kind, list[Span]] = {}
    for span in spans:
        kinds.setdefault(span.kind, []).append(span)
    return [span for group in _in_turn(list(kinds.values())) for span in group]


def _in_turn(groups: Sequence[Sequence[T]]) -> Iterator[list[T]]:
    for place in range(max(map(len, groups), default=0)):
        yield [group[place] for group in groups if place < len(group)]
