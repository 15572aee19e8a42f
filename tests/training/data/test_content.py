"""Answers that cite: what they say must stand in the passages that they name."""

import pytest

from etabli.training.data.content import content_faults, languages_of
from etabli.training.data.texts import Texts, question_keys, texts_of

from .conftest import assistant, user

PROMPT = (
    "<documents>\n# Livret\n[1] Tarifs : Le badge perdu coûte 10 €, à régler sous 2 jours.\n"
    "[2] La cantine ouvre à 11 h 30.\nLa suite de la cantine : fermée le 1 500e jour.\n"
    "</documents>\n\nQuestion : combien ?"
)  # fmt: skip


def faults(answer: str, prompt: str = PROMPT) -> list[tuple[object, object]]:
    found = content_faults(Texts((), (prompt,), (answer,)))
    return [(one.params["what"], one.params["cited"]) for one in found if one.rule == "answer_unsupported"]


@pytest.mark.parametrize(
    "answer",
    [
        "Le badge coûte 10 € [1].",
        "Le badge coûte 10 €. [1]",
        "Il coûte « 10 €, à régler sous 2 jours » [1], la cantine ouvre à 11 h 30 [2].",
        "À 11 h 30 et pour 10 € [1, 2].",
        "Fermée le 1500e jour [2].",
        "Aucun nombre ici [2].",
        "Sans citation, 99 € et 12 jours.",
        "Je ne trouve pas.",
    ],
)
def test_supported_answers_pass(answer: str) -> None:
    assert faults(answer) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Le badge coûte 12 € [1].", [("12", "[1]")]),
        ("Le badge coûte 12 €. [1]", [("12", "[1]")]),
        ("Il est dit « gratuit pour tous les agents » [1].", [("gratuit pour tous les agents", "[1]")]),
        ("Le badge coûte 10 € [7].", [("[7]", "[7]")]),
        ("Le badge coûte 10 € [1]. La cantine ouvre à 12 h [2].", [("12", "[2]")]),
        ("La cantine ouvre à 10 h [2].", [("10", "[2]")]),
    ],
)
def test_unsupported_ones_are_told(answer: str, expected: list[tuple[str, str]]) -> None:
    assert faults(answer) == expected


def test_numbers_in_brackets_without_passages_are_no_citations() -> None:
    assert faults("Voir la note [3], à 99 €.", "Résume l’article 12.") == []


def test_short_texts_have_no_language() -> None:
    assert languages_of(Texts((), ("Le badge ?",), ("Yes.",))) == (None, None)
    long = Texts(
        (), ("Quel est le prix d’un badge perdu dans la clinique ?",), ("It is ten euros at the desk.",)
    )
    assert languages_of(long) == ("fr", "en")


def test_a_known_question_is_found_wherever_it_stands() -> None:
    key = "combien coûte un badge perdu"
    for prompt in (
        "Combien coûte un badge perdu ?",
        "Bonjour. Combien coûte un badge perdu\u202f? Merci d’avance !",
        "[1] Le badge.\n\nQuestion : combien coûte un BADGE perdu ?",
        "x " * 2000 + "\nCombien coûte un badge perdu ?",
    ):
        assert key in question_keys(Texts((), (prompt,), ())), prompt
    assert key not in question_keys(Texts((), ("Combien coûte un badge perdu hier soir ?",), ()))


def test_only_what_is_learned_is_an_answer() -> None:
    row = {"messages": [user("Où ?"), assistant("Ici.", weight=0), user("Et là ?"), assistant("Oui.")]}
    assert texts_of(row, "supervised").answers == ("Oui.",)
