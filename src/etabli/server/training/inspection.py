"""Uploaded examples under the eyes of the person who is about to train on them: what is wrong, by rule, and copies.

A copy is a new file of the purpose `fine-tune`, which is deleted after a month unless a job needs it; the one that
was sent stays as it is. Blocks: call it from a thread.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from etabli.errors import EtabliError, InvalidInputError
from etabli.messages import message_of, tr
from etabli.models.store import ModelStore
from etabli.server.auth import Caller
from etabli.server.openai.files.protocol import FileObject
from etabli.server.openai.files.service import file_object
from etabli.server.services import Services
from etabli.training.base import Method
from etabli.training.data.checks import check_file
from etabli.training.data.corrected import write_corrected
from etabli.training.data.findings import Finding
from etabli.training.data.importers import convert_file
from etabli.training.data.leakage import TRAINING_QUESTIONS, question_files
from etabli.training.data.report import Report
from etabli.training.data.rules import CODES, RULES
from etabli.training.data.template_counter import TemplateCounter
from etabli.training.files import TRAINING, UploadedFile, UploadedFiles
from etabli.training.recipe import hold_out

JSON = dict[str, Any]
_SHOWN = 5
"""Lines of each rule that a person is shown; all of them are counted."""
_FEWEST = 2
_ELSEWHERE = ("not_json_lines", "foreign_format")
"""What a conversion mends."""


class CheckBody(BaseModel):
    """How to look at a file.

    Attributes:
        validation_file: held-out examples, looked at as well, and looked for in the others.
        method: what the examples are for; None for what the rows say.
        model: base whose tokens are counted; the workspace's if None.
        max_tokens: longest example that is allowed.
    """

    model_config = ConfigDict(extra="forbid")

    validation_file: str | None = Field(None, max_length=80)
    method: Method | None = None
    model: str | None = Field(None, max_length=200)
    max_tokens: int = Field(1024, ge=32, le=1_000_000)


class PlaceEntry(BaseModel):
    """One line that a rule speaks of.

    Attributes:
        file: its name for people.
        line: from 1; None for the whole file.
        place: in the example.
        found: in words.
        mended: the corrected copy has it no more.
    """

    file: str
    line: int | None
    place: str | None
    found: str
    mended: bool


class RuleEntry(BaseModel):
    """One rule and where it is broken.

    Attributes:
        count: how often, shown or not.
        mends: a conversion or the corrected copy takes care of all that is shown.
        expected: in words.
        fix: what a person can do.
        places: the first few.
    """

    rule: str
    severity: Literal["error", "warning", "note"]
    group: str
    count: int
    mends: Literal["", "corrected", "converted"]
    expected: str
    fix: str
    places: list[PlaceEntry]


class CheckEntry(BaseModel):
    """What was found.

    Attributes:
        method: what the examples are for.
        examples: that can be used, as they are or mended.
        kept: lines that a corrected copy has byte for byte.
        mended: lines that it mends.
        left_out: lines that are not in it.
        correctable: a corrected copy can be made.
        tokens_counted: whether lengths were measured with the base's tokens.
        rules: errors before warnings before notes.
    """

    object: Literal["etabli.training_check"] = "etabli.training_check"
    file: str
    filename: str
    method: Method
    lines: int
    examples: int
    kept: int
    mended: int
    left_out: int
    errors: int
    warnings: int
    correctable: bool
    tokens_counted: bool
    statistics: JSON
    rules: list[RuleEntry]


class CorrectedEntry(BaseModel):
    """A corrected copy."""

    object: Literal["etabli.corrected_copy"] = "etabli.corrected_copy"
    file: FileObject
    kept: int
    mended: int
    left_out: int


class ConvertedEntry(BaseModel):
    """A copy in the format that training reads.

    Attributes:
        skipped: rows that could not be converted, the first few with the reason.
    """

    object: Literal["etabli.converted_copy"] = "etabli.converted_copy"
    file: FileObject
    format: str
    rows: int
    left_out: int
    skipped: list[JSON]


class SplitBody(BaseModel):
    """How much is held out.

    Attributes:
        share: of the examples.
        seed: the same one holds the same examples out.
    """

    model_config = ConfigDict(extra="forbid")

    share: float = Field(0.1, ge=0.01, le=0.5)
    seed: int = Field(1, ge=0, le=2**31 - 1)


class SplitEntry(BaseModel):
    """The examples in two files, and how many are in each."""

    object: Literal["etabli.split"] = "etabli.split"
    training: FileObject
    training_rows: int
    held_out: FileObject
    held_out_rows: int


class Inspection:
    """The endpoints.

    Args:
        services: parts of the workspace, with those of training.
    """

    def __init__(self, services: Services) -> None:
        assert services.training is not None
        self._settings = services.settings
        self._files: UploadedFiles = services.training.files
        self._models = ModelStore(services.settings.models_dir)
        self._lock = threading.Lock()
        self._last: tuple[object, Report] | None = None

    def check(self, file_id: str, body: CheckBody) -> CheckEntry:
        """Look at a file. Takes a few seconds for some thousand examples.

        Raises:
            NotFoundError: there is no such file.
            InvalidInputError: it cannot be read at all, or is not for training.
        """
        file = self._training_file(file_id)
        held_out = self._training_file(body.validation_file) if body.validation_file is not None else None
        report = self._report(file, held_out, body)
        names = {one.id: one.filename for one in (file, held_out) if one is not None}
        return CheckEntry(
            file=file.id,
            filename=file.filename,
            method=report.method,
            lines=report.lines,
            examples=report.examples,
            kept=report.kept,
            mended=report.mended,
            left_out=sum(report.left_out().values()),
            errors=report.count("error"),
            warnings=report.count("warning"),
            correctable=report.correctable,
            tokens_counted="tokens_not_checked" not in report.counts,
            statistics=report.to_json()["statistics"],
            rules=_rules(report, names),
        )

    def correct(self, file_id: str, body: CheckBody, caller: Caller) -> CorrectedEntry:
        """Make a copy without what is wrong: lines are mended where nothing has to be guessed, else left out.

        Raises:
            NotFoundError: there is no such file.
            InvalidInputError: nothing of it can be used, or it cannot be corrected line by line.
        """
        file = self._training_file(file_id)
        held_out = self._training_file(body.validation_file) if body.validation_file is not None else None
        report = self._report(file, held_out, body)
        if report.correctable and not report.examples:
            raise InvalidInputError(
                tr("No line of {file} can be used, so a corrected copy would be empty.", file=file.filename)
            )
        with self._files.incoming() as place:
            done = write_corrected(report, place)
            if done.reasons is not None:
                done.reasons.unlink()
            kept = self._keep(
                place, file, tr("{name}-corrected.jsonl", name=Path(file.filename).stem), caller
            )
        return CorrectedEntry(
            file=kept, kept=done.kept, mended=done.mended, left_out=sum(done.left_out.values())
        )

    def convert(self, file_id: str, caller: Caller) -> ConvertedEntry:
        """Make a copy in the format that training reads.

        Raises:
            NotFoundError: there is no such file.
            InvalidInputError: its format is not known, or no row of it can be converted.
        """
        file = self._training_file(file_id)
        with self._files.incoming() as place:
            done = convert_file(self._files.path(file.id), place)
            kept = self._keep(
                place, file, tr("{name}-converted.jsonl", name=Path(file.filename).stem), caller
            )
        told = done.to_json()
        return ConvertedEntry(
            file=kept,
            format=told["format"],
            rows=done.rows,
            left_out=len(done.skipped),
            skipped=told["skipped"][:_SHOWN],
        )

    def split(self, file_id: str, body: SplitBody, caller: Caller) -> SplitEntry:
        """Hold some examples out, so that what was learnt can be measured on others than those it was learnt from.

        Raises:
            NotFoundError: there is no such file.
            InvalidInputError: it has too few examples.
        """
        file = self._training_file(file_id)
        parts = hold_out(self._files.path(file.id), body.share, seed=body.seed)
        if len(set(parts.training)) + len(set(parts.held_out)) < _FEWEST or not parts.training:
            raise InvalidInputError(
                tr("{file} has too few examples to hold any out. Add some first.", file=file.filename)
            )
        stem = Path(file.filename).stem
        return SplitEntry(
            training=self._lines(parts.training, file, tr("{name}-training.jsonl", name=stem), caller),
            training_rows=len(parts.training),
            held_out=self._lines(parts.held_out, file, tr("{name}-held-out.jsonl", name=stem), caller),
            held_out_rows=len(parts.held_out),
        )

    def _training_file(self, file_id: str) -> UploadedFile:
        file = self._files.get(file_id)
        if file.purpose != TRAINING:
            raise InvalidInputError(
                tr(
                    "The file {id} was uploaded for “{purpose}”. Upload it with the purpose “fine-tune”.",
                    id=file.id,
                    purpose=file.purpose,
                )
            )
        return file

    def _report(self, file: UploadedFile, held_out: UploadedFile | None, body: CheckBody) -> Report:
        """The report; the last one is kept, because a corrected copy is asked for right after it is read."""
        key = (
            file.id,
            held_out.id if held_out is not None else None,
            body.method,
            body.model,
            body.max_tokens,
        )
        with self._lock:
            if self._last is not None and self._last[0] == key:
                return self._last[1]
            counter, missing = self._counter(body)
            report = check_file(
                self._files.path(file.id),
                method=body.method,
                validation=self._files.path(held_out.id) if held_out is not None else None,
                counter=counter,
                counter_missing=missing,
                contamination=question_files(self._settings.questions_dir, without=(TRAINING_QUESTIONS,)),
            )
            self._last = (key, report)
            return report

    def _counter(self, body: CheckBody) -> tuple[TemplateCounter | None, str]:
        name = body.model or self._settings.model
        try:
            return TemplateCounter(self._models.path_of(name), base=name, most_tokens=body.max_tokens), ""
        except EtabliError as error:
            return None, message_of(error)

    def _keep(self, place: Path, source: UploadedFile, filename: str, caller: Caller) -> FileObject:
        with place.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
        return file_object(
            self._files.add(
                place,
                filename=filename,
                purpose=TRAINING,
                sha256=digest,
                account_id=caller.account_id,
                expires_in=source.copy_kept,
            )
        )

    def _lines(
        self, lines: Iterable[bytes], source: UploadedFile, filename: str, caller: Caller
    ) -> FileObject:
        with self._files.incoming() as place:
            with place.open("xb") as writer:
                writer.writelines(line + b"\n" for line in lines)
            return self._keep(place, source, filename, caller)


def _rules(report: Report, names: dict[str, str]) -> list[RuleEntry]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in report.findings:
        by_rule.setdefault(finding.rule, []).append(finding)

    def named(text: str) -> str:
        for file_id, name in names.items():
            text = text.replace(file_id, name)
        return text

    order = ("error", "warning", "note")
    codes = sorted(by_rule, key=lambda code: (order.index(RULES[code].severity), CODES.index(code)))
    return [_rule(code, by_rule[code], report, named) for code in codes]


def _rule(code: str, findings: list[Finding], report: Report, named: Callable[[str], str]) -> RuleEntry:
    first = findings[0].told()
    mends: Literal["", "corrected", "converted"] = ""
    if code in _ELSEWHERE:
        mends = "converted"
    elif report.correctable and (all(one.mended for one in findings) or RULES[code].mends == "leaves_out"):
        mends = "corrected"
    return RuleEntry(
        rule=code,
        severity=RULES[code].severity,
        group=RULES[code].group,
        count=report.counts[code],
        mends=mends,
        expected=named(first.expected),
        fix=named(first.fix),
        places=[
            PlaceEntry(
                file=named(one.file),
                line=one.line or None,
                place=one.place or None,
                found=named(one.told().found),
                mended=one.mended,
            )
            for one in findings[:_SHOWN]
        ],
    )
