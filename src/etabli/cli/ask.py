"""`etabli ask`: one question, one cited answer."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from etabli.cli.asking import Ask, ask_here, ask_server
from etabli.cli.context import JsonFlag, open_workspace, workspace_settings
from etabli.cli.remote import running_server
from etabli.cli.terminal import make_console, print_json, step
from etabli.errors import InvalidInputError, NotFoundError
from etabli.messages import tr
from etabli.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.assistants.specification import AssistantSpecification
    from etabli.engines.base import ChatEngine
    from etabli.workspace import Workspace

app = typer.Typer(rich_markup_mode="rich", add_completion=False)


@app.command()
def ask(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="The question, in quotes.")],
    assistant: Annotated[
        str | None, typer.Option("--assistant", "-a", help="Which assistant; the first one if unset.")
    ] = None,
    collection: Annotated[
        list[str] | None,
        typer.Option("--collection", "-c", help="Answer from these collections only; may be repeated."),
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Say in plain words how the answer came about.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Ask a question, get a cited answer.

    Each source is checked against the documents. A running `etabli start` answers; without one the engine is
    started for this question.

    Examples:
      etabli ask "How long is the notice period?"
      etabli ask "Combien de jours de congé ?" --collection rh --json
    """
    if not question.strip():
        raise InvalidInputError(tr("The question is empty. Write it in quotes."), param="question")
    settings = workspace_settings(ctx)
    chosen = _choose_assistant(settings, assistant)
    server = running_server(settings)
    if server is not None and server.has_assistant(chosen.name):
        asking = ask_server(server, chosen.name, question, collections=collection)
        _answer(chosen, question, asking, trace=trace, as_json=as_json)
        return
    with open_workspace(ctx) as workspace:
        if collection:
            from etabli.knowledge.collection_names import collection_numbers
            from etabli.storage.database import EVERYONE

            collection_numbers(workspace.database, collection, principals=[EVERYONE])
            chosen = chosen.model_copy(update={"collections": list(collection)})
        engine = running_engine(workspace, make_console(stderr=True), quiet=as_json)
        asking = ask_here(workspace, engine, chosen, question)
        _answer(chosen, question, asking, trace=trace, as_json=as_json)


def _answer(
    assistant: "AssistantSpecification", question: str, asking: Ask, *, trace: bool, as_json: bool
) -> None:
    """Ask, and show the answer as it was wished."""
    from etabli.cli.answers import show_answer, trace_lines

    if as_json:
        answer = asking(lambda event: None)
        print_json({"question": question, "assistant": assistant.name, **asdict(answer)})
        return
    console = make_console()
    answer = show_answer(console, assistant.title, asking)
    if trace:
        console.print()
        for line in trace_lines(answer):
            console.print(f"  {line}", style="dim", markup=False, soft_wrap=not console.is_terminal)


def _choose_assistant(settings: Settings, name: str | None) -> "AssistantSpecification":
    """The assistant of this name, else the first.

    Raises:
        NotFoundError: there is no such assistant, or none at all.
    """
    from etabli.assistants.catalogue import AssistantCatalogue

    catalogue = AssistantCatalogue(settings.assistants_dir)
    if name is not None:
        return catalogue.get(name)
    if available := catalogue.list():
        return available[0]
    raise NotFoundError(
        tr("There is no assistant yet. Write one in {folder}.", folder=settings.assistants_dir)
    )


def running_engine(workspace: "Workspace", notes: "Console", *, quiet: bool) -> "ChatEngine":
    """The engine that runs, or our own for this command."""
    engine = workspace.join_engine()
    if engine is not None:
        return engine
    if quiet:
        started = workspace.launch_engine(workspace.model_path())
        started.wait_ready()
        return started
    with step(notes, tr("Starting the engine")) as current:
        started = workspace.launch_engine(workspace.model_path(current.update))
        started.wait_ready()
        current.end(tr("Engine started for this question; `etabli start` keeps one running"))
    return started
