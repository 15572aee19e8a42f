"""`etabli certificate`: the same checks as the verifier of one file, and the way of a second signature."""

import json
import shutil
from pathlib import Path

import pytest
from benchmarks.tampering import Package, make_package
from typer.testing import CliRunner

from etabli.certification.certificate.dsse import STATEMENT_TYPE, Envelope
from etabli.certification.certificate.trust import load_trust, save_trust
from etabli.cli.certificate import app
from etabli.errors import CertificateError
from etabli.messages import set_language

AT = ["--at", "2026-11-24T00:00:00Z"]


@pytest.fixture(autouse=True)
def english() -> None:
    set_language("en")


@pytest.fixture
def package(tmp_path: Path) -> Package:
    made = make_package(tmp_path)
    save_trust(made.trust, tmp_path / "trust.json")
    return made


def run(*words: str | Path) -> tuple[int, str]:
    """Exit code and output; a mistake of the person is raised, as `main` turns it into one sentence."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(done.exception, CertificateError):
        raise done.exception
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def test_verify_and_show(package: Package) -> None:
    folder, certificate = package.folder, package.folder / "certificate.json"
    code, output = run(
        "verify", certificate, "--trust", folder / "trust.json", "--evidence", package.evidence, *AT
    )
    assert code == 0 and "CERTIFIED  clinique" in output and "rare violation" in output
    set_language("fr")
    code, output = run("verify", certificate, "--key", folder / "evaluator.pub", *AT)
    assert code == 4 and "toutes les signatures" in output
    set_language("en")
    code, output = run("verify", certificate, "--trust", folder / "trust.json", "--json", *AT)
    assert (code, json.loads(output)["verdict"]) == (0, "CERTIFIED")
    code, output = run("show", certificate)
    assert code == 0 and "CERTIFIED" in output and "A4" in output and "≥ 0.8" in output
    certificate.write_bytes(b"{}")
    code, output = run("verify", certificate, "--trust", folder / "trust.json", *AT)
    assert code == 6 and "Nothing in this file can be trusted" in output


def test_who_trusts_nobody_is_told(package: Package) -> None:
    certificate = package.folder / "certificate.json"
    with pytest.raises(CertificateError, match="whom to trust"):
        run("verify", certificate)
    with pytest.raises(CertificateError, match="no role king"):
        run("verify", certificate, "--key", f"king={package.folder / 'risk.pub'}")
    with pytest.raises(CertificateError, match="no moment"):
        run("verify", certificate, "--key", package.folder / "risk.pub", "--at", "tomorrow")


def test_a_second_signature_here_and_from_outside(package: Package, tmp_path: Path) -> None:
    certificate, full = tmp_path / "certificate.json", (tmp_path / "certificate.json").read_bytes()
    first = Envelope(STATEMENT_TYPE, Envelope.from_bytes(full, payload_type=STATEMENT_TYPE).payload)
    certificate.write_bytes(first.signed_by(package.evaluator).to_bytes())
    assert run("verify", certificate, "--trust", tmp_path / "trust.json", *AT)[0] == 4
    alone = certificate.read_bytes()
    assert run("countersign", certificate, "--key", tmp_path / "risk.pem")[0] == 0
    assert certificate.read_bytes() == full
    certificate.write_bytes(alone)
    run("sign-outside", certificate, "--to-sign", tmp_path / "bytes.bin")
    (tmp_path / "signature.bin").write_bytes(package.risk_owner.sign((tmp_path / "bytes.bin").read_bytes()))
    run(
        "sign-outside",
        certificate,
        "--signature",
        tmp_path / "signature.bin",
        "--public",
        tmp_path / "risk.pub",
    )
    assert certificate.read_bytes() == full
    with pytest.raises(CertificateError, match="Give --to-sign"):
        run("sign-outside", certificate)


def test_revoke(package: Package, tmp_path: Path) -> None:
    words = ["--reason", "Dérive", "--key", tmp_path / "evaluator.pem"]
    run("revoke", tmp_path / "list.json", "--certificate", tmp_path / "certificate.json", *words)
    verify = ["verify", tmp_path / "certificate.json", "--trust", tmp_path / "trust.json", *AT]
    code, output = run(*verify, "--revocations", tmp_path / "list.json")
    assert code == 7 and "Dérive" in output
    code, output = run("revoke", tmp_path / "list.json", "--keyid", "ab" * 32, *words)
    assert "2 revocations" in output
    with pytest.raises(CertificateError, match="one thing"):
        run("revoke", tmp_path / "list.json", *words)


def test_keys(tmp_path: Path) -> None:
    (tmp_path / "pass").write_text("correct horse battery\n")
    key, trust, secret = tmp_path / "k.pem", tmp_path / "trust.json", ["--passphrase-file", tmp_path / "pass"]
    code, output = run("keys", "create", key, *secret)
    keyid = output.split()[-1]
    assert code == 0 and run("keys", "show", tmp_path / "k.pub")[1].strip() == keyid
    run("keys", "trust", tmp_path / "k.pub", "--trust", trust, "--name", "Claire Moreau")
    run("keys", "rotate", key, "--trust", trust, *secret)
    old, new = load_trust(trust).keys
    assert (old.public.keyid, old.until is None, new.until) == (keyid, False, None)
    assert (new.role, new.name) == ("evaluator", "Claire Moreau")
    assert f"{keyid}  evaluator  Claire Moreau  – " in run("keys", "show", trust)[1]
    assert "not encrypted" in run("keys", "create", tmp_path / "plain.pem", "--no-passphrase")[1]
    shutil.copy(tmp_path / "pass", tmp_path / "other")
