"""Whoever a question is about, the same documents are found and read: what they do not speak of is left out.

« Karim Benali a perdu son badge » is about a lost badge. A search that follows the name finds other people of that
first name, a small model answers another question, and who asks for Thomas Martin is told something else. So a name
that no passage knows is neither searched nor read, nor is somebody's origin, belief, disability, partner or age where
no passage speaks of such things (`traits.yaml`). A question for somebody's number or desk keeps the name, and so does
one that has little else.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from etabli.assistants.claims import fold
from etabli.knowledge.analysis import query_terms

_FEWEST_TERMS = 3
"""So many words that say what about must remain; else the question stays as it is."""
_WORD = r"[A-ZÀ-Þ][\w’'-]+"
_TITLE = r"(?:M\.|Mme|Mlle|Dr|Pr|Mr\.?|Mrs\.?|Ms\.?)"
_BEGINS = (  # words of a sentence's beginning, which have a capital there and are no name
    r"(?:Pour|Si|Quand|Comme|Et|Mais|Que|Qui|Le|La|Les|Un|Une|Est-ce|Lorsque|Selon|Avec|For|If|When|Is|Does|Did|Do|Can|May|"
    r"Has|Should|Must|Will|What|Why|How|And|But|The|As|With|Since|After|Once)"
)
_PERSON = re.compile(rf"(?<![\w.-])(?!{_BEGINS}\s)(?:{_TITLE}[ \u00a0])?{_WORD}(?: {_WORD}){{1,3}}(?![\w’'])")
_DOCUMENT_OF = re.compile(
    r"\b(?:contrats?|dossiers?|rapports?|comptes?[- ]rendus?|courriers?|lettres?|notes?|fiches?|dit|written|"
    r"contracts?|files?|reports?|letters?|memos?|records?)[ \u00a0](?:de|of|by|from)[ \u00a0]?$",
    re.IGNORECASE,
)
_OF = re.compile(r"\b(?:(de)|(d[’']))[ \u00a0]?$", re.IGNORECASE)
_TO_REACH = re.compile(
    r"\b(?:num[ée]ro|t[ée]l[ée]phone|poste \d|son poste|adresse|courriels?|e-?mails?|mails?|bureau|joindre|appeler|"
    r"contacter|qui est|fonction|number|phone|extension|address|office|reach|call|contact|who is|role)\b",
    re.IGNORECASE,
)
_SOMEBODY = {"fr": "une personne", "en": "somebody"}


@dataclass(frozen=True, slots=True)
class Impartial:
    """A question without what no document speaks of.

    Args:
        searched: for the search: what is left.
        left_out: the names and traits, as they stood.
    """

    searched: str
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    name: bool


def impartial(question: str, passages: Iterable[str]) -> Impartial:
    """What to search for, whoever the question is about.

    Args:
        question: as it was asked.
        passages: texts that the search found for all of it: a document that knows the person, or speaks of such
            traits, is among them.

    >>> impartial("Karim Benali a perdu son badge. Le remplacement est-il payant ?", ["Mehdi Benali, paie"]).searched
    'a perdu son badge. Le remplacement est-il payant ?'
    >>> impartial("Un salarié marocain a perdu son badge. Est-ce payant ?", ["Badge perdu : 10 €"]).left_out
    ('marocain',)
    """
    known = "\n".join(passages)
    spans = [] if _TO_REACH.search(question) else _spans(question, known)
    searched = _without(question, spans, lambda _span, _before: "")
    if not spans or len(query_terms(searched)) < _FEWEST_TERMS:
        return Impartial(question, ())
    return Impartial(searched, tuple(question[one.start : one.end] for one in spans))


def read_impartially(text: str, left_out: Sequence[str], language: str) -> str:
    """What the model reads of a message: somebody in place of each name, nothing in place of a trait.

    Args:
        text: a message.
        left_out: of `impartial`.
        language: of the answer, `fr` or `en`.

    >>> read_impartially("Que coûte le badge de Karim Benali ?", ["Karim Benali"], "fr")
    'Que coûte le badge d’une personne ?'
    """
    spans = [
        _Span(match.start(), match.end(), name=_looks_like_name(one))
        for one in dict.fromkeys(left_out)
        for match in re.finditer(rf"(?<!\w){re.escape(one)}(?!\w)", text)
    ]

    def somebody(span: _Span, before: str) -> str:
        if not span.name:
            return ""
        word = _SOMEBODY["en" if language == "en" else "fr"]
        begins = not before.strip() or before.rstrip()[-1] in ".!?:\n"
        return word[0].upper() + word[1:] if begins else word

    return _without(text, spans, somebody)


def _spans(question: str, known: str) -> list[_Span]:
    folded = fold(known)
    names = [
        _Span(match.start(), match.end(), name=True)
        for match in _PERSON.finditer(question)
        if _is_stranger(match.group(), folded) and not _DOCUMENT_OF.search(question, 0, match.start())
    ]
    return names + [
        _Span(*span, name=False)
        for kind in _kinds()
        for span in kind.spans(question)
        if not kind.told_by.search(known) and not kind.told_by.search(_around(question, span))
    ]


def _around(text: str, span: tuple[int, int]) -> str:
    return f"{text[: span[0]]} {text[span[1] :]}"


def _without(text: str, spans: Iterable[_Span], instead: Callable[[_Span, str], str]) -> str:
    """The text with something else, or nothing, in place of spans; grammar and spaces beside them mended."""
    kept, end = "", 0
    for span in sorted(spans, key=lambda one: one.start):
        if span.start < end:
            continue
        kept += text[end : span.start]
        new = instead(span, kept)
        if new and (of := _OF.search(kept)):
            kept = kept[: of.start()] + ("d’" if new[0].lower() == "u" else of.group())
        kept += new
        end = span.end
        if not new and (rest := re.match(r"\s+(\w)", text[end:])):
            kept = re.sub(r"\b([Aa])n? $", lambda a: a[1] + ("n " if rest[1] in "aeiou" else " "), kept)
    if not end:
        return text
    return re.sub(r"[ \t]{2,}", " ", kept + text[end:]).lstrip(" \t,;:.").replace(" ,", ",")


def _looks_like_name(text: str) -> bool:
    return text[:1].isupper() and _PERSON.fullmatch(text) is not None


def _is_stranger(name: str, known: str) -> bool:
    words = [word for word in fold(re.sub(rf"^{_TITLE}\s", "", name)).split() if word]
    if not any(part in _first_names() for word in words for part in word.split("-")):
        return False
    if any(" ".join(order) in known for order in (words, words[::-1])):
        return False
    return not any(re.search(rf"(?:^|\W){shape} {re.escape(words[-1])}\b", known) for shape in _shapes(words))


def _shapes(words: Sequence[str]) -> tuple[str, ...]:
    """How a document may write a person's first name: as an initial, or as a title."""
    return (rf"{words[0][0]}\.", r"m\.", "mme", "mlle", "dr", "pr", r"mr\.?", r"mrs\.?", r"ms\.?")


@dataclass(frozen=True, slots=True)
class _Kind:
    told_by: re.Pattern[str]
    patterns: tuple[re.Pattern[str], ...]

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        for pattern in self.patterns:
            for match in pattern.finditer(text):
                yield match.span("trait")


@cache
def _kinds() -> tuple[_Kind, ...]:
    data = yaml.safe_load((resources.files("etabli.assistants") / "traits.yaml").read_text(encoding="utf-8"))
    people = {language: _any_of(words.split(), language) for language, words in data["people"].items()}
    return tuple(_kind(one, people) for one in data["kinds"].values())


def _kind(data: dict[str, Any], people: dict[str, str]) -> _Kind:
    shapes = []
    if words := data.get("fr", "").split():
        shapes.append(rf"\b{people['fr']} (?P<trait>{_any_of(words, 'fr')})(?!\w)")
    if words := data.get("en", "").split():
        shapes.append(rf"(?<!\w)(?P<trait>{_any_of(words, 'en')}) {people['en']}\b")
    for language in ("fr", "en"):
        if after := data.get(f"{language}_after"):
            shapes.append(rf"\b{people[language]} (?P<trait>{'|'.join(map(_loose, after))})(?!\w)")
        if before := data.get(f"{language}_before"):
            shapes.append(rf"(?<!\w)(?P<trait>{'|'.join(before)}) {people[language]}\b")
    return _Kind(
        re.compile(_loose(data["told_by"]), re.IGNORECASE),
        tuple(re.compile(shape, re.IGNORECASE) for shape in shapes),
    )


def _any_of(words: Iterable[str], language: str) -> str:
    """A group of words with their endings: e, s, and a doubled n before it in French; s in English."""
    ending = "(?:n?e)?s?" if language == "fr" else "s?"
    return f"(?:{'|'.join(_loose(word) + ending for word in words)})"


def _loose(pattern: str) -> str:
    """A pattern that takes letters without their accents, too."""
    return "".join(
        f"[{char}{plain}]" if char.isalpha() and (plain := fold(char)) != char.lower() else char
        for char in pattern
    )


@cache
def _first_names() -> frozenset[str]:
    text = (resources.files("etabli.assistants") / "first_names.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
