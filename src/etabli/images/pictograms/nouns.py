"""Gender and plural of the names of things, as far as captions need them.

French genders: the words of `nouns_fr.txt`, and the ending for every other. Plurals: the rules of school, and the few
exceptions that drawings have. Other words may come out wrong; a caption is then a little wrong too.
"""

import re
from functools import cache
from importlib import resources

_FEMININE_ENDING = re.compile(
    r"(tion|sion|té|ade|ée|ie|ue|ette|elle|ille|esse|ance|ence|ère|ise|ure|ine|ote|oise|ache|iche|ouche|asse|ice"
    r"|aison|olle|ose|euse|rice|ogne|agne|une|ane|[^aeiou]re|che|ppe|nde|ste|que|te|de|le|ne|se|ve|ce|be|me|pe|fe|ge)$"
)
_MASCULINE_ENDING = re.compile(
    r"(age|ège|isme|cle|gramme|ème|mètre|scope|phone|phare|iste|tre|bre|ple|gle|ble|cre|logue)$"
)
# A name's own words end where one of these begins: « voiture | de police », "face | with tears".
_LINKS_FR = frozenset("de du des à au aux en avec sur sous dans pour et qui vers sans".split())
_LINKS_EN = {"with", "of", "in", "on", "at", "and", "without", "under", "from", "for"}
_PLURALS_EN = {
    "man": "men", "woman": "women", "person": "people", "child": "children", "mouse": "mice", "foot": "feet",
    "tooth": "teeth", "goose": "geese", "leaf": "leaves", "wolf": "wolves", "knife": "knives", "loaf": "loaves",
    "fish": "fish", "sheep": "sheep", "deer": "deer", "ox": "oxen", "bison": "bison", "moose": "moose",
}  # fmt: skip
_PLURALS_FR = {
    "œil": "yeux", "festival": "festivals", "chacal": "chacals", "bijou": "bijoux", "genou": "genoux",
    "hibou": "hiboux", "caillou": "cailloux", "chou": "choux", "travail": "travaux", "vitrail": "vitraux",
}  # fmt: skip
_SINGULAR_FR = frozenset(
    "souris bras ananas maïs croix noix vis tas dos os bus ours voix minibus trolleybus tennis cactus lotus hibiscus "
    "ibis radis brebis palais puits bois anchois pois tapis colis lys rhinocéros jus repas lilas phénix lynx talus "
    "cosmos corps temps poids prix héros faux".split()
)
_SINGULAR_EN = {"lens", "news", "tennis", "chess", "series", "mars", "rhinoceros", "molasses"}
_CLUSTERS = re.compile(r"(?:[aeiouhyàâäéèêëîïôöûüœ])", re.IGNORECASE)
_ASPIRATED = tuple(
    "hache hamac hamster handball haricot harpe haut hérisson hibou homard hors hot housse hutte huit onze".split()
)


def is_feminine(name: str) -> bool:
    """Whether a French name is feminine, by its first word.

    >>> [is_feminine(name) for name in ("pomme rouge", "crâne", "clé", "chat", "voiture de police")]
    [True, False, True, False, True]
    """
    head = _head(name)
    known = _genders().get(head)
    if known is None and head.endswith("s"):
        known = _genders().get(head[:-1])
        head = head[:-1]
    if known is not None:
        return known == "f"
    return bool(_FEMININE_ENDING.search(head)) and not _MASCULINE_ENDING.search(head)


def is_plural(name: str, *, french: bool) -> bool:
    """Whether a name is a plural already, as « poupées japonaises » and "glasses" are.

    >>> [is_plural(name, french=True) for name in ("poupées japonaises", "souris", "verres trinquant", "os")]
    [True, False, True, False]
    >>> [is_plural(name, french=False) for name in ("hiking boots", "glass of milk", "wrapped gifts", "bus")]
    [True, False, True, False]
    """
    words = name.lower().split()
    if french:
        head = _head(name)
        return head[-1:] in "sx" and head not in _SINGULAR_FR
    links = [place for place, word in enumerate(words) if word in _LINKS_EN and place]
    last = words[(links[0] if links else len(words)) - 1]
    return last.endswith("s") and not last.endswith(("ss", "us", "is", "as")) and last not in _SINGULAR_EN


def starts_with_vowel(name: str) -> bool:
    """Whether « de » and « le » are elided before it.

    >>> [starts_with_vowel(name) for name in ("abeille", "hamster", "homme", "chat")]
    [True, False, True, False]
    """
    return bool(_CLUSTERS.match(name)) and not name.lower().startswith(_ASPIRATED)


def french_plural(name: str) -> str:
    """The plural of a French name.

    >>> [french_plural(name) for name in ("pomme rouge", "cheval", "voiture de police", "oiseau")]
    ['pommes rouges', 'chevaux', 'voitures de police', 'oiseaux']
    """
    words = name.split(" ")
    for place, word in enumerate(words):
        if word.lower() in _LINKS_FR or word[:2] in ("d'", "d’", "l'", "l’") or not word[-1:].isalpha():
            break
        words[place] = _french_plural_word(word)
    return " ".join(words)


def english_plural(name: str) -> str:
    """The plural of an English name.

    >>> [english_plural(name) for name in ("red apple", "glass of milk", "butterfly", "police car", "mouse")]
    ['red apples', 'glasses of milk', 'butterflies', 'police cars', 'mice']
    """
    words = name.split(" ")
    links = [place for place, word in enumerate(words) if word.lower() in _LINKS_EN and place]
    last = (links[0] if links else len(words)) - 1
    words[last] = _english_plural_word(words[last])
    return " ".join(words)


def english_article(name: str) -> str:
    """`a` or `an`, by the first letter.

    >>> english_article("apple"), english_article("unicorn"), english_article("cat")
    ('an', 'a', 'a')
    """
    lower = name.lower()
    return "an" if lower[:1] in "aeiou" and not lower.startswith(("uni", "eu", "one", "uk")) else "a"


def _head(name: str) -> str:
    return re.split(r"[\s\-’':,]", name.strip().lower())[0]


def _french_plural_word(word: str) -> str:
    lower = word.lower()
    if lower in _PLURALS_FR:
        return _PLURALS_FR[lower]
    if lower[-1:] in "sxz":
        return word
    if lower.endswith(("au", "eu", "œu")):
        return word + ("s" if lower in ("bleu", "pneu") else "x")
    if lower.endswith("al"):
        return word[:-1] + "ux"
    return word + "s"


def _english_plural_word(word: str) -> str:
    lower = word.lower()
    if lower in _PLURALS_EN:
        return _PLURALS_EN[lower]
    if lower.endswith(("s", "x", "z", "ch", "sh")):
        return word if lower.endswith(("glasses", "scissors", "shorts", "pants", "jeans")) else word + "es"
    if lower.endswith("y") and lower[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


@cache
def _genders() -> dict[str, str]:
    text = (resources.files("etabli.images.pictograms") / "nouns_fr.txt").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for line in text.splitlines():
        gender, _, words = line.partition(": ")
        if gender in ("m", "f"):
            found.update(dict.fromkeys(words.split(), gender))
    return found
