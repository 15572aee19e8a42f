"""Sentences that say a scene, in French and in English, as people type them.

Without a source of chance: the plain description, fit for screen readers. With one: the same scene as a wish, an
order, a question, a bare noun, with figures or words for numbers, with and without accents. What they say is always
true.
"""

import random
import unicodedata
from collections.abc import Mapping

from etabli.images.pictograms.colours import WORDS, french_colour
from etabli.images.pictograms.concepts import Concept, Language
from etabli.images.pictograms.nouns import (
    english_article,
    english_plural,
    french_plural,
    is_feminine,
    is_plural,
    starts_with_vowel,
)
from etabli.images.pictograms.scene import Item, Relation, Scene, Side, Style

NUMBERS: dict[Language, tuple[str, ...]] = {
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six"),
    "en": ("zero", "one", "two", "three", "four", "five", "six"),
}
_ORDERS: dict[Language, tuple[str, ...]] = {
    "fr": ("dessine ", "dessine-moi ", "dessine moi ", "dessinez ", "fais ", "fais-moi ", "peux-tu dessiner ",
           "tu peux me faire ", "je voudrais ", "j'aimerais ", "il me faut ", "montre-moi ", "crée une image : ",
           "un pictogramme : ", "un dessin avec ", "génère ", "représente "),
    "en": ("draw ", "draw me ", "please draw ", "make ", "can you draw ", "could you make ", "I want ", "I need ",
           "show me ", "create a picture: ", "an icon: ", "a pictogram of ", "a picture of ", "generate ", "paint "),
}  # fmt: skip
_ENDS: dict[Language, tuple[str, ...]] = {
    "fr": ("", "", "", "", ".", " ?", " stp", " s'il te plaît", " merci"),
    "en": ("", "", "", "", ".", "?", " please", ", thanks"),
}
_RELATIONS: dict[Language, dict[Relation, tuple[str, ...]]] = {
    "fr": {"left of": ("à gauche de",), "right of": ("à droite de",), "above": ("au-dessus de", "sur"),
           "below": ("en dessous de", "au-dessous de", "sous"), "beside": ("et", "avec", "à côté de")},
    "en": {"left of": ("to the left of", "left of"), "right of": ("to the right of", "right of"),
           "above": ("above", "over"), "below": ("below", "under"), "beside": ("and", "with", "next to")},
}  # fmt: skip
_SIDES: dict[Language, dict[Side, tuple[str, ...]]] = {
    "fr": {"left": ("à gauche", "sur la gauche"), "right": ("à droite", "sur la droite"),
           "top": ("en haut", "tout en haut"), "bottom": ("en bas", "tout en bas")},
    "en": {"left": ("on the left", "at the left"), "right": ("on the right", "at the right"),
           "top": ("at the top",), "bottom": ("at the bottom",)},
}  # fmt: skip
_STYLES: dict[Language, dict[Style, tuple[str, ...]]] = {
    "fr": {"flat": ("en aplats", "style plat"), "silhouette": ("en silhouette",),
           "outline": ("au trait", "en contour", "dessin au trait")},
    "en": {"flat": ("flat style", "in flat colours"), "silhouette": ("as a silhouette", "in silhouette"),
           "outline": ("as a line drawing", "in outline", "line art")},
}  # fmt: skip
_GROUNDS: dict[Language, tuple[str, ...]] = {
    "fr": ("sur fond {}", "sur un fond {}", "fond {}"),
    "en": ("on a {} background", "on {} background", "{} background"),
}


def caption(
    scene: Scene, concepts: Mapping[str, Concept], language: Language, chance: random.Random | None = None
) -> str:
    """Say a scene.

    Args:
        scene: what is to be seen.
        concepts: those of its items.
        language: of the sentence.
        chance: chooses the words; the plain description when None.
    """
    names = [_chosen(concepts[item.concept], item, language, chance) for item in scene.items]
    bare = chance is not None and len(names) == 1 and chance.random() < 0.2
    said = [_thing(item, name, language, chance, bare) for item, name in zip(scene.items, names, strict=True)]
    text = said[0]
    if scene.relation is not None:
        text = _joined(said[0], _pick(_RELATIONS[language][scene.relation], chance), said[1])
    extras = _extras(scene, language, chance)
    if chance is not None:
        chance.shuffle(extras)
    text = " ".join([text, *extras])
    return text if chance is None else _as_typed(text, bare, language, chance)


def without_colour(name: str, language: Language) -> str:
    """A name without its colour words, so that another colour can be said.

    >>> without_colour("pomme rouge", "fr"), without_colour("orange", "fr")
    ('pomme', 'orange')
    """
    words = name.split()
    kept = [
        word for place, word in enumerate(words) if len(words) == 1 or word.lower() not in WORDS[language]
    ]
    return " ".join(kept) or name


def _chosen(concept: Concept, item: Item, language: Language, chance: random.Random | None) -> str:
    names = concept.names[language]
    name = names[0] if chance is None or chance.random() < 0.65 else chance.choice(names)
    return without_colour(name, language) if item.colour else name


def _thing(item: Item, name: str, language: Language, chance: random.Random | None, bare: bool) -> str:
    plural = item.count > 1
    number = NUMBERS[language][item.count] if plural else ""
    if plural and chance is not None and chance.random() < 0.3:
        number = str(item.count)
    if language == "en":
        noun = english_plural(name) if plural else name
        if item.colour:
            noun = f"{item.colour} {noun}"
        if plural:
            return f"{number} {noun}"
        return noun if bare or is_plural(name, french=False) else f"{english_article(noun)} {noun}"
    feminine = is_feminine(name)
    several = plural or is_plural(name, french=True)
    noun = french_plural(name) if plural else name
    if item.colour:
        # « Voiture rouge de police » reads worse than « voiture de police rouge »: the colour comes last.
        noun = f"{noun} {french_colour(item.colour, feminine=feminine, plural=several)}"
    if plural:
        return f"{number} {noun}"
    return noun if bare else f"{'des' if several else 'une' if feminine else 'un'} {noun}"


def _joined(first: str, link: str, second: str) -> str:
    if link.endswith(" de") and second.startswith("des "):
        return f"{first} {link} {second.removeprefix('des ')}"
    if link.endswith(" de") and starts_with_vowel(second):
        return f"{first} {link[:-2]}d'{second}"
    return f"{first} {link} {second}"


def _extras(scene: Scene, language: Language, chance: random.Random | None) -> list[str]:
    extras = []
    if scene.side is not None:
        extras.append(_pick(_SIDES[language][scene.side], chance))
    if scene.style != "flat" or (chance is not None and chance.random() < 0.05):
        extras.append(_pick(_STYLES[language][scene.style], chance))
    if scene.background is not None:
        colour = (
            scene.background
            if language == "en"
            else french_colour(scene.background, feminine=False, plural=False)
        )
        extras.append(_pick(_GROUNDS[language], chance).format(colour))
    return extras


def _as_typed(text: str, bare: bool, language: Language, chance: random.Random) -> str:
    """A wish or an order around it, and the habits of hurried people."""
    if not bare and chance.random() < 0.6:
        text = chance.choice(_ORDERS[language]) + text + chance.choice(_ENDS[language])
    habit = chance.random()
    if habit < 0.15:
        text = unicodedata.normalize("NFKD", text.replace("œ", "oe")).encode("ascii", "ignore").decode()
    elif habit < 0.45:
        text = text[:1].upper() + text[1:]
    elif habit < 0.5:
        text = text.lower()
    return text


def _pick(choices: tuple[str, ...], chance: random.Random | None) -> str:
    return choices[0] if chance is None else chance.choice(choices)
