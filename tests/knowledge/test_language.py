import pytest

from etabli.knowledge.language import detect


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Quel est le délai de préavis d’un cadre ?", "fr"),
        ("combien de jours de conges pour un mariage", "fr"),
        ("Puis-je poser mes RTT en juillet", "fr"),
        ("télétravail", "fr"),
        ("What is the notice period for a manager?", "en"),
        ("how do I reset my password", "en"),
        ("Le mot anglais « the » ne change rien à la langue de cette phrase.", "fr"),
        ("The French word « le » does not change the language of this sentence.", "en"),
        ("RTT 2024", None),
        ("protocole douleur", None),
        ("", None),
        ("12 345,67 €", None),
        ("e\u0301te\u0301", "fr"),
    ],
)
def test_the_words_decide_and_doubt_is_said(text: str, expected: str | None) -> None:
    assert detect(text) == expected
