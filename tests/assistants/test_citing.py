import random
import re
from collections.abc import Sequence

import pytest
from small_corpus import passage

from etabli.assistants.citing import MARKER, Marker
from etabli.assistants.evidence import Source
from etabli.assistants.sentences import units_of
from etabli.assistants.verifying import Support

SOURCES = {
    number: Source(
        number, (passage(f"Phrase {number}.", chunk_id=number),), tuple(units_of("a", offset=0)), frozenset()
    )
    for number in range(1, 10)
}


def resolve(sentence: str, numbers: Sequence[int]) -> list[Support]:
    """The numbers that exist; 9 where there is none and the sentence has a digit."""
    found = [number for number in dict.fromkeys(numbers) if number in SOURCES]
    if not found and re.search(r"\d", sentence):
        found = [9]
    return [Support(SOURCES[number], 0, 1, "verified", None, 1.0) for number in found]


def run(text: str, *, seed: int | None = None) -> tuple[str, Marker]:
    """Feed a text in random pieces (or whole) and give what was streamed."""
    marker = Marker(resolve)
    out, rng = "", random.Random(seed)
    while text:
        size = len(text) if seed is None else rng.randint(1, 6)
        out += marker.feed(text[:size])
        text = text[size:]
    out += marker.finish()
    assert out == marker.text
    return out, marker


CASES = [
    ("Cela coûte 10 € [1].", "Cela coûte 10 € [1]."),
    ("Cela coûte 10 €. [1]", "Cela coûte 10 € [1]."),
    ("Cela coûte 10 €.[1][2] Puis rien.", "Cela coûte 10 € [1][2]. Puis rien."),
    ("Cela coûte 10 €.", "Cela coûte 10 € [9]."),
    ("[3] Cela coûte 10 €.", "Cela coûte 10 € [3]."),
    ("Selon le passage [2], cela coûte 10 €.", "Selon le passage, cela coûte 10 € [2]."),
    ("Cela coûte 10 € [1, 2] et 5 € [3].", "Cela coûte 10 € et 5 € [1][2][3]."),
    ("Cela coûte 10 € 【4】.", "Cela coûte 10 € [4]."),
    ("Cela coûte 10 € [Passage 4].", "Cela coûte 10 € [4]."),
    ("Rien [77].", "Rien."),
    ("Rien [77] du tout.", "Rien du tout."),
    ("Est-ce 10\u00a0€\u00a0?", "Est-ce 10\u00a0€ [9]\u00a0?"),
    ("Le [PC sécurité] répond.", "Le [PC sécurité] répond."),
    ("- 10 € le jour\n- 5 € la nuit [2]\n\nFin", "- 10 € le jour [9]\n- 5 € la nuit [2]\n\nFin"),
    ("| lit | 10 € |\n|---|---|\n", "| lit | 10 € [9] |\n|---|---|\n"),
    ("Voici :\n```\nx = a[1]\n```\nFin [2].", "Voici :\n```\nx = a[1]\n```\nFin [2]."),
    ("M. Durand a 10 €. Fin", "M. Durand a 10 € [9]. Fin"),
    ("Un crochet ouvert [", "Un crochet ouvert ["),
    ("10 € [1", "10 € [1 [9]"),
    ("**10 €**", "**10 €** [9]"),
    ("", ""),
]


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_markers_end_up_at_the_end_of_their_sentence(given: str, expected: str) -> None:
    assert run(given)[0] == expected


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_the_result_does_not_depend_on_the_pieces(given: str, expected: str) -> None:
    for seed in range(40):
        assert run(given, seed=seed)[0] == expected, seed


def test_marks_point_at_their_sentences() -> None:
    text, marker = run("Un fait à 10 €. Un autre à 20 € [2]. Merci.")
    shown = [text[mark.start_index : mark.end_index] for mark in marker.marks]
    assert shown == ["Un fait à 10 € [9]", "Un autre à 20 € [2]"]
    assert all(MARKER.search(piece) for piece in shown)


def test_text_goes_out_before_its_sentence_ends() -> None:
    marker = Marker(resolve)
    assert marker.feed("Le remplacement du badge ") == "Le remplacement du badge"
    assert marker.feed("coûte 10 €.") == " coûte 10 €"
    assert marker.feed(" ") == ""
    assert marker.feed("Et") == " [9]. Et"


def test_any_text_without_markers_survives_word_for_word() -> None:
    rng = random.Random(11)
    alphabet = "abc é.!?…«»\"'()|`*_-:;, \u00a0\n"
    for seed in range(300):
        text = "".join(rng.choice(alphabet) for _ in range(rng.randint(0, 60)))
        out, _ = run(text, seed=seed)
        assert out.rstrip(" |\u00a0") == text.rstrip(" |\u00a0")
