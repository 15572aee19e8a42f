"""The model store: weights by their SHA-256, and small manifests that give them names.

    <models_dir>/
      blobs/<sha256>              the bytes, read-only
      manifests/<name>.json       name → SHA-256, size, source, licence
      verified/<sha256>           when the bytes were last read again and found right
      pins/<name>                 the hash a name was first seen with; outlives the model
      partial/<key>/              what an interrupted pull left, to go on from
      bad/<sha256>-<file name>    files whose bytes were not the expected ones, set aside
      locks/<key>.lock            one process at a time

A file enters `blobs` only under the hash that was computed from its bytes, by one atomic rename. Files that come from
elsewhere on the disk are cloned where the file system can and copied otherwise, never hard-linked: a link would
let a change of the original change the model.
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from etabli.errors import IntegrityError, InvalidInputError, ModelStoreError, NotFoundError
from etabli.messages import tr
from etabli.models.hashing import Progress, copy_file, sha256_of
from etabli.processes import is_process_alive, to_disk

Trust = Literal["pinned", "first_use"]
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Manifest:
    """What the store knows of one named model.

    Attributes:
        name: how people call it.
        file: the name the file had where it came from.
        sha256: of the bytes, 64 lower-case hexadecimal digits.
        size_bytes: their number.
        source: where they came from, without credentials.
        licence: SPDX expression, or `unknown`.
        trust: `pinned` when the hash was known beforehand, `first_use` when it is the one first seen.
        added_at: UTC, ISO 8601.
    """

    name: str
    file: str
    sha256: str
    size_bytes: int
    source: str
    licence: str
    trust: Trust
    added_at: str


def is_sha256(text: str) -> bool:
    """Whether `text` is 64 lower-case hexadecimal digits."""
    return _SHA256.fullmatch(text) is not None


def checked_name(name: str) -> str:
    """Return `name` when it can name a model; it becomes a file name, so little is allowed.

    Raises:
        InvalidInputError: it holds something else than `a-z 0-9 . _ -`, or is too long.
    """
    if _NAME.fullmatch(name) is None:
        raise InvalidInputError(
            tr(
                "“{name}” cannot name a model. Use 1 to 80 small letters, digits, dots, dashes and underscores.",
                name=name,
            ),
            param="name",
        )
    return name


class ModelStore:
    """The models of one machine, shared by its workspaces and processes.

    Args:
        root: its folder, made when needed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def blob(self, sha256: str) -> Path:
        """Where the bytes with this hash lie, present or not."""
        return self.root / "blobs" / sha256

    def partial(self, key: str) -> Path:
        """Folder of an unfinished pull, made when needed."""
        return _folder(self.root / "partial" / key)

    def manifest(self, name: str) -> Manifest | None:
        """What is known of `name`; None when nothing is.

        Raises:
            ModelStoreError: the manifest file cannot be read.
        """
        path = self.root / "manifests" / f"{checked_name(name)}.json"
        try:
            return Manifest(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise ModelStoreError(
                tr("{path} is damaged. Remove it and pull {name} again.", path=path, name=name)
            ) from None

    def manifests(self) -> tuple[Manifest, ...]:
        """All named models, by name."""
        paths = sorted((self.root / "manifests").glob("*.json"))
        return tuple(found for path in paths if (found := self.manifest(path.stem)) is not None)

    def present(self, manifest: Manifest) -> bool:
        """Whether the bytes are there with the right size; does not hash them."""
        try:
            return self.blob(manifest.sha256).stat().st_size == manifest.size_bytes
        except OSError:
            return False

    def path_of(self, name_or_sha256: str) -> Path:
        """Path of a model's file.

        Raises:
            NotFoundError: no model has this name or hash, or its file is gone.
        """
        if is_sha256(name_or_sha256):
            path = self.blob(name_or_sha256)
            if path.is_file():
                return path
        else:
            manifest = self.manifest(name_or_sha256)
            if manifest is not None and self.present(manifest):
                return self.blob(manifest.sha256)
        raise NotFoundError(
            tr(
                "The model {name} is not on this machine. Get it with: etabli models pull {name}",
                name=name_or_sha256,
            )
        )

    def pin(self, name: str) -> str | None:
        """The hash `name` was first seen with, when no catalogue pins it."""
        try:
            text = (self.root / "pins" / checked_name(name)).read_text(encoding="ascii").strip()
        except OSError:
            return None
        return text if is_sha256(text) else None

    def add_file(
        self,
        path: Path,
        *,
        name: str,
        expected: str | None = None,
        announced: str | None = None,
        file_name: str | None = None,
        source: str | None = None,
        licence: str = "unknown",
        move: bool = False,
        progress: Progress | None = None,
    ) -> Manifest:
        """Take a file into the store and give it a name.

        Args:
            path: the file.
            name: its name in the store; an older model of that name is forgotten, its bytes stay if still used.
            expected: the SHA-256 it must have; when None, the one it was first seen with, or any.
            announced: the SHA-256 that the source gives for it; checked as well when none is expected.
            file_name: its name at the source; `path`'s own by default.
            source: where it came from; `path` by default.
            licence: SPDX expression.
            move: take the file itself (it lies in the store's own folder) and set it aside if it is wrong.
            progress: told the bytes read so far.

        Raises:
            IntegrityError: the bytes are not the expected ones.
            InvalidInputError: `name` cannot name a model.
            DiskSpaceError: the disk is full.
        """
        checked_name(name)
        pinned = self.pin(name)
        wanted = expected or pinned or announced
        file_name = file_name or path.name
        taken = path
        if not move:
            taken = self._import_path()
        try:
            found = sha256_of(path, progress) if move else copy_file(path, taken, progress)
            if wanted is not None and found != wanted:
                aside = self._set_aside(taken, found, file_name) if move else None
                raise IntegrityError(
                    _mismatch(name, file_name, wanted, found, aside, first_seen=wanted == pinned != expected)
                )
            size = taken.stat().st_size
            to_disk(taken)
            os.chmod(taken, 0o444)
            _folder(self.blob(found).parent)
            os.replace(taken, self.blob(found))
        finally:
            if not move:
                taken.unlink(missing_ok=True)
        if pinned != found:
            _write(self.root / "pins" / name, found)
        manifest = Manifest(
            name=name,
            file=file_name,
            sha256=found,
            size_bytes=size,
            source=source or str(path),
            licence=licence,
            trust="pinned" if expected else "first_use",
            added_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        self._record(manifest)
        return manifest

    def verify(self, name: str, progress: Progress | None = None) -> Manifest:
        """Read every byte of a model again and compare.

        Raises:
            NotFoundError: the model is not there.
            IntegrityError: its bytes changed; the bad file is set aside.
        """
        manifest = self.manifest(name)
        path = self.path_of(name)
        assert manifest is not None
        found = sha256_of(path, progress)
        if found != manifest.sha256:
            aside = self._set_aside(path, found, manifest.file)
            raise IntegrityError(_mismatch(name, manifest.file, manifest.sha256, found, aside))
        _write(self.root / "verified" / found, datetime.now(UTC).isoformat(timespec="seconds"))
        return manifest

    def verified_at(self, manifest: Manifest) -> str:
        """When the bytes were last read and compared, UTC, ISO 8601: at the latest `verify`, else when they came."""
        try:
            text = (self.root / "verified" / manifest.sha256).read_text(encoding="ascii")
            return max(manifest.added_at, datetime.fromisoformat(text).isoformat(timespec="seconds"))
        except (OSError, ValueError):
            return manifest.added_at

    def remove(self, name: str) -> int:
        """Forget a name, and delete its bytes when no other name uses them. The pin stays.

        Returns:
            The bytes given back to the disk.

        Raises:
            NotFoundError: there is no such model.
        """
        manifest = self.manifest(name)
        if manifest is None:
            raise NotFoundError(tr("There is no model named {name} in the store.", name=name))
        (self.root / "manifests" / f"{name}.json").unlink()
        path = self.blob(manifest.sha256)
        if any(other.sha256 == manifest.sha256 for other in self.manifests()) or not path.exists():
            return 0
        path.unlink()
        return manifest.size_bytes

    @contextlib.contextmanager
    def lock(self, key: str, *, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the one lock of `key` among all processes; wait for it, telling `on_wait` once.

        The operating system frees it when the holder dies, however it dies.
        """
        path = _folder(self.root / "locks") / f"{key}.lock"
        with path.open("a") as file:
            told = False
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as error:
                    if error.errno not in (errno.EAGAIN, errno.EACCES):
                        raise
                if not told and on_wait is not None:
                    on_wait()
                told = True
                time.sleep(0.1)
            yield

    def _import_path(self) -> Path:
        """A free path for a copy under way; copies whose process died are deleted."""
        folder = _folder(self.root / "partial")
        for stale in folder.glob("import-*"):
            process = stale.name.split("-")[1]
            if process.isdigit() and not is_process_alive(int(process)):
                stale.unlink(missing_ok=True)
        return folder / f"import-{os.getpid()}-{time.monotonic_ns()}"

    def _record(self, manifest: Manifest) -> None:
        text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False)
        _write(self.root / "manifests" / f"{manifest.name}.json", text + "\n")

    def _set_aside(self, path: Path, found: str, file_name: str) -> Path:
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", file_name)[-100:]
        aside = _folder(self.root / "bad") / f"{found[:16]}-{safe}"
        os.replace(path, aside)
        return aside


def _mismatch(
    name: str, file_name: str, wanted: str, found: str, aside: Path | None, *, first_seen: bool = False
) -> str:
    """The sentence of a wrong hash, with the way out."""
    message = tr(
        "{file} is not the expected file of the model {name}: its SHA-256 is {found}, it should be {wanted}.",
        file=file_name,
        name=name,
        found=found,
        wanted=wanted,
    )
    if aside is not None:
        message += " " + tr("The bad file was set aside as {path}.", path=aside)
    if first_seen:
        return f"{message} " + tr(
            "That is the hash this name was first seen with. If the publisher says it changed, accept the "
            "new one with: etabli models pull {name} --sha256 {found}",
            name=name,
            found=found,
        )
    return f"{message} " + tr("Get it again with: etabli models pull {name} --again", name=name)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: Path, text: str) -> None:
    """Write a small file in one atomic step."""
    _folder(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def clear_partial(folder: Path) -> None:
    """Delete what an unfinished pull left."""
    shutil.rmtree(folder, ignore_errors=True)
