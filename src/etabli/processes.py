"""Child processes that never outlive their parent, files that only their owner reads, and files that survive a power
cut. Standard library only.
"""

import ctypes
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Called by a child: have the kernel kill this process when the thread that started it ends (Linux).

    Elsewhere it does nothing: `exit_at_eof` covers the other systems. See prctl(2), PR_SET_PDEATHSIG.

    Args:
        parent_pid: the parent as it knows itself; if it is gone already, this process exits at once.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent_pid:
            os._exit(1)


def exit_at_eof(stream: IO[bytes]) -> None:
    """Called by a child: exit at once, without cleaning up, when `stream` (its stdin) ends: the parent is gone.

    A child that ends by itself may do so: nothing is locked meanwhile that the interpreter's end would wait for.
    """
    descriptor = stream.fileno()

    def watch() -> None:
        while os.read(descriptor, 4096):
            pass
        os._exit(0)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def is_process_alive(pid: int) -> bool:
    """Whether a process `pid` exists and is not a zombie. It may be another one that got the same number."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state not in ("Z", "X")


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` at once (readers see the old file or the new), readable by the owner only (0600).

    The folder is made if needed, for the owner only.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_private_json(path: Path, value: Mapping[str, Any]) -> None:
    """`write_private` of a JSON object."""
    write_private(path, json.dumps(value, ensure_ascii=False) + "\n")


def read_private_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`; None when it is missing, broken, or may be read or was written by others."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_mode & 0o077 or status.st_uid not in (os.geteuid(), 0):
                return None
            value = json.loads(file.read(1_000_000))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def to_disk(path: Path) -> None:
    """Wait until what is at `path`, the bytes of a file or the names in a folder, survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
