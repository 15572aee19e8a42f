import pytest

from etabli.assistants.expecting import expected


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Combien de temps le gel reste-t-il bon après ouverture ?", "duration"),
        ("Quel est le délai de réponse ?", "duration"),
        ("How long is the warranty?", "duration"),
        ("À quelle heure ferme l’accueil ?", "time"),
        ("Quels sont les horaires de la bibliothèque ?", "time"),
        ("Quel est le taux de réussite ?", "share"),
        ("Combien coûte un duplicata ?", "money"),
        ("Quel est le montant de la caution ?", "money"),
        ("What is the price of a ticket?", "money"),
        ("Quand le pont a-t-il été construit ?", "date"),
        ("En quelle année est-il né ?", "date"),
        ("Quel est le numéro du standard ?", "number"),
        ("Combien d’habitants compte la ville ?", "count"),
        ("Qui a découvert la planète ?", "person"),
        ("Who wrote the report?", "person"),
    ],
)
def test_the_words_of_a_question_tell_what_it_asks_for(question: str, kind: str) -> None:
    asked = expected(question)
    assert asked is not None and asked.kind == kind


@pytest.mark.parametrize(
    "question", ["Que faire en cas de fuite ?", "Où se trouve la clé ?", "Is it allowed?"]
)
def test_most_questions_ask_for_nothing_in_particular(question: str) -> None:
    assert expected(question) is None


@pytest.mark.parametrize(
    ("question", "holding", "lacking"),
    [
        (
            "Combien coûte un duplicata ?",
            "Le duplicata est facturé 12 €.",
            "Le duplicata est gratuit le lundi.",
        ),
        ("Combien de temps dure la garantie ?", "Elle vaut deux ans.", "Elle couvre 2 pannes."),
        ("À quelle heure ferme l’accueil ?", "Il ferme à 18 h 30.", "Il ferme tard."),
        ("Quand le pont a-t-il été construit ?", "Achevé en 1932, il mène au port.", "Il mène au port."),
        ("Qui a découvert la planète ?", "On la doit à l’astronome Galle.", "On la doit à un astronome."),
        ("Quelle part est rendue ?", "On en rend 40 %.", "On en rend beaucoup."),
    ],
)
def test_a_text_has_what_is_asked_for_or_lacks_it(question: str, holding: str, lacking: str) -> None:
    asked = expected(question)
    assert asked is not None and asked.found_in(holding) == 1.0 and asked.found_in(lacking) == 0.0


def test_the_unit_that_is_asked_for_counts_more_and_the_questions_own_numbers_do_not_count() -> None:
    asked = expected("Combien de jours de congé pour un contrat de 12 mois ?")
    assert asked is not None and asked.unit == "day"
    assert asked.found_in("Il a droit à 30 jours.") == 1.0
    assert asked.found_in("Il a droit à 4 semaines.") == 0.5
    assert asked.found_in("Le contrat est de 12 mois.") == 0.0
