"""From text to terms: the analysis chain `fr1`, for matching only; the canonical text keeps its characters.

NFKC → drop soft hyphens, join line-end hyphens → lower case → split on anything but letters and digits (so
that « l'employeur » gives « employeur ») → stop list → Snowball → fold accents. Folding comes last: before the
stop list it would let « été » or « à » through. English is the same chain with its own lists.
Measured against other chains by `benchmarks/retrieval.py`.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import Stemmer

from etabli.knowledge.language import detect

ANALYZER = "fr1"
"""Name of the chain; stored with the index, which refuses terms of another chain."""

_FRENCH_STOP = frozenset(
    """
    a à ai ait as au aucun aucune aux avaient avais avait avant avec avez aviez avions avoir avons ayant
    c ça car ce ceci cela celle celles celui ces cet cette ceux chez ci comme comment d dans de des dont du
    elle elles en encore es est et étaient étais était étant étiez étions eu eue eues eurent eus eut eux
    fut furent il ils j je jusqu jusque l la là le les leur leurs lors lorsqu lorsque lui m ma mais me même
    mêmes mes mien moi mon n ne ni nos notre nous on ont or ou où par parce pas pendant peu peut pour pourquoi
    puis puisqu puisque qu quand que quel quelle quelles quels qui quoi s sa sans se sera serait seront ses
    si sien soi soient sois soit sommes son sont sous suis sur t ta tandis te tel telle telles tels tes toi ton
    tous tout toute toutes très tu un une vos votre vous y
    """.split()
)
_ENGLISH_STOP = frozenset(
    """
    a about after all also am an and any are as at be because been before being between both but by can could
    d did do does doing during each few for from further had has have having he her here hers him his how i if
    in into is it its itself just ll m me more most my no nor not of off on once only or other our ours out over
    own re s same she should so some such t than that the their theirs them then there these they this those
    through to too under until up ve very was we were what when where which while who whom why will with would
    you your yours
    """.split()
)
_LINE_END_HYPHEN = re.compile(r"(?<=\w)[-\u2010]\n\s*(?=[^\W\d_])")
_WORD = re.compile(r"[^\W_]+")
_stemmers = threading.local()


def _stemmer(language: str) -> Stemmer.Stemmer:
    """The Snowball stemmer of this thread; a stemmer object must not be shared between threads."""
    name = "english" if language == "en" else "french"
    found = getattr(_stemmers, name, None)
    if found is None:
        found = Stemmer.Stemmer(name)
        setattr(_stemmers, name, found)
    return found


@lru_cache(maxsize=200_000)
def _fold(word: str) -> str:
    """Drop accents and open ligatures: « cœur » → « coeur », « congé » → « conge »."""
    if word.isascii():
        return word
    word = word.replace("œ", "oe").replace("æ", "ae")
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """Lower-case runs of letters and digits, ligatures opened.

    >>> words("L’employeur verse 1 500 € à l'of\\ufb01ce")
    ['l', 'employeur', 'verse', '1', '500', 'à', 'l', 'office']
    """
    text = unicodedata.normalize("NFKC", text.replace("\u00ad", ""))
    return _WORD.findall(_LINE_END_HYPHEN.sub("", text).lower())


def terms(text: str, language: str) -> list[str]:
    """Terms of a passage in reading order, repeats kept.

    Args:
        text: any text.
        language: `fr` or `en`.

    >>> terms("Les congés payés de l'employée", "fr")
    ['cong', 'pai', 'emploi']
    >>> terms("The nurses' paid leave", "en")
    ['nurs', 'paid', 'leav']
    """
    stop = _ENGLISH_STOP if language == "en" else _FRENCH_STOP
    kept = [word for word in words(text) if word not in stop]
    return [_fold(stem) for stem in _stemmer(language).stemWords(kept)]


def query_terms(question: str, *, languages: Iterable[str] = ("fr", "en")) -> list[str]:
    """Distinct terms of a question, sorted.

    Stemmed in the question's own language; when its words do not tell, in each of `languages`, since a term that
    no passage has costs nothing.
    """
    told = detect(question)
    found: set[str] = set()
    for language in [told] if told else languages:
        found.update(terms(question, language))
    return sorted(found)
