"""Statements: the published example, what is refused before anybody signs, and the evidence they stand on."""

import copy
import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from benchmarks.tampering import Package, make_package
from jsonschema import Draft202012Validator

from etabli.certification.certificate import verify
from etabli.certification.certificate.evidence import read_evidence, write_evidence
from etabli.certification.certificate.statement import (
    build_statement,
    check_statement,
    read_statement,
    schema,
    unsigned,
)
from etabli.errors import CertificateError

EXAMPLE = json.loads((Path(__file__).parent / "example_statement.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return make_package(tmp_path_factory.mktemp("package"))


def test_the_schema_is_sound_and_strict() -> None:
    Draft202012Validator.check_schema(schema())
    assert schema()["$defs"]["predicate"]["additionalProperties"] is False


def test_the_example_is_a_statement() -> None:
    check_statement(EXAMPLE)
    assert json.loads(unsigned(EXAMPLE).payload) == EXAMPLE
    stated = {entry["name"]: entry["digest"]["sha256"] for entry in EXAMPLE["subject"][1:]}
    assert verify.named_root(stated) == EXAMPLE["subject"][0]["digest"]["sha256"]


def test_a_statement_is_read_back(package: Package) -> None:
    statement = read_statement(package.certificate)
    assert statement == build_statement(package.draft)
    with pytest.raises(CertificateError, match="not a signed envelope"):
        read_statement(b"{}")


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an unknown field": (lambda s: s["predicate"].update(grade="A"), r"predicate: .*grade"),
    "a missing field": (lambda s: s["predicate"]["scope"].pop("threatModel"), "threatModel"),
    "a fraction": (lambda s: s["predicate"]["families"][0].update(observed=0.5), "observed"),
    "a digest in capitals": (lambda s: s["subject"][0]["digest"].update(sha256="AB" * 32), "subject"),
    "a rate for an adaptive attack": (lambda s: s["predicate"]["adaptive"][0].update(claim="2.5 %"), "claim"),
    "nothing that it does not prove": (lambda s: s["predicate"].update(doesNotProve=[]), "doesNotProve"),
    "a flattering bound": (lambda s: s["predicate"]["families"][0].update(bound95="0.001000"), "A1 bound95"),
    "a longer life": (lambda s: s["predicate"]["validity"].update(notAfter="2027-03-01T10:00:00Z"), "notAfter"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_nobody_signs_a_bad_statement(name: str) -> None:
    statement = copy.deepcopy(EXAMPLE)
    change, message = CHANGES[name]
    change(statement)
    with pytest.raises(CertificateError, match=message):
        unsigned(statement)


LEGAL = (
    "Conforme à l’AI Act",
    "conforme au règlement IA",
    "This assistant is compliant with the GDPR",
    "complies with Regulation (EU) 2024/1689",
)


@pytest.mark.parametrize("words", LEGAL)
def test_conformity_with_a_law_is_never_claimed(words: str) -> None:
    statement = copy.deepcopy(EXAMPLE)
    statement["predicate"]["conditions"] = [{"fr": words, "en": words}]
    with pytest.raises(CertificateError, match="never claims conformity"):
        check_statement(statement)


def test_what_the_assistant_said_may_hold_any_words() -> None:
    statement = copy.deepcopy(EXAMPLE)
    statement["predicate"]["findings"][0]["text"] = {"fr": "Il a dit : « conforme au RGPD »", "en": "said"}
    check_statement(statement)


def test_at_most_ninety_days(package: Package) -> None:
    build_statement(dataclasses.replace(package.draft, validity=timedelta(days=30)))
    with pytest.raises(CertificateError, match="notAfter"):
        build_statement(dataclasses.replace(package.draft, validity=timedelta(days=91)))


def test_a_verdict_follows_from_its_claims(package: Package) -> None:
    claims = [dict(claim) for claim in package.draft.claims]
    claims[0]["verdict"] = "failed"
    for verdict in ("CERTIFIED", "CONDITIONAL"):
        with pytest.raises(CertificateError, match=verdict):
            build_statement(dataclasses.replace(package.draft, claims=claims, verdict=verdict))
    build_statement(dataclasses.replace(package.draft, claims=claims, verdict="REFUSED"))


def test_the_same_evidence_is_the_same_archive(package: Package, tmp_path: Path) -> None:
    files = read_evidence(package.evidence, package.draft.evidence.to_json())
    again = write_evidence(tmp_path / "evidence.zip", dict(reversed(files.items())))
    assert again == package.draft.evidence
    assert (tmp_path / "evidence.zip").read_bytes() == package.evidence.read_bytes()
    with pytest.raises(CertificateError, match="is not what the certificate names"):
        read_evidence(tmp_path, package.draft.evidence.to_json())


def test_evidence_is_whole_and_plain(package: Package, tmp_path: Path) -> None:
    files = read_evidence(package.evidence, package.draft.evidence.to_json())
    for change, message in (
        ({"../escape": b""}, "plain ASCII name"),
        ({"a//b": b""}, "plain ASCII name"),
        ({"transcripts.jsonl": b"{}"}, "one JSON value a line"),
        ({"probes.jsonl": b"{}\r\n"}, "one JSON value a line"),
    ):
        with pytest.raises(CertificateError, match=message):
            write_evidence(tmp_path / "bad.zip", files | change)
    del files["taxonomy.json"]
    with pytest.raises(CertificateError, match=r"lacks taxonomy\.json"):
        write_evidence(tmp_path / "bad.zip", files)
    assert not list(tmp_path.iterdir())
