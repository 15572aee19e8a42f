"""A private key encrypted under a passphrase, as PKCS8 in PEM that OpenSSL and `cryptography` read.

`cryptography` writes PBES2 with 2,048 rounds of PBKDF2 and lets nobody choose more (seen in version 50). A stolen
file would cost a guesser next to nothing, so the same structure is written here with 600,000 rounds.
Sources: RFC 8018, RFC 5958.
"""

import base64
import hashlib
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

ROUNDS = 600_000
"""What OWASP's password storage cheat sheet asks for PBKDF2-HMAC-SHA256: some 0.2 s for each guess."""

_SEQUENCE, _INTEGER, _OCTETS, _NULL, _OBJECT = 0x30, 0x02, 0x04, 0x05, 0x06
_PBES2 = bytes.fromhex("2a864886f70d01050d")
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("2a864886f70d0209")
_AES256_CBC = bytes.fromhex("60864801650304012a")


def encrypted_pem(der: bytes, passphrase: str) -> bytes:
    """EncryptedPrivateKeyInfo over an unencrypted PKCS8 key in DER: PBKDF2-HMAC-SHA256, AES-256-CBC."""
    salt, vector = secrets.token_bytes(16), secrets.token_bytes(16)
    key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, 32)
    padder, encryptor = PKCS7(128).padder(), Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    sealed = encryptor.update(padder.update(der) + padder.finalize()) + encryptor.finalize()
    rounds = _der(_INTEGER, ROUNDS.to_bytes(4, "big").lstrip(b"\0"))
    pseudorandom = _der(_SEQUENCE, _der(_OBJECT, _HMAC_SHA256), _der(_NULL))
    derivation = _der(
        _SEQUENCE, _der(_OBJECT, _PBKDF2), _der(_SEQUENCE, _der(_OCTETS, salt), rounds, pseudorandom)
    )
    cipher = _der(_SEQUENCE, _der(_OBJECT, _AES256_CBC), _der(_OCTETS, vector))
    scheme = _der(_SEQUENCE, _der(_OBJECT, _PBES2), _der(_SEQUENCE, derivation, cipher))
    text = base64.b64encode(_der(_SEQUENCE, scheme, _der(_OCTETS, sealed)))
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"\n".join(
        [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", *lines, b"-----END ENCRYPTED PRIVATE KEY-----", b""]
    )


def _der(tag: int, *parts: bytes) -> bytes:
    """One DER value; lengths up to 65,535."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    encoded = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(encoded))) + encoded + body
