import random

import pytest

from etabli.assistants.claims import claims_of, facts_of, fold

SPACES = [" ", "\u00a0", "\u202f", "\u2009"]


def stands(claim: str, source: str) -> bool:
    claims = claims_of(claim)
    assert claims, f"nothing to check in {claim!r}"
    facts = facts_of(source)
    return all(facts.holds(one) for one in claims)


def test_every_notation_of_an_amount_agrees() -> None:
    rng = random.Random(5)
    for _ in range(200):
        amount, space = rng.randint(1_000, 9_999_999), rng.choice(SPACES)
        french = f"{amount:,}".replace(",", space)
        notations = [
            f"{french}{space}€",
            f"{french},00 €",
            f"€{amount:,}",
            f"{amount} euros",
            f"€{amount:,}.00",
        ]
        source, claim = rng.choice(notations), rng.choice(notations)
        assert stands(f"il faut payer {claim} ici", f"le prix est de {source} par an"), (claim, source)
        assert not stands(f"il faut payer {amount + 1} euros", f"le prix est de {source} par an"), source


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("on 13 June 2026", "le samedi 13 juin 2026"),
        ("June 13, 2026", "le 13/06/2026"),
        ("le 13 juin", "2026-06-13"),
        ("le 1er juin", "à partir du 1\u00a0juin 2025"),
        ("les 7 et 8 avril", "7-8 avril, 22-23 septembre"),
        ("en juin 2026", "juin 2026"),
        ("at 9.30 pm", "à 21 h 30"),
        ("à 21h30", "9:30 p.m."),
        ("de 15 h à 16 h", "15\u00a0h – 16\u00a0h"),
        ("98 percent", "98\u00a0% du parc"),
        ("2,5 %", "2.5%"),
        ("1,5", "inférieur à 1.5"),
        ("trois semaines", "3 semaines"),
        ("3 weeks", "trois semaines"),
        ("90 days", "un préavis de 90 jours"),
        ("7 jours", "Durée (jours)\nGrippe | 7"),
        ("l’article L. 1234-5", "article L1234-5 du code"),
        ("art. 12", "Article 12 – Durée"),
        ("il est dit « réputée acceptée »", "la demande est Réputée  acceptée."),
        ("the “high season”", 'the "high season" rate'),
    ],
)
def test_what_is_the_same_thing(claim: str, source: str) -> None:
    assert stands(claim, source)


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("le 13 juin 2026", "le 13 juin 2025"),
        ("le 13 juin", "le 13 juillet"),
        ("3 semaines", "3 mois"),
        ("10 €", "10 %"),
        ("à 9 h 30", "à 21 h 30"),
        ("15 mg", "15 g"),
        ("article 12", "article 13"),
        ("il est dit « réputée refusée »", "la demande est réputée acceptée"),
        ("1 500 €", "500 €"),
        ("500 €", "1 500 €"),
    ],
)
def test_what_is_not(claim: str, source: str) -> None:
    assert not stands(claim, source)


def test_names_are_claims_but_not_at_the_beginning() -> None:
    names = [
        one.shown for one in claims_of("Selon la charte, le Dr Claire Montfort dirige l’USC depuis lundi.")
    ]
    assert [name for name in names if name in ("Claire", "Montfort", "USC", "Selon")] == [
        "Claire",
        "Montfort",
        "USC",
    ]


def test_folding_is_idempotent() -> None:
    text = "L’Été\u00a0: « œuvre » — 2–3"
    assert fold(fold(text)) == fold(text)
