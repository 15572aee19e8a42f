"""Make a backup: the whole workspace in one file, while it serves or not.

In it: `etabli.toml`, `assistants/`, `documents/`, the database, and what lies in `data` but for the running server's
own files. Not in it: the API key (a new installation makes its own), the folders of training jobs with their
checkpoints and, unless asked for, the weights of models, which their names and hashes bring back. The file appears
under its name when it is whole and on the disk, never before. It holds documents and maybe keys in clear: only its
owner may read it.
"""

import contextlib
import errno
import hashlib
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from etabli import __version__
from etabli.errors import BackupError, DiskSpaceError
from etabli.messages import tr
from etabli.models.machine import free_disk
from etabli.models.sizes import format_bytes
from etabli.models.store import ModelStore
from etabli.processes import to_disk
from etabli.settings import Settings
from etabli.storage.backup_database import connect, dump, size_bytes, snapshot
from etabli.storage.backup_format import (
    BLOCK,
    FORMAT,
    GZIP,
    MANIFEST,
    MANIFEST_HASH,
    Manifest,
    Progress,
    StoredFile,
    StoredModel,
    StoredObject,
    is_allowed_path,
    member_info,
    workspace_path,
    write_member,
)
from etabli.storage.database import file_of_hash

SUFFIX = ".etabli"
"""Of backup files; those that lie in the workspace are not put into the next one."""
_LEVEL = 3
_SAMPLE = 1 << 16
_WORTH_PACKING = 0.85
"""Files whose first 64 KiB shrink less than that (most PDFs, images, office files) are stored as they are."""


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What a backup holds, and what it could not."""

    path: Path
    size_bytes: int
    rows: int
    documents: int
    files: int
    models: tuple[str, ...]
    missing: tuple[str, ...]
    """Originals that documents were read from and that are no longer there, by SHA-256."""
    altered: tuple[str, ...]
    """Originals whose bytes are no longer those of their name, kept as they are."""
    links: tuple[str, ...]
    """Symbolic links, which are left out."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the stored bytes of an object are: in the spool from `offset`, or a file that never changes."""

    stored: StoredObject
    offset: int
    path: Path | None


class _Objects:
    """Contents by their hash; what may change under us is kept in a nameless file that vanishes with us."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self._places: dict[str, _Place] = {}

    @property
    def stored(self) -> tuple[StoredObject, ...]:
        return tuple(place.stored for place in self._places.values())

    def add(self, blocks: Iterable[bytes], *, pack: bool = True) -> str:
        """Keep a content; gives its SHA-256."""
        start = self._spool.seek(0, os.SEEK_END)
        digest, size, packer = hashlib.sha256(), 0, zlib.compressobj(_LEVEL, zlib.DEFLATED, GZIP)
        for block in blocks:
            digest.update(block)
            size += len(block)
            self._spool.write(packer.compress(block) if pack else block)
        if pack:
            self._spool.write(packer.flush())
        sha256 = digest.hexdigest()
        if sha256 in self._places:
            self._spool.truncate(start)
            return sha256
        stored = StoredObject(sha256=sha256, size=size, stored_size=self._spool.tell() - start, packed=pack)
        self._places[sha256] = _Place(stored, start, None)
        return sha256

    def add_file(self, path: Path, told: Callable[[int], None], *, lasting: bool) -> str:
        """Keep a file's content. A lasting file that does not pack is read from its place when it is written."""
        with path.open("rb") as file:
            sample = file.read(_SAMPLE)
            pack = len(zlib.compress(sample, 1)) < _WORTH_PACKING * len(sample)
            file.seek(0)
            if pack or not lasting:
                return self.add(_blocks(file, told), pack=pack)
            digest, size = hashlib.sha256(), 0
            for block in _blocks(file, told):
                digest.update(block)
                size += len(block)
        sha256 = digest.hexdigest()
        stored = StoredObject(sha256=sha256, size=size, stored_size=size, packed=False)
        self._places.setdefault(sha256, _Place(stored, 0, path))
        return sha256

    def write(self, tar: tarfile.TarFile) -> None:
        """Write every object as a member.

        Raises:
            BackupError: a file changed since it was added.
        """
        for sha256, place in self._places.items():
            info = member_info(place.stored.member, place.stored.stored_size)
            if place.path is None:
                self._spool.seek(place.offset)
                tar.addfile(info, self._spool)
                continue
            with place.path.open("rb") as file:
                reader = _Hashing(file)
                with contextlib.suppress(tarfile.ReadError):  # a file that became shorter
                    tar.addfile(info, reader)
            if reader.digest.hexdigest() != sha256:
                raise BackupError(
                    tr("{path} changed while it was backed up. Run the same command again.", path=place.path)
                )


class _Hashing:
    """A file that hashes what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        return block


def create_backup(
    settings: Settings,
    target: Path,
    *,
    models: Sequence[str] = (),
    with_models: bool = False,
    replace: bool = False,
    progress: Progress | None = None,
) -> BackupSummary:
    """Put a workspace into one file.

    Args:
        settings: of the workspace.
        target: the file to make.
        models: names of the models that the workspace uses.
        with_models: put their weights in as well.
        replace: whether an older file of this name may be replaced; it stays until the new one is whole.
        progress: told the bytes read and an estimate of all, which is corrected at the end.

    Raises:
        BackupError: the file exists, or something changed while it was read.
        DiskSpaceError: there is not enough room.
        StorageError: the database cannot be used.
    """
    target = target.expanduser().absolute()
    if target.is_dir() or not target.parent.is_dir():
        raise BackupError(tr("{path} cannot be made. Name a file in a folder that exists.", path=target))
    if target.exists() and not replace:
        raise BackupError(tr("{path} exists already. Name another file, or give --replace.", path=target))
    temporary = target.with_name(f".{target.name}.{os.urandom(6).hex()}")
    try:
        with _roomy(target), tempfile.TemporaryFile(dir=target.parent) as spool:
            manifest, objects, faults = _collect(
                settings, target, spool, models=models, with_models=with_models, progress=progress
            )
            _write(temporary, manifest, objects)
        os.replace(temporary, target)
        to_disk(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
    if progress is not None:
        progress(manifest.content_bytes, manifest.content_bytes)
    rows = {table.name: table.rows for table in manifest.tables}
    return BackupSummary(
        path=target,
        size_bytes=target.stat().st_size,
        rows=sum(rows.values()),
        documents=rows.get("document", 0),
        files=len(manifest.files),
        models=tuple(model.name for model in manifest.models if model.included),
        **faults,
    )


def _collect(
    settings: Settings,
    target: Path,
    spool: IO[bytes],
    *,
    models: Sequence[str],
    with_models: bool,
    progress: Progress | None,
) -> tuple[Manifest, _Objects, dict[str, tuple[str, ...]]]:
    """Read everything: the database first, so that no file of a document in it can be missing later."""
    objects = _Objects(spool)
    chosen = _models(settings, models, with_models)
    with connect(settings) as connection, snapshot(connection):
        table_bytes = size_bytes(connection)
        files, _ = _files(settings, target)
        file_bytes = sum(path.stat().st_size for path in files)
        weight_bytes = sum(model.size_bytes for model in chosen if model.included)
        _require_room(target, table_bytes + file_bytes + weight_bytes)
        told = _counter(progress, table_bytes + file_bytes + weight_bytes)
        dumped = dump(connection, objects.add, told)
    files, links = _files(settings, target)
    stored: list[StoredFile] = []
    altered: list[str] = []
    for path in files:
        name = workspace_path(settings.workspace, path)
        original = path.is_relative_to(settings.files_dir)
        with contextlib.suppress(FileNotFoundError):
            modified_ns = path.stat().st_mtime_ns
            sha256 = objects.add_file(path, told, lasting=original)
            stored.append(StoredFile(path=name, sha256=sha256, modified_ns=modified_ns))
            if original and sha256 != path.name:
                altered.append(path.name)
    store = ModelStore(settings.models_dir)
    for model in chosen:
        if model.included and objects.add_file(store.blob(model.sha256), told, lasting=True) != model.sha256:
            raise BackupError(
                tr("The model {name} is damaged. See: etabli models verify {name}", name=model.name)
            )
    there = {each.path for each in stored}
    missing = [
        sha256
        for sha256 in sorted(dumped.originals)
        if workspace_path(settings.workspace, file_of_hash(settings.files_dir, sha256)) not in there
    ]
    manifest = Manifest(
        format=FORMAT,
        version=__version__,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        workspace=str(settings.workspace),
        migration=dumped.migration,
        tables=dumped.tables,
        sequences=dumped.sequences,
        spaces=dumped.spaces,
        files=tuple(stored),
        models=chosen,
        objects=objects.stored,
    )
    faults = {"missing": tuple(missing), "altered": tuple(altered), "links": links}
    return manifest, objects, faults


def _write(path: Path, manifest: Manifest, objects: _Objects) -> None:
    """Write the file and wait until it survives a power cut."""
    text = json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1).encode()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w+b") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            write_member(tar, MANIFEST, text)
            write_member(tar, MANIFEST_HASH, hashlib.sha256(text).hexdigest().encode())
            objects.write(tar)
        file.flush()
        os.fsync(file.fileno())


def _files(settings: Settings, target: Path) -> tuple[list[Path], tuple[str, ...]]:
    """The files of a workspace that go into a backup, by name, and the links that do not."""
    root = settings.workspace
    found: list[Path] = []
    links: list[str] = []

    def look(path: Path) -> None:
        name = workspace_path(root, path)
        inner = f"{name}/x" if path.is_dir() and path.parent == root else name
        if path in (settings.models_dir, target) or path.suffix == SUFFIX or not is_allowed_path(inner):
            return
        if path.is_symlink():
            links.append(name)
        elif path.is_dir():
            for child in sorted(path.iterdir()):
                if not (child.name.startswith(".") and name.startswith("data/")):
                    look(child)
        elif path.is_file():
            found.append(path)

    for child in sorted(root.iterdir()):
        look(child)
    return found, tuple(links)


def _models(settings: Settings, names: Sequence[str], with_models: bool) -> tuple[StoredModel, ...]:
    """What the store knows of these models.

    Raises:
        NotFoundError: one is asked for with its weights and is not here.
    """
    store = ModelStore(settings.models_dir)
    found = []
    for name in dict.fromkeys(names):
        manifest = store.manifest(name)
        if with_models:
            store.path_of(name)
        if manifest is not None:
            found.append(
                StoredModel(
                    name=name,
                    file=manifest.file,
                    sha256=manifest.sha256,
                    size_bytes=manifest.size_bytes,
                    licence=manifest.licence,
                    included=with_models,
                )
            )
    return tuple(found)


def _blocks(file: IO[bytes], told: Callable[[int], None]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        told(len(block))
        yield block


def _counter(progress: Progress | None, total: int) -> Callable[[int], None]:
    """Adds up what it is told; an estimate that was too low grows with what is done."""
    done = 0

    def told(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, max(done, total))

    return told


def _require_room(target: Path, needed: int) -> None:
    free = free_disk(target.parent)
    if free < needed:
        raise _no_room(target, tr("{free} free, up to {needed} needed", free=format_bytes(free),
                                  needed=format_bytes(needed)))  # fmt: skip


@contextlib.contextmanager
def _roomy(target: Path) -> Iterator[None]:
    """Turn the system's “no space left” into our error."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _no_room(target, tr("{free} free", free=format_bytes(free_disk(target.parent)))) from None


def _no_room(target: Path, detail: str) -> DiskSpaceError:
    return DiskSpaceError(
        tr(
            "There is not enough room in {folder} ({detail}). Free some, or choose another disk.",
            folder=target.parent,
            detail=detail,
        )
    )
