"""Restore a backup into an empty place: checked first, built aside, put in place when it is whole.

A folder that was absent appears by one rename; an empty one (it may be a mount point) is filled by moves of which
`etabli.toml`, which makes a folder a workspace, is the last. Whatever interrupts it, no half workspace stays.
"""

import contextlib
import errno
import os
import re
import shutil
import signal
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from etabli.errors import BackupError, ConfigurationError, DiskSpaceError
from etabli.messages import tr
from etabli.models.machine import free_disk
from etabli.models.sizes import format_bytes
from etabli.models.store import ModelStore
from etabli.processes import is_process_alive
from etabli.settings import CONFIG_NAME, Settings, load_settings
from etabli.storage.backup_database import connect, load, require_empty
from etabli.storage.backup_format import BackupFile, Manifest, Progress, open_backup
from etabli.storage.embedded import EmbeddedPostgres
from etabli.storage.migrations import available

_STAGE = ".etabli-restoring-"
_URL_LINE = re.compile(r"^([ \t]*database_url[ \t]*=.*)$", re.MULTILINE)
_DATABASE_FACTOR = 3
"""Tables with their indexes and the log, against their text."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and what a person should know."""

    folder: Path
    manifest: Manifest
    missing_models: tuple[str, ...]
    """Models of the workspace that are neither in the backup nor on this machine."""
    url_set_aside: bool
    """Whether `database_url` in etabli.toml was made a comment, as it names another database."""
    settings_fault: str | None
    """Why etabli.toml cannot be used as it is, if so."""


def verify_backup(path: Path, *, progress: Progress | None = None) -> Manifest:
    """Read a whole backup and compare every byte with its hashes, without restoring anything.

    Raises:
        BackupError: it is damaged, incomplete, changed, or needs a newer program.
    """
    with open_backup(path) as backup:
        _require_known(backup)
        backup.check(progress)
        return backup.manifest


def restore_backup(
    path: Path, folder: Path, *, embedded: bool = False, progress: Progress | None = None
) -> Restored:
    """Make a workspace from a backup.

    Args:
        path: the backup file.
        folder: where; absent or empty.
        embedded: restore into the embedded database, whatever the settings name.
        progress: told the bytes done and all of them; each is read twice, once to be checked.

    Raises:
        BackupError: the folder or the database is not empty, or the backup cannot be used; nothing was changed.
        DiskSpaceError: there is not enough room.
        StorageError: the database cannot be used.
    """
    folder = folder.expanduser().absolute()
    existed = _require_free(folder)
    with open_backup(path) as backup:
        _require_known(backup)
        manifest = backup.manifest
        told = _Halves(progress, manifest.content_bytes)
        backup.check(told.first)
        _require_room(folder, manifest)
        folder.parent.mkdir(parents=True, exist_ok=True)
        stage = (folder if existed else folder.parent) / f"{_STAGE}{os.getpid()}"
        _clear_stale(stage.parent)
        stage.mkdir(mode=0o700)
        try:
            _write_files(backup, stage, told)
            settings, fault = _settings(stage)
            aside = _set_url_aside(settings, stage, embedded=embedded)
            if embedded:
                settings = settings.model_copy(update={"database_url": None})
            _fill_database(backup, settings, folder, told)
            missing = _place_models(backup, settings, told)
            os.sync()
            _publish(stage, folder, existed=existed)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    return Restored(folder, manifest, missing, aside, fault)


class _Halves:
    """Progress of two passes over the same bytes as one."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = total

    def first(self, done: int, _: int | None) -> None:
        """Bytes checked so far."""
        if self._progress is not None:
            self._progress(done, 2 * self._total)

    def more(self, count: int) -> None:
        """Bytes restored since the last time."""
        self._done += count
        if self._progress is not None:
            self._progress(min(self._done, 2 * self._total), 2 * self._total)


def _require_free(folder: Path) -> bool:
    """Whether the folder exists; it must be empty then, but for what a killed restore of ours left.

    Raises:
        BackupError: it is a file, or holds something.
    """
    if not folder.exists() and not folder.is_symlink():
        return False
    if not folder.is_dir():
        raise BackupError(tr("{folder} is a file. Name a folder, which is made if needed.", folder=folder))
    held = sorted(child.name for child in folder.iterdir() if not child.name.startswith(_STAGE))
    if held:
        raise BackupError(
            tr(
                "{folder} is not empty (it holds {name}). A backup is only restored into an empty or a new folder: "
                "name another.",
                folder=folder,
                name=held[0],
            )
        )
    return True


def _require_known(backup: BackupFile) -> None:
    known = max(available())
    if backup.manifest.migration > known:
        raise BackupError(
            tr(
                "{file} was made by Établi {version} with database migration {found}; this program knows up to "
                "{known}. Install that version or a later one.",
                file=backup.path.name,
                version=backup.manifest.version,
                found=backup.manifest.migration,
                known=known,
            )
        )


def _require_room(folder: Path, manifest: Manifest) -> None:
    size = {each.sha256: each.size for each in manifest.objects}
    needed = sum(size[each.sha256] for each in manifest.files)
    needed += _DATABASE_FACTOR * sum(size[each.sha256] for each in manifest.tables)
    needed += 2 * sum(each.size_bytes for each in manifest.models if each.included)
    free = free_disk(folder)
    if free < needed:
        raise DiskSpaceError(
            tr(
                "Restoring needs up to {needed} in {folder}, and {free} are free. Free some room, or choose another "
                "disk.",
                needed=format_bytes(needed),
                folder=folder,
                free=format_bytes(free),
            )
        )


def _clear_stale(parent: Path) -> None:
    """Delete what a killed restore left, and stop the database it may have left running."""
    for stage in parent.glob(f"{_STAGE}*"):
        number = stage.name.removeprefix(_STAGE)
        if not number.isdigit() or (int(number) != os.getpid() and is_process_alive(int(number))):
            continue
        cluster = stage / "data" / "postgres"
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((cluster / "postmaster.pid").read_text().split()[0])
            if Path(f"/proc/{pid}/cwd").resolve() == cluster.resolve():
                os.kill(pid, signal.SIGQUIT)
        shutil.rmtree(stage, ignore_errors=True)


def _write_files(backup: BackupFile, stage: Path, told: _Halves) -> None:
    for each in backup.manifest.files:
        path = stage / each.path
        private = path.name == CONFIG_NAME or each.path.startswith("data/")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
        with _roomy(stage), open(descriptor, "wb") as file:
            for block in backup.content(each.sha256):
                file.write(block)
                told.more(len(block))
        os.utime(path, ns=(each.modified_ns, each.modified_ns))
    for folder in ("assistants", "data", "documents"):
        (stage / folder).mkdir(exist_ok=True, mode=0o700 if folder == "data" else 0o777)


def _settings(stage: Path) -> tuple[Settings, str | None]:
    """The settings of what is being restored. A file that this version refuses is no reason to lose the rest."""
    try:
        return load_settings(stage), None
    except ConfigurationError as error:
        fault = str(error)
    with tempfile.TemporaryDirectory() as empty:
        settings = load_settings(Path(empty))
    changes: dict[str, object] = {"workspace": stage}
    named = _toml(stage).get("database_url")
    if settings.database_url is None and isinstance(named, str):
        changes["database_url"] = SecretStr(named)
    return settings.model_copy(update=changes), fault


def _toml(stage: Path) -> dict[str, object]:
    try:
        return tomllib.loads((stage / CONFIG_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _set_url_aside(settings: Settings, stage: Path, *, embedded: bool) -> bool:
    """Make `database_url` of etabli.toml a comment where it is not the database that is restored into."""
    named = _toml(stage).get("database_url")
    used = None if embedded or settings.database_url is None else settings.database_url.get_secret_value()
    if named is None or named == used:
        return False
    path = stage / CONFIG_NAME
    text = path.read_text(encoding="utf-8")
    path.write_text(_URL_LINE.sub(r"# \1", text), encoding="utf-8")
    return True


def _fill_database(backup: BackupFile, settings: Settings, folder: Path, told: _Halves) -> None:
    try:
        with _roomy(settings.workspace), connect(settings) as connection:
            require_empty(connection)
            load(connection, backup.manifest, backup.content, workspace=folder, progress=told.more)
    finally:
        if settings.database_url is None:
            _leave_no_socket(settings)
    for made_anew in (settings.run_dir, settings.logs_dir):
        shutil.rmtree(made_anew, ignore_errors=True)


def _leave_no_socket(settings: Settings) -> None:
    """The folder of the stage's socket, where the path was too long to have it in `run`."""
    server = EmbeddedPostgres(
        settings.data_dir / "postgres",
        run_dir=settings.run_dir,
        log_path=settings.logs_dir / "postgres.log",
        memory_bytes=0,
    )
    place = Path(str(conninfo_to_dict(server.conninfo)["host"]))
    if place != settings.run_dir:
        shutil.rmtree(place, ignore_errors=True)


def _place_models(backup: BackupFile, settings: Settings, told: _Halves) -> tuple[str, ...]:
    """Put included models into the store where they are not there yet; gives the names of those still missing."""
    store = ModelStore(settings.models_dir)
    missing = []
    for model in backup.manifest.models:
        known = store.manifest(model.name)
        if known is not None and known.sha256 == model.sha256 and store.present(known):
            continue
        if not model.included:
            missing.append(model.name)
            continue
        weights = settings.workspace / "weights"
        with _roomy(settings.workspace), weights.open("wb") as file:
            for block in backup.content(model.sha256):
                file.write(block)
                told.more(len(block))
        try:
            store.add_file(
                weights,
                name=model.name,
                expected=model.sha256,
                file_name=model.file,
                source=backup.path.name,
                licence=model.licence,
            )
        finally:
            weights.unlink()
    return tuple(missing)


def _publish(stage: Path, folder: Path, *, existed: bool) -> None:
    if not existed:
        stage.chmod(0o755)
        os.rename(stage, folder)
        return
    for child in sorted(stage.iterdir(), key=lambda path: path.name == CONFIG_NAME):
        os.rename(child, folder / child.name)


@contextlib.contextmanager
def _roomy(folder: Path) -> Iterator[None]:
    """Turn the system's “no space left” into our error."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskSpaceError(
            tr(
                "There is not enough room in {folder} ({detail}). Free some, or choose another disk.",
                folder=folder.parent,
                detail=tr("{free} free", free=format_bytes(free_disk(folder.parent))),
            )
        ) from None
