import pytest

from etabli.knowledge.analysis import query_terms, terms, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("L'employeur", "employeurs"),
        ("l’employée", "l'employée"),
        ("congés payés", "congé payé"),
        ("ŒDÈME", "oedème"),
        ("o\ufb03ce", "office"),
        ("infir\u00admière", "infirmière"),
        ("protec-\ntion", "protection"),
        ("été e\u0301té", "été été"),
        ("Noël", "noel"),
    ],
)
def test_the_same_word_gives_the_same_term(one: str, other: str) -> None:
    assert terms(one, "fr") == terms(other, "fr") != []


def test_stop_words_go_before_accents_are_folded() -> None:
    assert terms("à la même dune", "fr") == terms("dune", "fr")
    assert terms("the of and to", "en") == []


def test_numbers_stay() -> None:
    assert terms("article 12, 1 500 € le 3/4/2026", "fr")[:3] == ["articl", "12", "1"]


def test_a_question_of_unsure_language_is_stemmed_in_both() -> None:
    assert set(query_terms("relations")) == {*terms("relations", "fr"), *terms("relations", "en")}
    assert query_terms("") == [] and query_terms("?!") == []


def test_words_of_other_scripts_are_kept() -> None:
    assert words("Привет мир 你好") == ["привет", "мир", "你好"]
