"""Personal data and secrets: found in their many forms, and not in what only looks like them."""

import pytest

from etabli.training.data.personal import kind_label, personal_data, secrets_of


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Écrivez à anne.petit@hopital.fr.", "email"),
        ("a+b_c@mail.chu-lyon.fr", "email"),
        ("Appelez le 06 12 34 56 78", "phone"),
        ("tél. 01.23.45.67.89", "phone"),
        ("0612345678", "phone"),
        ("+33 6 12 34 56 78", "phone"),
        ("+33 (0)6 12 34 56 78", "phone"),
        ("0033612345678", "phone"),
        ("06\u00a012\u00a034\u00a056\u00a078", "phone"),
        ("06\u202f12\u202f34\u202f56\u202f78.", "phone"),
        ("n° 1 85 05 78 006 084 91", "nir"),
        ("185057800608491", "nir"),
        ("FR76 3000 6000 0112 3456 7890 189", "iban"),
        ("FR7630006000011234567890189", "iban"),
        ("compte DE89370400440532013000 ouvert", "iban"),
        ("carte 4111 1111 1111 1111", "card"),
        ("5500-0000-0000-0004", "card"),
    ],
)
def test_personal_data_is_found(text: str, kind: str) -> None:
    found = personal_data(text)
    assert kind in [one.kind for one in found], found
    assert all(one.masked.rstrip("…") != text and one.masked.endswith("…") for one in found)
    assert kind_label(kind)


@pytest.mark.parametrize(
    "text",
    [
        "Écrivez à contact@example.org ou à moi@clinique.example.",
        "Le 01.02.2024 à 10 h, le 01/02/2024 10:30",
        "Commande 2024-000123456, version 1.2.3.4.5.6.7.8.9",
        "Le poste 4014, 12 345 678 euros et 1 500 000 000 de cellules",
        "n° 1 85 05 78 006 084 92",
        "FR76 3000 6000 0112 3456 7890 188",
        "4111 1111 1111 1112",
        "0000000000000000",
        "le 15 % de 0,123456789012 et 3.14159265358979",
        "SIRET 732 829 320 00074",
        "l’article L. 1235-3, alinéas 1 à 12, 2020-2021-2022-2023",
        "https://exemple.fr/0612345678901234567890",
        "@nom et a@b",
    ],
)
def test_what_only_looks_like_it_is_not(text: str) -> None:
    assert personal_data(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "private_key"),
        ("-----BEGIN PRIVATE KEY-----", "private_key"),
        ("sk-proj-abcdefghijklmnopqrstuvwxyz", "openai"),
        ("AKIAIOSFODNN7EXAMPLE", "aws"),
        ("ASIAIOSFODNN7EXAMPLE", "aws"),
        ("ghp_" + "a1B2" * 9, "github"),
        ("glpat-abcdefghij1234567890", "gitlab"),
        ("xoxb-123456789012-abcdef", "slack"),
        ("AIza" + "a1B2c" * 7, "google"),
        ("hf_" + "a1B2c3" * 6, "hugging_face"),
        ("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2", "token"),
        ("postgres://admin:hunter2@db.interne:5432/x", "address"),
        ("Le mot de passe est : Tulipe2024!", "password"),
        ("mot de passe : « Tulipe2024 »", "password"),
        ("password=Tulip2024", "password"),
        ("API_KEY: abc123def456", "password"),
        ("clé d’API : abc123def456", "password"),
        ("mdp = azerty123", "password"),
    ],
)
def test_secrets_are_found_and_not_told(text: str, kind: str) -> None:
    found = secrets_of(text)
    assert kind in [one.kind for one in found], found
    assert all(len(one.masked) <= 5 for one in found) and kind_label(kind)


@pytest.mark.parametrize(
    "text",
    [
        "Le mot de passe est personnel et doit être changé tous les mois.",
        "Votre mot de passe : huit caractères au moins.",
        "L’API rapide, la clé du vestiaire 12, le secret médical",
        "-----BEGIN CERTIFICATE-----",
        "https://exemple.fr:8443/a@b",
        "task-123456789012345678901234, risk-free-1234567890123456",
    ],
)
def test_talk_of_secrets_is_no_secret(text: str) -> None:
    assert secrets_of(text) == []


def test_a_long_hostile_text_takes_no_time() -> None:
    for piece in ("1 ", "1.", "A1", "a@", "FR76", "password is ", "eyJ", "0612345678", "sk-", "://a:", "(0)"):
        personal_data(piece * 20_000)
        secrets_of(piece * 20_000)


def test_few_are_told() -> None:
    assert len(personal_data(" ".join(f"{n}anne@hopital.fr" for n in range(10, 50)))) == 4
