"""What a backup file is: a tar whose first member says, with size and SHA-256, what all the others are.

    manifest.json          what was backed up, when, by which version; every object below
    manifest.sha256        the hash of `manifest.json`
    objects/<sha256>       content, stored as it is
    objects/<sha256>.gz    content, compressed with gzip (the hash is that of the content)

Tables and files name the object that holds their content, so that a document that lies in two places is stored
once. Nothing in the file is trusted: members with other names are refused, paths are checked, no object may be
larger than the manifest says. Sources: POSIX.1-2001 pax, RFC 1952.
"""

import contextlib
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from etabli.errors import BackupError
from etabli.messages import tr

FORMAT = 1
"""Of files that this program writes; it reads this and older ones."""
MANIFEST = "manifest.json"
MANIFEST_HASH = "manifest.sha256"
GZIP = 31
"""`wbits` of zlib for a gzip stream."""
BLOCK = 1 << 20
_MOST_MANIFEST_BYTES = 1 << 30
_OBJECT_NAME = re.compile(r"objects/([0-9a-f]{64})(\.gz)?")
_FOLDERS = ("assistants", "documents", "questions", "data")
_FILES = ("etabli.toml", ".gitignore")
_MADE_ANEW = ("postgres", "run", "logs", "pages", "training")
"""Folders of `data` that are never in a backup."""

Progress = Callable[[int, int | None], None]
"""Told the bytes done and the bytes in all."""


def is_allowed_path(path: str) -> bool:
    """Whether a backup may hold a file of this path in the workspace.

    >>> is_allowed_path("assistants/rh.yaml"), is_allowed_path("assistants/../../x"), is_allowed_path("/etc/x")
    (True, False, False)
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in path or "\0" in path:
        return False
    if len(parts) == 1:
        return path in _FILES
    return parts[0] in _FOLDERS and not (parts[0] == "data" and parts[1] in _MADE_ANEW)


def _checked_path(path: str) -> str:
    if not is_allowed_path(path):
        raise ValueError(f"{path!r} is not a path of a workspace")
    return path


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StoredObject(_Strict):
    """One content: its hash and size, and the bytes it takes in the file."""

    sha256: Sha256
    size: Size
    stored_size: Size
    packed: bool

    @property
    def member(self) -> str:
        """Its name in the tar."""
        return f"objects/{self.sha256}{'.gz' if self.packed else ''}"


class StoredFile(_Strict):
    """One file of the workspace; `path` is relative to it, with `/`."""

    path: Annotated[str, AfterValidator(_checked_path)]
    sha256: Sha256
    modified_ns: int


class StoredTable(_Strict):
    """The rows of one table, in PostgreSQL's text format of COPY."""

    name: str
    columns: tuple[str, ...]
    rows: Size
    sha256: Sha256


class StoredSequence(_Strict):
    """Where a sequence of numbers stood."""

    name: str
    last_value: int
    is_called: bool


class StoredSpace(_Strict):
    """Tables of vectors that a procedure of the schema makes; `index` is PostgreSQL's own definition of its index."""

    id: Size
    dimensions: Size
    index: str | None


class StoredModel(_Strict):
    """A model that the workspace uses; `included` says whether its weights are in the file."""

    name: str
    file: str
    sha256: Sha256
    size_bytes: Size
    licence: str
    included: bool


class Manifest(_Strict):
    """All that a backup holds."""

    format: int
    version: str
    created_at: str
    workspace: str
    migration: Size
    tables: tuple[StoredTable, ...]
    sequences: tuple[StoredSequence, ...]
    spaces: tuple[StoredSpace, ...]
    files: tuple[StoredFile, ...]
    models: tuple[StoredModel, ...]
    objects: tuple[StoredObject, ...]

    @property
    def content_bytes(self) -> int:
        """Bytes of all objects, unpacked."""
        return sum(each.size for each in self.objects)


class BackupFile:
    """A backup that is open for reading. Made by `open_backup`."""

    def __init__(self, path: Path, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self.objects = {each.sha256: each for each in manifest.objects}
        self._tar = tar
        self._members = self._checked_members()

    def content(self, sha256: str) -> Iterator[bytes]:
        """The content with this hash, in blocks; the last comes only after size and hash were found right.

        Raises:
            BackupError: the bytes are not what the manifest says.
        """
        stored = self.objects[sha256]
        digest, size = hashlib.sha256(), 0
        with self._readable(self.path):
            held = b""
            for block in self._unpacked(stored):
                size += len(block)
                if size > stored.size:
                    raise damaged(self.path)
                digest.update(block)
                yield held
                held = block
            if size != stored.size or digest.hexdigest() != sha256:
                raise damaged(self.path)
            yield held

    def check(self, progress: Progress | None = None) -> None:
        """Read every byte and compare with the manifest.

        Raises:
            BackupError: something is missing, wrong or too much.
        """
        done, total = 0, self.manifest.content_bytes
        for sha256 in self.objects:
            for block in self.content(sha256):
                done += len(block)
                if progress is not None:
                    progress(done, total)

    def _unpacked(self, stored: StoredObject) -> Iterator[bytes]:
        reader = self._tar.extractfile(self._members[stored.member])
        assert reader is not None
        with reader:
            if not stored.packed:
                while block := reader.read(BLOCK):
                    yield block
                return
            unpack = zlib.decompressobj(GZIP)
            while packed := reader.read(BLOCK):
                while packed and not unpack.eof:
                    yield unpack.decompress(packed, BLOCK)
                    packed = unpack.unconsumed_tail
                if unpack.eof and (packed or unpack.unused_data):
                    raise damaged(self.path)
            while block := unpack.decompress(unpack.unconsumed_tail, BLOCK):
                yield block
            if not unpack.eof:
                raise damaged(self.path)

    def _checked_members(self) -> dict[str, tarfile.TarInfo]:
        """The members by name: exactly those of the manifest, each once and of the size it says."""
        expected = {each.member: each.stored_size for each in self.manifest.objects}
        named = {each.sha256 for each in self.manifest.files}
        named |= {each.sha256 for each in self.manifest.tables}
        named |= {each.sha256 for each in self.manifest.models if each.included}
        paths = [each.path for each in self.manifest.files]
        if named != self.objects.keys() or len(paths) != len(set(paths)):
            raise damaged(self.path)
        found: dict[str, tarfile.TarInfo] = {}
        with self._readable(self.path):
            for member in self._tar:
                if member.name in (MANIFEST, MANIFEST_HASH) and member.name not in found:
                    found[member.name] = member
                    continue
                wanted = expected.get(member.name)
                if wanted != member.size or not member.isreg() or member.name in found:
                    raise BackupError(
                        tr(
                            "{file} holds “{name}”, which its manifest does not name like that. It was changed "
                            "after it was made: use another copy.",
                            file=self.path.name,
                            name=member.name[:120],
                        )
                    )
                found[member.name] = member
        if found.keys() != expected.keys() | {MANIFEST, MANIFEST_HASH}:
            raise damaged(self.path)
        return found

    @staticmethod
    @contextlib.contextmanager
    def _readable(path: Path) -> Iterator[None]:
        try:
            yield
        except (tarfile.TarError, zlib.error, EOFError):
            raise damaged(path) from None


@contextlib.contextmanager
def open_backup(path: Path) -> Iterator[BackupFile]:
    """Open a backup and check its manifest, names and sizes; contents are checked as they are read.

    Raises:
        BackupError: it is no backup, is damaged, or was made by a newer version.
    """
    try:
        tar = tarfile.open(path, mode="r:")
    except FileNotFoundError:
        raise BackupError(tr("{path} does not exist. Name a backup file.", path=path)) from None
    except (tarfile.TarError, EOFError, OSError):
        raise _no_backup(path) from None
    with contextlib.closing(tar):
        yield BackupFile(path, tar, _read_manifest(path, tar))


def _read_manifest(path: Path, tar: tarfile.TarFile) -> Manifest:
    try:
        first, second = tar.next(), tar.next()
        if first is None or first.name != MANIFEST or not first.isreg() or first.size > _MOST_MANIFEST_BYTES:
            raise _no_backup(path)
        if second is None or second.name != MANIFEST_HASH or not second.isreg() or second.size != 64:
            raise damaged(path)
        readers = tar.extractfile(first), tar.extractfile(second)
        assert readers[0] is not None and readers[1] is not None
        text, digest = readers[0].read(), readers[1].read()
    except (tarfile.TarError, EOFError):
        raise damaged(path) from None
    if hashlib.sha256(text).hexdigest().encode() != digest:
        raise damaged(path)
    try:
        value = json.loads(text)
        made = value["format"], value["version"]
    except (ValueError, TypeError, KeyError):
        raise damaged(path) from None
    if not isinstance(made[0], int) or made[0] > FORMAT:
        raise BackupError(
            tr(
                "{file} was made by Établi {version} in format {found}; this program reads up to {known}. Install "
                "that version or a later one.",
                file=path.name,
                version=made[1],
                found=made[0],
                known=FORMAT,
            )
        )
    try:
        return Manifest.model_validate(value)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise BackupError(
            tr(
                "{file} cannot be used: {place}: {reason}. It was changed after it was made: use another copy.",
                file=path.name,
                place=place,
                reason=fault["msg"],
            )
        ) from None


def write_member(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a small member."""
    tar.addfile(member_info(name, len(content)), io.BytesIO(content))


def member_info(name: str, size: int) -> tarfile.TarInfo:
    """The header of a member that only its owner may read."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info


def workspace_path(root: Path, file: Path) -> str:
    """How a file of a workspace is called in a backup."""
    return PurePosixPath(file.relative_to(root)).as_posix()


def damaged(path: Path) -> BackupError:
    """The error for a file whose bytes are not those that were written."""
    return BackupError(
        tr("{file} is damaged or incomplete. Nothing was changed. Use another copy.", file=path.name)
    )


def _no_backup(path: Path) -> BackupError:
    return BackupError(
        tr("{path} is not a backup of Établi. Name a file made with `etabli backup`.", path=path)
    )
