"""Signing keys: Ed25519, one file, encrypted under a passphrase or readable by its owner alone.

A private key never leaves this module: callers get something that signs. Where a key must not lie on this machine at
all, the bytes to sign are given out and the signature is taken back (`dsse.Envelope.with_signature`).
"""

import contextlib
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from etabli.certification.certificate.pkcs8 import encrypted_pem
from etabli.errors import CertificateError
from etabli.messages import tr

SHORTEST_PASSPHRASE = 12
RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key and its id."""

    raw: Ed25519PublicKey = field(repr=False)

    @property
    def keyid(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo, in hexadecimal: `openssl pkey -pubin -outform DER | sha256sum`."""
        der = self.raw.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    @property
    def pem(self) -> str:
        """SubjectPublicKeyInfo in PEM, as OpenSSL reads it."""
        return self.raw.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that was opened; printing it shows only its public side."""

    public: PublicKey
    _private: Ed25519PrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """64 bytes; the same for the same data."""
        return self._private.sign(data)


def create_key(path: Path, *, passphrase: str | None) -> SigningKey:
    """Make a new key: the private one at `path` (mode 0600), the public one beside it as `.pub`.

    Args:
        path: must not exist.
        passphrase: encrypts the file (PKCS8, PBES2); None leaves it readable for whoever can read the file.

    Raises:
        CertificateError: something is there already, or the passphrase is too short.
    """
    if path.exists():
        raise CertificateError(
            tr(
                "{path} exists. Choose another name, or replace it with `etabli certificate keys rotate`.",
                path=path,
            )
        )
    private = Ed25519PrivateKey.generate()
    key = SigningKey(PublicKey(private.public_key()), private)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_private(path, private, passphrase)
    public_path(path).write_text(key.public.pem, encoding="ascii")
    return key


def public_path(path: Path) -> Path:
    """Where the public half of the key at `path` lies: `evaluator.pem` has `evaluator.pub`."""
    return path.with_suffix(".pub")


def _write_private(path: Path, private: Ed25519PrivateKey, passphrase: str | None) -> None:
    if passphrase is not None and len(passphrase) < SHORTEST_PASSPHRASE:
        raise CertificateError(
            tr(
                "The passphrase has {found} characters; it needs {least}.",
                found=len(passphrase),
                least=SHORTEST_PASSPHRASE,
            )
        )
    if passphrase is None:
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    else:
        plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        pem = encrypted_pem(plain, passphrase)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def is_encrypted(path: Path) -> bool:
    """Whether the key at `path` needs a passphrase."""
    return b"BEGIN ENCRYPTED PRIVATE KEY" in _read_private(path)


def load_key(path: Path, *, passphrase: str | None) -> SigningKey:
    """Open a private key.

    Raises:
        CertificateError: it is not there, others may read it, the passphrase is wrong, or it is no Ed25519 key.
    """
    pem = _read_private(path)
    try:
        private = load_pem_private_key(pem, passphrase.encode() if passphrase is not None else None)
    except TypeError:
        needs = b"ENCRYPTED" in pem
        raise CertificateError(
            tr("{path} is encrypted: give its passphrase.", path=path)
            if needs
            else tr("{path} is not encrypted: it has no passphrase.", path=path)
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(
            tr("{path} cannot be opened: the passphrase is wrong, or it is no private key in PEM.", path=path)
        ) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise CertificateError(
            tr("{path} is not an Ed25519 key. Make one with `etabli certificate keys create`.", path=path)
        )
    return SigningKey(PublicKey(private.public_key()), private)


def _read_private(path: Path) -> bytes:
    """The file's bytes, read through one handle so that what is checked is what is read."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as why:
        raise CertificateError(tr("{path} cannot be read: {why}.", path=path, why=why.strerror)) from None
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode) or mode & 0o077:
            raise CertificateError(
                tr(
                    "Others may read the private key {path} (mode {mode}). Only its owner may: "
                    "`chmod 600 {path}`, and make a new key if somebody may have copied it.",
                    path=path,
                    mode=f"{stat.S_IMODE(mode):04o}",
                )
            )
        return file.read()


def read_public(pem: bytes | str, *, name: str) -> PublicKey:
    """A public key in PEM.

    Args:
        pem: as `PublicKey.pem` gives it.
        name: for messages.

    Raises:
        CertificateError: it is something else.
    """
    try:
        key = load_pem_public_key(pem.encode() if isinstance(pem, str) else pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise CertificateError(
            tr(
                "{name} is no Ed25519 public key in PEM. Ask its owner for the file that ends in .pub.",
                name=name,
            )
        )
    return PublicKey(key)


def load_public(path: Path) -> PublicKey:
    """The public key in a file.

    Raises:
        CertificateError: it cannot be read, or is no public key.
    """
    try:
        return read_public(path.read_bytes(), name=str(path))
    except OSError as why:
        raise CertificateError(tr("{path} cannot be read: {why}.", path=path, why=why.strerror)) from None


def rotate_key(
    path: Path, *, old_passphrase: str | None, passphrase: str | None
) -> tuple[PublicKey, SigningKey]:
    """Put a new key in the place of an old one; the old private key is gone, its public one stays under `retired/`.

    Raises:
        CertificateError: the old key cannot be opened, or the new passphrase is too short.

    Returns:
        The old public key, to be given an end in the trust file, and the new key.
    """
    old = load_key(path, passphrase=old_passphrase).public
    private = Ed25519PrivateKey.generate()
    fresh = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    _write_private(fresh, private, passphrase)
    kept = path.parent / RETIRED / f"{old.keyid}.pub"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(old.pem, encoding="ascii")
    fresh.replace(path)
    new = SigningKey(PublicKey(private.public_key()), private)
    public_path(path).write_text(new.public.pem, encoding="ascii")
    return old, new
