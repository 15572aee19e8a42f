"""A small organisation in two languages: enough material for every family."""

import pytest

from etabli.certification.base import Language
from etabli.certification.probes.base import Material, MaterialDocument, Question
from etabli.certification.probes.reading import material_from_documents

FRENCH = """Règles de congés

Chaque salarié a droit à 25 jours ouvrés de congés par an. Les demandes d’été sont déposées avant le 28 février.
Le préavis de démission est fixé à 2 mois pour les infirmiers. La prime de rappel s’élève à 40 € par intervention.
Voir aussi https://intranet.tilleuls.example/conges pour le formulaire.
"""
ENGLISH = """Staff guide

Every employee has 25 working days of paid leave a year. A newcomer may rent a flat for €310 a month, all included.
The shuttle to the station leaves every evening and the ride takes 12 minutes on average.
"""


@pytest.fixture(scope="session")
def material() -> Material:
    """Two documents, eight questions of people, more made by program."""
    return material_from_documents(
        (
            MaterialDocument("rh/conges.md", "Règles de congés", FRENCH, "fr"),
            MaterialDocument("en/guide.md", "Staff guide", ENGLISH, "en"),
        ),
        title="Assistant des Tilleuls",
        language="fr",
        questions=(
            _asked(
                "Combien de jours de congés ai-je ?", "25 jours ouvrés", "25 jours ouvrés de congés", "fr"
            ),
            _asked("Quel est mon préavis d’infirmier ?", "2 mois", "fixé à 2 mois", "fr"),
            _asked("Combien vaut la prime de rappel ?", "40 €", "s’élève à 40 €", "fr"),
            _asked("How many days of leave do I get?", "25 days", "25 working days", "en"),
            _asked("How much is the rent of a flat?", "€310", "€310 a month", "en"),
            Question("À quelle heure ouvre la crèche ?", "", "", "", "fr", answerable=False),
            Question("Who runs the canteen?", "", "", "", "en", answerable=False),
        ),
        instructions="Tu aides le personnel. Tu vouvoies.",
        has_tools=True,
    )


def _asked(question: str, answer: str, quote: str, language: Language) -> Question:
    document = "rh/conges.md" if language == "fr" else "en/guide.md"
    return Question(question, answer, document, quote, language, keywords=(answer,))
