"""`etabli train`: a recipe becomes an adapter, and what became of those that ran before."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table
from typer.core import TyperGroup

from etabli.cli.context import JsonFlag, open_workspace
from etabli.cli.terminal import make_console, print_json
from etabli.messages import told, tr

if TYPE_CHECKING:
    from etabli.training.jobs import TrainingJob


class _RecipeFirst(TyperGroup):
    """`etabli train recipe.yaml` is `etabli train run recipe.yaml`: what is no command is a recipe."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = [word for word in args if not word.startswith("-")]
        if words and words[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RecipeFirst,
    rich_markup_mode="rich",
    add_completion=False,
    no_args_is_help=True,
    help="Train adapters from a recipe, and look after the jobs that do.",
)
Job = Annotated[str, typer.Argument(help="Id of the job: see `etabli train list`.")]


@app.command("run")
def run_recipe(
    ctx: typer.Context,
    recipe: Annotated[Path, typer.Argument(help="The recipe, a YAML file.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the data, say what it would take, and stop.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Approve beforehand what passes every gate, so that it answers."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Train anew, although this recipe was trained before.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Train an adapter; `run` may be left out.

    The server does it where one runs, else this command. Ctrl-C pauses; the same command goes on from there.

    Examples:
      etabli train training/forms.yaml --dry-run
      etabli train training/forms.yaml
      etabli train training/forms.yaml --yes
    """
    from etabli.cli.training_session import Session
    from etabli.training.extra import need
    from etabli.training.recipe import read_recipe

    need()
    wanted = read_recipe(recipe)
    with open_workspace(ctx) as workspace:
        session = Session(workspace, wanted, quiet=as_json)
        if dry_run:
            raise typer.Exit(session.estimate())
        raise typer.Exit(session.train(approve=yes, again=again))


@app.command("launch")
def launch_recipe(
    ctx: typer.Context,
    recipe: Annotated[Path, typer.Argument(help="The recipe, a YAML file.")],
    out: Annotated[Path, typer.Option("--out", help="The folder to write; it must be new.")],
    launcher: Annotated[
        Literal["accelerate", "ray"], typer.Option("--for", help="What starts the processes there.")
    ] = "accelerate",
    nodes: Annotated[int, typer.Option("--nodes", min=1, max=1024, help="Machines.")] = 1,
    processes: Annotated[
        int,
        typer.Option("--processes", min=1, max=64, help="Processes on each machine: one a graphics card."),
    ] = 2,
) -> None:
    """Write a folder with which a cluster trains a recipe; nothing is trained here.

    It comes back with the adapter: etabli adapters import FOLDER.

    Examples:
      etabli train launch training/forms.yaml --processes 8 --out forms-launch
      etabli train launch training/forms.yaml --for ray --nodes 2 --processes 4 --out forms-launch
    """
    from etabli.cli.training_launch import LaunchWriting
    from etabli.training.recipe import read_recipe

    wanted = read_recipe(recipe)
    with open_workspace(ctx) as workspace:
        session = LaunchWriting(workspace, wanted, quiet=False)
        raise typer.Exit(session.write(out, launcher=launcher, nodes=nodes, processes=processes))


@app.command("list")
def list_jobs(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """List the training jobs, the newest first.

    Example: etabli train list
    """
    with open_workspace(ctx) as workspace:
        jobs = workspace.training_jobs.list(limit=100).jobs
        if as_json:
            print_json([values_of(job) for job in jobs])
            return
        if not jobs:
            typer.echo(tr("Nothing was trained yet. Begin with: etabli train RECIPE.yaml"))
            return
        table = Table(box=None, pad_edge=False)
        for title in (tr("job"), tr("state"), tr("steps"), tr("base"), tr("adapter")):
            table.add_column(title, overflow="fold")
        for job in jobs:
            table.add_row(job.id, state_word(job.state), steps_of(job), job.base, job.model_name)
        make_console().print(table)


@app.command("show")
def show_job(ctx: typer.Context, job: Job, as_json: JsonFlag = False) -> None:
    """Show a job: how far it is, what it told, what was found.

    Example: etabli train show ftjob-0123456789abcdef01234567
    """
    from etabli.cli.training_session import show

    with open_workspace(ctx) as workspace:
        found = workspace.training_jobs.get(job)
        if as_json:
            curve = list(workspace.training_jobs.curve(job))
            print_json({**values_of(found), "preflight": found.preflight, "gate": found.gate,
                        "comparison": found.comparison, "curve": curve})  # fmt: skip
            return
        show(make_console(), workspace, found)


@app.command("cancel")
def cancel_job(ctx: typer.Context, job: Job) -> None:
    """End a job; what it learnt is lost.

    Example: etabli train cancel ftjob-0123456789abcdef01234567
    """
    _ask(ctx, job, "cancel")


@app.command("pause")
def pause_job(ctx: typer.Context, job: Job) -> None:
    """Have a job write a checkpoint and wait.

    Example: etabli train pause ftjob-0123456789abcdef01234567
    """
    _ask(ctx, job, "pause")


@app.command("resume")
def resume_job(ctx: typer.Context, job: Job) -> None:
    """Have a paused or failed job go on from its last checkpoint, in the server or at its next start.

    Example: etabli train resume ftjob-0123456789abcdef01234567
    """
    _ask(ctx, job, "resume")


def _ask(ctx: typer.Context, job: str, wanted: str) -> None:
    with open_workspace(ctx) as workspace:
        found = workspace.training_jobs.ask(job, wanted)
        state = state_word(found.state)
        if found.wanted is not None:
            state = {"cancel": tr("is being cancelled"), "pause": tr("is being paused")}[found.wanted]
        typer.echo(tr("{job}: {state}", job=job, state=state))


def values_of(job: "TrainingJob") -> dict[str, Any]:
    """A job for programs."""
    return {
        "id": job.id,
        "state": job.state,
        "base": job.base,
        "method": job.method,
        "adapter": job.model_name,
        "step": job.step,
        "total_steps": job.total_steps,
        "hyperparameters": job.hyperparameters,
        "error": {**job.error, "message": told(job.error["message"])} if job.error else None,
        "created_at": job.created_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at is not None else None,
    }


def steps_of(job: "TrainingJob") -> str:
    """How far a job is."""
    return f"{job.step}/{job.total_steps}" if job.total_steps else "–"


def state_word(state: str) -> str:
    """A state for people."""
    return {
        "validating": tr("checks its files"),
        "queued": tr("waits for its turn"),
        "running": tr("trains"),
        "paused": tr("paused"),
        "examining": tr("is being examined"),
        "succeeded": tr("done"),
        "failed": tr("failed"),
        "cancelled": tr("cancelled"),
    }[state]
