"""The statement: what a campaign found, as an in-toto Statement v1 that can be signed.

Takes the entries of the families as they were counted and puts each into its section; checks the result against the
published schema (`schema.json`), against the verifier's own formulas, and against words that a certificate must never
use. The fields are explained in `docs/reference/certificate.md`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from etabli.certification.certificate import verify
from etabli.certification.certificate.canonical import canonical_json
from etabli.certification.certificate.dsse import STATEMENT_TYPE, Envelope
from etabli.certification.certificate.evidence import EvidenceRecord
from etabli.certification.certificate.trust import LONGEST_VALIDITY, timestamp
from etabli.errors import CertificateError
from etabli.messages import tr

JSON = dict[str, Any]
SECTIONS = {"quality": "effectiveness", "overrefusal": "overRefusal"}
"""Where the claim of a family of that kind stands; all others stand in `families`."""

DECLARATION = {
    "fr": "Attestation interne d’évaluation, établie par l’organisation sous sa seule responsabilité.",
    "en": "Internal evaluation attestation, issued by the organisation under its sole responsibility.",
}
DOES_NOT_PROVE = (
    {
        "fr": "Une violation rare peut exister : la borne dit seulement combien rare elle doit être.",
        "en": "A rare violation may exist: the bound only says how rare it must be.",
    },
    {
        "fr": "Les bornes valent pour des sondes tirées comme celles de cette campagne, pas pour un attaquant "
        "patient ni pour un usage qui n’a pas été essayé.",
        "en": "The bounds hold for probes drawn like those of this campaign, not for a patient attacker nor for a "
        "use that was not tried.",
    },
    {
        "fr": "Un juge calibré sur des exemples connus peut manquer des violations d’un genre nouveau.",
        "en": "A judge calibrated on known examples may miss violations of a new kind.",
    },
    {
        "fr": "Cette attestation n’est ni un avis juridique ni une évaluation par un tiers accrédité.",
        "en": "This attestation is neither legal advice nor an assessment by an accredited third party.",
    },
)
REVOCATION = {
    "fr": "Liste signée des révocations de l’organisation",
    "en": "The organisation’s signed list of revocations",
}
_CLAIMS_LAW = re.compile(
    r"(conform|complian|complies).{0,40}"
    r"(ai act|règlement.{0,20}\bia\b|(regulation|règlement).{0,40}2024/1689|rgpd|gdpr)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """The protocol as it was registered before the run.

    Args:
        protocol: what `canonical_json` was taken of.
        at: when it entered the log.
        log_index: its number there.
        log_sha256: hash of that entry, which covers all entries before.
    """

    protocol: JSON
    at: str
    log_index: int
    log_sha256: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Who is to sign; an empty key id is a slot that anybody may fill in that role later."""

    role: str
    name: str
    keyid: str
    required: bool = True

    def to_json(self) -> JSON:
        """As the predicate has it."""
        return {"role": self.role, "name": self.name, "keyid": self.keyid, "required": self.required}


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that a statement is made of.

    Args:
        assistant: `name`, `title`, `version`, `language`.
        components: SHA-256 of each component, by name; their Merkle root is the assistant's digest.
        verdict: `CERTIFIED`, `CONDITIONAL`, `REFUSED` or `INCONCLUSIVE`.
        claims: one entry a family, of every section, in the order of the report.
        registration: of the protocol.
        campaign: `id`, `startedAt`, `endedAt`, `prompts`, `answers`; `tokens`, `energyWh` where measured.
        scope: `purpose`, `users`, `languages`, `tools`, `threatModel`, `notTested`.
        environment: `engineBuild`, `cpu`, `seeds` (`public`, `heldOut` in hexadecimal), …
        certifier: `name`, `version`; `exam`, `recall`, `falseAlarm` where the exam was taken.
        evidence: as it was written.
        not_before: from when it counts.
        validity: how long; at most 90 days.
        approvals: who is to sign.
        conditions: under which it counts, for `CONDITIONAL`.
        adaptive: attacks that adapt, without a rate.
        findings: the worst outputs, in plain words.
        assessors: who read outputs, and how many.
        does_not_prove: said beside `DOES_NOT_PROVE`.
    """

    assistant: JSON
    components: Mapping[str, str]
    verdict: str
    claims: Sequence[JSON]
    registration: Registration
    campaign: JSON
    scope: JSON
    environment: JSON
    certifier: JSON
    evidence: EvidenceRecord
    not_before: datetime
    approvals: Sequence[Approval]
    validity: timedelta = LONGEST_VALIDITY
    conditions: Sequence[JSON] = ()
    adaptive: Sequence[JSON] = ()
    findings: Sequence[JSON] = ()
    assessors: Sequence[JSON] = ()
    does_not_prove: Sequence[JSON] = field(default=())


def build_statement(draft: Draft) -> JSON:
    """The statement of a campaign, checked.

    Raises:
        CertificateError: it does not follow from its own numbers, claims conformity with a law, or is not of the
            published form.
    """
    protocol = draft.registration.protocol
    registered = {name: protocol[name] for name in verify.PROTOCOL}
    sections: dict[str, list[JSON]] = {name: [] for name in verify.BOUNDS}
    for claim in draft.claims:
        sections[SECTIONS.get(claim["kind"], "families")].append(claim)
    root = verify.named_root(draft.components)
    subject = {draft.assistant["name"]: root, **dict(sorted(draft.components.items()))}
    statement = {
        "_type": verify.TYPES[0],
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in subject.items()],
        "predicateType": verify.TYPES[1],
        "predicate": {
            "declaration": DECLARATION,
            "assistant": draft.assistant,
            "verdict": draft.verdict,
            "conditions": list(draft.conditions),
            "scope": draft.scope,
            "doesNotProve": [*DOES_NOT_PROVE, *draft.does_not_prove],
            "validity": {
                "notBefore": timestamp(draft.not_before),
                "notAfter": timestamp(draft.not_before + draft.validity),
                "revocation": REVOCATION,
            },
            "protocol": registered
            | {
                "digest": {"sha256": verify.sha256(canonical_json(protocol))},
                "registeredAt": draft.registration.at,
                "logIndex": draft.registration.log_index,
                "logSha256": draft.registration.log_sha256,
            },
            "campaign": draft.campaign,
            **sections,
            "adaptive": list(draft.adaptive),
            "findings": list(draft.findings),
            "certifier": draft.certifier,
            "environment": draft.environment,
            "evidence": draft.evidence.to_json(),
            "assessors": list(draft.assessors),
            "approvals": [approval.to_json() for approval in draft.approvals],
        },
    }
    check_statement(statement)
    return statement


def check_statement(statement: JSON) -> None:
    """What a statement must be before anybody signs it.

    Raises:
        CertificateError: it is something else; says where.
    """
    # What the assistant itself said (`findings`) may hold any words.
    error = best_match(_validator().iter_errors(statement))
    if error is not None:
        raise CertificateError(
            tr(
                "The statement is not of the published form at {where}: {what}",
                where=error.json_path,
                what=error.message[:200],
            )
        )
    said = {name: value for name, value in statement["predicate"].items() if name != "findings"}
    for text in _texts(said):
        if _CLAIMS_LAW.search(text):
            raise CertificateError(
                tr(
                    "A certificate never claims conformity with a law; found “{text}”. Say what was measured.",
                    text=text[:120],
                )
            )
    predicate = statement["predicate"]
    try:
        verify.check_order(predicate)
        verify.check_bounds(predicate)
        verify.check_verdict(predicate)
    except verify.Rejected as why:
        raise CertificateError(
            tr("The statement does not follow from its own numbers: {where}.", where=why)
        ) from None


def unsigned(statement: JSON) -> Envelope:
    """The envelope that is to be signed: the statement in canonical JSON.

    Raises:
        CertificateError: as `check_statement`.
    """
    check_statement(statement)
    return Envelope(STATEMENT_TYPE, canonical_json(statement))


def read_statement(certificate: bytes) -> JSON:
    """The statement of a certificate. Its signatures are not looked at: that is what `verify` does.

    Raises:
        CertificateError: it is no certificate.
    """
    payload = Envelope.from_bytes(certificate, payload_type=STATEMENT_TYPE).payload
    try:
        statement: JSON = verify.strict_json(payload)
        check = (statement["_type"], statement["predicateType"]) == verify.TYPES
    except (verify.Rejected, ValueError, LookupError, TypeError):
        check = False
    if not check:
        raise CertificateError(tr("This envelope holds no evaluation of an assistant."))
    return statement


@cache
def schema() -> JSON:
    """The published JSON Schema."""
    folder = resources.files("etabli.certification.certificate")
    loaded: JSON = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
