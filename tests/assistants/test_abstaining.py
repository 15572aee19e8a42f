import pytest
from small_corpus import passage

from etabli.assistants.abstaining import (
    GATE,
    Features,
    abstention,
    features_of,
    is_refusal,
)
from etabli.assistants.evidence import Evidence
from etabli.assistants.expecting import expected
from etabli.assistants.pointing import Figures

REFUSALS = [
    "ABSENT",
    "ABSENT [2]",
    "**ABSENT**",
    "Je ne trouve pas la réponse dans vos documents.",
    "Désolé, je ne dispose pas de cette information.",
    "Les documents ne mentionnent pas le salaire des aides-soignantes.",
    "Les passages fournis ne contiennent aucune réponse.",
    "Les documents n’en parlent pas.",
    "Aucun document ne parle de la crèche.",
    "Malheureusement, cette information n’est pas précisée dans les documents.",
    "Il n’y a aucune information à ce sujet dans les passages.",
    "I cannot find the answer in your documents.",
    "The documents do not mention maternity leave.",
    "There is no information about that in the passages.",
    "Unfortunately, the company is not specified in the documents [2].",
]
ANSWERS = [
    "Le remplacement coûte 10 €.",
    "Les documents ne prévoient qu’un délai de 15 jours.",
    "Aucun jour de carence n’est appliqué en cas d’hospitalisation.",
    "Non, la friction seule ne suffit pas.",
    "Il n’y a pas de carence.",
    "Sans réponse, la demande est réputée acceptée.",
    "Absent trois jours, on prévient son cadre.",
    "No visit is allowed before noon.",
    "I would book the minibus before 6 pm.",
]


@pytest.mark.parametrize("sentence", REFUSALS)
def test_refusals_are_seen(sentence: str) -> None:
    assert is_refusal(sentence)


@pytest.mark.parametrize("sentence", ANSWERS)
def test_answers_are_not_refusals(sentence: str) -> None:
    assert not is_refusal(sentence)


def test_coverage_weighs_rare_and_absent_terms() -> None:
    found = [passage("Le badge coûte 10 €."), passage("La crèche.", chunk_id=2)]
    idf = {"badg": 1.0, "crech": 5.0}
    closest = Figures(words=0.4, likeness=0.5, passage=1.0, expected=0.0, short=0.0)
    evidence = Evidence((), 0.8, figures=closest, expected=expected("Combien coûte la crèche ?"))
    features = features_of("badge crèche inconnu", found, evidence, idf)
    assert features.coverage == pytest.approx(5 / 11)
    assert features.meaning == 0.85 and features.sentence == 0.8
    assert (features.likeness, features.words, features.lacking) == (0.5, 0.4, 1.0)


def test_the_gate_closes_on_what_does_not_resemble_and_says_nothing_without_vectors() -> None:
    assert GATE.closes(Features(0.74, 0.74, 0.1, 0.2, 0.1, 1.0))
    good = Features(0.90, 0.92, 1.0, 0.75, 1.0, 0.0)
    assert not GATE.closes(good) and GATE.trusts(GATE.probability(good))
    assert not GATE.closes(Features(None, None, 0.3, 0.0, 0.5, 0.0))
    assert GATE.closes(Features(None, None, 0.0, 0.0, 0.0, 0.0)) and not GATE.trusts(None)


def test_the_sentence_names_the_closest_documents() -> None:
    assert "«\u00a0Livret\u00a0»" in abstention("fr", ["Livret"]) and "“Guide”" in abstention("en", ["Guide"])
    assert "«" not in abstention("fr", [])
