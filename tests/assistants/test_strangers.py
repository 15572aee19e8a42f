import pytest

from etabli.assistants.strangers import without_strangers

DIRECTORY = "Nom : Mehdi Benali ; Fonction : Gestionnaire de paie. Hélène Marchetti dirige la clinique."


@pytest.mark.parametrize(
    ("question", "left"),
    [
        (
            "Gérard Lemercier est arrivé en retard deux fois : quelle règle s’applique au badge ?",
            "est arrivé en retard deux fois : quelle règle s’applique au badge ?",
        ),
        (
            "Nous accueillons lundi Xavier Benali. Combien de jours de congé la première année ?",
            "Nous accueillons lundi . Combien de jours de congé la première année ?",
        ),
        (
            "Mrs Olga Ivanova lost her badge in the car park. What does a new badge cost?",
            "lost her badge in the car park. What does a new badge cost?",
        ),
        (
            "Pour Jean-Pierre Le Gall, absent trois jours, faut-il un certificat ?",
            "Pour , absent trois jours, faut-il un certificat ?",
        ),
    ],
)
def test_a_person_whom_no_passage_names_does_not_steer_the_search(question: str, left: str) -> None:
    assert without_strangers(question, [DIRECTORY]) == left


@pytest.mark.parametrize(
    "question",
    [
        "Mehdi Benali a perdu son badge. Le remplacement est-il payant ?",
        "Benali Mehdi demande un congé pour garde d’enfant malade.",
        "Quel est le numéro de Gérard Lemercier ?",
        "Qui est Olga Ivanova, dans notre clinique de jour ?",
        "Le contrat de Gérard Lemercier prévoit-il une période d’essai renouvelable ?",
        "Comment imprimer avec Microsoft Copilot dans le service ?",
        "Le Compte Épargne Temps se vide-t-il avant le départ ?",
        "Que dit Gérard Lemercier ?",
        "What does the Infusion Pump Service Agreement say about loan pumps?",
    ],
)
def test_everything_else_stays(question: str) -> None:
    assert without_strangers(question, [DIRECTORY]) == question
