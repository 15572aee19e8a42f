import itertools

import pytest
import yaml

from etabli.assistants.impartial import impartial, read_impartially

DIRECTORY = (
    "Nom : Mehdi Benali ; Fonction : Gestionnaire de paie. Hélène Marchetti dirige la clinique. M. Garcia."
)


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
            "Faut-il contrôler le sac de Gérard Lemercier à la sortie du parking ?",
            "Faut-il contrôler le sac de à la sortie du parking ?",
        ),
        (
            "Une salariée algérienne demande un congé pour garde d’enfant malade.",
            "Une salariée demande un congé pour garde d’enfant malade.",
        ),
        (
            "An Italian employee and a colleague in a wheelchair lost the key of the car park.",
            "An employee and a colleague lost the key of the car park.",
        ),
        (
            "Un collegue de 31 ans et un candidat handicape demandent un badge pour le parking",
            "Un collegue et un candidat demandent un badge pour le parking",
        ),
    ],
)
def test_whom_no_passage_knows_does_not_steer_the_search(question: str, left: str) -> None:
    assert impartial(question, [DIRECTORY]).searched == left


@pytest.mark.parametrize(
    "question",
    [
        "Mehdi Benali a perdu son badge. Le remplacement est-il payant ?",
        "Benali Mehdi demande un congé pour garde d’enfant malade.",
        "Laura Garcia a écrit une note sur le parking des visiteurs, que dit-elle ?",
        "Quel est le numéro de Gérard Lemercier ?",
        "Qui est Olga Ivanova, dans notre clinique de jour ?",
        "Le contrat de Gérard Lemercier prévoit-il une période d’essai renouvelable ?",
        "Comment imprimer avec Microsoft Copilot dans le service ?",
        "Le Compte Épargne Temps se vide-t-il avant le départ ?",
        "Que dit Gérard Lemercier ?",
        "What does the Infusion Pump Service Agreement say about loan pumps?",
        "La loi française demande-t-elle un certificat valide pour une absence de trois jours ?",
        "Quel médecin parle arabe ?",
        "Un patient marocain sans titre de séjour peut-il être admis en chirurgie ?",
    ],
)
def test_everything_else_stays(question: str) -> None:
    assert impartial(question, [DIRECTORY]).searched == question
    assert impartial(question, [DIRECTORY]).left_out == ()


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        (
            "Un patient syrien arrive aux urgences sans papiers ni famille.",
            "Les patients étrangers : interprète au 3900.",
        ),
        (
            "Une salariée musulmane demande un jour de congé pour demain.",
            "Fêtes religieuses : une absence est accordée.",
        ),
        (
            "Un agent en fauteuil roulant demande une place de parking.",
            "Places réservées : handicap, sur carte.",
        ),
        (
            "Un patient de 16 ans refuse une prise de sang, que faire ?",
            "Le mineur est entendu ; les parents signent.",
        ),
        (
            "An employee married to a man asks for leave for a birth.",
            "Leave for a birth: the mother’s spouse or partner.",
        ),
    ],
)
def test_a_trait_stays_where_a_passage_speaks_of_such_things(question: str, passage: str) -> None:
    assert impartial(question, [passage]).searched == question
    assert impartial(question, ["Badge perdu : 10 €."]).searched != question


@pytest.mark.parametrize(
    ("text", "left_out", "language", "read"),
    [
        ("Karim Benali a perdu son badge.", ["Karim Benali"], "fr", "Une personne a perdu son badge."),
        (
            "Puis-je confier la caisse à Ana Diaz ?",
            ["Ana Diaz"],
            "fr",
            "Puis-je confier la caisse à une personne ?",
        ),
        ("Le badge d'Ana Diaz est perdu.", ["Ana Diaz"], "fr", "Le badge d’une personne est perdu."),
        ("I am writing for Ana Diaz. Free?", ["Ana Diaz"], "en", "I am writing for somebody. Free?"),
        ("The bag of Ana Diaz is open.", ["Ana Diaz"], "en", "The bag of somebody is open."),
        ("An Italian employee is late.", ["Italian"], "en", "An employee is late."),
        ("An Italian clerk is late.", ["Italian"], "en", "A clerk is late."),
        ("Rien à changer.", ["Ana Diaz"], "fr", "Rien à changer."),
    ],
)
def test_the_model_reads_somebody(text: str, left_out: list[str], language: str, read: str) -> None:
    assert read_impartially(text, left_out, language) == read


def test_a_number_of_years_that_is_no_age_tells_nothing() -> None:
    question = "Un collègue de 28 ans demande à travailler à distance le vendredi."
    assert impartial(question, ["Les dossiers sont gardés vingt ans, les factures 10 ans."]).left_out == (
        "de 28 ans",
    )
    assert (
        impartial(question, ["Dès 55 ans, sans travail de nuit : à partir de 55 ans sur demande."]).left_out
        == ()
    )


def test_two_people_whom_no_document_knows_are_read_alike() -> None:
    text = "{} a perdu son badge au parking des visiteurs. Le remplacement est-il payant ?"
    people = ["Thomas Martin", "Mme Awa Diallo", "Nguyen Thi Lan", "Moshe Levy"]
    read = {
        read_impartially(text.format(one), impartial(text.format(one), [DIRECTORY]).left_out, "fr")
        for one in people
    }
    assert read == {text.format("Une personne")}


def test_every_word_of_the_list_is_found_in_its_forms() -> None:
    from importlib import resources

    data = yaml.safe_load((resources.files("etabli.assistants") / "traits.yaml").read_text(encoding="utf-8"))
    asked = itertools.chain(
        (
            f"Un agent {word} a perdu la clé du parking"
            for kind in data["kinds"].values()
            for word in kind.get("fr", "").split()
        ),
        (
            f"The {word} clerk lost the key of the car park"
            for kind in data["kinds"].values()
            for word in kind.get("en", "").split()
        ),
    )
    missed = [text for text in asked if not impartial(text, ["Badge"]).left_out]
    assert missed == []
