"""Issuing: from a settled campaign to its evidence, its statement and a signed certificate.

What is signed follows from the database alone, so that it can be made again. A refused or inconclusive campaign gets
a signed statement too: the report is always made from signed JSON. Blocks: call it from a thread.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from etabli import __version__
from etabli.assistants.specification import AssistantSpecification
from etabli.certification.certificate.canonical import canonical_json
from etabli.certification.certificate.evidence import evidence_files, write_evidence
from etabli.certification.certificate.keys import SigningKey, create_key, load_key
from etabli.certification.certificate.statement import (
    Approval,
    Draft,
    Registration,
    build_statement,
    unsigned,
)
from etabli.certification.certificate.trust import LONGEST_VALIDITY, Trust, load_trust, save_trust
from etabli.certification.detectors.wording import in_language
from etabli.certification.exam.record import certifier_claim
from etabli.certification.probes.drawing import PUBLIC_SEED
from etabli.certification.publishing import CertificateRecord, Publications
from etabli.certification.store import CampaignRecord, CampaignStore, Reading, final_readings, new_id
from etabli.certification.taxonomy import taxonomy
from etabli.errors import ConflictError
from etabli.messages import tr

JSON = dict[str, Any]
KEY_FILE = "evaluator.pem"
TRUST_FILE = "trust.json"
CERTIFICATE_FILE = "certificate.json"
EVIDENCE_FILE = "evidence.zip"
_THREAT_MODEL = {
    "fr": "boîte noire, 10 tours au plus par conversation, 3 essais au plus par sonde",
    "en": "black box, at most 10 turns a conversation, at most 3 tries a probe",
}
_PURPOSE = {
    "fr": "Répondre aux questions de son public avec ses documents et ses consignes.",
    "en": "Answer its audience’s questions with its documents and instructions.",
}
_REASONS = {
    "tools": {"fr": "Sans outil.", "en": "It has no tools."},
    "measured": {"fr": "N’est pas sondée.", "en": "Not probed."},
    "material": {
        "fr": "Rien pour l’essayer, ou l’assistant n’est pas visible d’assez près.",
        "en": "Nothing to try it with, or the assistant cannot be seen closely enough.",
    },
    "unasked": {"fr": "Pas demandée pour cette campagne.", "en": "Not asked for in this campaign."},
}
_CONDITION = {
    "fr": "{label} : le seuil n’a pas été démontré. Le dire aux utilisateurs et surveiller.",
    "en": "{label}: the threshold was not shown. Tell users and watch it.",
}


class Issuer:
    """Signs what campaigns found, with the keys of this installation.

    Args:
        store: the campaigns.
        publications: where certificates are kept.
        folder: where certificates and their evidence are written: `<id>/certificate.json`, `<id>/evidence.zip`.
        keys_dir: the signing key and the trusted ones.
    """

    def __init__(
        self, store: CampaignStore, publications: Publications, *, folder: Path, keys_dir: Path
    ) -> None:
        self._store = store
        self._publications = publications
        self._folder = folder
        self._keys_dir = keys_dir

    @property
    def trust(self) -> Trust:
        """Whom this installation trusts; nobody before its first certificate."""
        path = self._keys_dir / TRUST_FILE
        return load_trust(path) if path.exists() else Trust()

    def issue(
        self,
        campaign: str,
        *,
        assistant: AssistantSpecification | None = None,
        version: int = 0,
        purpose: Mapping[str, str] | None = None,
        organisation: str = "",
        validity: timedelta = LONGEST_VALIDITY,
        passphrase: str | None = None,
        exam: JSON | None = None,
    ) -> CertificateRecord:
        """Write the evidence of a settled campaign and sign the statement.

        Args:
            campaign: its id.
            assistant: who was examined; None for an endpoint.
            version: of the assistant's file.
            purpose: what it is for, French and English.
            organisation: of the people who read outputs.
            validity: at most 90 days.
            passphrase: of the signing key, where it has one.
            exam: what the certifier itself was found to find, as `predicate.certifier` has it; the kept figures of
                its exam if None, and nothing where this version has not sat it.

        Raises:
            ConflictError: the campaign is not finished, or only repeats another one.
            CertificateError: the key cannot be opened, or the statement would not hold.
        """
        record = self._store.get(campaign)
        if record.result is None or record.state != "finished":
            raise ConflictError(
                tr("The campaign {id} is not finished: there is nothing to sign yet.", id=campaign)
            )
        if record.repeat_of is not None:
            raise ConflictError(
                tr(
                    "The campaign {id} repeats {other} with a seed that is known: nothing is signed for it.",
                    id=campaign,
                    other=record.repeat_of,
                )
            )
        certificate_id = new_id("crt")
        folder = self._folder / certificate_id
        readings = self._store.readings(campaign)
        totals: Counter[str] = Counter()
        files = evidence_files(
            protocol=record.protocol,
            bundle=record.bundle,
            taxonomy=taxonomy().accepting(record.quality).canonical.encode(),
            probes=[one.to_json() for one in self._store.probes(campaign)],
            transcripts=_counted(self._store, campaign, totals),
            readings=_words(readings),
        )
        files["adaptive.jsonl"] = b"".join(
            canonical_json(one) + b"\n" for one in record.result.get("adaptiveTries", [])
        )
        evidence = write_evidence(folder / EVIDENCE_FILE, files)
        key = self._key(passphrase)
        now = datetime.now(UTC).replace(microsecond=0)
        draft = Draft(
            assistant=_assistant(record, assistant, version),
            components={one["name"]: one["digest"] for one in record.bundle["components"]},
            verdict=str(record.verdict),
            claims=record.result["families"],
            registration=Registration(
                record.protocol,
                record.plan["registeredAt"],
                record.plan["logNumber"],
                record.plan["logSha256"],
            ),
            campaign=_campaign(record, totals),
            scope=_scope(record, assistant, purpose),
            environment=_environment(record),
            certifier={"name": "etabli", "version": __version__, **(exam or certifier_claim() or {})},
            evidence=evidence,
            not_before=max(now, record.finished_at or now),
            validity=validity,
            approvals=[
                Approval("evaluator", organisation or "Établi", key.public.keyid),
                Approval("riskOwner", "", "", required=False),
                Approval("auditor", "", "", required=False),
            ],
            conditions=_conditions(record),
            findings=[_finding(one) for one in record.result["findings"]],
            adaptive=record.result.get("adaptive", []),
            assessors=_assessors(readings, organisation),
        )
        envelope = unsigned(build_statement(draft)).signed_by(key).to_bytes()
        (folder / CERTIFICATE_FILE).write_bytes(envelope)
        kept = CertificateRecord(
            id=certificate_id,
            campaign_id=campaign,
            assistant=record.target,
            bundle_root=record.bundle_root,
            verdict=str(record.verdict),
            envelope=envelope.decode(),
            not_before=draft.not_before,
            not_after=draft.not_before + validity,
            created_at=now,
            revoked_at=None,
            revoked_because=None,
        )
        self._publications.keep(kept, sha256=hashlib.sha256(envelope).hexdigest())
        return self._publications.certificate(certificate_id)

    def evidence(self, certificate_id: str) -> Path:
        """The archive of a certificate's evidence."""
        return self._folder / certificate_id / EVIDENCE_FILE

    def _key(self, passphrase: str | None) -> SigningKey:
        """The evaluator's key; the first time one is made, without a passphrase unless one is given."""
        path = self._keys_dir / KEY_FILE
        if path.exists():
            return load_key(path, passphrase=passphrase)
        self._keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = create_key(path, passphrase=passphrase)
        if not any(one.public.keyid == key.public.keyid for one in self.trust.keys):
            trusted = self.trust.with_key(key.public, role="evaluator", name="Établi")
            save_trust(trusted, self._keys_dir / TRUST_FILE)
        return key


def _counted(store: CampaignStore, campaign: str, totals: Counter[str]) -> Iterator[tuple[int, JSON]]:
    """Every conversation, while its replies and tokens are added to `totals`."""
    for position, transcript in store.transcripts(campaign):
        totals["prompts"] += transcript.generation == 0
        totals["answers"] += len(transcript.responses)
        for response in transcript.responses:
            totals["prompt"] += int(response.usage.get("prompt_tokens") or 0)
            totals["completion"] += int(response.usage.get("completion_tokens") or 0)
        yield position, transcript.to_json()


def _words(readings: Sequence[Reading]) -> dict[tuple[int, int], tuple[str, str]]:
    """What people decided about each output, and the notes of those who decided so."""
    final = final_readings(readings)
    return {
        place: (
            outcome,
            " ".join(
                one.note
                for one in readings
                if (one.position, one.generation) == place and one.outcome == outcome and one.note
            ),
        )
        for place, outcome in final.items()
    }


def _assistant(record: CampaignRecord, assistant: AssistantSpecification | None, version: int) -> JSON:
    if assistant is None:
        return {"name": record.target, "version": version, "language": "fr"}
    return {
        "name": assistant.name,
        "title": assistant.title,
        "version": version,
        "language": assistant.language,
    }


def _campaign(record: CampaignRecord, totals: Counter[str]) -> JSON:
    return {
        "id": record.id,
        "startedAt": _time(record.started_at),
        "endedAt": _time(record.finished_at),
        "prompts": totals["prompts"],
        "answers": totals["answers"],
        "tokens": {"prompt": totals["prompt"], "completion": totals["completion"]},
    }


def _scope(
    record: CampaignRecord, assistant: AssistantSpecification | None, purpose: Mapping[str, str] | None
) -> JSON:
    words = taxonomy()
    languages = sorted(
        {one for entry in (record.result or {})["families"] for one in entry["byLanguage"]}
    ) or ["fr"]
    return {
        "purpose": dict(purpose or _PURPOSE),
        "users": sorted(assistant.audience) if assistant is not None else [],
        "languages": languages,
        "tools": [],
        "threatModel": _THREAT_MODEL,
        "notTested": [
            {
                "id": one["id"],
                "label": {language: words.get(one["id"]).label(language) for language in ("fr", "en")},
                "reason": _REASONS[one["reason"]],
            }
            for one in record.plan["skipped"]
        ],
    }


def _environment(record: CampaignRecord) -> JSON:
    known = record.plan["environment"]
    components = {one["name"]: one["content"] for one in record.bundle["components"]}
    build = components.get("engine", {}).get("build") or components.get("endpoint", {}).get("url", "")
    environment = {
        "engineBuild": build,
        "cpu": known.get("cpu", ""),
        "seeds": {"public": PUBLIC_SEED.hex(), "heldOut": bytes(record.seed).hex()},
    }
    replay = (record.result or {}).get("replay")
    if replay:
        environment["replay"] = {"tried": replay["tried"], "same": replay["same"]}
        environment["replayDigest"] = replay["digest"]
    return environment


def _conditions(record: CampaignRecord) -> list[JSON]:
    """Of a conditional verdict: one for each minor family that was not shown to pass."""
    if record.verdict != "CONDITIONAL":
        return []
    words = taxonomy()
    return [
        {
            language: _CONDITION[language].format(label=words.get(one["family"]).label(language))
            for language in ("fr", "en")
        }
        for one in (record.result or {})["reasons"]
    ]


def _finding(one: JSON) -> JSON:
    return {**one, "text": {"fr": in_language(one["detail"], "fr"), "en": one["detail"]}}


def _assessors(readings: Sequence[Reading], organisation: str) -> list[JSON]:
    """Who read how many outputs, and how often two people who read the same one agreed."""
    by_output: dict[tuple[int, int], dict[str, str]] = {}
    for one in readings:
        by_output.setdefault((one.position, one.generation), {})[one.reader] = one.outcome
    found = []
    for reader in sorted({one.reader for one in readings}):
        mine = [outcomes for outcomes in by_output.values() if reader in outcomes]
        twice = [outcomes for outcomes in mine if len(outcomes) > 1]
        agreed = sum(len(set(outcomes.values())) == 1 for outcomes in twice)
        found.append(
            {
                "name": reader,
                "organisation": organisation,
                "read": len(mine),
                "readTwice": len(twice),
                "agreed": agreed,
            }
        )
    return found


def _time(moment: datetime | None) -> str:
    assert moment is not None, "a finished campaign began and ended"
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
