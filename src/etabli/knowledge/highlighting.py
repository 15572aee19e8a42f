"""Where words stand in a text: those that a search matched, and what a person looks for in a document.

Ranges are characters (code points) of the text as it is stored, like those of citations. Both ways fold case and
accents; the first follows the analysis of the index word by word, so that what is marked is what matched.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache

from etabli.knowledge.analysis import terms

Range = tuple[int, int]
"""First character, end (exclusive)."""

MAX_NEEDLE = 200
"""Longest phrase that is looked for, in characters."""
_LETTERS = [chr(code) for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))]
_LIGATURES = {
    "ae": "æ",
    "oe": "œ",
    "ffi": "\ufb03",
    "ffl": "\ufb04",
    "ff": "\ufb00",
    "fi": "\ufb01",
    "fl": "\ufb02",
}
_ALIKE = {"'": "'’‘ʼ`", '"': '"“”„«»', "-": "-\u2010\u2011\u2012–—"}
_LINE_END_HYPHEN = r"(?:[-\u2010]\n\s*(?=[^\W\d_]))"
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[\u00ad\u0300-\u036f]|{_LINE_END_HYPHEN})*")


def _base(letter: str) -> str:
    """A letter without accents, in lower case."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(char))
    return plain.lower()


_VARIANTS: dict[str, str] = {}
for _letter in _LETTERS:
    if len(_base(_letter)) == 1 and _base(_letter).isascii() and _base(_letter).isalpha():
        _VARIANTS[_base(_letter)] = _VARIANTS.get(_base(_letter), "") + _letter

_FOLDING = str.maketrans({letter: base for base, letters in _VARIANTS.items() for letter in letters})
MARKED = "ŒÆ\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u0323\u0327\u0328"
"""Two ligatures in capitals and the accents of European languages, as decomposed text has them…"""
PLAIN = "œæ"
"""…and what becomes of the first two; the others go. The arguments of SQL's `translate`."""
_PLAINER: dict[int, str | None] = {
    **dict.fromkeys(map(ord, MARKED)),
    **{ord(a): b for a, b in zip(MARKED, PLAIN, strict=False)},
}


def folded(text: str) -> str:
    """Lower case, without accents, ligatures opened; the twin of the expression that lists use in the database.

    >>> folded("Œuvres d'Été"), folded("ÀÇÉ")
    ("oeuvres d'ete", 'ace')
    """
    text = unicodedata.normalize("NFD", text).translate(_PLAINER)
    return text.replace("œ", "oe").replace("æ", "ae").lower()


def matched_words(text: str, found: Collection[str], *, language: str) -> list[Range]:
    """The words of a passage that are among a question's terms.

    Args:
        text: of the passage.
        found: terms, as the analysis gives them.
        language: of the passage: its words are stemmed in it.

    >>> matched_words("Les congés payés de l'employée", {"cong", "emploi"}, language="fr")
    [(4, 10), (22, 30)]
    """
    wanted = frozenset(found)
    if not wanted:
        return []
    return [
        match.span() for match in _WORD.finditer(text) if not wanted.isdisjoint(_terms(match[0], language))
    ]


@lru_cache(maxsize=50_000)
def _terms(word: str, language: str) -> tuple[str, ...]:
    return tuple(terms(word, language))


def occurrences(text: str, needle: str) -> Iterator[Range]:
    """Where a phrase stands, as Ctrl-F would find it: any case, with or without accents, over line ends.

    Args:
        text: to look in.
        needle: the phrase; past `MAX_NEEDLE` characters it is cut.

    >>> list(occurrences("Le congé\\nannuel. CONGÉ  ANNUEL", "conge annuel"))
    [(3, 15), (17, 30)]
    """
    pattern = _pattern(needle.strip()[:MAX_NEEDLE])
    if pattern is not None:
        for match in pattern.finditer(text):
            yield match.span()


def _pattern(needle: str) -> re.Pattern[str] | None:
    """A pattern whose parts are all of a fixed length but for runs of white space: it takes linear time."""
    plain = folded(unicodedata.normalize("NFKC", needle).translate(_FOLDING))
    parts = []
    place = 0
    while place < len(plain):
        ligature = next((each for each in _LIGATURES if plain.startswith(each, place)), None)
        if ligature is not None:
            open_form = "".join(_class(char) for char in ligature)
            parts.append(f"(?:{open_form}|{_LIGATURES[ligature]})")
            place += len(ligature)
        elif plain[place].isspace():
            end = place + len(plain[place:]) - len(plain[place:].lstrip())
            parts.append(r"\s+")
            place = end
        else:
            parts.append(_class(plain[place]))
            place += 1
    return re.compile("".join(parts), re.IGNORECASE) if parts else None


def _class(char: str) -> str:
    variants = _VARIANTS.get(char) or next((alike for alike in _ALIKE.values() if char in alike), "")
    return f"[{re.escape(char + variants)}]" if variants else re.escape(char)
