"""`etabli eval`: how good are the answers of an assistant, to whose questions, and is another one better?

`etabli eval NAME` is `etabli eval run NAME`. Exit status: 0; 3 when something that is required was not shown.
"""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from etabli.cli.context import JsonFlag, open_workspace, workspace_settings
from etabli.cli.terminal import NOTE, make_console, print_json, say_step, shown_path, step
from etabli.errors import InvalidInputError
from etabli.messages import tr

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.assistants.specification import AssistantSpecification
    from etabli.evaluation.comparing import Comparison
    from etabli.evaluation.evaluating import Evaluator
    from etabli.evaluation.questions import QuestionSet
    from etabli.evaluation.requirements import Outcome, Requirement
    from etabli.evaluation.store import Report, Run, RunStore
    from etabli.workspace import Workspace

JSON = dict[str, Any]
T = TypeVar("T")
_INTERRUPTED = 130


class _Evaluations(TyperGroup):
    """Lets the name of an assistant stand where a command would: `etabli eval clinique`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.list_commands(ctx), *ctx.help_option_names}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Evaluations,
    help="""Measure the answers of an assistant, on your own questions or on generated ones.

    Examples:
      etabli eval clinique
      etabli eval clinique --generate 40
      etabli eval review clinique
      etabli eval clinique --generated --compare clinique-1
    """,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
Against = Annotated[
    str | None,
    typer.Option("--compare", help="An earlier evaluation, or a file that --output wrote, to compare with."),
]
Require = Annotated[
    list[str] | None,
    typer.Option(
        "--require", help="Such as correct>=0.6: exit with 3 when that is not shown; may be repeated."
    ),
]
Junit = Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML for a build server.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write everything, answers too, as JSON.")
]


@app.command("run")
def run(
    ctx: typer.Context,
    assistant: Annotated[str, typer.Argument(help="Which assistant of this workspace.")],
    questions: Annotated[
        Path | None,
        typer.Option("--questions", help="Questions, .jsonl or .csv; else questions/ASSISTANT.jsonl."),
    ] = None,
    generate: Annotated[
        int | None,
        typer.Option(
            "--generate", min=1, max=10_000, help="Have questions proposed until there are so many, and stop."
        ),
    ] = None,
    generated: Annotated[
        bool, typer.Option("--generated", help="Ask the generated questions that a person kept.")
    ] = False,
    unreviewed: Annotated[
        bool, typer.Option("--unreviewed", help="Also those that nobody looked at yet.")
    ] = False,
    compare: Against = None,
    repeat: Annotated[
        int, typer.Option("--repeat", min=1, max=100, help="Ask each question so many times.")
    ] = 1,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Only so many questions, spread over all.")
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Of the model's sampling, and of what is generated.")
    ] = 1,
    require: Require = None,
    junit: Junit = None,
    output: Output = None,
    new: Annotated[
        bool, typer.Option("--new", help="Begin anew instead of going on with an interrupted evaluation.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Ask an assistant questions whose answers are known, and tell how good it is.

    Ctrl-C stops; the same command goes on from there. `run` may be left out.

    Examples:
      etabli eval clinique --limit 20
      etabli eval clinique --questions ours.csv --require "correct>=0.6"
      etabli eval clinique --generate 40
      etabli eval clinique --generated --unreviewed --compare clinique-1
    """
    from etabli.evaluation.requirements import NOT_SHOWN, read_requirements

    if questions is not None and (generated or unreviewed):
        raise InvalidInputError(tr("Name a file with --questions, or ask the generated ones: not both."))
    required = read_requirements(require or ())
    notes = make_console(stderr=True)
    with open_workspace(ctx) as workspace:
        chosen = workspace.assistants.get(assistant)
        if generate is not None:
            _generate(workspace, chosen, generate, seed=seed, notes=notes, as_json=as_json)
            return
        asked = _questions(workspace, chosen, questions, generated=generated, unreviewed=unreviewed)
        baseline = _report(_store(workspace), compare) if compare is not None else None
        evaluator = _evaluator(workspace, notes, quiet=as_json)
        with step(notes, tr("Reading what the assistant is made of")):
            planned = evaluator.plan(
                chosen,
                asked.spread(limit),
                version=_version(workspace, chosen.name),
                unreviewed=unreviewed,
                repeat=repeat,
                seed=seed,
            )
        _say_why_anew(evaluator.store, planned, notes, anew=new)
        begun = evaluator.begin(planned, anew=new)
        report = asyncio.run(_ask(evaluator, begun, chosen, notes))
    outcomes, comparison = _told(report, required, baseline)
    _write(report, outcomes, comparison, junit=junit, output=output, notes=notes)
    _show(report, outcomes, comparison, as_json=as_json)
    if not all(one.shown for one in outcomes):
        raise typer.Exit(NOT_SHOWN)


@app.command("review")
def review(
    ctx: typer.Context,
    assistant: Annotated[str, typer.Argument(help="Which assistant of this workspace.")],
) -> None:
    """Look at the generated questions one by one: k keeps, d drops, e edits, q leaves.

    Every decision is kept at once; the same command goes on with the rest.

    Example: etabli eval review clinique
    """
    settings = workspace_settings(ctx)
    from etabli.assistants.catalogue import AssistantCatalogue
    from etabli.cli.evaluation_review import review_questions
    from etabli.evaluation.evaluating import generated_file

    AssistantCatalogue(settings.assistants_dir).get(assistant)
    review_questions(make_console(), generated_file(settings.questions_dir, assistant))


@app.command("list")
def list_runs(
    ctx: typer.Context,
    assistant: Annotated[
        str | None, typer.Argument(help="Only those of this assistant.", show_default=False)
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the evaluations, the newest first.

    Example: etabli eval list
    """
    settings = workspace_settings(ctx)
    from etabli.cli.evaluation_tables import show_runs
    from etabli.evaluation.evaluating import evaluations_dir
    from etabli.evaluation.store import RunStore

    store = RunStore(evaluations_dir(settings))
    reports = [store.report(one.id) for one in store.list(assistant)]
    if as_json:
        print_json(
            [
                one.run.model_dump(mode="json", exclude={"items", "components"})
                | {"summary": one.summary.to_json()}
                for one in reports
            ]
        )
        return
    show_runs(make_console(), reports)


@app.command("show")
def show(
    ctx: typer.Context,
    run: Annotated[str, typer.Argument(help="Its name, such as clinique-3, or a file that --output wrote.")],
    compare: Against = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="Every question that went wrong.")] = False,
    require: Require = None,
    junit: Junit = None,
    output: Output = None,
    as_json: JsonFlag = False,
) -> None:
    """Show an evaluation again, alone or beside another one.

    Examples:
      etabli eval show clinique-2 --wrong
      etabli eval show clinique-2 --compare clinique-1
    """
    from etabli.evaluation.evaluating import evaluations_dir
    from etabli.evaluation.requirements import NOT_SHOWN, read_requirements
    from etabli.evaluation.store import RunStore

    required = read_requirements(require or ())
    store = RunStore(evaluations_dir(workspace_settings(ctx)))
    baseline = _report(store, compare) if compare is not None else None
    report = _report(store, run)
    outcomes, comparison = _told(report, required, baseline)
    _write(report, outcomes, comparison, junit=junit, output=output, notes=make_console(stderr=True))
    _show(report, outcomes, comparison, as_json=as_json, wrong=wrong)
    if not all(one.shown for one in outcomes):
        raise typer.Exit(NOT_SHOWN)


def _evaluator(workspace: "Workspace", notes: "Console", *, quiet: bool) -> "Evaluator":
    from etabli.cli.ask import running_engine
    from etabli.evaluation.evaluating import Evaluator, evaluations_dir

    engine = running_engine(workspace, notes, quiet=quiet)
    return Evaluator(
        workspace.certification_parts(engine),
        searcher=workspace.searcher,
        folder=evaluations_dir(workspace.settings),
    )


def _store(workspace: "Workspace") -> "RunStore":
    from etabli.evaluation.evaluating import evaluations_dir
    from etabli.evaluation.store import RunStore

    return RunStore(evaluations_dir(workspace.settings))


def _version(workspace: "Workspace", assistant: str) -> int:
    from etabli.assistants.versions import VersionStore

    return VersionStore(workspace.database, workspace.settings.assistants_dir).head(assistant).number


def _questions(
    workspace: "Workspace",
    assistant: "AssistantSpecification",
    path: Path | None,
    *,
    generated: bool,
    unreviewed: bool,
) -> "QuestionSet":
    from etabli.evaluation.evaluating import generated_file, own_questions
    from etabli.evaluation.questions import audiences_of

    folder = workspace.settings.questions_dir
    if not generated and not unreviewed:
        return own_questions(folder, assistant, path)
    audiences = audiences_of(assistant.audience)
    return generated_file(folder, assistant.name).questions(unreviewed=unreviewed, audiences=audiences)


def _report(store: "RunStore", name: str) -> "Report":
    """An evaluation of this workspace, or one in a file."""
    from etabli.evaluation.store import read_report

    path = Path(name)
    return read_report(path) if path.is_file() else store.report(name)


def _say_why_anew(store: "RunStore", planned: "Run", notes: "Console", *, anew: bool) -> None:
    """Why an interrupted evaluation is not gone on with."""
    from etabli.certification.bundle import changed

    run = store.interrupted(planned.assistant)
    if anew or run is None or run.same_as(planned):
        return
    parts = ", ".join(changed(run.components, planned.components))
    if parts:
        told = tr(
            "{id} was interrupted, but the assistant changed since ({parts}): beginning anew",
            id=run.id,
            parts=parts,
        )
    else:
        told = tr("{id} was interrupted, but asked something else: beginning anew", id=run.id)
    say_step(notes, told, mark=NOTE)


async def _interruptible(evaluator: "Evaluator", work: Coroutine[Any, Any, T], notes: "Console") -> T:
    """Let Ctrl-C cancel it, so that what is done is kept; give back the engine's connections at its end."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGINT, task.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        say_step(notes, tr("Stopped; the same command goes on from here"), mark=NOTE)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        await evaluator.aclose()


async def _ask(
    evaluator: "Evaluator", run: "Run", assistant: "AssistantSpecification", notes: "Console"
) -> "Report":
    with step(notes, tr("Asking {name}: {id}", name=assistant.name, id=run.id)) as current:
        asking = evaluator.run(
            run,
            assistant,
            on_progress=lambda one: current.update(
                one.done,
                one.total,
                tr("{done}/{total}, {right} right", done=one.done, total=one.total, right=one.right),
            ),
        )
        return await _interruptible(evaluator, asking, notes)


def _generate(
    workspace: "Workspace",
    assistant: "AssistantSpecification",
    wanted: int,
    *,
    seed: int,
    notes: "Console",
    as_json: bool,
) -> None:
    from etabli.cli.evaluation_tables import show_generation

    evaluator = _evaluator(workspace, notes, quiet=as_json)
    path = evaluator.generated(assistant).path

    async def work() -> Any:
        with step(notes, tr("Wording questions for {name}", name=assistant.name)) as current:
            generating = evaluator.generate(
                assistant,
                wanted,
                seed=seed,
                on_progress=lambda one: current.update(
                    one.proposed, one.wanted, f"{one.proposed}/{one.wanted} · {one.tried}"
                ),
            )
            return await _interruptible(evaluator, generating, notes)

    made = asyncio.run(work())
    if as_json:
        print_json({"file": str(path), **made.to_json()})
    else:
        show_generation(make_console(), made, shown_path(path), assistant.name)


def _told(
    report: "Report", required: "tuple[Requirement, ...]", baseline: "Report | None"
) -> "tuple[tuple[Outcome, ...], Comparison | None]":
    from etabli.evaluation.comparing import compare
    from etabli.evaluation.requirements import check

    return check(required, report.summary), compare(baseline, report) if baseline is not None else None


def _as_json(report: "Report", outcomes: "tuple[Outcome, ...]", comparison: "Comparison | None") -> JSON:
    found = {**report.to_json(), "requirements": [one.to_json() for one in outcomes]}
    return found if comparison is None else {**found, "comparison": comparison.to_json()}


def _write(
    report: "Report",
    outcomes: "tuple[Outcome, ...]",
    comparison: "Comparison | None",
    *,
    junit: Path | None,
    output: Path | None,
    notes: "Console",
) -> None:
    import json

    from etabli.evaluation.junit import junit_of

    files = []
    if junit is not None:
        files.append((junit, junit_of(report, outcomes)))
    if output is not None:
        text = json.dumps(_as_json(report, outcomes, comparison), ensure_ascii=False, indent=1)
        files.append((output, f"{text}\n".encode()))
    for path, data in files:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise InvalidInputError(
                tr("{path} cannot be written: {reason}. The evaluation is kept as {id}.",
                   path=path, reason=error.strerror or error, id=report.run.id)
            ) from None  # fmt: skip
        say_step(notes, tr("Written: {path}", path=shown_path(path)))


def _show(
    report: "Report",
    outcomes: "tuple[Outcome, ...]",
    comparison: "Comparison | None",
    *,
    as_json: bool,
    wrong: bool = False,
) -> None:
    from etabli.cli.evaluation_tables import show_comparison, show_outcomes, show_report, show_wrong

    if as_json:
        print_json(_as_json(report, outcomes, comparison))
        return
    console = make_console()
    show_report(console, report)
    show_wrong(console, report, all_of_them=wrong)
    if comparison is not None:
        show_comparison(console, comparison)
    show_outcomes(console, outcomes)
