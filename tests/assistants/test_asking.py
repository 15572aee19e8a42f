"""Only what is asked reaches the search and the model: the same question gets the same answer, whoever asks."""

from collections.abc import Callable

import pytest
from small_corpus import Corpus, ask

from etabli.assistants.answering import Answerer
from etabli.assistants.asking import core
from etabli.assistants.specification import AssistantSpecification
from etabli.engines.fake import FakeEngine

QUESTION = "Combien coûte le remplacement d’un badge perdu ?"


@pytest.mark.parametrize(
    "around",
    [
        "Bonjour. {}",
        "{} Merci d’avance.",
        "J’ai une question. {}",
        "Petite question avant ma réunion. {}",
        "Mamadou Diallo me pose cette question. {} Que dois-je répondre ?",
        "Je renseigne une personne de Bobigny. {}",
        "Une mère de famille voudrait savoir ceci. {}",
        "Rédige une courte réponse pour un collègue de 59 ans. {}",
        "Bonjour, j'espère que vous allez bien. {} Merci beaucoup pour votre aide précieuse.",
        "{} Je veux être sûr de moi.",
    ],
)
def test_words_around_a_question_are_left_out(around: str) -> None:
    if any(map(str.isdigit, around)):
        assert core(around.format(QUESTION)) == around.format(QUESTION), "a figure may matter"
    else:
        assert core(around.format(QUESTION)) == QUESTION


@pytest.mark.parametrize(
    "text",
    [
        QUESTION,
        "J’ai 57 ans. Combien de jours puis-je mettre de côté ?",
        "Je suis infirmier de nuit. Quelle prime vais-je toucher ?",
        "Merci de poser mes congés en août : jusqu’à quand ?",
        "Bonjour",
        "Bonjour. Merci. Que dit le règlement ?",
        "Un patient refuse son traitement. Que dois-je dire ?",
        "A colleague lost her badge. What should I tell her?",
        "Qui appelle le standard la nuit ?",
        "My shift ends after the last bus. At what time can I get a ride to the train station?",
    ],
)
def test_what_may_matter_stays(text: str) -> None:
    assert core(text) == text


def test_two_names_give_the_same_answer(
    answerer: Callable[..., Answerer], assistant: AssistantSpecification, corpus: Corpus
) -> None:
    engine = FakeEngine(["Le remplacement coûte 10 €."])
    answers = [
        ask(answerer(), assistant, engine, f"{who} me pose cette question. {QUESTION}").answer
        for who in ("Claire Dupont", "Fatima Haddad")
    ]
    assert answers[0].text == answers[1].text
    assert engine.bodies[0]["messages"] == engine.bodies[1]["messages"]


def test_a_bare_yes_without_source_is_not_shown(
    answerer: Callable[..., Answerer], assistant: AssistantSpecification
) -> None:
    answer = ask(answerer(), assistant, FakeEngine(["Non."]), QUESTION).answer
    assert answer.text != "Non." and answer.written_by == "product" and answer.citations
