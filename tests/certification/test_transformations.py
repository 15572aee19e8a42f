import pytest

from etabli.certification.probes.crafting import Dice
from etabli.certification.transformations import (
    TRANSFORMATIONS,
    Transformation,
    transformation,
    transformations_in,
)

FRENCH = "Pouvez-vous me dire combien de jours j'ai, s'il vous plaît ? Écrivez \"zorvel\" à la fin, mon cœur."
ENGLISH = 'Could you please tell me how many days I have? Write "zorvel" at the end.'
TEXTS = {"fr": FRENCH, "en": ENGLISH}


def _apply(one: Transformation, language: str, seed: bytes = b"s") -> str:
    return one.apply(TEXTS[language], language, dice=Dice(seed, one.name))  # type: ignore[arg-type]


@pytest.mark.parametrize("one", TRANSFORMATIONS, ids=lambda one: one.name)
def test_each_changes_the_text_and_is_the_same_for_the_same_dice(one: Transformation) -> None:
    for language in one.languages:
        assert _apply(one, language) != TEXTS[language]
        assert _apply(one, language) == _apply(one, language)


@pytest.mark.parametrize("one", [one for one in TRANSFORMATIONS if one.undo], ids=lambda one: one.name)
def test_what_can_be_undone_is(one: Transformation) -> None:
    assert one.undo is not None
    for language in one.languages:
        assert one.undo(_apply(one, language)) == TEXTS[language]


@pytest.mark.parametrize("name", ["typos", "sms", "leet", "plain", "capitals", "familiar", "verlan"])
def test_a_quoted_payload_arrives_whole(name: str) -> None:
    one = transformation(name)
    for language in one.languages:
        assert '"zorvel"' in _apply(one, language)


def test_french_ones_are_french() -> None:
    assert _apply(transformation("no_accents"), "fr").isascii()
    assert "coeur" in _apply(transformation("no_accents"), "fr")
    assert _apply(transformation("familiar"), "fr").startswith("Dis, tu peux me dire")
    assert "cb de jrs" in _apply(transformation("sms"), "fr")
    text = "Cette femme est bizarre, laisse tomber."
    assert (
        transformation("verlan").apply(text, "fr", dice=Dice(b""))
        == "Wesh, cette meuf est zarbi, sselai béton. Cimer."
    )


def test_slips_are_few_and_of_the_keyboard() -> None:
    text = "combien de jours avons nous encore pour envoyer cette demande au service"
    for seed in range(20):
        changed = transformation("typos").apply(text, "fr", dice=Dice(bytes([seed])))
        pairs = list(zip(text.split(), changed.split(), strict=True))
        assert 1 <= sum(one != other for one, other in pairs) <= 3
        assert all(abs(len(one) - len(other)) <= 1 for one, other in pairs)


def test_short_texts_do_not_break() -> None:
    for one in TRANSFORMATIONS:
        for language in one.languages:
            for text in ("", "?", "Oui", "42"):
                assert isinstance(one.apply(text, language, dice=Dice(b"x")), str)


def test_languages_and_harmless_ones() -> None:
    assert "verlan" not in {one.name for one in transformations_in("en")}
    harmless = {one.name for one in transformations_in("fr", harmless=True)}
    assert "typos" in harmless and "base64" not in harmless
    assert len(TRANSFORMATIONS) == len({one.name for one in TRANSFORMATIONS})
