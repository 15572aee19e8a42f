from pathlib import Path

import pytest

from etabli.knowledge.analysis import query_terms, terms
from etabli.knowledge.highlighting import folded, matched_words, occurrences


def marked(text: str, question: str, language: str = "fr") -> list[str]:
    return [text[a:b] for a, b in matched_words(text, query_terms(question), language=language)]


def test_the_words_that_matched_whatever_their_form() -> None:
    text = "Les congés payés : chaque employée congédiée, l’EMPLOYÉ et ses congé(s). Un cœur vaillant."
    assert marked(text, "congé payé employé") == ["congés", "payés", "employée", "EMPLOYÉ", "congé"]
    assert marked(text, "coeur") == ["cœur"]
    assert marked(text, "les un et ses") == []
    assert marked("The nurse's paid leave", "nurses leave", "en") == ["nurse", "leave"]


def test_a_word_broken_at_a_line_end_is_one() -> None:
    text = "Le rembour-\nsement des frais."
    assert marked(text, "remboursement") == ["rembour-\nsement"]


def test_marks_are_what_the_analysis_sees(examples: Path) -> None:
    """Every word of a real document is marked exactly when the analysis gives its term."""
    text = next((examples / "documents").rglob("*.md")).read_text(encoding="utf-8")
    every = set(terms(text, "fr"))
    spans = matched_words(text, every, language="fr")
    assert {term for a, b in spans for term in terms(text[a:b], "fr")} == every
    outside, place = "", 0
    for start, end in spans:
        outside, place = f"{outside} {text[place:start]}", end
    assert not set(terms(outside + text[place:], "fr"))


@pytest.mark.parametrize(
    ("text", "needle", "found"),
    [
        ("Congé, CONGÉ, conge", "congé", ["Congé", "CONGÉ", "conge"]),
        ("le congé\n  annuel", "conge annuel", ["congé\n  annuel"]),
        ("l’œuvre et l'oeuvre", "l'œuvre", ["l’œuvre", "l'oeuvre"]),
        ("un \ufb01chier", "fichier", ["\ufb01chier"]),
        ("(a+b)* = 3", "(A+B)*", ["(a+b)*"]),
        ("sur‑rendez-vous", "rendez-vous", ["rendez-vous"]),
        ("rien", "  ", []),
    ],
)
def test_a_phrase_is_found_as_people_type_it(text: str, needle: str, found: list[str]) -> None:
    assert [text[a:b] for a, b in occurrences(text, needle)] == found


def test_offsets_count_characters_outside_the_basic_plane() -> None:
    assert list(occurrences("🚗🚗 parking", "parking")) == [(3, 10)]


def test_finding_in_a_long_text_takes_linear_time() -> None:
    """White space that never leads to a match is the only thing that could make it slow."""
    assert list(occurrences("a " * 500_000 + " " * 100, "a a b")) == []


def test_folding() -> None:
    assert folded("ŒUVRE Été ÀÉÎÕÜ") == "oeuvre ete aeiou"
