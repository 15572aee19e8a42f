import random

import pytest

from etabli.images.pictograms.captions import caption
from etabli.images.pictograms.colours import WORDS
from etabli.images.pictograms.concepts import Library
from etabli.images.pictograms.scene import Item, Scene

APPLE, CAT, CAR, STAR, PARTY = "1F34E", "1F431", "1F697", "2B50", "1F389"


@pytest.mark.parametrize(
    ("scene", "french", "english"),
    [
        (
            Scene((Item(APPLE, 3, "red"),), background="blue"),
            "trois pommes rouges sur fond bleu",
            "three red apples on a blue background",
        ),
        (
            Scene((Item(CAT), Item(STAR, 1, "white")), relation="left of"),
            "un chat à gauche d'une étoile blanche",
            "a cat to the left of a white star",
        ),
        (Scene((Item(STAR),), side="top"), "une étoile en haut", "a star at the top"),
        (Scene((Item(CAR, 2, "green"),)), "deux voitures de face vertes", "two green front cars"),
        (Scene((Item(PARTY),), style="outline"), "des cotillons au trait", "streamers as a line drawing"),
        (
            Scene((Item(CAT), Item(PARTY)), relation="above"),
            "un chat au-dessus de cotillons",
            "a cat above streamers",
        ),
        (Scene((Item(APPLE, 1, "green"),)), "une pomme verte", "a green apple"),
    ],
)
def test_the_plain_description(library: Library, scene: Scene, french: str, english: str) -> None:
    assert caption(scene, library.concepts, "fr") == french
    assert caption(scene, library.concepts, "en") == english


def test_what_people_type_is_varied_and_always_says_number_and_colour(library: Library) -> None:
    scene = Scene((Item(CAT, 4, "blue"),), background="yellow")
    chance = random.Random(1)
    said = {caption(scene, library.concepts, "fr", chance) for _ in range(300)}
    assert len(said) > 100
    assert all(
        ("quatre" in text.lower() or "4" in text) and "bleus" in text and "jaune" in text for text in said
    )
    assert any("essine" in text for text in said) and any(text.isascii() for text in said)


def test_missing_accents_lose_no_letter(library: Library) -> None:
    scene = Scene((Item(STAR),))
    said = {caption(scene, library.concepts, "fr", random.Random(seed)).lower() for seed in range(200)}
    assert all("etoile" in text or "étoile" in text for text in said)
    assert any("etoile" in text for text in said)


def test_every_form_of_a_colour_is_known() -> None:
    assert (
        WORDS["fr"]["violettes"] == "purple"
        and WORDS["fr"]["marron"] == "brown"
        and WORDS["en"]["gray"] == "grey"
    )
