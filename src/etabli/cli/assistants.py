"""`etabli assistants`: see and check the assistants of a workspace."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from etabli.cli.context import JsonFlag, open_workspace, workspace_settings
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


@app.command("history")
def show_history(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the assistant; it may be deleted.")],
    as_json: JsonFlag = False,
) -> None:
    """List the versions of an assistant, the newest first.

    Example: etabli assistants history clinique
    """
    with open_workspace(ctx) as workspace:
        from etabli.assistants.versions import VersionStore

        store = VersionStore(workspace.database, workspace.settings.assistants_dir)
        store.heads()  # what was changed by hand is a version, too
        versions = store.list(name)
        if not versions:
            raise NotFoundError(tr("There is no assistant {name}.", name=name))
        if as_json:
            print_json([asdict(each) | {"saved_at": each.saved_at.isoformat()} for each in versions])
            return
        words = {
            "saved": tr("saved"),
            "file": tr("changed in the file"),
            "restored": tr("restored"),
            "deleted": tr("deleted"),
        }
        for each in versions:
            kind = words[each.kind]
            if each.restored_from is not None:
                kind = tr("restored from version {number}", number=each.restored_from)
            line = f"{each.number:>4}  {each.saved_at.astimezone():%Y-%m-%d %H:%M}  {kind}"
            typer.echo(f"{line}  {each.note}".rstrip())


@app.command("restore")
def restore_version(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the assistant; it may be deleted.")],
    number: Annotated[
        int | None,
        typer.Argument(help="Number of the version; the last one of a deleted assistant by default."),
    ] = None,
) -> None:
    """Make an older version of an assistant the newest again, or bring back a deleted one.

    Examples:
      etabli assistants restore clinique 3
      etabli assistants restore clinique
    """
    with open_workspace(ctx) as workspace:
        from etabli.assistants.versions import VersionStore

        store = VersionStore(workspace.database, workspace.settings.assistants_dir)
        version = store.restore(name, number)
        typer.echo(tr("{name} is as it was; this is its version {number}.", name=name, number=version.number))


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
