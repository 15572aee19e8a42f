"""The evidence behind a certificate: files, their digests, Merkle roots, and one archive that is always the same.

The certificate is not inside: it names the archive's digest, so every byte of the archive is covered. What every
bundle of evidence has is in `REQUIRED`.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etabli.certification.certificate import merkle, verify
from etabli.certification.certificate.canonical import canonical_json
from etabli.errors import CertificateError
from etabli.messages import tr

JSON = dict[str, Any]
PERSON = "person"
"""Name of the detector of what a person decided."""

REQUIRED = frozenset(
    {"protocol.json", "probes.jsonl", "transcripts.jsonl", "taxonomy.json", "components.json"}
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip archive can name."""


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """What a statement says of its evidence.

    Args:
        root: Merkle root over lines `name digest` of all files.
        transcripts_root: Merkle root over the lines of `transcripts.jsonl`, without line ends.
        transcripts: their number.
        files: name, SHA-256 and size in bytes of each, sorted by name.
        archive: SHA-256 of the archive.
    """

    root: str
    transcripts_root: str
    transcripts: int
    files: tuple[tuple[str, str, int], ...]
    archive: str

    def to_json(self) -> dict[str, Any]:
        """The predicate's field `evidence`."""
        files = [{"name": name, "sha256": digest, "bytes": size} for name, digest, size in self.files]
        return {
            "root": self.root,
            "transcriptsRoot": self.transcripts_root,
            "transcripts": self.transcripts,
            "files": files,
            "archive": {"sha256": self.archive},
        }


def evidence_files(
    *,
    protocol: JSON,
    bundle: JSON,
    taxonomy: bytes,
    probes: Iterable[JSON],
    transcripts: Iterable[tuple[int, JSON]],
    readings: Mapping[tuple[int, int], tuple[str, str]] | None = None,
) -> dict[str, bytes]:
    """The files that every bundle of evidence has.

    A transcript names its probe instead of holding it again, and a person's reading is its last detection, so that
    the last word on every try stands in one place.

    Args:
        protocol: as it was registered.
        bundle: `assistant`, `root` and `components` (`name`, `digest`, `content`).
        taxonomy: the bytes that the protocol registers the digest of.
        probes: in the registered order, numbers that are not whole as strings.
        transcripts: position in the plan, and `Transcript.to_json`.
        readings: outcome and note of what people decided, by position and generation.
    """
    lines = []
    for position, transcript in transcripts:
        line = {name: value for name, value in transcript.items() if name != "probe"}
        line["probe"], line["position"] = transcript["probe"]["id"], position
        read = (readings or {}).get((position, transcript["generation"]))
        if read is not None:
            word = {"detector": PERSON, "version": "", "outcome": read[0], "detail": read[1], "score": None}
            line["detections"] = [*line["detections"], word]
        lines.append(canonical_json(line))
    return {
        "components.json": canonical_json(bundle) + b"\n",
        "probes.jsonl": _joined(canonical_json(probe) for probe in probes),
        "protocol.json": canonical_json(protocol),
        "taxonomy.json": taxonomy,
        "transcripts.jsonl": _joined(lines),
    }


def _joined(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def write_evidence(archive: Path, files: Mapping[str, bytes]) -> EvidenceRecord:
    """Write the archive and say what is in it; the same files give the same bytes on every machine.

    Nothing is compressed: compressors differ between machines, and an auditor can search the file as it is.

    Raises:
        CertificateError: a required file is missing, a name is not plain, or a transcript's line is not whole.
    """
    _check(files)
    archive.parent.mkdir(parents=True, exist_ok=True)
    fresh = archive.with_name(f".{archive.name}.new")
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as opened:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # as Unix does, on every system
            opened.writestr(entry, files[name])
    lines = files["transcripts.jsonl"].splitlines()
    listed = tuple(
        (name, hashlib.sha256(files[name]).hexdigest(), len(files[name])) for name in sorted(files)
    )
    record = EvidenceRecord(
        root=merkle.named_root({name: digest for name, digest, _ in listed}),
        transcripts_root=merkle.root(lines).hex(),
        transcripts=len(lines),
        files=listed,
        archive=hashlib.sha256(fresh.read_bytes()).hexdigest(),
    )
    fresh.replace(archive)
    return record


def _check(files: Mapping[str, bytes]) -> None:
    missing = sorted(REQUIRED - files.keys())
    if missing:
        raise CertificateError(
            tr("The evidence lacks {missing}. A certificate needs them all.", missing=", ".join(missing))
        )
    for name in files:
        steps = name.split("/")
        if not name.isascii() or "\\" in name or any(step in ("", ".", "..") for step in steps):
            raise CertificateError(
                tr("{name} cannot be a file of the evidence: use a plain ASCII name.", name=repr(name))
            )
    for name in ("probes.jsonl", "transcripts.jsonl"):
        if files[name] and not files[name].endswith(b"\n") or b"\r" in files[name]:
            raise CertificateError(
                tr("{name} must hold one JSON value a line, each ended by \\n.", name=name)
            )


def read_evidence(path: Path, stated: Mapping[str, Any]) -> dict[str, bytes]:
    """Every file of an archive or an unpacked folder, once it is all that the statement says.

    Args:
        path: the archive or the folder.
        stated: the predicate's field `evidence`.

    Raises:
        CertificateError: something was altered, is missing or was added.
    """
    try:
        return verify.read_evidence(path, stated)
    except (verify.Rejected, OSError, LookupError, zipfile.BadZipFile) as why:
        raise CertificateError(
            tr("The evidence {path} is not what the certificate names: {why}.", path=path, why=why)
        ) from None
