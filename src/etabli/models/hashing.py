"""Reading large files once: hash, copy, progress, and the sentence for a full disk."""

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from etabli.errors import DiskSpaceError
from etabli.messages import tr
from etabli.models.machine import free_disk
from etabli.models.sizes import format_bytes

Progress = Callable[[int, int | None], None]
"""Told the bytes done and the bytes in all (None when unknown); may be called from any thread, one at a time."""

CHUNK = 1 << 20
_FICLONE = 0x40049409  # linux/fs.h: share the extents of another file, copy on write


def sha256_of(path: Path, progress: Progress | None = None) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    total = path.stat().st_size
    done = 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    return digest.hexdigest()


def is_gguf(path: Path) -> bool:
    """Whether a file begins as a GGUF file does, which a sign-in page does not."""
    with path.open("rb") as file:
        return file.read(4) == b"GGUF"


def copy_file(source: Path, target: Path, progress: Progress | None = None) -> str:
    """Copy a file, sharing its blocks where the file system can, and return the SHA-256 of the copy.

    Raises:
        DiskSpaceError: the copy does not fit.
    """
    with full_disk(target), source.open("rb") as reader, target.open("wb") as writer:
        try:
            fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
        except OSError:
            require_space(target.parent, os.fstat(reader.fileno()).st_size)
            digest = hashlib.sha256()
            total, done = os.fstat(reader.fileno()).st_size, 0
            while chunk := reader.read(CHUNK):
                digest.update(chunk)
                writer.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, total)
            return digest.hexdigest()
    return sha256_of(target, progress)


def require_space(folder: Path, needed: int) -> None:
    """Raise unless `needed` more bytes fit on the disk of `folder`.

    Raises:
        DiskSpaceError: they do not.
    """
    free = free_disk(folder)
    if free < needed:
        raise DiskSpaceError(
            tr(
                "The disk of {folder} has {free} free and {needed} are needed. Free some room, or put the "
                "models elsewhere with `models_dir` in etabli.toml.",
                folder=folder,
                free=format_bytes(free),
                needed=format_bytes(needed),
            )
        )


@contextlib.contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """Turn the system's “no space left” into a `DiskSpaceError`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskSpaceError(
            tr(
                "The disk of {folder} is full: {free} free. What was downloaded is kept. Free some room "
                "and run the same command again.",
                folder=path.parent,
                free=format_bytes(free_disk(path.parent)),
            )
        ) from None
