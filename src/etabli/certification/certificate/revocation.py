"""The signed list of what no longer counts: certificates and keys, each with its reason.

The list is a DSSE envelope of its own type, signed by an evaluator whom the reader trusts. It only grows: every new
list holds all entries of the one before and a higher number, so that an older one can be told from a newer one.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from etabli.certification.certificate.canonical import canonical_json
from etabli.certification.certificate.dsse import REVOCATIONS_TYPE, Envelope
from etabli.certification.certificate.keys import SigningKey
from etabli.certification.certificate.trust import timestamp
from etabli.errors import CertificateError
from etabli.messages import tr


@dataclass(frozen=True, slots=True)
class Revocation:
    """One thing that no longer counts.

    Args:
        kind: `certificate` or `key`.
        digest: SHA-256 of the certificate's payload, or the key id.
        at: since when, RFC 3339.
        reason: for people.
    """

    kind: Literal["certificate", "key"]
    digest: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class RevocationList:
    """All that was revoked until now."""

    number: int = 0
    issued_at: str = ""
    revoked: tuple[Revocation, ...] = ()

    def with_entry(
        self, kind: Literal["certificate", "key"], digest: str, *, reason: str, at: datetime
    ) -> "RevocationList":
        """The next list; the same entries where it was revoked already.

        Raises:
            CertificateError: the reason is empty.
        """
        if not reason.strip():
            raise CertificateError(tr("Say why: a revocation needs a reason."))
        entries = self.revoked
        if all(entry.digest != digest for entry in entries):
            entries = (*entries, Revocation(kind, digest, timestamp(at), reason.strip()))
        return replace(self, number=self.number + 1, issued_at=timestamp(at), revoked=entries)

    def reason_for(self, digests: Sequence[str]) -> str | None:
        """Why one of these no longer counts; None where all still do."""
        return next((entry.reason for entry in self.revoked if entry.digest in digests), None)

    def envelope(self, key: SigningKey) -> Envelope:
        """The list, signed."""
        body: dict[str, Any] = {
            "number": self.number,
            "issuedAt": self.issued_at,
            "revoked": [asdict(entry) for entry in self.revoked],
        }
        return Envelope(REVOCATIONS_TYPE, canonical_json(body)).signed_by(key)


def read_revocations(data: bytes) -> RevocationList:
    """The list in an envelope; its signature is not looked at (`verify.check_revocations` does).

    Raises:
        CertificateError: it is no such list.
    """
    envelope = Envelope.from_bytes(data, payload_type=REVOCATIONS_TYPE)
    try:
        body = json.loads(envelope.payload)
        revoked = tuple(Revocation(**entry) for entry in body["revoked"])
        return RevocationList(body["number"], body["issuedAt"], revoked)
    except (ValueError, LookupError, TypeError):
        raise CertificateError(
            tr("The revocation list cannot be read. Get it again from its issuer.")
        ) from None
