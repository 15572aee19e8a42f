"""`etabli status`: what runs, and where. Asks the running server over HTTP and opens nothing itself."""

from pathlib import Path
from typing import Annotated, Any

import typer

from etabli.cli.context import JsonFlag, workspace_settings
from etabli.cli.remote import RunningServer, running_server
from etabli.cli.terminal import DONE, FAILED, NOTE, make_console, print_json, say_step, shown_path
from etabli.errors import EtabliError
from etabli.listening import is_serving
from etabli.messages import tr
from etabli.settings import Settings

app = typer.Typer(rich_markup_mode="rich", add_completion=False)


@app.command()
def status(
    ctx: typer.Context,
    show_key: Annotated[
        bool, typer.Option("--show-key", help="Print the key of the API too. Mind who looks.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say what runs, and where.

    Exit status 0 when it serves and 3 when it does not.

    Examples:
      etabli status
      etabli status --json
    """
    settings = workspace_settings(ctx)
    key_file = settings.run_dir / "api-key"
    key = key_file.read_text(encoding="utf-8").strip() if key_file.is_file() else None
    found: dict[str, Any] = {"serving": is_serving(settings.run_dir), "key_file": str(key_file)}
    if (server := running_server(settings)) is not None:
        found |= _ask_server(server)
    if show_key:
        found["key"] = key
    if as_json:
        print_json(found)
    else:
        _show(settings, found, key_file)
    if not found["serving"]:
        raise typer.Exit(3)


def _ask_server(server: RunningServer) -> dict[str, Any]:
    """What the running server says of itself; its address alone where it does not answer."""
    try:
        return server.get("/status")
    except EtabliError:
        return {"url": server.url}


def _show(settings: Settings, found: dict[str, Any], key_file: Path) -> None:
    console = make_console()
    folder = shown_path(settings.workspace)
    if not found["serving"]:
        say_step(console, tr("Établi does not serve {folder}.", folder=folder), mark=NOTE)
        typer.echo(tr("    Start it with: etabli start -w {folder}", folder=folder))
        return
    if "url" not in found:
        say_step(console, tr("Établi is starting for {folder}.", folder=folder), mark=NOTE)
        return
    say_step(console, tr("Établi serves {folder} at {url}", folder=folder, url=f"{found['url']}/v1"))
    say_step(console, tr("Key: in {file}", file=shown_path(key_file)))
    if "key" in found:
        typer.echo(f"    {found['key']}")
    if "engine" not in found:
        say_step(console, tr("The server does not answer."), mark=FAILED)
        return
    engine, worker, database = found["engine"], found["worker"], found["database"]
    _say_part(
        tr("Engine: {model}, {status}", model=engine.get("model", "?"), status=status_word(engine)), engine
    )
    kind = tr("embedded") if database.get("embedded") else tr("external")
    _say_part(tr("Database: {kind}, {status}", kind=kind, status=status_word(database)), database)
    _say_part(tr("Reading of documents: {status}", status=status_word(worker)), worker)
    if "documents" in found:
        from etabli.cli.documents import state_word

        states = ", ".join(f"{count} {state_word(state)}" for state, count in found["documents"].items())
        passages = found["index"]["chunks"]
        say_step(
            console, tr("Documents: {states}; {count} passages", states=states or tr("none"), count=passages)
        )


def status_word(part: dict[str, Any]) -> str:
    """The state of a part in words."""
    words = {
        "ready": tr("ready"),
        "configured": tr("configured"),
        "starting": tr("starting"),
        "restarting": tr("starting again"),
        "failed": tr("failed"),
        "stopped": tr("stopped"),
        "unavailable": tr("does not answer"),
    }
    return words.get(str(part.get("status")), str(part.get("status")))


def _say_part(words: str, part: dict[str, Any]) -> None:
    good = part.get("status") in ("ready", "configured")
    bad = part.get("status") in ("failed", "unavailable")
    reason = part.get("last_error")
    line = f"{words} ({reason})" if reason and not good else words
    say_step(make_console(), line, mark=DONE if good else FAILED if bad else NOTE)
