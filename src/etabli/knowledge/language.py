"""Telling French from English by their most frequent words and by accents.

Made for documents and for short questions: it says None rather than guess. Knows two languages only.
"""

import re
import unicodedata
from typing import Literal

Language = Literal["fr", "en"]

# Words that are frequent in one language and rare in the other ("on", "a", "me", "plus", "point" are in neither).
_FRENCH = frozenset(
    "le la les un une des du de et est dans que qui pour par sur avec pas au aux ce cette ces son sa ses nous "
    "vous il elle ils elles je tu mon ma mes ton votre notre leur leurs ne se ou où mais donc car comme si "
    "être avoir sont ont était peut doit faut fait faire tout tous toute toutes quel quelle quels quelles "
    "comment pourquoi quand combien quoi cela ceci c d l j n s qu t y en sans sous entre chez dont très bien "
    "aussi même après avant depuis selon afin lors merci bonjour puis-je peux est-ce".split()
)
_ENGLISH = frozenset(
    "the of and to in is that for it with as was are be this by not have from or which you at an but they we "
    "he she his her their its our your my will would can could should must may has had been were do does did "
    "what who whom when where why how there these those than then them into about over under if no so any "
    "all each more most other some such only own same too very i am please thanks hello".split()
)
_ACCENTED = frozenset("éèêëàâçùûôîïœ")
_WORD = re.compile(r"[^\W\d_]+")
_MARGIN = 1.5


def detect(text: str) -> Language | None:
    """The language of `text`: `fr`, `en`, or None when its words do not say.

    The score of a language is the number of its frequent words; a French accent counts as half a word.
    A language wins with one and a half times the other's score, and at least one word.

    >>> detect("Quel est le délai de préavis ?"), detect("What is the notice period?"), detect("RTT 2024")
    ('fr', 'en', None)
    """
    words = _WORD.findall(unicodedata.normalize("NFC", text[:50_000]).lower().replace("’", "'"))
    french = float(sum(map(_FRENCH.__contains__, words)))
    english = float(sum(map(_ENGLISH.__contains__, words)))
    accented = sum(not word.isascii() and not _ACCENTED.isdisjoint(word) for word in words)
    french += accented / 2
    if french >= max(0.5, _MARGIN * english) and french > english:
        return "fr"
    if english >= max(1.0, _MARGIN * french) and english > french:
        return "en"
    return None
