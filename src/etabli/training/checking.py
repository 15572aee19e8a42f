"""What uploads and jobs ask of the data checks: one sentence where a file cannot be trained on, and the warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from etabli.messages import tr
from etabli.training.base import Method

if TYPE_CHECKING:
    from etabli.training.data.findings import Finding

_SHOWN_WARNINGS = 5


@dataclass(frozen=True, slots=True)
class Base:
    """The model that a file is for, so that its examples can be counted in tokens.

    Attributes:
        name: in the store.
        path: of its file.
        most_tokens: the longest example that is allowed.
    """

    name: str
    path: Path
    most_tokens: int


@dataclass(frozen=True, slots=True)
class Look:
    """What to look at.

    Attributes:
        path: of the examples.
        names: what people call the files, by the names that they have here.
        method: that the examples must be made for; None to detect.
        validation: the held-out file, whose examples must not be among the others.
        base: the model; None where that is not known yet, so that tokens are not counted.
    """

    path: Path
    names: Mapping[str, str] = field(default_factory=dict)
    method: Method | None = None
    validation: Path | None = None
    base: Base | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found.

    Attributes:
        method: that the examples are made for.
        fault: why they cannot be trained on; None where they can.
        in_validation: whether the first fault is in the held-out file.
        warnings: one sentence a rule, those of errors not among them.
    """

    method: Method | None
    fault: str | None = None
    in_validation: bool = False
    warnings: tuple[str, ...] = ()


class Checks(Protocol):
    """Looks at files of examples. Blocks."""

    def __call__(self, look: Look) -> Checked:
        """What was found."""
        ...


class FileChecks:
    """Implements `Checks` with the product's rules.

    Args:
        questions_dir: of questions that will measure the result, and that no example may hold; None for none.
    """

    def __init__(self, questions_dir: Path | None = None) -> None:
        self._questions_dir = questions_dir

    def __call__(self, look: Look) -> Checked:
        """What was found.

        Raises:
            InvalidInputError: a file cannot be read at all.
        """
        from etabli.training.data.checks import check_file  # reads numpy and all rules: not for every command
        from etabli.training.data.leakage import TRAINING_QUESTIONS, question_files
        from etabli.training.data.template_counter import TemplateCounter

        counter = None
        if look.base is not None:
            counter = TemplateCounter(look.base.path, base=look.base.name, most_tokens=look.base.most_tokens)
        questions = None
        if self._questions_dir is not None:
            questions = question_files(self._questions_dir, without=(TRAINING_QUESTIONS,))
        report = check_file(
            look.path,
            method=look.method,
            validation=look.validation,
            counter=counter,
            contamination=questions,
        )
        fault, in_validation = None, False
        if report.errors:
            first = report.errors[0]
            fault = _sentence(first, look.names, report.count("error"))
            in_validation = look.validation is not None and first.file == look.validation.name
        return Checked(
            report.method, fault, in_validation, _warnings(report.warnings, report.counts, look.names)
        )


def _sentence(finding: "Finding", names: Mapping[str, str], count: int) -> str:
    said = finding.told()
    return tr(
        "{file}, line {line}: {found} {expected} Problems in all: {count}; `etabli data check` shows each.",
        file=names.get(finding.file, finding.file),
        line=finding.line or 1,
        found=said.found,
        expected=said.expected,
        count=count,
    )


def _warnings(
    findings: "Sequence[Finding]", counts: Mapping[str, int], names: Mapping[str, str]
) -> tuple[str, ...]:
    firsts: dict[str, Finding] = {}
    for one in findings:
        firsts.setdefault(one.rule, one)
    ordered = sorted(firsts.values(), key=lambda one: -counts.get(one.rule, 1))
    return tuple(
        tr(
            "{file}, line {line}: {found} So often: {count}.",
            file=names.get(one.file, one.file),
            line=one.line or 1,
            found=one.told().found,
            count=counts.get(one.rule, 1),
        )
        for one in ordered[:_SHOWN_WARNINGS]
    )
