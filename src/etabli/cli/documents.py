"""`etabli documents`: what the assistants answer from.

A command works whether or not `etabli start` runs: its worker does the reading then, and the command shows how far
it is; otherwise the command does it itself.
"""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from etabli.cli.context import JsonFlag, open_workspace, workspace_settings
from etabli.cli.remote import running_server
from etabli.cli.terminal import DONE, FAILED, NOTE, make_console, print_json, say_step, step
from etabli.errors import InvalidInputError
from etabli.messages import tr

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.knowledge.library import Document
    from etabli.workspace import Workspace

app = typer.Typer(
    help="The documents: add, list, search, remove.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
)
Collection = Annotated[str | None, typer.Option("--collection", "-c", help="Only this collection.")]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Return at once; the reading goes on when `etabli start` runs.")
]
_POLL_S = 0.3
_DEFAULT_COLLECTION = "general"
_PASSAGE = (
    "document_id", "version_id", "document_name", "collection_id", "title", "page", "char_start", "char_end",
    "breadcrumb", "text", "score",
)  # fmt: skip
"""What `search --json` says of a passage."""


@app.command("add")
def add(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", help="Where they go; by default the folder's name.")
    ] = None,
    no_wait: NoWait = False,
    as_json: JsonFlag = False,
) -> None:
    """Add files or folders.

    A folder that is added again is brought up to date: only what changed is read.

    Examples:
      etabli documents add ~/policies
      etabli documents add notice.pdf --collection hr
    """
    with open_workspace(ctx) as workspace:
        console = make_console(stderr=as_json)
        changes: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": [], "removed": []}
        with step(console, tr("Looking at the files")) as current:
            for path in paths:
                target = collection or _collection_for(path)
                for kind, names in asdict(
                    workspace.library.add(path, collection=target, progress=current.update)
                ).items():
                    changes[kind] += names
            counts = {kind: len(names) for kind, names in changes.items()}
            current.end(
                tr("{added} added, {changed} changed, {unchanged} unchanged, {removed} removed", **counts)
            )
        finish(workspace, console, no_wait=no_wait)
        if as_json:
            print_json({**changes, "states": workspace.library.states()})
            return
        new = {*changes["added"], *changes["changed"]}
        _say_problems(console, [one for one in workspace.library.documents() if one.name in new])


@app.command("list")
def list_documents(
    ctx: typer.Context,
    collection: Collection = None,
    state: Annotated[
        str | None, typer.Option("--state", help="Only those in this state: ready, needs_ocr, broken…")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the documents with their state.

    Examples:
      etabli documents list
      etabli documents list --state needs_ocr --json
    """
    with open_workspace(ctx) as workspace:
        documents = workspace.library.documents(collection=collection, state=state)
    if as_json:
        print_json([asdict(one) for one in documents])
        return
    if not documents:
        typer.echo(tr("No document. Add some with: etabli documents add FOLDER"))
        return
    console = make_console()
    if not console.is_terminal:
        for one in documents:
            typer.echo(f"{one.id}\t{one.collection}\t{one.name}\t{one.state}\t{one.message or ''}")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title, justify in ((tr("no."), "right"), (tr("collection"), "left"), (tr("document"), "left")):
        table.add_column(title, justify="right" if justify == "right" else "left", overflow="fold")
    table.add_column(tr("passages"), justify="right")
    table.add_column(tr("state"))
    for one in documents:
        table.add_row(
            str(one.id), Text(one.collection), Text(one.name), str(one.chunks), Text(state_word(one.state))
        )
    console.print(table)
    _say_problems(console, documents)


@app.command("status")
def status(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """Say how many documents are in which state, and what waits.

    Example: etabli documents status
    """
    with open_workspace(ctx) as workspace:
        from etabli.jobs.worker import somebody_works
        from etabli.knowledge.ingestion import EMBED_JOB
        from etabli.knowledge.library import READ_JOB

        states = workspace.library.states()
        collections = workspace.library.collections()
        waiting = {kind: workspace.queue.pending([kind]) for kind in (READ_JOB, EMBED_JOB)}
        at_work = somebody_works(workspace.database)
    if as_json:
        print_json({"states": states, "collections": collections, "waiting": waiting, "worker": at_work})
        return
    for name, count in collections.items():
        typer.echo(tr("{collection}: {count} documents", collection=name, count=count))
    for state, count in states.items():
        typer.echo(f"  {count:>6} {state_word(state)}")
    if sum(waiting.values()):
        typer.echo(
            tr("{read} to read, {embed} to embed.", read=waiting[READ_JOB], embed=waiting[EMBED_JOB])
            + ("" if at_work else " " + tr("Nobody works on them: run etabli start."))
        )


@app.command("remove")
def remove(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Names or numbers: see `etabli documents list`.")],
    collection: Collection = None,
) -> None:
    """Take documents out of search at once.

    Old answers can still show what they cited.

    Examples:
      etabli documents remove hr/notice.pdf
      etabli documents remove 12 13
    """
    with open_workspace(ctx) as workspace:
        for name in names:
            document = workspace.library.remove(name, collection=collection)
            say_step(make_console(), tr("{name} is removed.", name=document.name))


@app.command("search")
def search(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="Words or a question, in quotes.")],
    collection: Annotated[
        list[str] | None, typer.Option("--collection", "-c", help="Only these collections; may be repeated.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="How many passages.")] = 5,
    as_json: JsonFlag = False,
) -> None:
    """Search as the assistants do, without asking the model.

    Example: etabli documents search "notice period" -n 3
    """
    if not question.strip():
        raise InvalidInputError(tr("The question is empty. Write it in quotes."), param="question")
    server = running_server(workspace_settings(ctx))
    if server is not None:
        wanted = {"query": question, "collections": collection, "limit": limit}
        said = server.post("/v1/etabli/search", wanted)
        passages = said.pop("data")
    else:
        said = _search_here(ctx, question, collection, limit)
        passages = said.pop("passages")
    found = {
        "passages": [{name: passage[name] for name in _PASSAGE} for passage in passages],
        **{name: said[name] for name in ("terms", "dense_method", "times_ms")},
    }
    if as_json:
        print_json(found)
        return
    if not found["passages"]:
        typer.echo(tr("Nothing was found."))
    for passage in found["passages"]:
        where = passage["document_name"]
        if passage["page"] is not None:
            where = tr("{document}, page {page}", document=where, page=passage["page"])
        typer.echo(f"{passage['score']:.2f}  {where}")
        typer.echo(f"      {' '.join(passage['text'].split())[:300]}")


def _search_here(
    ctx: typer.Context, question: str, collections: list[str] | None, limit: int
) -> dict[str, Any]:
    """Search with the embedding model loaded by this command."""
    with open_workspace(ctx) as workspace:
        from etabli.knowledge.collection_names import collection_numbers
        from etabli.storage.database import EVERYONE

        numbers = None
        if collections:
            numbers = collection_numbers(workspace.database, collections, principals=[EVERYONE])
        result = workspace.searcher.search(
            question, principals=[EVERYONE], collection_ids=numbers, limit=limit
        )
        return asdict(result)


@app.command("reread")
def reread(
    ctx: typer.Context,
    state: Annotated[
        list[str] | None, typer.Option("--state", help="Only those in this state; may be repeated.")
    ] = None,
    no_wait: NoWait = False,
) -> None:
    """Read documents again.

    For example after character recognition was installed.

    Examples:
      etabli documents reread --state needs_ocr
      etabli documents reread
    """
    with open_workspace(ctx) as workspace:
        console = make_console()
        count = workspace.library.read_again(states=state)
        say_step(console, tr("{count} documents will be read again.", count=count))
        finish(workspace, console, no_wait=no_wait)


@app.command("reindex")
def reindex(ctx: typer.Context, no_wait: NoWait = False) -> None:
    """Compute all vectors anew.

    After another embedding model was configured. Search by words goes on meanwhile.

    Example: etabli documents reindex
    """
    with open_workspace(ctx) as workspace:
        from etabli.knowledge.index import drop_spaces
        from etabli.knowledge.ingestion import refill

        console = make_console()
        drop_spaces(workspace.database)
        refill(workspace.database)
        say_step(console, tr("The vectors of all documents will be computed anew."))
        finish(workspace, console, no_wait=no_wait)


def finish(workspace: "Workspace", console: "Console", *, no_wait: bool = False) -> None:
    """See to it that waiting documents are read and embedded: by the worker that lives, else by this process."""
    from etabli.jobs.worker import drain, somebody_works
    from etabli.knowledge.ingestion import EMBED_JOB, TEND_JOB
    from etabli.knowledge.library import READ_JOB

    if no_wait:
        if not somebody_works(workspace.database):
            say_step(console, tr("Nobody reads them yet: run etabli start."), mark=NOTE)
        return
    stages = (
        ([READ_JOB], tr("Reading the documents"), tr("Documents can be searched by their words")),
        ([EMBED_JOB, TEND_JOB], tr("Computing vectors"), tr("Documents can be searched by their meaning")),
    )
    queue = workspace.queue
    if queue.pending([READ_JOB, EMBED_JOB, TEND_JOB]) == 0:
        return
    for kinds, doing, done in stages:
        total = queue.pending(kinds)
        if total == 0:  # a running worker was faster than this look
            say_step(console, done)
            continue
        with step(console, doing) as current:
            while left := queue.pending(kinds):
                total = max(total, left)
                current.update(total - left, total, f"{total - left}/{total}")
                if somebody_works(workspace.database):
                    time.sleep(_POLL_S)
                else:
                    drain(
                        workspace.database,
                        workspace.ingestion,
                        kinds,
                        lambda: current.update(*_progress(queue.pending(kinds), total)),  # noqa: B023
                    )
                    time.sleep(_POLL_S if queue.pending(kinds) else 0)
            current.end(done)


def _progress(left: int, total: int) -> tuple[int, int, str]:
    return total - left, total, f"{total - left}/{total}"


def state_word(state: str) -> str:
    """A document's state in words."""
    words = {
        "queued": tr("waiting"),
        "reading": tr("being read"),
        "searchable": tr("in search by words"),
        "ready": tr("in full search"),
        "empty": tr("empty"),
        "encrypted": tr("protected by a password"),
        "broken": tr("broken"),
        "too_large": tr("too large"),
        "unsupported": tr("of an unknown format"),
        "needs_ocr": tr("a scan without text"),
        "timeout": tr("too slow to read"),
        "unsafe": tr("unsafe"),
    }
    return words.get(state, state)


def _collection_for(path: Path) -> str:
    """A folder's documents go into a collection of its name, single files into the general one."""
    return path.expanduser().resolve().name if path.expanduser().is_dir() else _DEFAULT_COLLECTION


def _say_problems(console: "Console", documents: "list[Document]") -> None:
    """One line for every document that cannot be searched."""
    from etabli.knowledge.library import LIVE_STATES, WAITING_STATES

    for one in documents:
        if one.state not in (*LIVE_STATES, *WAITING_STATES):
            sentence = one.message or state_word(one.state)
            say_step(console, f"{one.name}: {sentence}", mark=FAILED if one.state == "broken" else NOTE)
        elif one.message:
            say_step(console, f"{one.name}: {one.message}", mark=DONE)
