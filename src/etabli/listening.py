"""Whether an installation serves, and who holds a port. Standard library only; only looks."""

import contextlib
import fcntl
import os
from pathlib import Path

LOCK_FILE = "server.lock"
"""Held by the process that serves a workspace; the kernel drops it when that process ends, however it does."""
_LISTEN = "0A"


def is_serving(run_dir: Path) -> bool:
    """Whether a process serves the workspace of this run folder now, or is starting to."""
    try:
        descriptor = os.open(run_dir / LOCK_FILE, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def who_listens(port: int) -> tuple[str, int] | None:
    """Name and process number of the program that listens on a TCP port; None where nobody can say."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{columns[9]}]")
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        with contextlib.suppress(OSError):
            if any(os.readlink(link) in inodes for link in (process / "fd").iterdir()):
                return (process / "comm").read_text().strip(), int(process.name)
    return None
