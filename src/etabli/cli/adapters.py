"""`etabli adapters`: what came out of training, and who lets it answer."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from etabli.cli.context import JsonFlag, open_workspace
from etabli.cli.remote import running_server
from etabli.cli.terminal import DONE, FAILED, NOTE, make_console, print_json, say_step
from etabli.errors import ConflictError, NotFoundError
from etabli.messages import tr
from etabli.models.sizes import format_bytes

if TYPE_CHECKING:
    from etabli.training.adapters import Adapter
    from etabli.workspace import Workspace

app = typer.Typer(
    rich_markup_mode="rich",
    add_completion=False,
    no_args_is_help=True,
    help="The adapters of this workspace: list, import, approve, refuse, retire, give.",
)
Name = Annotated[
    str, typer.Argument(help="The adapter's name, or the end of it: see `etabli adapters list`.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why, for those who read it later.")]


@app.command("list")
def list_adapters(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """List the adapters, the newest first.

    Example: etabli adapters list
    """
    with open_workspace(ctx) as workspace:
        adapters = workspace.adapters.list()
        if as_json:
            print_json([_values(one) for one in adapters])
            return
        if not adapters:
            typer.echo(tr("There is no adapter yet. Train one with: etabli train RECIPE.yaml"))
            return
        console = make_console()
        marks = {"approved": DONE, "trained": NOTE, "refused": FAILED, "retired": NOTE}
        left_out = workspace.loadable().left_out
        for one in adapters:
            words = [one.name, state_word(one.state), format_bytes(one.bytes)]
            if one.reason:
                words.append(one.reason)
            if one.name in left_out:
                words.append(tr("not loaded: {reason}", reason=left_out[one.name]))
            say_step(console, "  ".join(words), mark=marks[one.state])


@app.command("import")
def import_adapter(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The folder that `etabli train launch` wrote, come back.")],
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Approve beforehand what passes every gate, so that it answers."),
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Take in an adapter that was trained elsewhere: it is examined like any other, and waits for approval.

    Example: etabli adapters import forms-launch
    """
    from etabli.cli.training_launch import LaunchReading
    from etabli.training.extra import need
    from etabli.training.launch import read_launch

    need()
    launch = read_launch(folder)
    with open_workspace(ctx) as workspace:
        raise typer.Exit(LaunchReading(workspace, folder, launch, quiet=as_json).take_in(approve=yes))


@app.command("show")
def show_adapter(ctx: typer.Context, name: Name, as_json: JsonFlag = False) -> None:
    """Show an adapter with what was found about it.

    Example: etabli adapters show ft:qwen2.5-coder-1.5b:demo:forms:1a2b3c4d
    """
    from etabli.cli.training_session import show

    with open_workspace(ctx) as workspace:
        found = _find(workspace, name)
        if as_json:
            print_json(_values(found))
            return
        show(make_console(), workspace, workspace.training_jobs.get(found.job_id))


@app.command("approve")
def approve_adapter(ctx: typer.Context, name: Name) -> None:
    """Let an adapter answer, under its name and in assistants that name it.

    Example: etabli adapters approve ft:qwen2.5-coder-1.5b:demo:forms:1a2b3c4d
    """
    _decide(ctx, name, "approve", "")


@app.command("refuse")
def refuse_adapter(ctx: typer.Context, name: Name, reason: Reason = "") -> None:
    """Never let an adapter answer.

    Example: etabli adapters refuse ft:qwen2.5-coder-1.5b:demo:forms:1a2b3c4d --reason "forgets dates"
    """
    _decide(ctx, name, "refuse", reason)


@app.command("retire")
def retire_adapter(ctx: typer.Context, name: Name, reason: Reason = "") -> None:
    """Take an approved adapter out of service; it can be approved again.

    Example: etabli adapters retire ft:qwen2.5-coder-1.5b:demo:forms:1a2b3c4d
    """
    _decide(ctx, name, "retire", reason)


@app.command("give")
def give_adapter(
    ctx: typer.Context,
    name: Name,
    assistant: Annotated[str, typer.Argument(help="The assistant that answers with it from now on.")],
) -> None:
    """Have an assistant answer with an approved adapter. Its certificate no longer holds: certify it again.

    Example: etabli adapters give ft:qwen2.5-coder-1.5b:demo:forms:1a2b3c4d forms
    """
    with open_workspace(ctx) as workspace:
        adapter = _find(workspace, name)
        give(workspace, adapter, assistant)
        say_step(make_console(), given_sentence(adapter.name, assistant))


def give(workspace: "Workspace", adapter: "Adapter", assistant: str) -> None:
    """Write an approved adapter into the file of an assistant, as its newest version.

    Raises:
        ConflictError: the adapter is not approved.
        NotFoundError: there is no such assistant.
        InvalidInputError: the file cannot be used with it.
    """
    from etabli.assistants.giving import with_adapter
    from etabli.assistants.versions import VersionStore

    if adapter.state != "approved":
        raise ConflictError(tr("{name} is not approved: etabli adapters approve {name}", name=adapter.name))
    versions = VersionStore(workspace.database, workspace.settings.assistants_dir)
    head = versions.head(assistant)
    text = with_adapter(versions.text(assistant, head.number), adapter.name)
    versions.save(assistant, text, note=tr("Adapter {name}", name=adapter.name), based_on=head.number)


def given_sentence(adapter: str, assistant: str) -> str:
    """What came of giving."""
    return tr(
        "{assistant} answers with {adapter} from now on; a certificate that it had no longer holds",
        assistant=assistant,
        adapter=adapter,
    )


def _decide(ctx: typer.Context, name: str, what: str, reason: str) -> None:
    with open_workspace(ctx) as workspace:
        adapter = _find(workspace, name)
        state, not_loaded = decide(workspace, adapter.name, what, reason)
        say_step(make_console(), f"{adapter.name}  {state_word(state)}")
        if not_loaded:
            say_step(make_console(), tr("not loaded: {reason}", reason=not_loaded), mark=NOTE)


def decide(workspace: "Workspace", name: str, what: str, reason: str = "") -> tuple[str, str | None]:
    """Approve, refuse or retire an adapter: by the server where one runs, since its engine has to follow.

    Returns:
        its state, and why the server's engine does not hold it.

    Raises:
        EtabliError: it cannot be done.
    """
    server = running_server(workspace.settings)
    if server is not None:
        body = {} if what == "approve" else {"reason": reason}
        answer = server.post(f"/v1/etabli/adapters/{quote(name, safe='')}/{what}", body)
        return str(answer["state"]), answer.get("not_loaded")
    by = "command line"
    if what == "approve":
        return workspace.adapters.approve(name, by).state, None
    if what == "refuse":
        return workspace.adapters.refuse(name, by, reason or tr("a person decided so.")).state, None
    return workspace.adapters.retire(name, by, reason).state, None


def _find(workspace: "Workspace", name: str) -> "Adapter":
    """The adapter of this name, or the only one whose name ends so."""
    known = workspace.adapters.list()
    for one in known:
        if one.name == name:
            return one
    ending = [one for one in known if one.name.endswith(f":{name}")]
    if len(ending) == 1:
        return ending[0]
    raise NotFoundError(tr("There is no adapter {name}. See: etabli adapters list", name=name))


def _values(adapter: "Adapter") -> dict[str, Any]:
    values = asdict(adapter) | {"reason": adapter.reason}
    del values["note"]
    return values


def state_word(state: str) -> str:
    """A state for people."""
    return {
        "trained": tr("waits for approval"),
        "refused": tr("refused"),
        "approved": tr("approved"),
        "retired": tr("retired"),
    }[state]
