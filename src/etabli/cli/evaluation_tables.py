"""How `etabli eval` tells its figures: shares with their intervals, times, what changed, what went wrong."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from etabli.certification.detectors.wording import in_language
from etabli.cli.terminal import DONE, FAILED, say_step
from etabli.evaluation.comparing import Comparison
from etabli.evaluation.filters import REASONS, reason_label
from etabli.evaluation.generating import Generation
from etabli.evaluation.measures import label
from etabli.evaluation.requirements import Outcome
from etabli.evaluation.store import Report
from etabli.evaluation.summary import Duration, Rate, Repeats
from etabli.messages import language, tr

if TYPE_CHECKING:
    from rich.console import Console

_FEW = 5
"""Questions that went wrong which are shown unasked."""
_ANSWER = 240


def percent(share: float | None) -> str:
    """A share for people.

    >>> percent(0.625), percent(None)
    ('62 %', '–')
    """
    return "–" if share is None else f"{100 * share:.0f} %"


def show_report(console: "Console", report: Report) -> None:
    """One evaluation: what was asked of what, then each measure with its interval, by language too, then times."""
    run, summary = report.run, report.summary
    head = tr("{id}: {name}, version {version}, with {model}",
              id=run.id, name=run.assistant, version=run.version or "–", model=run.model)  # fmt: skip
    console.print(head, style="bold", markup=False, soft_wrap=True)
    for line in _notes(report):
        console.print(f"  {line}", style="dim", markup=False, soft_wrap=True)
    console.print()
    languages = list(summary.languages) if len(summary.languages) > 1 else []
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(tr("Measure"))
    for title in (tr("Right"), tr("Share"), tr("95 % interval"), *languages):
        table.add_column(title, justify="right")
    for place, rate in enumerate(summary.rates):
        if rate.n:
            others = [_counted(summary.languages[name][place]) for name in languages]
            table.add_row(label(rate.measure), _counted(rate), percent(rate.share), _interval(rate), *others)
    console.print(table)
    console.print()
    for duration in summary.times:
        console.print(f"  {_duration(duration)}", style="dim", markup=False, soft_wrap=True)
    for repeats in summary.repeats:
        console.print(f"  {_repeats(repeats)}", markup=False, soft_wrap=True)


def _notes(report: Report) -> list[str]:
    run, summary = report.run, report.summary
    lines = [
        tr("{count} questions of {file}, {slots} at once; shares count the first answer to each.",
           count=summary.questions, file=run.questions, slots=run.slots)
    ]  # fmt: skip
    if run.left_out:
        lines.append(
            tr("{count} questions of the file were not asked: for other people, or about a scanned document.",
               count=run.left_out)
        )  # fmt: skip
    if run.unreviewed:
        lines.append(tr("Some questions were proposed by a model and read by nobody."))
    if summary.errors:
        lines.append(tr("{count} questions got no answer at all; they count as wrong.", count=summary.errors))
    if run.state != "finished":
        lines.append(
            tr("Not finished: {done} of {total} answers.", done=len(report.tried), total=run.planned)
        )
    return lines


def show_wrong(console: "Console", report: Report, *, all_of_them: bool) -> None:
    """The questions that went wrong, each with its answer and what is wrong about it."""
    first = report.first()
    wrong = [(item, first[item.key]) for item in report.run.asked if item.key in first]
    wrong = [(item, tried) for item, tried in wrong if not tried.right]
    if not wrong:
        return
    console.print()
    console.print(tr("Went wrong: {count}", count=len(wrong)), style="bold")
    for item, tried in wrong if all_of_them else wrong[:_FEW]:
        console.print(f"  {item.id}  {item.question.question}", markup=False, soft_wrap=True)
        detail = tried.error or in_language(tried.detail, language())
        console.print(f"      {detail}", style="red", markup=False, soft_wrap=True)
        if all_of_them:
            text = " ".join(tried.text.split())
            shown = text if len(text) <= _ANSWER else f"{text[: _ANSWER - 1]}…"
            console.print(f"      {shown}", style="dim", markup=False, soft_wrap=True)
    if not all_of_them and len(wrong) > _FEW:
        more = tr("All of them: etabli eval show {id} --wrong", id=report.run.id)
        console.print(f"  {more}", style="dim", markup=False)


def show_comparison(console: "Console", comparison: Comparison) -> None:
    """Two evaluations side by side, and the questions that changed."""
    console.print()
    title = tr("{new} against {old}: {count} questions that both were asked",
               new=comparison.new, old=comparison.old, count=comparison.common)  # fmt: skip
    console.print(title, style="bold", markup=False, soft_wrap=True)
    lines = [
        tr("What changed: {parts}", parts=", ".join(comparison.parts))
        if comparison.parts
        else tr("The assistant is the same in both.")
    ]
    if comparison.apart:
        lines.append(tr("{count} questions that only one of them was asked are left out.",
                        count=comparison.apart))  # fmt: skip
    for line in lines:
        console.print(f"  {line}", style="dim", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(tr("Measure"))
    for name in (tr("Before"), tr("Now"), tr("Better"), tr("Worse"), tr("Difference"), "p"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in comparison.differences:
        points = f"{_points(one.low)} … {_points(one.high)}"
        verdict = tr("no difference shown")
        if one.shown:
            verdict = tr("better now") if one.better > one.worse else tr("worse now")
        table.add_row(
            label(one.measure), f"{one.old}/{one.n}", f"{one.new}/{one.n}", f"+{one.better}",
            f"\N{MINUS SIGN}{one.worse}", points, f"{one.p:.3f}", verdict,
        )  # fmt: skip
    console.print(table)
    for changed in comparison.changed:
        mark, colour = ("+", "green") if changed.better else ("\N{MINUS SIGN}", "red")
        shown = Text(f"  {mark} ", style=colour)
        shown.append(f"{changed.item.id}  {changed.item.question.question}", style="default")
        console.print(shown, soft_wrap=True)


def show_outcomes(console: "Console", outcomes: Sequence[Outcome]) -> None:
    """What was required, and whether it was shown."""
    if outcomes:
        console.print()
    for one in outcomes:
        say_step(console, one.sentence(), mark=DONE if one.shown else FAILED)


def show_runs(console: "Console", reports: Sequence[Report]) -> None:
    """A line an evaluation."""
    if not reports:
        console.print(tr("There is no evaluation yet. Make one with: etabli eval ASSISTANT"), markup=False)
        return
    states = {
        "running": tr("running"),
        "stopped": tr("stopped"),
        "failed": tr("failed"),
        "finished": tr("finished"),
    }
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in (tr("Evaluation"), tr("Begun"), tr("Model"), tr("Questions"), "correct", "abstains", ""):
        table.add_column(name, no_wrap=True)
    for report in reports:
        run, summary = report.run, report.summary
        begun = f"{run.created_at.astimezone():%Y-%m-%d %H:%M}"
        shares = [_counted(summary.rate(name)) for name in ("correct", "abstains")]
        table.add_row(run.id, begun, run.model, str(summary.questions), *shares, states[run.state])
    console.print(table)


def show_generation(console: "Console", made: Generation, path: str, assistant: str) -> None:
    """What was proposed, and what was dropped why."""
    console.print(
        tr("{count} questions are proposed or kept in {path}, {absent} of them without an answer.",
           count=made.proposed, path=path, absent=made.absent),
        markup=False, soft_wrap=True,
    )  # fmt: skip
    if made.found + made.not_found:
        console.print(
            tr("Of the new ones with an answer the search finds the document of {found}, and misses {missed}.",
               found=made.found, missed=made.not_found),
            markup=False, soft_wrap=True,
        )  # fmt: skip
    dropped = [(reason, made.dropped[reason]) for reason in REASONS if made.dropped[reason]]
    if dropped:
        console.print(tr("Dropped: {count}", count=made.dropped.total()))
    for reason, count in dropped:
        console.print(f"  {count:>4}  {reason_label(reason)}", style="dim", markup=False)
    if made.exhausted:
        console.print(
            tr("There are fewer than you asked for: the documents hold no more facts, or too much was dropped. Try "
               "another --seed."),
            style="yellow", soft_wrap=True,
        )  # fmt: skip
    console.print(
        tr("Look at them now: etabli eval review {name}", name=assistant), markup=False, soft_wrap=True
    )


def _counted(rate: Rate) -> str:
    return f"{rate.good}/{rate.n}" if rate.n else "–"


def _interval(rate: Rate) -> str:
    return f"{percent(rate.low)} – {percent(rate.high)}"


def _points(difference: float) -> str:
    sign = "+" if difference >= 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(100 * difference):.0f}"


def _duration(one: Duration) -> str:
    name = {
        "first_token": tr("First token of the model"),
        "first_text": tr("First words shown"),
        "total": tr("Whole answer"),
    }[one.name]
    if one.low is None or one.high is None:
        return tr("{name}: {median} in the middle of {count}",
                  name=name, median=_seconds(one.median), count=one.n)  # fmt: skip
    return tr("{name}: {median} in the middle of {count} (95 % interval {low} – {high}); 95 of 100 within {p95}",
              name=name, median=_seconds(one.median), count=one.n, low=_seconds(one.low), high=_seconds(one.high),
              p95=_seconds(one.p95))  # fmt: skip


def _seconds(milliseconds: float) -> str:
    text = f"{milliseconds / 1000:.1f} s"
    return text.replace(".", ",") if language() == "fr" else text


def _repeats(one: Repeats) -> str:
    hits = ", ".join(f"{tries}: {percent(share)}" for tries, share in enumerate(one.hit_at, start=1))
    return tr("{name}, asked {k} times: right in any of {k} {any} ({interval}), in all of {k} {all}; hit@k {hits}",
              name=label(one.measure), k=one.k, any=_counted(one.any_of), interval=_interval(one.any_of),
              all=_counted(one.all_of), hits=hits)  # fmt: skip
