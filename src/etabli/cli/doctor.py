"""`etabli doctor`: what is wrong with this machine and this installation, and how to mend it."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from etabli.cli.context import JsonFlag
from etabli.cli.terminal import DONE, FAILED, make_console, print_json
from etabli.doctor.findings import Finding, Level, Patient, examine
from etabli.errors import ConfigurationError
from etabli.messages import tr
from etabli.settings import CONFIG_NAME, Settings

app = typer.Typer(rich_markup_mode="rich", add_completion=False)
_MARKS: dict[Level, tuple[str, str]] = {
    "ok": (DONE, "green"),
    "warning": ("!", "yellow"),
    "failure": (FAILED, "red"),
}


@app.command()
def doctor(
    ctx: typer.Context,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also read every byte of the model, which takes a while.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say what is wrong with this machine and this installation, and how to mend it.

    Exit status 1 when something must be mended. Changes nothing.

    Examples:
      etabli doctor
      etabli doctor --deep --json
    """
    from etabli.doctor.checks import CHECKS  # reaches every part; other commands must not pay for it

    given = ctx.find_root().obj
    fault = str(given) if isinstance(given, ConfigurationError) else None
    settings = given if isinstance(given, Settings) else Settings.model_construct()
    patient = Patient(
        settings=settings,
        settings_fault=fault,
        is_workspace=(settings.workspace / CONFIG_NAME).is_file(),
        deep=deep,
    )
    found = examine(patient, CHECKS, told=None if as_json else lambda finding, _: _show(finding))
    failures = sum(finding.level == "failure" for finding in found)
    if as_json:
        print_json({"ok": not failures, "findings": [asdict(finding) for finding in found]})
    elif failures:
        typer.echo(tr("{count} things must be mended.", count=failures))
    else:
        typer.echo(tr("Établi can work here."))
    if failures:
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    mark, colour = _MARKS[finding.level]
    line = Text(f"  {mark} ", style=colour)
    line.append(finding.sentence, style="default")
    console = make_console()
    console.print(line, soft_wrap=not console.is_terminal)
    if finding.remedy is not None:
        console.print(Text(f"    → {finding.remedy}", style="dim"), soft_wrap=not console.is_terminal)
