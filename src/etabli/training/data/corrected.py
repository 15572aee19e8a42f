"""A corrected copy of a checked file: good lines byte for byte, others mended where nothing has to be guessed.

Every line that is not in it is named in a second file with the reason, `<copy>.left-out.jsonl`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from etabli.errors import ConflictError, InvalidInputError
from etabli.messages import tr
from etabli.training.data.checks import sha256_of
from etabli.training.data.examples import examine
from etabli.training.data.findings import JSON, Finding
from etabli.training.data.lines import Line, Source, open_source, read_lines
from etabli.training.data.parsing import parse
from etabli.training.data.report import KEPT, MENDED, Report
from etabli.training.data.rules import CODES
from etabli.training.data.writing import written_at_once

LEFT_OUT = ".left-out.jsonl"
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Correction:
    """What was written.

    Args:
        path: the copy.
        kept: lines that are as they were.
        mended: lines that are not.
        left_out: lines that are not in it, by rule.
        reasons: the file that names each of them; None where there is none.
    """

    path: Path
    kept: int
    mended: int
    left_out: dict[str, int]
    reasons: Path | None

    def to_json(self) -> JSON:
        """For programs."""
        return {
            "file": str(self.path),
            "kept": self.kept,
            "mended": self.mended,
            "left_out": self.left_out,
            "reasons": None if self.reasons is None else str(self.reasons),
        }


def write_corrected(report: Report, path: Path) -> Correction:
    """Write the corrected copy of the file that a report is about, and why lines are not in it.

    Args:
        report: of `check_file`.
        path: of the copy; an older one is replaced at once or not at all.

    Raises:
        InvalidInputError: there is nothing to correct line by line, or it cannot be written.
        ConflictError: the file is another one than was checked.
    """
    if not report.correctable:
        raise InvalidInputError(
            tr("{path} cannot be corrected line by line. Mend first what was found for the whole file.",
               path=report.path)
        )  # fmt: skip
    if path.resolve() == report.path.resolve():
        raise InvalidInputError(
            tr("{path} is the file that was checked. Name another one for the corrected copy.", path=path)
        )
    source = open_source(report.path)
    if sha256_of(report.path) != report.sha256:
        raise ConflictError(tr("{path} changed since it was checked. Check it again.", path=report.path))
    reasons = path.with_name(path.name + LEFT_OUT)
    left_out = report.left_out()
    with written_at_once(path) as copy, written_at_once(reasons) as why:
        _write(source, report, copy, why)
    if not left_out:
        reasons.unlink()
    return Correction(path, report.kept, report.mended, left_out, reasons if left_out else None)


def _write(source: Source, report: Report, copy: BinaryIO, why: BinaryIO) -> None:
    findings: dict[int, list[Finding]] = {}
    for finding in report.findings:
        if finding.file == report.path.name and finding.line:
            findings.setdefault(finding.line, []).append(finding)
    ended = True
    for line in read_lines(source):
        if line.number > len(report.fates):
            break
        fate = report.fates[line.number - 1]
        if fate in (KEPT, MENDED):
            data = line.data.removeprefix(_MARK) if fate == KEPT else _mended(line, report)
            copy.write(data if ended else b"\n" + data)
            ended = data.endswith(b"\n")
        else:
            rule = CODES[fate - 2]
            reason = _reason(line.number, rule, findings.get(line.number, []))
            why.write(json.dumps(reason, ensure_ascii=False).encode() + b"\n")


def _mended(line: Line, report: Report) -> bytes:
    """The line with what could be mended; its line end stays."""
    value = parse(line.data.removeprefix(_MARK))
    assert isinstance(value, dict), "only what parses is mended"
    examined = examine(value, report.method)
    end = b"\r\n" if line.data.endswith(b"\r\n") else b"\n"
    return json.dumps(examined.value, ensure_ascii=False).encode() + end


def _reason(number: int, rule: str, findings: list[Finding]) -> JSON:
    told = [{"rule": one.rule, "place": one.place or None, "found": one.told().found} for one in findings]
    return {"line": number, "rule": rule, "findings": told}
