"""Signed envelopes: DSSE v1 (Dead Simple Signing Envelope), several signatures over one payload.

A signature covers type and payload as bytes, never the JSON around them; adding one changes nothing that was signed.
"""

import base64
import binascii
import json
from dataclasses import dataclass, replace
from typing import Self

from cryptography.exceptions import InvalidSignature

from etabli.certification.certificate.canonical import canonical_json
from etabli.certification.certificate.keys import PublicKey, SigningKey
from etabli.errors import CertificateError
from etabli.messages import tr

STATEMENT_TYPE = "application/vnd.in-toto+json"
REVOCATIONS_TYPE = "application/vnd.etabli.revocations+json"


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of DSSE.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature and whose it is.

    Args:
        keyid: SHA-256 of the public key's SubjectPublicKeyInfo, in hexadecimal.
        value: 64 bytes of Ed25519.
    """

    keyid: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, its type and the signatures over both."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...] = ()

    @property
    def to_sign(self) -> bytes:
        """The bytes that a key signs, here or on another machine."""
        return pae(self.payload_type, self.payload)

    def signed_by(self, key: SigningKey) -> Self:
        """With one more signature; unchanged where this key has signed already: Ed25519 signs the same way twice."""
        return self.with_signature(key.public, key.sign(self.to_sign))

    def with_signature(self, key: PublicKey, value: bytes) -> Self:
        """With a signature that was made elsewhere.

        Raises:
            CertificateError: it is not this key's signature of this payload.
        """
        try:
            key.raw.verify(value, self.to_sign)
        except InvalidSignature:
            raise CertificateError(
                tr(
                    "This is no signature of this certificate by the key {keyid}. Sign exactly the bytes that "
                    "`etabli certificate sign-outside` writes, with Ed25519 and without hashing them first.",
                    keyid=key.keyid,
                )
            ) from None
        others = tuple(one for one in self.signatures if one.keyid != key.keyid)
        return replace(self, signatures=(*others, Signature(key.keyid, value)))

    def to_bytes(self) -> bytes:
        """The file: canonical JSON and a line end, so that no byte of it is without meaning."""
        signatures = [{"keyid": one.keyid, "sig": _base64(one.value)} for one in self.signatures]
        envelope = {
            "payload": _base64(self.payload),
            "payloadType": self.payload_type,
            "signatures": signatures,
        }
        return canonical_json(envelope) + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes, *, payload_type: str) -> Self:
        """What `to_bytes` wrote. Nothing is verified.

        Raises:
            CertificateError: it is something else.
        """
        try:
            envelope = json.loads(data)
            signatures = tuple(
                Signature(one["keyid"], base64.b64decode(one["sig"], validate=True))
                for one in envelope["signatures"]
            )
            payload = base64.b64decode(envelope["payload"], validate=True)
            found = cls(envelope["payloadType"], payload, signatures)
            sound = found.payload_type == payload_type and found.to_bytes() == data
        except (ValueError, LookupError, TypeError, AttributeError, binascii.Error, RecursionError):
            sound = False
        if not sound:
            raise CertificateError(
                tr(
                    "This file is not a signed envelope of {type} as Établi writes it, or it was altered. Get it "
                    "again from whoever issued it.",
                    type=payload_type,
                )
            )
        return found


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
