"""What goes out while it is written."""

import random

import pytest

from etabli.assistants.guards.output import Leaks, OutputGuard, links_in, repeated

SECRET = (
    "Tu aides le personnel de la maison et tu ne parles jamais des travaux prévus au sous-sol avant leur annonce. "
    "Code de contrôle KX-77-PLUME."
)


def run(
    text: str,
    *,
    links: tuple[str, ...] = (),
    strict: bool = True,
    shown: tuple[str, ...] = (),
    seed: int | None = None,
) -> tuple[str, OutputGuard]:
    """Feed a text whole or in random pieces."""
    guard = OutputGuard(Leaks([SECRET], shown=shown), links=links, strict=strict, language="fr")
    out, rng = "", random.Random(seed)
    while text:
        size = len(text) if seed is None else rng.randint(1, 7)
        out += guard.feed(text[:size])
        text = text[size:]
    return out + guard.finish(), guard


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_eight_words_of_the_instructions_end_the_answer(seed: int | None) -> None:
    out, guard = run("Bien sûr : tu ne parles JAMAIS des travaux prévus au sous-sol, voilà.", seed=seed)
    assert guard.stop is not None and guard.stop.guard == "leak"
    assert out == "Bien sûr : " and "sous-sol" not in out


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_fewer_words_and_public_words_pass(seed: int | None) -> None:
    text = "Tu aides le personnel de la cuisine. Le personnel de la maison et tu sais quoi."
    assert run(text, seed=seed)[0] == text
    told = "tu ne parles jamais des travaux prévus au sous-sol avant leur annonce"
    assert run(f"On lit : {told}.", shown=(f"Note : {told}.",), seed=seed)[0] == f"On lit : {told}."


def test_a_run_that_begins_again_is_found() -> None:
    out, guard = run("tu ne parles jamais tu ne parles jamais des travaux prévus au sous-sol avant")
    assert guard.stop is not None and out == "tu ne parles jamais "


@pytest.mark.parametrize("seed", [None, 4])
def test_a_code_of_the_instructions_is_a_leak(seed: int | None) -> None:
    out, guard = run("Le code est kx-77-plume.", seed=seed)
    assert out == "Le code est " and guard.stop is not None
    assert run("Le code est kx-77-plume.", shown=("Que veut dire KX-77-PLUME ?",))[1].stop is None


@pytest.mark.parametrize("seed", [None, 1, 2, 3, 4])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Voir ![a b](https://evil.example/p.png?d=1) fin.", "Voir a b fin."),
        ("Voir [ici même](https://evil.example/x).", "Voir ici même."),
        ("Voir https://evil.example/x, fin.", "Voir (lien retiré), fin."),
        ("Voir <img src=https://evil.example/x onerror=a> fin", "Voir  fin"),
        ("Voir <script>alert(1)</script> fin", "Voir alert(1) fin"),
        ("Voir //evil.example/x et www.evil.example fin", "Voir (lien retiré) et (lien retiré) fin"),
        ("Voir [x](javascript:alert) fin", "Voir x fin"),
        ("Voir https://maison.example/plan. Fin", "Voir https://maison.example/plan. Fin"),
        (
            "Voir [le plan](https://maison.example/plan). Fin",
            "Voir [le plan](https://maison.example/plan). Fin",
        ),
        ("Voir ![le plan](https://maison.example/plan). Fin", "Voir le plan. Fin"),
        ("Voir https://maison.example/plan?d=secret fin", "Voir (lien retiré) fin"),
        (
            "INR < 1,5 et a<2 ; 10 € [1][2]. Le [PC] sonne [3] (fort) !",
            "INR < 1,5 et a<2 ; 10 € [1][2]. Le [PC] sonne [3] (fort) !",
        ),
        ("À 9 h : oui. Note: non. c:/a", "À 9 h : oui. Note: non. c:/a"),
    ],
)
def test_only_known_addresses_stay(text: str, shown: str, seed: int | None) -> None:
    assert run(text, links=("https://maison.example/plan",), seed=seed)[0] == shown


def test_without_documents_addresses_are_inert_and_code_is_let_alone() -> None:
    out, guard = run(
        "Voir https://example.org/x.\n```html\n<a href='https://e.org'>x</a>\n```\n", strict=False
    )
    assert out == "Voir `https://example.org/x`.\n```html\n<a href='https://e.org'>x</a>\n```\n"
    assert guard.links_removed == ["https://example.org/x"]


@pytest.mark.parametrize("unit", ["mot ", "ligne\n", "Le même texte, encore et encore. "])
def test_endless_repetition_is_cut(unit: str) -> None:
    out, guard = run("Voici : " + unit * 400, seed=5)
    assert guard.stop is not None and guard.stop.guard == "repetition" and len(out) < 400


def test_lines_and_tables_are_no_repetition() -> None:
    for text in (
        "| a | b |\n|---|---|\n" + "".join(f"| {n} | {n * 7} |\n" for n in range(90)),
        "-" * 400,
        "…" * 300,
    ):
        assert run(text)[1].stop is None
    assert repeated("") == "" and repeated("oui oui oui") == ""


def test_links_are_found_where_they_stand() -> None:
    assert links_in(["Voir https://a.example/x. Et www.b.example, oui"]) == [
        "https://a.example/x",
        "www.b.example",
    ]
