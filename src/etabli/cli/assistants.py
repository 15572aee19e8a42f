"""`etabli assistants`: see and check the assistants of a workspace."""

from pathlib import Path
from typing import Annotated

import typer

from etabli.cli.context import JsonFlag, workspace_settings
from etabli.cli.terminal import DONE, FAILED, make_console, print_json, say_step
from etabli.errors import NotFoundError
from etabli.messages import tr

app = typer.Typer(
    help="The assistants: list, show, check.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
)


@app.command("list")
def list_assistants(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """List the assistants, and the files that cannot be used.

    Example: etabli assistants list
    """
    settings = workspace_settings(ctx)
    from etabli.assistants.catalogue import AssistantCatalogue

    catalogue = AssistantCatalogue(settings.assistants_dir)
    found, faults = catalogue.list(), catalogue.faults()
    if as_json:
        print_json({"assistants": [one.model_dump(mode="json") for one in found], "faults": faults})
        return
    for one in found:
        typer.echo(f"{one.name}  {one.title}")
        if one.description:
            typer.echo(f"    {one.description}")
    for sentences in faults.values():
        for sentence in sentences:
            typer.echo(f"{FAILED} {sentence}", err=True)
    if not found and not faults:
        typer.echo(tr("There is no assistant yet. Write one in {folder}.", folder=settings.assistants_dir))


@app.command("show")
def show_assistant(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the assistant.")],
    as_json: JsonFlag = False,
) -> None:
    """Show everything that an assistant is, defaults included.

    Example: etabli assistants show clinique
    """
    settings = workspace_settings(ctx)
    import yaml

    from etabli.assistants.catalogue import AssistantCatalogue

    values = AssistantCatalogue(settings.assistants_dir).get(name).model_dump(mode="json")
    if as_json:
        print_json(values)
    else:
        typer.echo(yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=100).rstrip())


@app.command("check")
def check_assistants(
    ctx: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files to check; all those of the workspace by default.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check the files of assistants.

    Each fault is one sentence with its line; exit status 1 if there is one.

    Examples:
      etabli assistants check
      etabli assistants check assistants/clinique.yaml
    """
    settings = workspace_settings(ctx)
    from etabli.assistants.catalogue import AssistantCatalogue

    catalogue = AssistantCatalogue(settings.assistants_dir)
    paths = files or sorted(settings.assistants_dir.glob("*.y*ml"))
    if missing := [path for path in paths if not path.is_file()]:
        raise NotFoundError(tr("{path} does not exist. Give a file or a folder.", path=missing[0]))
    faults = {str(path): catalogue.check(path) for path in paths}
    if as_json:
        print_json(faults)
    console = make_console()
    for path, sentences in faults.items() if not as_json else ():
        if not sentences:
            say_step(console, tr("{file}: as it should be", file=Path(path).name), mark=DONE)
        for sentence in sentences:
            say_step(console, sentence, mark=FAILED)
    if any(faults.values()):
        raise typer.Exit(1)
