"""What the gate asks of a certificate: that people whom this installation trusts signed it, and what it says."""

from collections.abc import Callable
from datetime import UTC, datetime

from etabli.certification.certificate import verify
from etabli.certification.gate import Certified
from etabli.certification.issuing import Issuer
from etabli.certification.publishing import CertificateRecord
from etabli.errors import CertificateError
from etabli.messages import tr


def certified_by(issuer: Issuer) -> Callable[[CertificateRecord], Certified]:
    """Checks a certificate with the keys that an installation trusts, by the auditor's own verifier."""

    def check(record: CertificateRecord) -> Certified:
        trust, now = issuer.trust, datetime.now(UTC)
        result = verify.verify(
            record.envelope.encode(),
            trust.keys_at(now),
            thresholds={str(role): least for role, least in trust.thresholds.items()},
            at=now,
        )
        statement = result.statement
        if result.failed or statement is None:
            raise CertificateError(
                tr(
                    "its certificate does not hold: {what} ({detail}).",
                    what=result.failed,
                    detail=result.detail,
                )
            )
        first, *others = statement["subject"]
        return Certified(
            root=first["digest"]["sha256"],
            digests={one["name"]: one["digest"]["sha256"] for one in others},
            verdict=statement["predicate"]["verdict"],
        )

    return check
