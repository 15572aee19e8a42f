"""`etabli ask`: one question, one cited answer."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from etabli.cli.context import JsonFlag, open_workspace
from etabli.cli.terminal import make_console, print_json, step
from etabli.errors import InvalidInputError, NotFoundError
from etabli.messages import tr

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

    Each source is checked against the documents. Uses the engine of a running `etabli start`; without one it
    starts its own for this question.

    Examples:
      etabli ask "How long is the notice period?"
      etabli ask "Combien de jours de congé ?" --collection rh --json
    """
    if not question.strip():
        raise InvalidInputError(tr("The question is empty. Write it in quotes."), param="question")
    with open_workspace(ctx) as workspace:
        from etabli.cli.answers import get_answer, show_answer, trace_lines

        console, notes = make_console(), make_console(stderr=True)
        chosen = choose_assistant(workspace, assistant, collection)
        engine = _engine(workspace, notes, quiet=as_json)
        if as_json:
            answer = get_answer(workspace, engine, chosen, question)
            print_json({"question": question, "assistant": chosen.name, **asdict(answer)})
            return
        answer = show_answer(console, workspace, engine, chosen, question)
        if trace:
            console.print()
            for line in trace_lines(answer):
                console.print(f"  {line}", style="dim", markup=False, soft_wrap=not console.is_terminal)


def choose_assistant(
    workspace: "Workspace", name: str | None, collections: list[str] | None = None
) -> "AssistantSpecification":
    """The assistant of this name, else the first; answering from other collections where some are named.

    Raises:
        NotFoundError: there is no such assistant, none at all, or no such collection.
    """
    if name is not None:
        chosen = workspace.assistants.get(name)
    elif not (available := workspace.assistants.list()):
        raise NotFoundError(
            tr("There is no assistant yet. Write one in {folder}.", folder=workspace.settings.assistants_dir)
        )
    else:
        chosen = available[0]
    if not collections:
        return chosen
    collection_numbers(workspace, collections)
    return chosen.model_copy(update={"collections": list(collections)})


def collection_numbers(workspace: "Workspace", names: list[str] | None) -> list[int] | None:
    """The numbers of collections; None for all of them.

    Raises:
        NotFoundError: there is no such collection.
    """
    if not names:
        return None
    known = workspace.library.collections()
    for each in names:
        if each not in known:
            raise NotFoundError(
                tr(
                    "There is no collection “{name}”. There are: {known}.",
                    name=each,
                    known=", ".join(known) or tr("none"),
                )
            )
    return [workspace.library.collection(name) for name in names]


def _engine(workspace: "Workspace", notes: "Console", *, quiet: bool) -> "ChatEngine":
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
