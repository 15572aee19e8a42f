"""Work that gives way: processes that use the processor only while nobody else wants it. Standard library only.

On Linux a process under `SCHED_IDLE` runs when the others leave something over; elsewhere it gets the lowest
ordinary priority. Threads and children that come later inherit it. See sched(7).
"""

import contextlib
import os
from pathlib import Path

_LOWEST_NICE = 19
_DATABASE_NICE = 10


def give_way(pid: int) -> None:
    """Let a process, its threads and all that it started give way to every other. A process that is gone is fine.

    Args:
        pid: this process or a child.
    """
    if hasattr(os, "SCHED_IDLE"):
        _schedule(pid, os.SCHED_IDLE)
        return
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _LOWEST_NICE)


def take_part(pid: int) -> None:
    """The reverse of `give_way`, before a process is ended: dying takes processor time too. Not always allowed."""
    if hasattr(os, "SCHED_IDLE"):
        _schedule(pid, os.SCHED_OTHER)


def give_way_in_database(backend_pid: int) -> None:
    """Let a backend of the embedded database work after those that answer questions.

    Not under `SCHED_IDLE`: it holds locks that the others wait for, and would hold them for ever on a busy machine.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, backend_pid, _DATABASE_NICE)


def _schedule(pid: int, policy: int) -> None:
    for task in _tasks(pid):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(task, policy, os.sched_param(0))


def _tasks(pid: int) -> list[int]:
    """The threads of a process and, after them, those of its children and theirs."""
    folder = Path("/proc") / str(pid) / "task"
    try:
        tasks = [int(entry.name) for entry in folder.iterdir()]
    except OSError:
        return []
    children: list[int] = []
    for task in tasks:
        with contextlib.suppress(OSError):
            children += [int(word) for word in (folder / str(task) / "children").read_text().split()]
    return tasks + [task for child in children for task in _tasks(child)]
