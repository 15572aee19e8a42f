"""Names of people that no document knows are left out of what is searched.

« Karim Benali a perdu son badge » is about a lost badge; a search that follows the name finds other people of that
first name or family name, and the answer changes with it. Whoever a question is about, the same documents are to be
found, unless they know that very person. A question for somebody's number or desk keeps the name, and so does one
that has little else. What the model reads is not changed.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

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
_OWNED = re.compile(r"(?:\b(?:de|du|des|of|chez|par|by)|\bd[’'])[ \u00a0]?$", re.IGNORECASE)
_TO_REACH = re.compile(
    r"\b(?:num[ée]ro|t[ée]l[ée]phone|poste|adresse|courriels?|e-?mails?|mails?|bureau|joindre|appeler|contacter|"
    r"qui est|fonction|number|phone|extension|address|office|reach|call|contact|who is|role)\b",
    re.IGNORECASE,
)


def without_strangers(question: str, passages: Iterable[str]) -> str:
    """The question without the names of people whom no passage names.

    Args:
        question: as it was asked.
        passages: texts that the search found for all of it: a document that knows the person is among them.

    >>> without_strangers("Karim Benali a perdu son badge. Le remplacement est-il payant ?", ["Mehdi Benali, paie"])
    'a perdu son badge. Le remplacement est-il payant ?'
    >>> without_strangers("Mehdi Benali a perdu son badge. Le remplacement est-il payant ?", ["Mehdi Benali, paie"])
    'Mehdi Benali a perdu son badge. Le remplacement est-il payant ?'
    """
    if _TO_REACH.search(question):
        return question
    known = fold("\n".join(passages))
    kept, end = [], 0
    for match in _PERSON.finditer(question):
        if not _is_stranger(match.group(), known) or _OWNED.search(question, 0, match.start()):
            continue
        kept.append(question[end : match.start()])
        end = match.end()
    if not end:
        return question
    left = " ".join("".join([*kept, question[end:]]).split()).lstrip(" ,;:.")
    return left if len(query_terms(left)) >= _FEWEST_TERMS else question


def _is_stranger(name: str, known: str) -> bool:
    words = [word for word in fold(re.sub(rf"^{_TITLE}\s", "", name)).split() if word]
    if not any(part in _first_names() for word in words for part in word.split("-")):
        return False
    return not any(" ".join(order) in known for order in (words, words[::-1]))


@cache
def _first_names() -> frozenset[str]:
    text = (resources.files("etabli.assistants") / "first_names.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
