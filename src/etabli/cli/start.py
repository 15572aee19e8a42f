"""`etabli start`: from nothing to a cited answer and a server, in one command."""

import json
import logging
import logging.handlers
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from etabli import __version__
from etabli.cli.context import no_workspace, settings_of
from etabli.cli.first_question import FirstQuestion
from etabli.cli.terminal import NOTE, make_console, say_step, seconds, shown_path, step
from etabli.demo import is_workspace, make_workspace
from etabli.errors import AlreadyServingError, ConfigurationError
from etabli.messages import language, tr
from etabli.models.sizes import format_bytes
from etabli.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.serving import Serving
    from etabli.workspace import Workspace

app = typer.Typer(rich_markup_mode="rich", add_completion=False)
_LOG_BYTES = 2_500_000


@app.command()
def start(
    ctx: typer.Context,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make the workspace first, with the demo clinic, if there is none.")
    ] = False,
    once: Annotated[
        bool,
        typer.Option("--once", help="Stop as soon as everything is ready: for scripts and measurements."),
    ] = False,
) -> None:
    """Start everything and serve.

    Database, model, documents and the API; Ctrl-C stops them. The first start fetches the model, reads the
    documents and, once the chat can be opened, asks a first question. Later ones take seconds.

    Examples:
      etabli start --demo -w demo
      etabli start -w my-office
    """
    began = time.monotonic()
    console = make_console()
    settings = _prepare_workspace(settings_of(ctx), demo=demo, console=console)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    from etabli.serving import Serving
    from etabli.workspace import Workspace

    try:
        workspace = Workspace(settings)
        _log_to(settings.logs_dir / "server.log")
        with Serving(workspace) as serving:
            _start_parts(serving, console)
            _serve(serving, console, began, once=once)
            if once:
                return
            console.print()
            with step(console, tr("Stopping")) as current:
                serving.close()
                current.end(tr("Everything is stopped; nothing is lost."))
    except AlreadyServingError as error:
        say_step(console, str(error), mark=NOTE)
        if error.url is None:
            raise typer.Exit(1) from None


def _serve(serving: "Serving", console: "Console", began: float, *, once: bool) -> None:
    """Serve until told to stop: first the address is shown, then a first question is asked there."""
    question = FirstQuestion(
        serving, console, then=serving.stop if once else lambda: _say_ways(serving, console)
    )

    def ready() -> None:
        _say_ready(serving, console, began, once=once)
        question.begin()

    try:
        serving.run(ready, on_stop=question.break_off)
    finally:
        question.break_off()
        question.wait()


def _prepare_workspace(settings: Settings, *, demo: bool, console: "Console") -> Settings:
    """The settings of the workspace, which is made where `--demo` asks for it."""
    folder = settings.workspace
    title = Text(f"Établi {__version__}", style="bold")
    title.append(f"  {shown_path(folder)}", style="dim")
    if not is_workspace(folder):
        if not demo:
            raise ConfigurationError(no_workspace(folder))
        console.print(title, soft_wrap=True)
        with step(console, tr("Making the demo workspace")) as current:
            make_workspace(folder, demo=True)
            current.end(tr("Demo workspace: a clinic, its documents, an assistant"))
        return load_settings(folder)
    console.print(title, soft_wrap=True)
    return settings


def _start_parts(serving: "Serving", console: "Console") -> None:
    """Start every part, the slow ones side by side; what is shown is what is waited for."""
    settings = serving.workspace.settings
    if serving.model_is_here:
        serving.start_engine()
    with step(console, tr("Starting the database")) as current:
        serving.start_database()
        current.end(tr("Database ready"))
    with step(console, tr("Looking at the documents")) as current:
        changed = serving.add_documents(current.update)
        current.end(tr("Documents: {count} new or changed", count=changed))
    serving.start_worker()
    if serving.engine is None:
        label = tr("Fetching the model {name}", name=settings.model)
        with step(console, label) as current:
            serving.start_engine(lambda done, total: current.update(done, total, _bytes(done, total)))
            current.end(tr("Model {name} fetched and verified", name=settings.model))
    with step(console, tr("Reading the documents")) as current:
        serving.wait_documents(lambda done, total: current.update(done, total, f"{done}/{total}"))
        current.end(_documents_words(serving.workspace))
    with step(console, tr("Loading the model")) as current:
        engine = serving.wait_engine()
        current.end(tr("Engine ready: {model}", model=engine.model))


def _bytes(done: int, total: int | None) -> str:
    return f"{format_bytes(done)} / {format_bytes(total)}" if total else format_bytes(done)


def _documents_words(workspace: "Workspace") -> str:
    from etabli.knowledge.library import LIVE_STATES

    states = workspace.library.states()
    good = sum(states.get(state, 0) for state in LIVE_STATES)
    rest = sum(states.values()) - good
    if rest:
        return tr("{count} documents can be searched, {rest} cannot be read", count=good, rest=rest)
    return tr("{count} documents can be searched", count=good)


def _say_ready(serving: "Serving", console: "Console", began: float, *, once: bool) -> None:
    took = time.monotonic() - began
    console.print()
    say_step(console, tr("Ready in {time}.", time=seconds(took)))
    if once:
        return
    settings = serving.workspace.settings
    console.print()
    console.print("  " + tr("Open the chat in a browser:"), soft_wrap=True)
    console.print(f"    {_sign_in_address(serving)}", style="bold", markup=False, soft_wrap=True)
    again = tr(
        "It works once, within 15 minutes. For another one: {command}", command=_sign_in_command(settings)
    )
    console.print("    " + again, style="dim", markup=False, soft_wrap=True)


def _say_ways(serving: "Serving", console: "Console") -> None:
    """How else to talk to the server. The last line says how it ends."""
    settings = serving.workspace.settings
    _ = serving.workspace.api_key  # made now, so that the file is there to be read
    names = [one.name for one in serving.workspace.assistants.list()]
    key = shown_path(settings.run_dir / "api-key")
    folder = shown_path(settings.workspace)
    for line in _ways_to_talk(serving.url, names[0] if names else settings.model, key, folder):
        console.print(line, markup=False, soft_wrap=True)
    console.print("  " + tr("Ctrl-C stops everything."), style="dim")


def _sign_in_address(serving: "Serving") -> str:
    from etabli.identity.accounts import OWNER_ID
    from etabli.identity.sessions import Sessions

    token = Sessions(serving.workspace.database).make_link(OWNER_ID)
    return f"{serving.url}/sign-in?link={token}"


def _sign_in_command(settings: Settings) -> str:
    return f"{_command()} sign-in -w {shown_path(settings.workspace)}"


def _ways_to_talk(url: str, model: str, key: str, folder: str) -> list[str]:
    """How to talk to the server: command line, curl, Python."""
    hello = "Bonjour !" if language() == "fr" else "Hello!"
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": hello}]}, ensure_ascii=False)
    return [
        "",
        "  " + tr("Ask in another terminal:"),
        f'    {_command()} -w {folder} ask "…"',
        "",
        "  " + tr("Or over the API, with the key that {file} holds:", file=key),
        f"    curl {url}/v1/chat/completions \\",
        f'      -H "Authorization: Bearer $(cat {key})" \\',
        '      -H "Content-Type: application/json" \\',
        f"      -d '{body}'",
        "",
        "  " + tr("Or from Python, with the openai package:"),
        "    from openai import OpenAI",
        f'    key = open("{key}").read().strip()',
        f'    client = OpenAI(base_url="{url}/v1", api_key=key)',
        f'    client.chat.completions.create(model="{model}", messages=[',
        f'        {{"role": "user", "content": "{hello}"}}])',
        "",
    ]


def _command() -> str:
    """How this program was called, as a person would type it again."""
    import shutil
    import sys

    program = Path(sys.argv[0])
    if program.name != "etabli" or shutil.which("etabli") == str(program):
        return "etabli"
    return shown_path(program)


def _log_to(path: Path) -> None:
    """What the parts have to say goes into a file that only its owner reads, and not between the lines shown."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    os.chmod(path, 0o600)
