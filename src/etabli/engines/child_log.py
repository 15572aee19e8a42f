"""The log file of a child process: what it writes to stderr, bounded in size, readable by its owner only."""

import os
import threading
from pathlib import Path
from typing import IO

LOG_BYTES = 2_500_000
"""Size at which the file becomes `<name>.1`: file and predecessor together keep the last 2.5 to 5 MB."""

_LONGEST_LINE = 300


class ChildLog:
    """A rotating log that is fed by a thread per child.

    Args:
        path: the file; its predecessor is `<path>.1`.
        limit_bytes: size at which it rotates.
    """

    def __init__(self, path: Path, *, limit_bytes: int = LOG_BYTES) -> None:
        self.path = path
        self._limit = limit_bytes
        self._file: IO[bytes] | None = None
        self._last = b""
        self._lock = threading.Lock()

    @property
    def last_line(self) -> str:
        """The last line that is not empty, cut to 300 characters."""
        lines = [line for line in self._last.splitlines() if line.strip()]
        return lines[-1].decode("utf-8", "replace").strip()[:_LONGEST_LINE] if lines else ""

    def pump(self, stream: IO[bytes] | None) -> threading.Thread:
        """Copy `stream` into the file until it ends, in a thread of its own, which is given back."""
        self._last = b""
        thread = threading.Thread(target=self._copy, args=(stream,), name="child-log", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _copy(self, stream: IO[bytes] | None) -> None:
        if stream is None:
            return
        try:
            while piece := os.read(stream.fileno(), 65536):
                self._last = (self._last + piece)[-4096:]
                self._write(piece)
        except (OSError, ValueError):
            return  # closed under us at the end of the child

    def _write(self, piece: bytes) -> None:
        """Append; a full disk must not stop the child, so the line is lost then."""
        with self._lock:
            try:
                if self._file is not None and self._file.tell() + len(piece) > self._limit:
                    self._file.close()
                    self._file = None
                    os.replace(self.path, f"{self.path}.1")
                if self._file is None:
                    self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    self._file = open(
                        os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", 0
                    )
                    self._file.seek(0, os.SEEK_END)
                self._file.write(piece)
            except OSError:
                return
