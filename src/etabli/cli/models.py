"""`etabli models`: see, get, check and bring models."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from etabli.errors import EtabliError
from etabli.messages import tr
from etabli.models.catalogue import Catalogue, Entry, Verdict, can_run, load_catalogue
from etabli.models.hashing import Progress as Report
from etabli.models.importing import import_file
from etabli.models.machine import Machine, read_machine
from etabli.models.pull import PullOptions, pull
from etabli.models.sizes import format_bytes, format_count
from etabli.models.store import ModelStore
from etabli.settings import Settings

models_app = typer.Typer(
    name="models",
    help="The models of this machine: list, pull, verify, import, remove.",
    no_args_is_help=True,
)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _settings(ctx: typer.Context) -> Settings:
    settings = ctx.find_root().obj
    assert isinstance(settings, Settings)
    return settings


@contextlib.contextmanager
def _bar(label: str) -> Iterator[Report]:
    """A progress bar on the error stream: bytes, speed, time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@models_app.command("list")
def list_models(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the models that are here and those that can be had, with what this machine can run.

    Example: `etabli models list`
    """
    settings = _settings(ctx)
    store = ModelStore(settings.models_dir)
    catalogue = load_catalogue()
    machine = read_machine(settings.models_dir)
    installed = {manifest.name: manifest for manifest in store.manifests() if store.present(manifest)}
    offers = [
        (entry, _verdict(entry, machine, settings, installed=entry.name in installed))
        for entry in catalogue.models
    ]
    if as_json:
        document = {
            "machine": asdict(machine) | {"cpu_flags": sorted(machine.cpu_flags)},
            "installed": [asdict(manifest) for manifest in installed.values()],
            "catalogue": [
                entry.model_dump(mode="json", exclude={"note"})
                | {
                    "installed": entry.name in installed,
                    "verdict": verdict.model_dump(mode="json"),
                    "commercial_use": catalogue.licences[entry.licence].commercial,
                    "licence_words": str(catalogue.licences[entry.licence].words),
                    "note": str(entry.note) if entry.note is not None else None,
                }
                for entry, verdict in offers
            ],
        }
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    typer.echo(_machine_words(machine))
    for entry, verdict in offers:
        typer.echo("\n" + "\n".join(_entry_lines(entry, verdict, catalogue, here=entry.name in installed)))
    for manifest in installed.values():
        if catalogue.find(manifest.name) is None:
            size = format_bytes(manifest.size_bytes)
            typer.echo("\n" + tr("{name}  here, imported, {size}", name=manifest.name, size=size))


def _verdict(entry: Entry, machine: Machine, settings: Settings, *, installed: bool) -> Verdict:
    """Whether this machine can run `entry` as the settings would run it."""
    slots = settings.slots or 1
    return can_run(entry, machine, context_tokens=settings.context_tokens, slots=slots, installed=installed)


def _machine_words(machine: Machine) -> str:
    return tr(
        "This machine: {cores} cores, {free} of {total} memory free, {disk} of disk free.",
        cores=machine.cores,
        free=format_bytes(machine.memory_available),
        total=format_bytes(machine.memory_total),
        disk=format_bytes(machine.disk_free),
    )


def _entry_lines(entry: Entry, verdict: Verdict, catalogue: Catalogue, *, here: bool) -> list[str]:
    """Two lines for one model, three with a note: what it is, and what this machine makes of it."""
    commercial = {
        "yes": tr("commercial use allowed"),
        "conditions": tr("commercial use with conditions"),
        "no": tr("no commercial use"),
    }[catalogue.licences[entry.licence].commercial]
    facts = (
        tr("{parameters} parameters", parameters=format_count(entry.parameters)),
        tr("file of {size}", size=format_bytes(entry.size_bytes)),
        f"{entry.licence} ({commercial})",
    )
    mark = f"  [{tr('here')}]" if here else ""
    lines = [f"{entry.name}{mark}  {', '.join(facts)}", f"    {verdict.sentence}"]
    return [*lines, f"    {entry.note}"] if entry.note is not None else lines


@models_app.command("pull")
def pull_model(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name in the catalogue: see `etabli models list`.")],
    origin: Annotated[
        str | None, typer.Option("--from", help="A file, a folder (USB stick), or an address to get it from.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Get it again even if it is here.")] = False,
    sha256: Annotated[
        str | None, typer.Option("--sha256", help="The hash it must have, if the catalogue does not know it.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Get a model; goes on where it stopped if it was interrupted.

    Examples:
    etabli models pull qwen2.5-coder-1.5b
    etabli models pull qwen2.5-coder-1.5b --from /media/usb
    etabli models pull our-model --from https://files.example.org/our-model.gguf --sha256 HASH
    """
    settings = _settings(ctx)
    options = PullOptions(origin=origin, again=again, sha256=sha256)
    notes = Console(stderr=True, style="dim")
    entry = load_catalogue().find(name)
    if entry is not None and not as_json:
        verdict = _verdict(entry, read_machine(settings.models_dir), settings, installed=True)
        if verdict.level != "comfortable":
            notes.print(f"{name}: {verdict.sentence}", markup=False)
    with _bar(name) as report:
        say = (lambda sentence: None) if as_json else lambda sentence: notes.print(sentence, markup=False)
        done = pull(settings, name, options=options, progress=report, say=say)
    if as_json:
        record = asdict(done.manifest) | {
            "path": str(done.path),
            "fetched": done.fetched,
            "seconds": round(done.seconds, 1),
        }
        typer.echo(json.dumps(record, ensure_ascii=False))
        return
    if not done.fetched:
        typer.echo(tr("{name} is here already: {path}", name=name, path=done.path))
        return
    typer.echo(
        tr(
            "{name} is here: {size} in {seconds} s from {source}, SHA-256 {sha256}.",
            name=name,
            size=format_bytes(done.manifest.size_bytes),
            seconds=f"{done.seconds:.0f}",
            source=done.manifest.source,
            sha256=done.manifest.sha256,
        )
    )
    if done.manifest.trust == "first_use":
        typer.echo(tr("Nobody had pinned this model: from now on its name means these bytes and no others."))


@models_app.command("verify")
def verify_models(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One model; all of them by default.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Read every byte of the models again and compare with their hashes.

    Examples:
    etabli models verify
    etabli models verify qwen2.5-coder-1.5b
    """
    store = ModelStore(_settings(ctx).models_dir)
    names = [name] if name is not None else [manifest.name for manifest in store.manifests()]
    results: list[dict[str, Any]] = []
    failures: list[EtabliError] = []
    for each in names:
        try:
            with _bar(each) as report:
                manifest = store.verify(each, report)
        except EtabliError as error:
            if name is not None and not as_json:
                raise
            failures.append(error)
            results.append({"name": each, "ok": False, "error": error.code, "message": str(error)})
            continue
        results.append(
            {"name": each, "ok": True, "sha256": manifest.sha256, "size_bytes": manifest.size_bytes}
        )
    if as_json:
        typer.echo(json.dumps(results, ensure_ascii=False, indent=2))
    elif not results:
        typer.echo(tr("There is no model on this machine yet. Get one with: etabli models pull NAME"))
    else:
        for result in results:
            good = tr(
                "{name}: as it should be (SHA-256 {sha256})", name=result["name"], sha256=result.get("sha256")
            )
            typer.echo(good if result["ok"] else f"{result['name']}: {result['message']}")
    if failures:
        raise typer.Exit(1)


@models_app.command("import")
def import_model(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A GGUF file; it is copied.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Its name here; known models find theirs themselves.")
    ] = None,
) -> None:
    """Bring a model file by hand, from a USB stick or one's own training.

    Examples:
    etabli models import /media/usb/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf
    etabli models import our-model.gguf --name our-model
    """
    store = ModelStore(_settings(ctx).models_dir)
    with _bar(file.name) as report:
        manifest = import_file(store, file, name=name, progress=report)
    typer.echo(
        tr(
            "{file} is now the model {name}: {size}, SHA-256 {sha256}.",
            file=file.name,
            name=manifest.name,
            size=format_bytes(manifest.size_bytes),
            sha256=manifest.sha256,
        )
    )


@models_app.command("remove")
def remove_model(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="Name of a model that is here.")]
) -> None:
    """Forget a model and delete its file, if no other name uses it.

    Example: etabli models remove qwen2.5-coder-0.5b
    """
    freed = ModelStore(_settings(ctx).models_dir).remove(name)
    typer.echo(tr("{name} is removed; {size} given back.", name=name, size=format_bytes(freed)))
