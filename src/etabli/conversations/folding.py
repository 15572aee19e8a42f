"""Text without case and accents, for searching what people said, and where that is in the text as it was written."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

MOST_WORDS = 10
_BEFORE, _AFTER = 40, 120
_SPECIAL = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@lru_cache(maxsize=10_000)
def _folded_character(character: str) -> str:
    if character.isspace():
        return " "
    opened = character.casefold().replace("œ", "oe").replace("æ", "ae").replace("’", "'")
    decomposed = unicodedata.normalize("NFKD", opened)
    return "".join(one for one in decomposed if unicodedata.category(one) not in ("Mn", "Cf", "Cc", "Cs"))


def fold(text: str) -> str:
    """Lower case, no accents, no ligatures, every white space a space.

    >>> fold("L’Été,\\u202fcœur")
    "l'ete, coeur"
    """
    return "".join(map(_folded_character, text))


def search_words(query: str) -> list[str]:
    """The folded words of a query, the longest first, at most ten."""
    return sorted(dict.fromkeys(fold(query).split()), key=len, reverse=True)[:MOST_WORDS]


def like_patterns(words: Sequence[str]) -> list[str]:
    """Patterns for LIKE that find the words anywhere.

    >>> like_patterns(["50%"])
    ['%50\\\\%%']
    """
    return [f"%{word.translate(_SPECIAL)}%" for word in words]


def snippet(text: str, words: Sequence[str]) -> dict[str, Any] | None:
    """A short piece of `text` around the first of the words, with their places in it; None when it has none.

    Returns:
        `text` and `ranges` (begin and end, in characters), in order and apart.
    """
    pieces = [_folded_character(character) for character in text]
    places = [index for index, piece in enumerate(pieces) for _ in piece]
    folded = "".join(pieces)
    starts = [at for word in words if (at := folded.find(word)) >= 0]
    if not starts:
        return None
    centre = places[min(starts)]
    begin, end = _whole_words(text, centre - _BEFORE, centre + _AFTER)
    found: list[tuple[int, int]] = []
    for word in words:
        at = folded.find(word)
        while at >= 0:
            first, last = places[at], places[at + len(word) - 1] + 1
            if begin <= first and last <= end:
                found.append((first, last))
            at = folded.find(word, at + len(word))
    head, tail = "…" if begin > 0 else "", "…" if end < len(text) else ""
    shift = len(head) - begin
    ranges = [[first + shift, last + shift] for first, last in _merged(found)]
    body = "".join(" " if character.isspace() else character for character in text[begin:end])
    return {"text": f"{head}{body}{tail}", "ranges": ranges}


def _whole_words(text: str, begin: int, end: int) -> tuple[int, int]:
    """The range drawn in to the borders of words where one is near."""
    begin, end = max(0, begin), min(len(text), end)
    if begin > 0:
        space = next((index for index in range(begin, begin + 20) if text[index : index + 1].isspace()), None)
        begin = begin if space is None else space + 1
    if end < len(text):
        space = next((index for index in range(end, end - 20, -1) if text[index : index + 1].isspace()), None)
        end = end if space is None else space
    return begin, end


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def short_title(text: str, *, most: int = 60) -> str:
    """The beginning of a question, cut at a word.

    >>> short_title("Combien de jours de congés ai-je ?", most=20)
    'Combien de jours de…'
    """
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    at_word = cut.rsplit(" ", 1)[0] if not line[most - 1].isspace() and " " in cut else cut
    return at_word.rstrip(" ,;:.") + "…"
