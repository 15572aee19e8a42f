"""Drawn pages on disk, so that a page is drawn once. The least recently shown go when there are too many.

Everything here can be made anew from the originals: backups leave it out, and it may be deleted at any time.
"""

import contextlib
import os
import threading
from pathlib import Path

MAX_BYTES = 500_000_000
"""About 5,000 pages at a usual width."""
_KEPT_SHARE = 0.8


def forget_pages(folder: Path, sha256: str) -> None:
    """Delete what is kept of an original that is gone for good.

    Args:
        folder: of the cache.
        sha256: of the original.
    """
    for path in (folder / sha256[:2]).glob(f"{sha256}-*"):
        path.unlink(missing_ok=True)


class PagesCache:
    """Small files by name, bounded in their sum. Thread-safe.

    Args:
        folder: where they are; made when needed.
        max_bytes: of all files together.
    """

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None

    def get(self, name: str) -> bytes | None:
        """The content of this name, which counts as used now; None when it is not here."""
        path = self._path(name)
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return content

    def put(self, name: str, content: bytes) -> None:
        """Keep a content, whole or not at all. A full disk is no fault: the next one is drawn again."""
        path = self._path(name)
        temporary = path.with_name(f".{path.name}-{os.urandom(6).hex()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            temporary.write_bytes(content)
            os.replace(temporary, path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            return
        with self._lock:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._files())
            else:
                self._bytes += len(content)
            if self._bytes > self._max_bytes:
                self._bytes = self._shrink()

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _files(self) -> list[tuple[float, int, Path]]:
        """Last use, bytes and path of every file."""
        found = []
        for path in self._folder.glob("*/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return found

    def _shrink(self) -> int:
        """Delete what was used longest ago; gives the bytes that are left."""
        files = sorted(self._files())
        left = sum(size for _, size, _ in files)
        for _, size, path in files:
            if left <= _KEPT_SHARE * self._max_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                left -= size
        return left
