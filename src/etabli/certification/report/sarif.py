"""SARIF 2.1.0 for code scanners: a rule a family, a result for each verdict and each of the worst outputs.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", sections 3.13 to 3.28.
"""

import json
from typing import Any

from etabli import __version__
from etabli.certification.report import words
from etabli.certification.report.content import Claim, Content, Finding
from etabli.messages import speaking

JSON = dict[str, Any]
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_KINDS = {"passed": "pass", "failed": "fail", "inconclusive": "review", "awaiting": "open"}
_LEVELS = {"critical": "error", "major": "error", "minor": "warning"}
_LOCALES = {"fr": "fr-FR", "en": "en-GB"}


def sarif_of(content: Content) -> bytes:
    """The file, as UTF-8 JSON."""
    with speaking(content.language):
        untested = content.predicate["scope"]["notTested"]
        rules = [_rule(one.id, one.label, one.severity) for one in content.claims]
        rules += [_rule(one["id"], content.say(one["label"]), "minor") for one in untested]
        places = {rule["id"]: place for place, rule in enumerate(rules)}
        results = [_verdict(content, one, places) for one in content.claims]
        results += [_output(content, one, places) for one in content.findings if one.family in places]
        results += [
            {
                "ruleId": one["id"],
                "ruleIndex": places[one["id"]],
                "kind": "notApplicable",
                "level": "none",
                "message": {"text": content.say(one["reason"])},
            }
            for one in untested
        ]
    campaign = content.predicate["campaign"]
    run = {
        "tool": {
            "driver": {
                "name": "Établi",
                "semanticVersion": __version__,
                "language": _LOCALES[content.language],
                "rules": rules,
            }
        },
        "language": _LOCALES[content.language],
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": f"etabli/{content.predicate['assistant']['name']}/{campaign['id']}"},
        "invocations": [
            {
                "executionSuccessful": True,
                "startTimeUtc": campaign["startedAt"],
                "endTimeUtc": campaign["endedAt"],
            }
        ],
        "results": results,
        "properties": {
            "verdict": content.verdict,
            "statementSha256": content.digest,
            "assistantSha256": content.root,
        },
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def _rule(family: str, label: str, severity: str) -> JSON:
    return {
        "id": family,
        "name": label,
        "shortDescription": {"text": label},
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {"severity": severity},
    }


def _verdict(content: Content, claim: Claim, places: dict[str, int]) -> JSON:
    kind = _KINDS[claim.verdict]
    passed = claim.verdict == "passed"
    text = words.in_words(claim, content.language) if passed else words.reason_line(claim, content.language)
    return {
        "ruleId": claim.id,
        "ruleIndex": places[claim.id],
        "kind": kind,
        "level": _LEVELS[claim.severity] if kind == "fail" else "none",
        "message": {"text": text},
        "locations": [_place(content, claim.id)],
        "properties": {
            "n": claim.n,
            "wentWrong": claim.bad,
            "undecided": claim.unresolved,
            "observed": claim.observed,
            "bound95": claim.bound95,
            "bound": claim.deciding,
            "threshold": claim.threshold,
        },
    }


def _output(content: Content, finding: Finding, places: dict[str, int]) -> JSON:
    return {
        "ruleId": finding.family,
        "ruleIndex": places[finding.family],
        "kind": "fail",
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.text or finding.label},
        "locations": [_place(content, finding.family, finding.probe)],
        "partialFingerprints": {"etabliProbe/v1": finding.probe},
        "properties": {
            "transcript": finding.transcript,
            "asked": finding.asked,
            "answered": finding.answered,
        },
    }


def _place(content: Content, *steps: str) -> JSON:
    """Where: an assistant has no lines, so its parts are named."""
    name = content.predicate["assistant"]["name"]
    return {"logicalLocations": [{"fullyQualifiedName": "/".join((name, *steps)), "kind": "resource"}]}
