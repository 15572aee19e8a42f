"""`etabli backup`, `etabli restore`, `etabli verify-backup`: the whole workspace in one file, and back."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from etabli.assistants.catalogue import AssistantCatalogue
from etabli.cli.context import settings_of, workspace_settings
from etabli.cli.terminal import NOTE, make_console, say_step, shown_path, step
from etabli.messages import tr
from etabli.models.sizes import format_bytes
from etabli.settings import Settings
from etabli.storage.backup import create_backup
from etabli.storage.backup_format import Manifest, Progress
from etabli.storage.restore import restore_backup, verify_backup

backup_app = typer.Typer(rich_markup_mode="rich", add_completion=False)
restore_app = typer.Typer(rich_markup_mode="rich", add_completion=False)
verify_app = typer.Typer(rich_markup_mode="rich", add_completion=False)


@backup_app.command()
def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to make, for example today.etabli.")],
    with_models: Annotated[
        bool, typer.Option("--with-models", help="Put the weights of the models in as well.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an older file of this name.")] = False,
) -> None:
    """Put the whole workspace into one file, also while it serves.

    Settings, assistants, documents, conversations: everything but the API key and, unless asked for, the models.

    Examples:
      etabli backup today.etabli
      etabli backup /mnt/backups/office.etabli --replace
    """
    settings = workspace_settings(ctx)
    console = make_console()
    with _interruptible(), _bar(tr("Backing up")) as (report, end):
        done = create_backup(
            settings,
            file,
            models=_models_of(settings),
            with_models=with_models,
            replace=replace,
            progress=report,
        )
        end(
            tr(
                "{file}: {size}, {documents} documents, {rows} rows, {files} files",
                file=shown_path(done.path),
                size=format_bytes(done.size_bytes),
                documents=done.documents,
                rows=done.rows,
                files=done.files,
            )
        )
    say_step(
        console,
        tr(
            "Only you can read it. It holds your documents and the keys in etabli.toml: keep it as safe as them."
        ),
        mark=NOTE,
    )
    if done.missing:
        note = tr(
            "{count} original files are no longer in data/files; their text is kept.", count=len(done.missing)
        )
        say_step(console, note, mark=NOTE)
    if done.altered:
        note = tr(
            "{count} original files in data/files were changed since they were added.",
            count=len(done.altered),
        )
        say_step(console, note, mark=NOTE)
    if done.links:
        note = tr(
            "{count} symbolic links are left out, {name} for one.", count=len(done.links), name=done.links[0]
        )
        say_step(console, note, mark=NOTE)


@restore_app.command()
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file made by `etabli backup`.")],
    folder: Annotated[
        Path | None, typer.Argument(help="An empty or new folder; else the one of --workspace.")
    ] = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Into the embedded database, whatever the settings name.")
    ] = False,
) -> None:
    """Make a workspace from a backup, in an empty or new folder.

    Every byte is checked before anything is written. An older backup is brought to this version.

    Examples:
      etabli restore today.etabli restored
      etabli restore today.etabli restored --embedded
    """
    target = folder if folder is not None else settings_of(ctx).workspace
    console = make_console()
    with _interruptible(), _bar(tr("Restoring")) as (report, end):
        done = restore_backup(file, target, embedded=embedded, progress=report)
        end(tr("The workspace {folder} is restored: {content}", folder=shown_path(done.folder),
               content=_content(done.manifest)))  # fmt: skip
    if done.url_set_aside:
        note = tr("database_url in etabli.toml named another database: the line is now a comment.")
        say_step(console, note, mark=NOTE)
    if done.settings_fault is not None:
        say_step(console, done.settings_fault, mark=NOTE)
    for name in done.missing_models:
        note = tr(
            "The model {name} is not on this machine. Get it with: etabli models pull {name}", name=name
        )
        say_step(console, note, mark=NOTE)
    say_step(console, tr("The installation gets a new API key at its first start."), mark=NOTE)
    typer.echo(tr("    Start it with: etabli start -w {folder}", folder=shown_path(done.folder)))


@verify_app.command()
def verify(file: Annotated[Path, typer.Argument(help="A file made by `etabli backup`.")]) -> None:
    """Read a whole backup and compare it with its hashes, without restoring it.

    Example: `etabli verify-backup today.etabli`
    """
    with _bar(tr("Checking")) as (report, end):
        manifest = verify_backup(file, progress=report)
        end(tr("{file} is sound: {content}", file=shown_path(file), content=_content(manifest)))


def _content(manifest: Manifest) -> str:
    rows = {table.name: table.rows for table in manifest.tables}
    return tr(
        "{documents} documents, {rows} rows, {files} files, made {date} by Établi {version}",
        documents=rows.get("document", 0),
        rows=sum(rows.values()),
        files=len(manifest.files),
        date=manifest.created_at,
        version=manifest.version,
    )


def _models_of(settings: Settings) -> list[str]:
    """The models that the workspace and its assistants use."""
    own = [] if settings.engine_url is not None else [settings.model]
    assistants = AssistantCatalogue(settings.assistants_dir).list()
    return own + [each.model for each in assistants if each.model is not None]


@contextlib.contextmanager
def _bar(label: str) -> Iterator[tuple[Progress, Callable[[str], None]]]:
    with step(make_console(), label) as current:

        def report(done: int, total: int | None) -> None:
            detail = format_bytes(done) if not total else f"{format_bytes(done)} / {format_bytes(total)}"
            current.update(done, total, detail)

        yield report, current.end


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """A polite signal ends the command like Ctrl-C does: what it began is taken back."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
