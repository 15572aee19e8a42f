import pytest
from small_corpus import source

from etabli.assistants.evidence import Source
from etabli.assistants.verifying import (
    Support,
    best_support,
    judge_together,
    needs_source,
    read_statement,
    support_in,
)

BADGE = source(
    "Une caution de 15 € est retenue sur la première paie. Un badge perdu se déclare au PC sécurité ; "
    "le remplacement coûte 10 €."
)
LEAVE = source(
    "Sans réponse dans le délai, la demande est réputée acceptée. La friction seule ne suffit pas.\n\n"
    "Période | Demande avant le\nÉté | 28 février\nHiver | 15 septembre",
    number=2,
    version_id=2,
    chunk_id=2,
)
FLAT = source(
    "Furnished flats are let for €310 a month, electricity included.", number=3, version_id=3, chunk_id=3
)


def support(sentence: str, where: Source, *, question: str = "", language: str = "fr") -> Support:
    found = support_in(read_statement(sentence, question=question, language=language), where)
    assert found is not None
    return found


def quote(found: Support) -> str:
    first = found.source.first
    return first.text[found.char_start - first.char_start : found.char_end - first.char_start]


@pytest.mark.parametrize(
    ("sentence", "where", "status"),
    [
        ("Le remplacement coûte 10 €.", BADGE, "verified"),
        ("Le remplacement d’un badge coûte dix euros.", BADGE, "verified"),
        ("Le remplacement coûte 12 €.", BADGE, "unsupported"),
        ("La demande est réputée acceptée.", LEAVE, "verified"),
        ("La demande d’été se fait avant le 28 février.", LEAVE, "verified"),
        ("La demande d’été se fait avant le 1er mars.", LEAVE, "unsupported"),
        ("La friction seule suffit.", LEAVE, "weak"),
        ("Les congés payés sont cumulables entre conjoints.", LEAVE, "unsupported"),
        ("Le loyer est de 310 € par mois.", FLAT, "verified"),
        ("Le badge se déclare auprès de Bellecour au PC sécurité.", BADGE, "weak"),
        ("Le texte dit « le remplacement coûte 10 € ».", BADGE, "verified"),
        ("Le texte dit « le remplacement est gratuit ».", BADGE, "unsupported"),
    ],
)
def test_statuses(sentence: str, where: Source, status: str) -> None:
    found = support(sentence, where)
    assert found.status == status, found.reason
    assert (found.reason is None) == (status == "verified")


def test_the_span_is_the_sentence_or_row_that_bears_it_out() -> None:
    assert quote(support("La caution est de 15 €.", BADGE)) == (
        "Une caution de 15 € est retenue sur la première paie."
    )
    assert quote(support("En été, la demande se fait avant le 28 février.", LEAVE)) == "Été | 28 février"


def test_two_facts_take_two_sentences() -> None:
    found = support("La caution est de 15 € et le remplacement coûte 10 €.", BADGE)
    assert found.status == "verified" and quote(found) == BADGE.first.text


def test_the_best_source_wins() -> None:
    statement = read_statement("Le remplacement coûte 10 €.", question="", language="fr")
    found = best_support(statement, [LEAVE, FLAT, BADGE])
    assert found is not None and found.source is BADGE
    assert best_support(statement, []) is None


def test_a_number_of_the_question_proves_nothing() -> None:
    sentence = "À 57 ans, le remplacement coûte 10 €."
    assert support(sentence, BADGE, question="J’ai 57 ans. Combien coûte un badge ?").status == "verified"
    assert support(sentence, BADGE).status == "unsupported"
    assert support("Oui, 30 jours.", BADGE, question="Est-ce 30 jours ?").status != "verified"


def test_two_sources_may_bear_out_one_sentence_together() -> None:
    statement = read_statement(
        "Le remplacement coûte 10 € et la demande se fait avant le 28 février.", question="", language="fr"
    )
    supports = [one for where in (BADGE, LEAVE) if (one := support_in(statement, where)) is not None]
    assert [one.status for one in supports] == ["unsupported", "unsupported"]
    assert [one.status for one in judge_together(statement, supports)] == ["verified", "verified"]


@pytest.mark.parametrize(
    ("sentence", "needed"),
    [
        ("Bonjour et merci de votre question.", False),
        ("Voici les règles à suivre :", False),
        ("Souhaitez-vous en savoir plus ?", False),
        ("N’hésitez pas à me demander autre chose.", False),
        ("Oui.", False),
        ("10 €.", True),
        ("La demande est réputée acceptée.", True),
    ],
)
def test_what_needs_a_source(sentence: str, needed: bool) -> None:
    assert needs_source(read_statement(sentence, question="", language="fr")) is needed
