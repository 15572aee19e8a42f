"""Certificates and standings for callers: lists, files, publication, revocation, broken glass. Blocks."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from etabli.certification.certificate.dsse import STATEMENT_TYPE, Envelope
from etabli.certification.certificate.statement import read_statement
from etabli.certification.gate import Standing
from etabli.certification.publishing import CertificateRecord
from etabli.certification.report.content import Revoked, read_content
from etabli.errors import NotFoundError
from etabli.messages import language, tr
from etabli.server.auth import Caller
from etabli.server.certification.protocol import (
    BreakGlassBody,
    CertificateEntry,
    CertificateList,
    SignatureEntry,
    StandingEntry,
)
from etabli.server.certification.services import Certification

JSON = dict[str, Any]
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class MadeFile:
    """One file of a certificate: its bytes, or where it lies."""

    name: str
    media_type: str
    content: bytes | Path
    attachment: bool = True
    policy: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """For the answer."""
        kind = "attachment" if self.attachment else "inline"
        headers = {
            "content-disposition": f'{kind}; filename="{self.name}"',
            "x-content-type-options": "nosniff",
            "cache-control": "private, no-cache",
        }
        return headers | ({"content-security-policy": self.policy} if self.policy else {})


class Certificates:
    """The certificates of a workspace, and what they let serve.

    Args:
        parts: of certification.
    """

    def __init__(self, parts: Certification) -> None:
        self._parts = parts
        self._publications = parts.publications

    def list(self, assistant: str | None) -> CertificateList:
        """All, or those of one assistant."""
        records = self._publications.certificates(assistant)
        return CertificateList(data=[self._entry(one) for one in records])

    def get(self, certificate: str) -> CertificateEntry:
        """One, with what was signed.

        Raises:
            NotFoundError: there is none.
        """
        record = self._publications.certificate(certificate)
        return self._entry(record).model_copy(update={"statement": read_statement(record.envelope.encode())})

    def file(self, certificate: str, name: str, lang: str | None, *, whole: bool) -> MadeFile:
        """One of the files that are made of a certificate.

        Args:
            certificate: its id.
            name: of the file.
            lang: of the report; the reader's if None.
            whole: with conversations, which may hold what is in documents.

        Raises:
            NotFoundError: there is no such certificate or file.
        """
        record = self._publications.certificate(certificate)
        base = f"{_safe(record.assistant)}-{record.id}"
        match name:
            case "certificate.json":
                return MadeFile(f"{base}.json", "application/json", record.envelope.encode())
            case "evidence.zip":
                path = self._parts.issuer.evidence(certificate)
                if not path.is_file():
                    raise NotFoundError(tr("The evidence of {id} is not on this machine.", id=certificate))
                return MadeFile(f"{base}-evidence.zip", "application/zip", path)
            case "verify.py":
                source = resources.files("etabli.certification.certificate") / "verify.py"
                return MadeFile("verify.py", "text/x-python; charset=utf-8", source.read_bytes())
            case "evaluator.pub":
                return MadeFile("evaluator.pub", "application/x-pem-file", self._public_key(record))
        return self._report(record, name, base, lang, whole=whole)

    def revoke(self, certificate: str, reason: str) -> CertificateEntry:
        """Take its force away."""
        self._publications.revoke(certificate, reason)
        return self.get(certificate)

    def standing(self, name: str, caller: Caller) -> StandingEntry:
        """Whether an assistant may answer, for whoever may use it.

        Raises:
            NotFoundError: there is none, or it is not for this caller.
        """
        assistant = self._parts.assistants.get(name)
        if not caller.may_use(assistant.audience):
            raise NotFoundError(tr("There is no assistant {name}.", name=name[:80]))
        return self._standing(self._parts.gate.standing(assistant), name)

    def publish(self, name: str, certificate: str, caller: Caller) -> StandingEntry:
        """Let an assistant serve under a certificate."""
        self._parts.assistants.get(name)
        self._publications.publish(name, certificate, account_id=caller.account_id)
        return self.standing(name, caller)

    def withdraw(self, name: str, caller: Caller) -> StandingEntry:
        """Make it a draft again."""
        self._publications.withdraw(name)
        return self.standing(name, caller)

    def break_glass(self, name: str, body: BreakGlassBody, caller: Caller) -> StandingEntry:
        """Let it serve for some hours without a valid certificate."""
        self._parts.assistants.get(name)
        self._publications.break_glass(name, reason=body.reason, people=body.people, hours=body.hours)
        return self.standing(name, caller)

    def mend_glass(self, name: str, caller: Caller) -> StandingEntry:
        """End that."""
        self._publications.mend_glass(name)
        return self.standing(name, caller)

    def _standing(self, standing: Standing, name: str) -> StandingEntry:
        people: list[str] = []
        if standing.state == "break-glass":
            broken = self._publications.broken_glass(name)
            people = broken.people if broken is not None else []
        return StandingEntry(**standing.to_json(), people=people)

    def _report(
        self, record: CertificateRecord, name: str, base: str, lang: str | None, *, whole: bool
    ) -> MadeFile:
        # The typesetter is a second of imports that no other route needs.
        from etabli.certification.report.html import html_of
        from etabli.certification.report.junit import junit_of
        from etabli.certification.report.pdf import pdf_of
        from etabli.certification.report.sarif import sarif_of

        makers = {
            "report.html": (html_of, "text/html; charset=utf-8", False),
            "report.pdf": (pdf_of, "application/pdf", False),
            "junit.xml": (junit_of, "application/xml", True),
            "results.sarif": (sarif_of, "application/sarif+json", True),
        }
        if name not in makers:
            raise NotFoundError(tr("A certificate has no file {name}.", name=name[:80]))
        make, media_type, attachment = makers[name]
        evidence = self._parts.issuer.evidence(record.id)
        content = read_content(
            record.envelope.encode(),
            language=lang if lang in ("fr", "en") else language(),
            evidence=evidence if whole and evidence.is_file() else None,
            revoked=Revoked(record.revoked_at, record.revoked_because or "–") if record.revoked_at else None,
        )
        policy = _SANDBOX if name.endswith(".html") else None
        return MadeFile(f"{base}-{name}", media_type, make(content), attachment, policy)

    def _public_key(self, record: CertificateRecord) -> bytes:
        envelope = Envelope.from_bytes(record.envelope.encode(), payload_type=STATEMENT_TYPE)
        signed = {one.keyid for one in envelope.signatures}
        for key in self._parts.issuer.trust.keys:
            if key.role == "evaluator" and key.public.keyid in signed:
                return key.publicKey.encode()
        raise NotFoundError(tr("No evaluator’s key that this installation trusts signed {id}.", id=record.id))

    def _entry(self, record: CertificateRecord) -> CertificateEntry:
        envelope = Envelope.from_bytes(record.envelope.encode(), payload_type=STATEMENT_TYPE)
        named = {
            one["keyid"]: one
            for one in read_statement(record.envelope.encode())["predicate"]["approvals"]
            if one["keyid"]
        }
        trusted = {key.public.keyid: key for key in self._parts.issuer.trust.keys}
        signatures = []
        for one in envelope.signatures:
            known = trusted.get(one.keyid)
            stated = named.get(one.keyid, {})
            signatures.append(
                SignatureEntry(
                    keyid=one.keyid,
                    role=known.role if known is not None else stated.get("role", ""),
                    name=known.name if known is not None else stated.get("name", ""),
                )
            )
        return CertificateEntry(
            id=record.id,
            assistant=record.assistant,
            verdict=record.verdict,
            bundle=record.bundle_root,
            campaign=record.campaign_id,
            digest=hashlib.sha256(envelope.payload).hexdigest(),
            not_before=_seconds(record.not_before),
            not_after=_seconds(record.not_after),
            created_at=_seconds(record.created_at),
            revoked_at=_seconds(record.revoked_at) if record.revoked_at is not None else None,
            revoked_because=record.revoked_because,
            signatures=signatures,
        )


def _safe(name: str) -> str:
    """A name fit for a file's, in ASCII."""
    kept = "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "-" for one in name)
    return kept.strip(".-") or "assistant"


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
