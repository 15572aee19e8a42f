"""What `etabli certify` shows: the plan before the campaign, the verdict after it."""

from typing import TYPE_CHECKING, Any

from rich.table import Table

from etabli.cli.terminal import seconds
from etabli.messages import language, tr

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.certification.store import CampaignRecord

JSON = dict[str, Any]
_SHOWN_FINDINGS = 5
_SHOWN_REFUSALS = 2


def family_name(family: str) -> str:
    """Id and label, for people."""
    from etabli.certification.taxonomy import taxonomy

    return f"{family} {taxonomy().get(family).label(language())}"


def show_plan(console: "Console", record: "CampaignRecord") -> None:
    """What will be tried, what that can show, and what it costs."""
    plan = record.plan
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, justify in ((tr("Family"), "left"), (tr("Units"), "right"), (tr("Failures allowed"), "right"),
                           (tr("Power"), "right")):  # fmt: skip
        table.add_column(title, justify=justify)  # type: ignore[arg-type]
    for one in plan["families"]:
        looks = one.get("looks") or [one["units"]]
        allowed = str(one["allowed"]) if one["allowed"] >= 0 else tr("too few prompts to pass")
        if len(looks) == 2:
            allowed = tr("none, else {allowed} of {units}", allowed=one["allowed"], units=looks[1])
        table.add_row(
            family_name(one["id"]), str(one["units"]), allowed, f"{100 * float(one['power']):.0f} %"
        )
    console.print(table)
    for one in plan["skipped"]:
        if one["reason"] != "unasked":
            console.print(
                f"  {family_name(one['id'])}: {skipped_because(one['reason'])}", style="dim", markup=False
            )
    for line in judge_lines(plan):
        console.print(f"  {line}", style="dim", markup=False)
    console.print(
        tr(
            "{replies} replies, about {tokens} tokens, about {time}; attempt {attempt}.",
            replies=plan["replies"],
            tokens=f"{plan['tokens']:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"),
            time=seconds(plan["seconds"]),
            attempt=plan["attempt"],
        )
    )
    if later := plan.get("later_replies"):
        console.print(
            tr(
                "At most {count} more where one or two failures lead to a second look.",
                count=later,
            ),
            style="dim",
        )


def judge_lines(plan: JSON) -> list[str]:
    """Which families have a judge, and why the configured judge decides no others."""
    lines = [
        tr(
            "{family}: {judge} clears what programs leave open, at least {share} of violations found; what it flags "
            "waits for a person.",
            family=one["id"],
            judge=one["judge"]["id"],
            share=f"{100 * float(one['judge']['seLower']):.0f} %",
        )
        for one in plan["families"]
        if one.get("judge")
    ]
    refused = plan.get("judgesRefused", [])
    lines += refused[:_SHOWN_REFUSALS]
    if len(refused) > _SHOWN_REFUSALS:
        lines.append(
            tr(
                "{count} more like it: etabli judges list. People decide there.",
                count=len(refused) - _SHOWN_REFUSALS,
            )
        )
    return lines


def skipped_because(reason: str) -> str:
    """Why a family is not tried, for people."""
    return {
        "tools": tr("not tried: it has no tools"),
        "measured": tr("not probed: measured on what the others send"),
        "material": tr("not tried: there is no material for it, or the target cannot be given it"),
        "unasked": tr("not asked for"),
    }.get(reason, reason)


def show_result(console: "Console", record: "CampaignRecord") -> None:
    """The verdict, a line a family, the worst findings."""
    from etabli.certification.detectors.wording import in_language
    from etabli.certification.report.words import verdict_title

    result = record.result or {}
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, justify in ((tr("Family"), "left"), (tr("Violated"), "right"), (tr("Bound"), "right"),
                           (tr("Threshold"), "right"), ("", "left")):  # fmt: skip
        table.add_column(title, justify=justify)  # type: ignore[arg-type]
    for one in result.get("families", []):
        table.add_row(*_family_cells(one))
    console.print(table)
    for one in result.get("findings", [])[:_SHOWN_FINDINGS]:
        detail = in_language(one["detail"], language())
        console.print(f"  {one['family']}: {detail}", markup=False, style="red")
    console.print()
    if record.state == "awaiting":
        console.print(tr("{count} outputs wait for a person to read them.", count=result["awaiting"]))
    if result.get("replay"):
        console.print(replay_line(result["replay"]), markup=False)
    console.print(f"[bold]{verdict_title(str(record.verdict))}[/bold]")


def replay_line(replay: JSON) -> str:
    """How often the same question got the same answer, when some were asked again at the end."""
    return tr(
        "Asked again: {same} of {tried} replies were the same.", same=replay["same"], tried=replay["tried"]
    )


def _family_cells(one: JSON) -> list[str]:
    """Violated of all, the bound on violations and its threshold, in per cent, and the verdict."""
    n = one["n"]
    if "good" in one:
        bad, bound, threshold = n - one["good"], 1 - float(one["lowerSpent"]), 1 - float(one["tau"])
    else:
        bad = one["k"]
        bound = float(one.get("boundSpent") or one.get("upperSpent") or 1)
        threshold = float(one["theta0"])
    words = {
        "passed": ("green", tr("passed")),
        "failed": ("red", tr("failed")),
        "inconclusive": ("yellow", tr("inconclusive")),
        "awaiting": ("yellow", tr("waits for a person")),
    }
    colour, word = words[one["verdict"]]
    rates = [f"{100 * bound:.1f} %", f"{100 * threshold:.0f} %"]
    return [family_name(one["id"]), f"{bad}/{n}", *rates, f"[{colour}]{word}[/{colour}]"]
