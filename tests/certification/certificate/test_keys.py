"""Keys, envelopes and trust: what a security officer asks about."""

import os
import shutil
import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from benchmarks.tampering import AT
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from etabli.certification.certificate import dsse, keys
from etabli.certification.certificate.dsse import REVOCATIONS_TYPE, STATEMENT_TYPE, Envelope, pae
from etabli.certification.certificate.keys import create_key, load_key, load_public, public_path, rotate_key
from etabli.certification.certificate.revocation import RevocationList, read_revocations
from etabli.certification.certificate.trust import Trust, load_trust, save_trust
from etabli.errors import CertificateError

PASSPHRASE = "correct horse battery"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "evaluator.pem"


def test_a_key_is_its_owners_alone(path: Path) -> None:
    key = create_key(path, passphrase=None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (
        load_key(path, passphrase=None).public.keyid
        == key.public.keyid
        == load_public(public_path(path)).keyid
    )
    assert "rivate" not in repr(key).replace("_private", "")
    path.chmod(0o640)
    with pytest.raises(CertificateError, match="mode 0640.*chmod 600"):
        load_key(path, passphrase=None)


def test_a_key_is_never_overwritten(path: Path) -> None:
    create_key(path, passphrase=None)
    with pytest.raises(CertificateError, match="exists"):
        create_key(path, passphrase=None)


def test_a_passphrase_protects_the_key(path: Path) -> None:
    key = create_key(path, passphrase=PASSPHRASE)
    assert b"ENCRYPTED" in path.read_bytes() and keys.is_encrypted(path)
    assert load_key(path, passphrase=PASSPHRASE).sign(b"x") == key.sign(b"x")
    with pytest.raises(CertificateError, match="passphrase is wrong"):
        load_key(path, passphrase="another passphrase")
    with pytest.raises(CertificateError, match="give its passphrase"):
        load_key(path, passphrase=None)
    with pytest.raises(CertificateError, match="needs 12"):
        create_key(path.with_name("short.pem"), passphrase="short")


def test_a_passphrase_for_a_plain_key_is_a_mistake(path: Path) -> None:
    create_key(path, passphrase=None)
    with pytest.raises(CertificateError, match="not encrypted"):
        load_key(path, passphrase=PASSPHRASE)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="OpenSSL is not installed")
def test_openssl_reads_our_keys_and_signs_for_us(path: Path, tmp_path: Path) -> None:
    """The way of a key that lies elsewhere; and the rounds that a guesser has to pay for."""
    key = create_key(path, passphrase=PASSPHRASE)
    shown = subprocess.run(
        ["openssl", "asn1parse", "-in", path], capture_output=True, text=True, check=True
    ).stdout
    assert "PBKDF2" in shown and f":{600_000:06X}" in shown and "aes-256-cbc" in shown
    envelope = Envelope(STATEMENT_TYPE, b"{}")
    (tmp_path / "bytes").write_bytes(envelope.to_sign)
    (tmp_path / "pass").write_text(PASSPHRASE)
    subprocess.run(
        ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", path, "-passin", f"file:{tmp_path / 'pass'}",
         "-in", tmp_path / "bytes", "-out", tmp_path / "signature"],
        check=True, capture_output=True,
    )  # fmt: skip
    signed = envelope.with_signature(key.public, (tmp_path / "signature").read_bytes())
    assert signed == envelope.signed_by(key)
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", public_path(path), "-outform", "DER"],
        capture_output=True,
        check=True,
    ).stdout
    assert keys.hashlib.sha256(der).hexdigest() == key.public.keyid


def test_what_is_no_key_is_said(path: Path, tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="cannot be read"):
        load_key(path, passphrase=None)
    other = tmp_path / "x25519.pem"
    other.write_bytes(
        X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    other.chmod(0o600)
    with pytest.raises(CertificateError, match="not an Ed25519"):
        load_key(other, passphrase=None)
    with pytest.raises(CertificateError, match=r"\.pub"):
        load_public(other)
    with pytest.raises(CertificateError, match="cannot be read"):
        load_public(tmp_path / "nothing.pub")


def test_rotation_keeps_the_old_public_key(path: Path) -> None:
    before = create_key(path, passphrase=None)
    old, new = rotate_key(path, old_passphrase=None, passphrase=PASSPHRASE)
    assert old.keyid == before.public.keyid != new.public.keyid
    assert load_key(path, passphrase=PASSPHRASE).public.keyid == new.public.keyid
    assert load_public(path.parent / "retired" / f"{old.keyid}.pub").keyid == old.keyid
    assert sorted(os.listdir(path.parent)) == ["evaluator.pem", "evaluator.pub", "retired"]


def test_the_encoding_is_the_published_one() -> None:
    """The example of DSSE's protocol.md."""
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected
    assert pae("é", "ü".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xbc"


def test_a_second_signature_leaves_the_first(path: Path) -> None:
    first, second = create_key(path, passphrase=None), create_key(path.with_name("b.pem"), passphrase=None)
    one = Envelope(STATEMENT_TYPE, b"{}").signed_by(first)
    both = one.signed_by(second)
    assert both.payload == one.payload and both.signatures[0] == one.signatures[0]
    assert both.signed_by(first).signatures == (both.signatures[1], both.signatures[0])
    assert Envelope.from_bytes(both.to_bytes(), payload_type=STATEMENT_TYPE) == both
    with pytest.raises(CertificateError, match="no signature of this certificate"):
        one.with_signature(second.public, first.sign(one.to_sign))
    with pytest.raises(CertificateError, match="not a signed envelope"):
        Envelope.from_bytes(both.to_bytes(), payload_type=REVOCATIONS_TYPE)
    with pytest.raises(CertificateError, match="not a signed envelope"):
        Envelope.from_bytes(both.to_bytes() + b" ", payload_type=STATEMENT_TYPE)
    assert dsse.Signature("ab", b"x").keyid == "ab"


def test_trust_names_people_in_roles(path: Path, tmp_path: Path) -> None:
    key = create_key(path, passphrase=None)
    trust = Trust().with_key(key.public, role="evaluator", name="Claire Moreau")
    with pytest.raises(CertificateError, match="trusted already"):
        trust.with_key(key.public, role="riskOwner", name="Claire Moreau")
    save_trust(trust.retired(key.public.keyid, at=AT), tmp_path / "trust.json")
    loaded = load_trust(tmp_path / "trust.json")
    assert loaded.keys[0].until == AT
    assert set(loaded.keys_at(AT + timedelta(days=89))) == {key.public.keyid}
    assert not loaded.keys_at(AT + timedelta(days=91))
    with pytest.raises(CertificateError, match="not among"):
        trust.retired("00", at=AT)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"keys": [], "extra": 1}', '{"keys": [{"role": "king", "name": "x", "publicKey": "x"}]}'],
)
def test_what_is_no_trust_file_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "trust.json").write_text(text)
    with pytest.raises(CertificateError, match="no trust file"):
        load_trust(tmp_path / "trust.json")


def test_a_list_of_revocations_only_grows(path: Path) -> None:
    key = create_key(path, passphrase=None)
    one = RevocationList().with_entry("certificate", "aa" * 32, reason="Dérive", at=AT)
    two = one.with_entry("key", "bb" * 32, reason="Volée", at=AT).with_entry(
        "key", "bb" * 32, reason="x", at=AT
    )
    assert (two.number, len(two.revoked)) == (3, 2)
    assert read_revocations(two.envelope(key).to_bytes()) == two
    assert two.reason_for(["cc" * 32, "bb" * 32]) == "Volée"
    assert two.reason_for(["cc" * 32]) is None
    with pytest.raises(CertificateError, match="Say why"):
        one.with_entry("key", "cc" * 32, reason=" ", at=AT)
