"""The verifier of one file: what is sound passes, every lie is refused, with the exit code that is promised."""

import dataclasses
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from benchmarks import tampering
from benchmarks.tampering import AT, MASKS, Package, flipped, make_package, noticed

from etabli.certification.certificate import verify
from etabli.certification.certificate.canonical import canonical_json
from etabli.certification.certificate.dsse import STATEMENT_TYPE, Envelope
from etabli.certification.certificate.keys import create_key, public_path
from etabli.certification.certificate.revocation import RevocationList


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return make_package(
        tmp_path_factory.mktemp("package"), outcomes={"A1": ["violated"], "Q1": ["not", "unsure"]}
    )


def check(package: Package, certificate: bytes | None = None, **given: Any) -> verify.Result:
    given = {"at": AT, "evidence": package.evidence, "components": package.components} | given
    return verify.verify(certificate or package.certificate, package.keys, **given)


def signed(package: Package, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The certificate as a dishonest evaluator would sign it."""
    statement = json.loads(Envelope.from_bytes(package.certificate, payload_type=STATEMENT_TYPE).payload)
    change(statement)
    envelope = Envelope(STATEMENT_TYPE, canonical_json(statement))
    return envelope.signed_by(package.evaluator).signed_by(package.risk_owner).to_bytes()


def test_a_sound_certificate_passes_every_check(package: Package) -> None:
    result = check(package, revocations=package.revocations)
    assert (result.code, result.failed, result.detail) == (0, "", "")
    assert len(result.passed) == 14
    assert result.statement["predicate"]["verdict"] == "CERTIFIED"


def test_every_verdict_has_its_code(tmp_path: Path) -> None:
    for verdict, code, outcomes in (
        ("REFUSED", 3, {"A4": ["violated"]}),
        ("INCONCLUSIVE", 5, {"A1": ["unsure"] * 9}),
        ("CONDITIONAL", 0, {"O1": ["violated"] * 9}),
    ):
        folder = tmp_path / verdict
        folder.mkdir()
        result = check(made := make_package(folder, outcomes=outcomes))
        assert made.draft.verdict == verdict
        assert (result.code, result.failed) == (code, ""), verdict


def test_a_person_has_the_last_word(tmp_path: Path) -> None:
    made = make_package(
        tmp_path, outcomes={"A1": ["unsure", "unsure"]}, readings={(0, 0): "not", (1, 0): "violated"}
    )
    assert check(made).code == 0
    claim = made.draft.claims[0]
    assert (claim["k"], claim["unresolved"]) == (1, 0)


LIES: dict[str, Callable[[dict[str, Any]], None]] = {
    "a better bound": lambda s: s["predicate"]["families"][0].update(bound95="0.030000"),
    "a better deciding bound": lambda s: s["predicate"]["families"][0].update(boundSpent="0.030000"),
    "a better lower bound": lambda s: s["predicate"]["effectiveness"][0].update(lowerSpent="0.990000"),
    "fewer violations": lambda s: s["predicate"]["families"][0].update(k=0),
    "nothing unresolved": lambda s: s["predicate"]["effectiveness"][0].update(unresolved=0),
    "a pass that is none": lambda s: s["predicate"]["families"][0].update(unresolved=9),
    "a softer threshold": lambda s: s["predicate"]["families"][0].update(theta0="0.100000"),
    "a family left out": lambda s: s["predicate"]["families"].pop(),
    "alpha spent twice": lambda s: s["predicate"]["protocol"].update(alphaSpent="0.0400000000"),
    "another attempt": lambda s: s["predicate"]["protocol"].update(attempt=2),
    "another seed": lambda s: s["predicate"]["environment"]["seeds"].update(heldOut="00" * 32),
    "registered afterwards": lambda s: s["predicate"]["protocol"].update(registeredAt="2026-11-23T08:30:00Z"),
    "a longer life": lambda s: s["predicate"]["validity"].update(notAfter="2027-03-01T10:00:00Z"),
    "nothing that it does not prove": lambda s: s["predicate"].update(doesNotProve=[]),
    "an adaptive attack that succeeded": lambda s: s["predicate"]["adaptive"].append({"critical": 1}),
    "smoke that certifies": lambda s: s["predicate"]["protocol"].update(tier="smoke"),
    "another component": lambda s: s["subject"][1]["digest"].update(sha256="11" * 32),
    "a component added": lambda s: s["subject"].append({"name": "tools", "digest": {"sha256": "11" * 32}}),
    "another root": lambda s: s["subject"][0]["digest"].update(sha256="11" * 32),
    "another assistant": lambda s: s["subject"][0].update(name="autre"),
    "another archive": lambda s: s["predicate"]["evidence"]["archive"].update(sha256="11" * 32),
    "a file more": lambda s: s["predicate"]["evidence"]["files"].append({"name": "x", "sha256": "11" * 32}),
    "another transcripts' root": lambda s: s["predicate"]["evidence"].update(transcriptsRoot="11" * 32),
    "languages mixed up": lambda s: s["predicate"]["families"][0].update(
        byLanguage=dict(zip(("fr", "en"), s["predicate"]["families"][0]["byLanguage"].values(), strict=True))
    ),
    "another type": lambda s: s.update(predicateType="urn:other"),
    "a field that cannot be read": lambda s: s["predicate"]["families"][0].update(n="many"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_what_a_dishonest_evaluator_signs_is_refused(package: Package, lie: str) -> None:
    result = check(package, signed(package, LIES[lie]))
    assert result.code == verify.INTEGRITY, result


def test_an_honest_change_is_no_lie(package: Package) -> None:
    """The control of the test above: signing again does not by itself make the verifier refuse."""
    assert check(package, signed(package, lambda s: s["predicate"]["campaign"].update(id="cmp_2"))).code == 0


def test_transcripts_are_counted_again(package: Package, tmp_path: Path) -> None:
    """Somebody who can sign and who makes the digests fit still cannot change what was said."""
    folder = tmp_path / "evidence"
    with zipfile.ZipFile(package.evidence) as archive:
        archive.extractall(folder)
    lines = (folder / "transcripts.jsonl").read_bytes().splitlines()
    first = json.loads(lines[0])
    assert first["detections"][-1]["outcome"] == "violated"
    first["detections"][-1]["outcome"] = "not"

    def fits(statement: dict[str, Any], changed: list[bytes]) -> None:
        data = b"".join(line + b"\n" for line in changed)
        (folder / "transcripts.jsonl").write_bytes(data)
        evidence = statement["predicate"]["evidence"]
        entry = next(one for one in evidence["files"] if one["name"] == "transcripts.jsonl")
        entry.update(sha256=verify.sha256(data), bytes=len(data))
        evidence["root"] = verify.named_root({one["name"]: one["sha256"] for one in evidence["files"]})
        evidence.update(transcripts=len(changed), transcriptsRoot=verify.merkle_root(changed).hex())

    assert check(package, evidence=folder).code == 0, "a folder is as good as the archive"
    for changed, why in (
        ([canonical_json(first), *lines[1:]], "A1 k"),
        (lines[1:], "A1 n"),
        ([*lines, lines[5]], "one try stands twice"),
    ):
        result = check(package, signed(package, lambda s, c=changed: fits(s, c)), evidence=folder)  # type: ignore[misc]
        assert (result.code, result.detail) == (verify.INTEGRITY, why)


def test_a_file_added_to_the_folder_is_refused(package: Package, tmp_path: Path) -> None:
    with zipfile.ZipFile(package.evidence) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "note.txt").write_text("added")
    assert "note.txt" in check(package, evidence=tmp_path).detail


def test_a_signature_that_is_missing_is_awaited(package: Package) -> None:
    envelope = Envelope.from_bytes(package.certificate, payload_type=STATEMENT_TYPE)
    alone = dataclasses.replace(envelope, signatures=envelope.signatures[:1]).to_bytes()
    assert (check(package, alone).code, check(package, alone).detail) == (4, "Karim Benali (riskOwner)")
    evaluator = {package.evaluator.public.keyid: package.keys[package.evaluator.public.keyid]}
    result = verify.verify(package.certificate, evaluator, at=AT)
    assert (result.code, result.detail) == (4, f"--key {package.risk_owner.public.keyid}")


def test_who_trusts_nobody_believes_nothing(package: Package) -> None:
    result = verify.verify(package.certificate, {}, at=AT)
    assert result.code == verify.INTEGRITY and result.statement is None


def test_a_risk_owner_cannot_stand_in_for_the_evaluator(package: Package) -> None:
    envelope = Envelope.from_bytes(package.certificate, payload_type=STATEMENT_TYPE)
    alone = dataclasses.replace(envelope, signatures=envelope.signatures[1:]).to_bytes()
    assert check(package, alone).code == verify.INTEGRITY


def test_the_reader_can_ask_for_more_signatures(package: Package) -> None:
    assert check(package, thresholds={"evaluator": 1, "riskOwner": 1}).code == 0
    assert check(package, thresholds={"auditor": 1}).code == 4


@pytest.mark.parametrize("at", [AT - timedelta(days=5), AT + timedelta(days=100)])
def test_out_of_its_dates_it_is_not_in_force(package: Package, at: datetime) -> None:
    assert check(package, at=at).code == verify.NOT_IN_FORCE


def test_revocation_of_a_certificate_and_of_a_key(package: Package, tmp_path: Path) -> None:
    payload = Envelope.from_bytes(package.certificate, payload_type=STATEMENT_TYPE).payload
    for kind, digest in (("certificate", verify.sha256(payload)), ("key", package.risk_owner.public.keyid)):
        revoked = RevocationList().with_entry(kind, digest, reason="Dérive", at=AT)  # type: ignore[arg-type]
        result = check(package, revocations=revoked.envelope(package.evaluator).to_bytes())
        assert result.code == verify.NOT_IN_FORCE and "Dérive" in result.detail
    stranger = create_key(tmp_path / "stranger.pem", passphrase=None)
    forged = RevocationList().with_entry("key", "00" * 32, reason="x", at=AT).envelope(stranger).to_bytes()
    assert check(package, revocations=forged).code == verify.INTEGRITY
    assert check(package, revocations=package.certificate).code == verify.INTEGRITY, (
        "an envelope of another type"
    )


@pytest.mark.parametrize(
    "certificate", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"payload":"","payload":""}\n']
)
def test_nonsense_is_refused_without_a_crash(package: Package, certificate: bytes) -> None:
    result = verify.verify(certificate, package.keys, at=AT)
    assert result.code == verify.INTEGRITY and result.detail


@pytest.mark.parametrize("part", ["certificate", "components", "revocations", "evidence"])
def test_a_flipped_byte_is_always_noticed(package: Package, tmp_path: Path, part: str) -> None:
    data = {
        "certificate": package.certificate,
        "components": package.components,
        "revocations": package.revocations,
        "evidence": package.evidence.read_bytes(),
    }[part]
    draw = random.Random(1)
    for position in tampering.positions(len(data), sample=80, draw=draw)[:: 1 if len(data) < 2000 else 8]:
        changed = flipped(data, position, draw.choice(MASKS))
        assert noticed(package, tmp_path / "changed.zip", part, changed), position


def test_flips_of_the_evidence_shared_by_processes_miss_none(package: Package) -> None:
    size = package.evidence.stat().st_size
    changes = [(position, 0x20) for position in range(0, size, size // 40)]
    unchanged = (size // 2, 0)  # what changes nothing must be told as unnoticed, or the check could not fail
    found = tampering.unnoticed_in_evidence(package, [*changes, unchanged], processes=2)
    assert found == [unchanged]


def test_it_stands_alone(package: Package, tmp_path: Path) -> None:
    """Copied anywhere, with nothing of the product in reach."""
    script = shutil.copy(Path(verify.__file__), tmp_path / "verify.py")
    evaluator, risk_owner = (public_path(package.folder / f"{name}.pem") for name in ("evaluator", "risk"))
    command = [sys.executable, "-I", script, package.folder / "certificate.json", "--key", evaluator,
               "--key", f"riskOwner={risk_owner}", "--evidence", package.evidence]  # fmt: skip
    done = subprocess.run(
        [*command, "--at", "2026-11-24T00:00:00Z"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "CERTIFIED" in done.stdout and "ne prouve pas" in done.stdout
    late = subprocess.run(
        [*command, "--at", "2027-11-24T00:00:00Z"], capture_output=True, text=True, cwd=tmp_path
    )
    assert late.returncode == 7 and "ÉCHEC" in late.stdout
    wrong = subprocess.run([*command, "--key", script], capture_output=True, text=True, cwd=tmp_path)
    assert wrong.returncode == 2


def test_it_imports_nothing_of_ours() -> None:
    source = Path(verify.__file__).read_text(encoding="utf-8")
    assert "import etabli" not in source and "from etabli" not in source


def test_moments_are_utc() -> None:
    assert verify.moment("2026-11-23T10:00:00Z") == datetime(2026, 11, 23, 10, tzinfo=UTC)
    with pytest.raises(ValueError):
        verify.moment("2026-11-23 10:00")
