"""What `etabli data` prints: findings by rule with the first lines of each, and what became of rows."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from etabli.cli.terminal import FAILED, NOTE, shown_path
from etabli.evaluation import examples
from etabli.evaluation.filters import REASONS, reason_label
from etabli.messages import language, retold, tr
from etabli.training.data import feedback
from etabli.training.data.formats import format_label
from etabli.training.data.rules import RULES, SEVERITIES, Severity

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.evaluation.examples import Built
    from etabli.evaluation.generating import Generation
    from etabli.training.data.corrected import Correction
    from etabli.training.data.feedback import Taken
    from etabli.training.data.findings import Finding
    from etabli.training.data.importers import Conversion
    from etabli.training.data.report import Report, Statistics

_FIRST = 3
_FEW = 5
_MARKS: dict[Severity, tuple[str, str]] = {
    "error": (FAILED, "red"),
    "warning": (NOTE, "yellow"),
    "note": (NOTE, "dim"),
}


def show_report(console: "Console", report: "Report") -> None:
    """Everything that was found, by rule, errors first."""
    console.print(
        tr("{file}: {examples} of {lines} lines are examples that can be used ({method}).",
           file=shown_path(report.path), examples=_number(report.examples), lines=_number(report.lines),
           method=report.method),
        style="bold", markup=False, soft_wrap=True,
    )  # fmt: skip
    for line in _figures(report.statistics, report.method):
        _say(console, f"  {line}", style="dim")
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.rule, []).append(finding)
    for severity in SEVERITIES:
        codes = [code for code in RULES if code in groups and RULES[code].severity == severity]
        if codes:
            console.print()
            _say(console, _heading(severity, report.count(severity)), style="bold")
        for code in codes:
            _show_rule(console, code, report.counts[code], groups[code], own=report.path.name)
    console.print()
    if report.count("error"):
        _say(console, tr("This file cannot be trained on as it is."), style="red")
        if report.correctable and report.examples and (report.mended or report.left_out()):
            _say(
                console,
                tr("A corrected copy (--corrected FILE) would have {count} examples.",
                   count=_number(report.examples)),
            )  # fmt: skip
    else:
        _say(console, tr("Nothing stands in the way of training on this file."), style="green")


def show_correction(console: "Console", correction: "Correction") -> None:
    """What a corrected copy holds, and what it does not."""
    _say(
        console,
        tr("Written: {path}: {kept} lines as they were, {mended} mended.",
           path=shown_path(correction.path), kept=_number(correction.kept), mended=_number(correction.mended)),
    )  # fmt: skip
    if correction.reasons is None:
        return
    total = sum(correction.left_out.values())
    _say(
        console,
        tr("Left out: {count} lines; why, line by line: {path}",
           count=_number(total), path=shown_path(correction.reasons)),
    )  # fmt: skip
    _counted(console, list(correction.left_out.items()))


def show_conversion(console: "Console", done: "Conversion", path: str) -> None:
    """How many rows were converted, and which were not."""
    _say(
        console,
        tr("Written: {path}: {count} rows for {method}, from {format}.",
           path=path, count=_number(done.rows), method=done.method, format=format_label(done.source)),
    )  # fmt: skip
    if done.skipped:
        _say(console, tr("Not converted: {count} rows.", count=_number(len(done.skipped))), style="yellow")
    for one in done.skipped[:_FEW]:
        _say(
            console,
            "  " + tr("line {line}: {found}", line=one.line, found=retold(one.reason)),
            style="dim",
        )
    if len(done.skipped) > _FEW:
        _say(console, "  " + tr("All of them: --json"), style="dim")
    _say(console, tr("Check it now: etabli data check {path}", path=path))


def show_taken(console: "Console", taken: "Taken", path: str) -> None:
    """What was made of the thumbs."""
    _say(
        console,
        tr("Written: {path}: {rows} rows of {judged} judged answers, {liked} of them liked.",
           path=path, rows=_number(taken.rows), judged=_number(taken.judged), liked=_number(taken.liked)),
    )  # fmt: skip
    if taken.left_out:
        _say(console, tr("Left out: {count} answers.", count=_number(taken.left_out.total())))
        _counted(console, [(feedback.reason_label(name), n) for name, n in taken.left_out.most_common()])
    if taken.with_documents:
        _say(
            console,
            tr("{count} prompts hold passages of documents: whoever may use what is trained on them may learn of "
               "those.",
               count=_number(taken.with_documents)),
            style="yellow",
        )  # fmt: skip
    _say(console, tr("Check it now: etabli data check {path}", path=path))


def show_built(
    console: "Console",
    made: "Generation",
    built: "Built",
    counts: Mapping[str, int],
    *,
    out: str,
    assistant: str,
) -> None:
    """What was proposed and dropped, and the examples that were built."""
    _say(
        console,
        tr("Questions for training: {kept} kept, {proposed} to look at, {dropped} dropped.", **counts),
    )
    _counted(console, [(reason_label(name), made.dropped[name]) for name in REASONS if made.dropped[name]])
    if built.rows:
        _say(
            console,
            tr("Written: {path}: {rows} examples, {answered} with an answer, {absent} about what no document names, "
               "{taken_out} whose passage was taken out.",
               path=out, rows=_number(len(built.rows)), answered=built.answered, absent=built.absent,
               taken_out=built.taken_out),
        )  # fmt: skip
    if built.left_out:
        _say(console, tr("Left out: {count} questions.", count=built.left_out.total()))
        _counted(
            console,
            [
                (examples.reason_label(name), built.left_out[name])
                for name in examples.REASONS
                if built.left_out[name]
            ],
        )
    if made.exhausted:
        _say(console, tr("The documents hold no more facts, or too much was dropped."), style="yellow")
    if counts["proposed"]:
        _say(
            console,
            tr("Look at them now: etabli data review {name}; then the same command writes the examples of those "
               "that you keep.", name=assistant),
        )  # fmt: skip


def _heading(severity: Severity, count: int) -> str:
    shown = _number(count)
    if severity == "error":
        return tr("Errors: {count}", count=shown)
    return tr("Warnings: {count}", count=shown) if severity == "warning" else tr("Not checked")


def _show_rule(console: "Console", code: str, count: int, findings: "Sequence[Finding]", *, own: str) -> None:
    mark, colour = _MARKS[RULES[code].severity]
    first = findings[0].told()
    line = Text(f"  {mark} ", style=colour)
    line.append(code, style="bold" if colour != "dim" else "dim")
    if count > 1:
        line.append(f" × {_number(count)}")
    line.append(f"  {first.expected}", style="dim")
    console.print(line, soft_wrap=True)
    for finding in findings[:_FIRST]:
        _say(console, f"      {_where(finding, own)}{finding.told().found}")
    if count > _FIRST:
        more = tr("and {count} more: --format json", count=_number(count - _FIRST))
        _say(console, f"      {more}", style="dim")
    _say(console, f"      → {first.fix}", style="cyan")


def _where(finding: "Finding", own: str) -> str:
    parts = []
    if finding.file != own:
        parts.append(finding.file)
    if finding.line:
        parts.append(tr("line {line}", line=finding.line))
    if finding.place:
        parts.append(finding.place)
    return tr("{where}: {found}", where=", ".join(parts), found="") if parts else ""


def _figures(figures: "Statistics", method: str) -> list[str]:
    lines = []
    if figures.answers:
        lines.append(
            tr("{answers} answers, half of them with at most {median} characters, the longest with {longest}; "
               "{french} in French, {english} in English.",
               answers=_number(figures.answers), median=_number(figures.median_answer),
               longest=_number(figures.longest_answer), french=_number(figures.french),
               english=_number(figures.english))
        )  # fmt: skip
    if method == "kto" and figures.answers:
        lines.append(tr("{good} of the answers are good ones.", good=_number(figures.good)))
    if figures.tokens and figures.trained_tokens is not None and figures.longest_example is not None:
        lines.append(
            tr("{tokens} tokens, {share} % of them are learned; the longest example has {longest}.",
               tokens=_number(figures.tokens), share=round(100 * figures.trained_tokens / figures.tokens),
               longest=_number(figures.longest_example))
        )  # fmt: skip
    return lines


def _counted(console: "Console", counts: Sequence[tuple[str, int]]) -> None:
    for label, count in counts:
        _say(console, f"  {_number(count):>6}  {label}", style="dim")


def _number(value: int) -> str:
    """A whole number with its thousands apart."""
    separator = "\N{NARROW NO-BREAK SPACE}" if language() == "fr" else ","
    return f"{value:,}".replace(",", separator)


def _say(console: "Console", text: str, *, style: str = "") -> None:
    console.print(text, style=style, markup=False, soft_wrap=True)
