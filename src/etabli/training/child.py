"""One training process: started on a job's folder, told to stop, ended. Knows no database.

It keeps to what every child of ours does: it ends when its parent does, and its words go to a log that stays small.
It gives way to everything else on the machine, because training can wait and people cannot.
"""

import contextlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from etabli.engines.child_log import ChildLog
from etabli.priority import give_way, take_part

COMMAND = (sys.executable, "-m", "etabli.training.process")


class TrainingChild:
    """A process that trains.

    Args:
        command: program and arguments; the folder is added.
        folder: of the job.
        log_path: of its words.
        gives_way: whether it uses the processor only while nobody else does.
    """

    def __init__(self, command: Sequence[str], folder: Path, *, log_path: Path, gives_way: bool) -> None:
        self._command = [*command, str(folder)]
        self._log = ChildLog(log_path)
        self._gives_way = gives_way
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = False

    @property
    def last_line(self) -> str:
        """The last line of its log."""
        return self._log.last_line

    @property
    def pid(self) -> int | None:
        """Its number, while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def told_to_stop(self) -> bool:
        """Whether `stop` was called."""
        return self._asked

    def start(self) -> None:
        """Start it. The calling thread must live as long as the process: see `etabli.processes.die_with_parent`."""
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            process_group=0,  # Ctrl-C in a terminal is for the parent, which then stops the child
        )
        if self._gives_way:
            give_way(self._process.pid)
        self._log.pump(self._process.stderr)

    def wait(self, timeout_s: float) -> int | None:
        """Its exit status once it has ended; None while it runs after so many seconds."""
        assert self._process is not None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Have it write a checkpoint and end: SIGTERM. Returns at once."""
        if self._process is not None and not self._asked:
            self._asked = True
            take_part(self._process.pid)  # so that it gets to write on a busy machine
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    def kill(self) -> None:
        """End it at once; what came after its last checkpoint is lost."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Give back its pipes, ending it first if it runs."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self.kill()
        for pipe in (self._process.stdin, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._log.close()
