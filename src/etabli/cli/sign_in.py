"""`etabli sign-in`: an address that opens the chat, once. Asks the running server and opens nothing itself."""

import typer

from etabli.cli.context import workspace_settings
from etabli.cli.remote import running_server
from etabli.cli.terminal import make_console, shown_path
from etabli.errors import NotFoundError
from etabli.messages import tr

app = typer.Typer(rich_markup_mode="rich", add_completion=False)


@app.command()
def sign_in(ctx: typer.Context) -> None:
    """Print an address that opens the chat in a browser.

    It works once, within 15 minutes; the browser then stays signed in for 30 days after its last use.

    Examples:
      etabli sign-in
      etabli sign-in -w my-office
    """
    settings = workspace_settings(ctx)
    server = running_server(settings)
    if server is None:
        folder = shown_path(settings.workspace)
        raise NotFoundError(
            tr("Établi does not serve {folder}. Start it with: etabli start -w {folder}", folder=folder)
        )
    link = server.post("/v1/etabli/sign-in-links", {})
    typer.echo(server.url + link["path"])
    console = make_console(stderr=True)
    console.print(
        tr("It works once, within 15 minutes. Who opens it is signed in: show it to nobody."), style="dim"
    )
