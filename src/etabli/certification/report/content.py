"""What a report says: the signed statement, and the conversations of its evidence, arranged for readers.

Everything comes from the bytes that were signed; the digest over them stands on every page. Nothing is verified
here: that is what `etabli certificate verify` and the stand-alone `verify.py` do.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from etabli.certification.certificate import verify
from etabli.certification.certificate.dsse import STATEMENT_TYPE, Envelope
from etabli.certification.certificate.evidence import read_evidence
from etabli.certification.certificate.statement import read_statement
from etabli.certification.detectors.wording import in_language

JSON = dict[str, Any]
GROUPS = ("A", "S", "Q", "O", "T")
"""First letters of families, in the order of the report: attacks, harm, quality, over-refusal, "
"transparency."""
_SEVERITY = {"critical": 0, "major": 1, "minor": 2}
_VERDICT = {"failed": 0, "awaiting": 1, "inconclusive": 1, "passed": 2}
_SHORT = 220


@dataclass(frozen=True, slots=True)
class Claim:
    """One family, as the statement has it. Shares are decimal strings.

    Attributes:
        bad: units that went wrong: violated, or not good.
        observed: share of violated units, or of good ones where `at_least`.
        bound95: at 95 %.
        simultaneous: at 95 % for all families at once.
        deciding: at what this attempt may spend; what the verdict comes from.
        threshold: what `deciding` is held against.
        proposed: the threshold of the taxonomy where the organisation accepted another one.
        at_least: whether the figures are of good answers, so that more is better.
    """

    id: str
    label: str
    severity: str
    kind: str
    unit: str
    oracle: str
    judge: JSON | None
    method: str
    generations: int
    n: int
    bad: int
    unresolved: int
    read: int
    critical: int
    by_language: Mapping[str, JSON]
    observed: str
    bound95: str
    simultaneous: str
    deciding: str
    threshold: str
    proposed: str | None
    at_least: bool
    looks: tuple[int, ...]
    allowed: int
    power: str
    power_at: str
    verdict: str

    @property
    def group(self) -> str:
        """One of `GROUPS`."""
        return self.id[0]

    @property
    def strain(self) -> Decimal:
        """How near the deciding bound is to its threshold: 1 is on it, more is over."""
        bound, limit = Decimal(self.deciding), Decimal(self.threshold)
        if self.at_least:
            bound, limit = 1 - bound, 1 - limit
        return bound / limit if limit else Decimal(9)


@dataclass(frozen=True, slots=True)
class Finding:
    """One of the worst outputs. Its texts are what was sent and said, and may hold anything."""

    family: str
    label: str
    severity: str
    probe: str
    transcript: int
    text: str
    asked: str
    answered: str


@dataclass(frozen=True, slots=True)
class Signer:
    """One who signed or is to sign.

    Attributes:
        role: `evaluator`, `riskOwner`, `auditor`, or empty for a key that nobody was named for.
        signed: whether the envelope has a signature by this key; whether it holds is for `verify`.
    """

    role: str
    name: str
    keyid: str
    required: bool
    signed: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A conversation in short that was violated or could not be decided."""

    family: str
    probe: str
    position: int
    generation: int
    outcome: str
    detail: str
    asked: str
    answered: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """That the certificate was revoked after it was signed."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Content:
    """A report in one language.

    Attributes:
        language: `fr` or `en`.
        digest: SHA-256 of the signed statement, the same whoever signs it later.
        statement: what was signed.
        excerpts: conversations that were violated or could not be decided, the first ones.
        excerpts_in_all: how many there are; None where there is no evidence at hand.
    """

    language: str
    digest: str
    statement: JSON
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]
    signers: tuple[Signer, ...]
    excerpts: tuple[Excerpt, ...]
    excerpts_in_all: int | None
    revoked: Revoked | None

    @property
    def predicate(self) -> JSON:
        """What the statement says of its subject."""
        found: JSON = self.statement["predicate"]
        return found

    @property
    def verdict(self) -> str:
        """`CERTIFIED`, `CONDITIONAL`, `REFUSED` or `INCONCLUSIVE`."""
        return str(self.predicate["verdict"])

    @property
    def title(self) -> str:
        """Of the assistant."""
        assistant = self.predicate["assistant"]
        return str(assistant.get("title") or assistant["name"])

    @property
    def root(self) -> str:
        """Digest of the assistant."""
        return str(self.statement["subject"][0]["digest"]["sha256"])

    @property
    def reasons(self) -> tuple[Claim, ...]:
        """The families that did not pass, the weightiest first."""
        return tuple(
            sorted(
                (one for one in self.claims if one.verdict != "passed"),
                key=lambda one: (_VERDICT[one.verdict], _SEVERITY[one.severity], one.id),
            )
        )

    @property
    def worst(self) -> tuple[Finding, ...]:
        """One finding a family, the gravest first."""
        first: dict[str, Finding] = {}
        for one in self.findings:
            first.setdefault(one.family, one)
        return tuple(first.values())

    def group(self, letter: str) -> tuple[Claim, ...]:
        """The families of one of `GROUPS`."""
        return tuple(one for one in self.claims if one.group == letter)

    def say(self, words: Mapping[str, str]) -> str:
        """The half of a two-language text that this report is in."""
        return words[self.language]


def read_content(
    certificate: bytes, *, language: str, evidence: Path | None = None, most_excerpts: int = 200,
    revoked: Revoked | None = None,
) -> Content:  # fmt: skip
    """Arrange a certificate for readers.

    Args:
        certificate: the signed envelope, as it was written.
        language: `fr` or `en`.
        evidence: its archive; compared with what was signed before anything of it is shown.
        most_excerpts: conversations to show at most.
        revoked: that it was revoked since.

    Raises:
        CertificateError: it is no certificate, or the evidence is not what it names.
    """
    envelope = Envelope.from_bytes(certificate, payload_type=STATEMENT_TYPE)
    statement = read_statement(certificate)
    predicate = statement["predicate"]
    claims = tuple(_claim(section, one, language) for section, one in verify.all_claims(predicate))
    excerpts = _excerpts(evidence, predicate, language) if evidence is not None else []
    return Content(
        language=language,
        digest=hashlib.sha256(envelope.payload).hexdigest(),
        statement=statement,
        claims=tuple(sorted(claims, key=lambda one: (GROUPS.index(one.group), one.id))),
        findings=tuple(_finding(one, claims, language) for one in _worst_first(predicate["findings"])),
        signers=_signers(predicate["approvals"], {one.keyid for one in envelope.signatures}),
        excerpts=tuple(excerpts[:most_excerpts]),
        excerpts_in_all=len(excerpts) if evidence is not None else None,
        revoked=revoked,
    )


def _claim(section: str, one: JSON, language: str) -> Claim:
    bound95, simultaneous, deciding, threshold = (one[name] for name in verify.BOUNDS[section])
    at_least = section == "effectiveness"
    return Claim(
        id=one["id"],
        label=one["label"][language],
        severity=one["severity"],
        kind=one["kind"],
        unit=one["unit"],
        oracle=one["oracle"],
        judge=one["judge"],
        method=one["method"],
        generations=one["generations"],
        n=one["n"],
        bad=one["n"] - one["good"] - one["unresolved"] if at_least else one["k"],
        unresolved=one["unresolved"],
        read=one["read"],
        critical=one["critical"],
        by_language=one["byLanguage"],
        observed=one["observed"],
        bound95=bound95,
        simultaneous=simultaneous,
        deciding=deciding,
        threshold=threshold,
        proposed=one.get("tauProposed"),
        at_least=at_least,
        looks=tuple(one["looks"]),
        allowed=one["allowed"],
        power=one["power"],
        power_at=one["powerAt"],
        verdict=one["verdict"],
    )


def _worst_first(findings: Sequence[JSON]) -> list[JSON]:
    return sorted(findings, key=lambda one: (_SEVERITY[one["severity"]], one["family"], one["transcript"]))


def _finding(one: JSON, claims: Sequence[Claim], language: str) -> Finding:
    labels = {claim.id: claim.label for claim in claims}
    text = one["text"][language] if "text" in one else in_language(one.get("detail", ""), language)
    return Finding(
        family=one["family"],
        label=labels.get(one["family"], ""),
        severity=one["severity"],
        probe=one["probe"],
        transcript=one["transcript"],
        text=text,
        asked=one.get("asked", ""),
        answered=one.get("answered", ""),
    )


def _signers(approvals: Sequence[JSON], signed: set[str]) -> tuple[Signer, ...]:
    named = [
        Signer(one["role"], one["name"], one["keyid"], one["required"], one["keyid"] in signed)
        for one in approvals
    ]
    others = sorted(signed - {one.keyid for one in named})
    return (*named, *(Signer("", "", keyid, False, True) for keyid in others))


def _excerpts(evidence: Path, predicate: JSON, language: str) -> list[Excerpt]:
    """Those that were violated come first, in the order of the families."""
    files = read_evidence(evidence, predicate["evidence"])
    probes = {one["id"]: one for one in verify.read_lines(files["probes.jsonl"])}
    positions = {name: position for position, name in enumerate(probes)}
    found = []
    for line in verify.read_lines(files["transcripts.jsonl"]):
        last = line["detections"][-1] if line["detections"] else {"outcome": "error", "detail": ""}
        if last["outcome"] == "not":
            continue
        probe, responses = probes[line["probe"]], line["responses"]
        said = responses[-1] if responses else {"text": "", "error": ""}
        found.append(
            Excerpt(
                family=probe["family"],
                probe=probe["id"],
                position=line.get("position", positions[probe["id"]]),
                generation=line["generation"],
                outcome=last["outcome"],
                detail=in_language(last["detail"], language),
                asked=shortened(probe["turns"][-1]),
                answered=shortened(said["text"] or said["error"]),
            )
        )
    order = {"violated": 0, "unsure": 1, "error": 2}
    return sorted(found, key=lambda one: (order[one.outcome], one.family, one.position, one.generation))


def shortened(text: str, most: int = _SHORT) -> str:
    """One line, cut at a word."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    return line[:most].rsplit(" ", 1)[0][:most] + "…"
