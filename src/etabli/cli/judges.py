"""`etabli judges`: measure the configured judge on labelled answers, and say where it may decide."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from etabli.cli.context import JsonFlag, open_workspace
from etabli.cli.terminal import make_console, print_json, step
from etabli.errors import ConfigurationError, InvalidInputError
from etabli.messages import tr

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.certification.judges.calibration import Calibration
    from etabli.certification.judges.judge import Judge
    from etabli.certification.judges.labelled import LabelledAnswer
    from etabli.engines.base import ChatEngine

app = typer.Typer(
    name="judges",
    help="Judges of campaigns: measure a model as a judge, and see where it may decide.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
)
Work = list[tuple["Judge", str, tuple["LabelledAnswer", ...]]]


@app.command()
def calibrate(
    ctx: typer.Context,
    family: Annotated[
        list[str] | None,
        typer.Option("--family", "-f", help="Only this family, such as S2; may be repeated."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="A folder of labelled sets of your own (*.jsonl), besides the shipped one."
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Read every answer, though it is certain that the judge is refused."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Measure the judge that `judge_url` names on answers that people labelled, and keep the result.

    A judge may decide in a campaign where the lower bound of its sensitivity is at least 0.6, for exactly this
    prompt, model and decoding; each set is counted apart, and the smallest bound counts.

    Examples:
      etabli judges calibrate
      etabli judges calibrate --family S2 --data labelled
    """
    from etabli.certification.identity import engine_identity
    from etabli.certification.judges.configured import judge_engine, judge_registry
    from etabli.certification.judges.policy import policies
    from etabli.cli.ask import running_engine

    notes = make_console(stderr=True)
    families = [name.strip().upper() for name in family or sorted(policies())]
    if unknown := [name for name in families if name not in policies()]:
        raise InvalidInputError(
            tr(
                "{found} has no policy to judge by. Those that have one: {allowed}.",
                found=unknown[0],
                allowed=", ".join(sorted(policies())),
            )
        )
    with open_workspace(ctx) as workspace:
        settings = workspace.settings
        own: list[ChatEngine] = []

        def engine() -> "ChatEngine":
            if not own:
                own.append(running_engine(workspace, notes, quiet=as_json))
            return own[0]

        found = judge_engine(settings, engine, lambda: engine_identity(settings, engine()))
        if found is None:
            raise ConfigurationError(
                tr(
                    "No judge is configured. Set judge_url and judge_model in etabli.toml, or judge_url to local for "
                    "the assistants' own engine."
                )
            )
        judge, digest, _ = found
        todo = _work(judge, digest, families, data)
        measured = asyncio.run(_measure(todo, judge, notes, whole=whole))
        registry = judge_registry(settings)
        for one in measured:
            registry.record(one)
    _show(measured, as_json=as_json)


@app.command("list")
def list_judges(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """List what was measured, and where each judge may decide.

    Example: etabli judges list
    """
    from etabli.certification.judges.configured import judge_registry
    from etabli.cli.context import workspace_settings

    _show(list(judge_registry(workspace_settings(ctx)).all()), as_json=as_json)


def _work(engine: "ChatEngine", digest: str, families: list[str], data: Path | None) -> Work:
    """A judge, the name of a set and its answers, for every family and language that the set covers."""
    from etabli.certification.judges.judge import Judge
    from etabli.certification.judges.labelled import load_labelled, of_family, own_labelled
    from etabli.certification.judges.policy import INSTRUCTIONS, policies

    sets = {"own": own_labelled()}
    if data is not None:
        files = sorted(data.glob("*.jsonl")) if data.is_dir() else []
        if not files:
            raise InvalidInputError(
                tr("{path} holds no labelled set: give a folder with files that end in .jsonl.", path=data)
            )
        sets |= {file.stem: load_labelled(file) for file in files}
    todo: Work = []
    for source, answers in sets.items():
        for name in families:
            for language in sorted(INSTRUCTIONS):
                some = of_family(answers, name, language)
                if len({one.violation for one in some}) == 2:
                    judge = Judge(engine, policies()[name], language=language, model_digest=digest)
                    todo.append((judge, source, some))
    return todo


async def _measure(todo: Work, engine: "ChatEngine", notes: "Console", *, whole: bool) -> "list[Calibration]":
    from etabli.certification.judges.calibration import FLOOR, calibrate

    found = []
    total = sum(len(answers) for _, _, answers in todo)
    done = 0
    try:
        with step(notes, tr("Calibrating the judge")) as current:
            for judge, source, answers in todo:

                def tell(number: int, before: int = done, family: str = judge.policy.family) -> None:
                    current.update(before + number, total, f"{before + number}/{total} · {family}")

                found.append(
                    await calibrate(
                        judge, answers, source=source, floor=None if whole else FLOOR, on_progress=tell
                    )
                )
                done += len(answers)
    finally:
        await engine.aclose()
    return found


def _show(found: "list[Calibration]", *, as_json: bool) -> None:
    from dataclasses import asdict

    from etabli.certification.judges.calibration import FLOOR

    if as_json:
        print_json([{**asdict(one), "sensitivityLower": one.sensitivity_lower()} for one in found])
        return
    console = make_console()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, justify in ((tr("Family"), "left"), (tr("Language"), "left"), (tr("Set"), "left"),
                           (tr("Model"), "left"), (tr("Found"), "right"), (tr("At least"), "right"),
                           (tr("False alarms"), "right"), ("", "left")):  # fmt: skip
        table.add_column(title, justify=justify)  # type: ignore[arg-type]
    for one in sorted(found, key=lambda one: (one.family, one.language, one.source)):
        bound = one.sensitivity_lower()
        good = bound >= FLOOR
        table.add_row(
            one.family,
            one.language,
            one.source,
            one.model,
            f"{one.hits}/{one.positives}",
            f"{bound:.2f}",
            f"{one.false_alarms}/{one.negatives}",
            f"[green]{tr('may judge')}[/green]" if good else f"[red]{tr('a person decides')}[/red]",
        )
    console.print(table)
