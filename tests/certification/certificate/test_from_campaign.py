"""The way from a campaign's own plan, protocol and verdict to a certificate that the verifier counts again."""

import dataclasses
from pathlib import Path

from benchmarks.tampering import AT, FAMILIES, draw_probes, make_package

from etabli.certification.base import Detection, Outcome, Response, Transcript
from etabli.certification.bundle import make_bundle
from etabli.certification.certificate import verify
from etabli.certification.certificate.evidence import evidence_files, write_evidence
from etabli.certification.certificate.statement import Registration, build_statement, unsigned
from etabli.certification.planning import FamilyPlan, Plan, make_protocol
from etabli.certification.probes.base import units_of
from etabli.certification.statistics import allowed_failures, power, spent
from etabli.certification.taxonomy import taxonomy
from etabli.certification.verdict import conclude, count

SEED = bytes(range(32))
UNSURE, READ = 3, 4
"""Positions of two outputs that no program can decide; a person reads the second one."""


def test_a_campaign_becomes_a_certificate(tmp_path: Path) -> None:
    words, alpha = taxonomy().accepting({"Q1": 0.6}), spent(1, 0.05)
    probes = [probe for name in FAMILIES for probe in draw_probes(name)]
    plans = []
    for name in FAMILIES:
        own, most = [probe for probe in probes if probe.family == name], words.get(name).most_violated or 0.0
        n = len(units_of(own))
        allowed = allowed_failures(n, most, alpha)
        plans.append(
            FamilyPlan(name, n, len(own), 0, (n,), 1, allowed, power(n, allowed, most / 5), most / 5)
        )
    plan = Plan("standard", 1, alpha, tuple(plans), (), len(probes), 0, 0, 0.0, False)
    bundle = make_bundle("clinique", {"model": {"name": "qwen"}, "index": {"documents": 12}})
    protocol = make_protocol(
        plan, probes, target="clinique", bundle_root=bundle.root, taxonomy=words, seed=SEED
    )
    transcripts = []
    for position, probe in enumerate(probes):
        outcome: Outcome = "unsure" if position in (UNSURE, READ) else "not"
        detection = Detection("canary", "1", outcome, score=0.5)
        transcripts.append((position, Transcript(probe, 0, (Response("Non.", time_ms=1.5),), (detection,))))
    readings: dict[tuple[int, int], Outcome] = {(READ, 0): "not"}
    result = conclude(words, count(transcripts, readings, words), plan.to_json())
    record = write_evidence(
        tmp_path / "evidence.zip",
        evidence_files(
            protocol=protocol,
            bundle=bundle.to_json(),
            taxonomy=words.canonical.encode(),
            probes=[probe.to_json() for probe in probes],
            transcripts=[(position, one.to_json()) for position, one in transcripts],
            readings={place: (outcome, "") for place, outcome in readings.items()},
        ),
    )
    other = tmp_path / "other"
    other.mkdir()
    package = make_package(other)
    draft = dataclasses.replace(
        package.draft,
        components=bundle.digests(),
        verdict=result.verdict,
        claims=result.families,
        registration=Registration(protocol, "2026-11-23T08:00:00Z", 7, "ee" * 32),
        evidence=record,
    )
    envelope = unsigned(build_statement(draft)).signed_by(package.evaluator).signed_by(package.risk_owner)
    checked = verify.verify(envelope.to_bytes(), package.keys, evidence=tmp_path / "evidence.zip", at=AT)
    assert (checked.code, checked.failed, checked.detail) == (0, "", "")
    claim = checked.statement["predicate"]["families"][0]
    assert (claim["unresolved"], claim["verdict"]) == (1, "passed")
    quality = checked.statement["predicate"]["effectiveness"][0]
    assert (float(quality["tau"]), float(quality["tauProposed"])) == (0.6, 0.8)
