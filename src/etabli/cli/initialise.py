"""`etabli init`: make a workspace."""

from pathlib import Path
from typing import Annotated

import typer

from etabli.cli.terminal import make_console, say_step, shown_path
from etabli.demo import make_workspace
from etabli.messages import tr

app = typer.Typer(rich_markup_mode="rich", add_completion=False)


@app.command()
def init(
    folder: Annotated[
        Path, typer.Argument(help="Where to make it; the folder is made when missing.")
    ] = Path(),
    demo: Annotated[
        bool, typer.Option("--demo", help="With the documents and the assistant of a demo clinic.")
    ] = False,
) -> None:
    """Make a workspace.

    It has settings, a first assistant and a folder for documents.

    Examples:
      etabli init my-office
      etabli init demo --demo
    """
    folder = folder.expanduser().resolve()
    make_workspace(folder, demo=demo)
    console = make_console()
    name = shown_path(folder)
    option = "" if name == "." else f" -w {name}"
    say_step(console, tr("The workspace {folder} is made.", folder=name if name != "." else folder))
    typer.echo(tr("Put documents into {folder}, then:", folder=shown_path(folder / "documents")))
    typer.echo(f"  etabli start{option}")
