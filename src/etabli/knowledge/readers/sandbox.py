"""What a worker process takes away from itself before it opens a file that nobody trusts.

Several barriers, each of which may be missing on some system: memory and file size limits (POSIX), no network
(a network namespace of its own; Landlock), no writing (Landlock, `RLIMIT_FSIZE`), a Python audit hook that
refuses sockets, processes other than OCR and files opened for writing, and death with the parent. The audit
hook stops Python code, not a taken-over C library: that is what the kernel's barriers are for.

Sources: man pages prctl(2), unshare(2), landlock(7); system call numbers are the same on all 64-bit ABIs.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

MEMORY_BYTES = 1_500_000_000
"""Address space of a worker: its imports take 50 MB of it, a PDF of 5,000 full pages 350 MB."""

NICENESS = 10
"""Reading a document gives way to answering people."""
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWNET = 0x4000_0000
_CLONE_NEWUSER = 0x1000_0000
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_LANDLOCK_VERSION_FLAG = 1
_LANDLOCK_RULE_PATH_BENEATH = 1
# Write, remove and make rights of files: all but execute (bit 0), read file (2) and read folder (3).
_FS_WRITE = (1 << 1) | sum(1 << bit for bit in range(4, 13))
_FS_REFER, _FS_TRUNCATE = 1 << 13, 1 << 14
_NET_BIND_CONNECT = 0b11
_WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_REFUSED_EVENTS = (
    "socket.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.chown",
    "os.truncate",
    "os.putenv",
    "os.kill",
    "shutil.",
    "ftplib.",
    "smtplib.",
    "urllib.",
    "http.client.",
    "webbrowser.",
    "pty.",
    "ctypes.dlopen",
)


class ForbiddenActionError(Exception):
    """Code in the worker tried something that reading a file never needs."""


@dataclass(frozen=True, slots=True)
class Barriers:
    """Which of the kernel's barriers hold in this process."""

    memory: bool = False
    network: bool = False
    writing: bool = False


def confine(*, tesseract: str | None, memory_bytes: int = MEMORY_BYTES, niceness: int = NICENESS) -> Barriers:
    """Take away what reading does not need, for the rest of this process's life.

    Args:
        tesseract: the only program that may still be started.
        memory_bytes: address space allowed.
        niceness: by how much other processes come first.

    Returns:
        Which of the kernel's barriers hold.
    """
    with contextlib.suppress(OSError):
        os.nice(niceness)
    sys.dont_write_bytecode = True  # of modules that are loaded late
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    memory = _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    network = writing = False
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        network = libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0
        landlock = _landlock(libc)
        writing = landlock > 0
        network = network or landlock >= 4
    sys.addaudithook(_hook(tesseract))
    return Barriers(memory=memory, network=network, writing=writing)


def limit_cpu(seconds: float) -> None:
    """Allow this process `seconds` of CPU time from now; past it the kernel ends it with SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def _limit(kind: int, value: int) -> bool:
    try:
        resource.setrlimit(kind, (value, value))
    except (ValueError, OSError):
        return False
    return True


def _landlock(libc: ctypes.CDLL) -> int:
    """Refuse writing and, where the kernel can, TCP; the version of Landlock in force, 0 for none."""
    version = int(libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION_FLAG))
    if version <= 0:
        return 0
    handled = _FS_WRITE | (_FS_REFER if version >= 2 else 0) | (_FS_TRUNCATE if version >= 3 else 0)
    attributes = (ctypes.c_uint64 * 2)(handled, _NET_BIND_CONNECT)
    size = ctypes.c_size_t(16 if version >= 4 else 8)
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    if ruleset < 0:
        return 0
    try:
        # Child processes open /dev/null for what they have no use for.
        null = os.open(os.devnull, os.O_RDONLY)
        rule = ctypes.create_string_buffer(
            (_FS_WRITE & 0b10).to_bytes(8, sys.byteorder) + null.to_bytes(4, sys.byteorder), 12
        )
        libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_RULE_PATH_BENEATH, ctypes.byref(rule), 0)
        os.close(null)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return version if libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


def _hook(tesseract: str | None) -> Callable[[str, tuple[object, ...]], None]:
    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            mode, flags = arguments[1], arguments[2]
            writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
            writes = writes or (isinstance(flags, int) and bool(flags & _WRITE_FLAGS))
            if writes and not isinstance(arguments[0], int) and arguments[0] != os.devnull:
                raise ForbiddenActionError("open")
        elif event == "subprocess.Popen":
            if tesseract is None or arguments[0] != tesseract:
                raise ForbiddenActionError(event)
        elif event.startswith(_REFUSED_EVENTS):
            raise ForbiddenActionError(event)

    return refuse
