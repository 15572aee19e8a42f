"""Confined child processes that open files nobody trusts: a pool of them, and what becomes of a file that kills one.

A file is opened by a worker that may die of it: a crash, a memory bomb or an endless loop costs one
`DocumentError`, and the next file goes on in a new worker. Knows no file format and no task: `reading` has files
read, `pages` has pages drawn.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from etabli.errors import DocumentError, EtabliError
from etabli.knowledge.readers import refusals, wire
from etabli.knowledge.readers.limits import ReaderLimits
from etabli.knowledge.readers.sandbox import MEMORY_BYTES
from etabli.messages import language, tr
from etabli.settings import Settings

FILES_PER_WORKER = 50
"""After so many files a worker is replaced, so that what a library leaks is given back."""

WALL_CLOCK_FACTOR = 4.0
"""A worker runs at low priority: it may take this many times its CPU time before it is killed."""

WALL_CLOCK_MARGIN_S = 10.0
"""And these seconds, for files that are read faster than a busy machine wakes a process."""

_STATES = frozenset(
    {"empty", "encrypted", "broken", "too_large", "unsupported", "needs_ocr", "timeout", "unsafe"}
)
_START_TIMEOUT_S = 60.0


class ReaderProcesses:
    """Worker processes, which are started when needed.

    Thread-safe: as many files are open at once as there are workers; further callers wait.

    Args:
        command: how a worker is started.
        settings: bounds of a file.
        cpu_seconds: CPU time for one request.
        ocr: allow Tesseract, where it is installed.
        workers: most processes; by default half of the processors, since the chat engine needs the others.
        memory_bytes: address space of a worker.
        requests: after so many a worker is replaced; `FILES_PER_WORKER` if None.
    """

    def __init__(
        self,
        command: Sequence[str],
        settings: Settings,
        *,
        cpu_seconds: float,
        ocr: bool,
        workers: int | None = None,
        memory_bytes: int = MEMORY_BYTES,
        requests: int | None = None,
    ) -> None:
        self._limits = ReaderLimits(
            max_bytes=settings.max_document_bytes,
            max_pages=settings.max_document_pages,
            cpu_seconds=cpu_seconds,
            tesseract=shutil.which("tesseract") if ocr else None,
        )
        self._command = tuple(command)
        self._memory_bytes = memory_bytes
        self._requests = requests
        self._free = threading.Semaphore(workers or half_of_processors())
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._closed = False
        # The kernel ends a worker when the *thread* that started it ends: all are started by one that stays.
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="reader-spawner")

    def request(self, path: Path, *, name: str, **task: Any) -> dict[str, Any]:
        """Ask a worker about a file.

        Args:
            path: where its bytes are.
            name: its own name.
            task: what else the worker needs to know.

        Returns:
            The worker's answer, of which nothing is checked but that it is no refusal.

        Raises:
            DocumentError: it cannot be done; `state` says why and the message what to do.
            EtabliError: no worker can be started.
            FileNotFoundError: there is no such file.
        """
        size = path.stat().st_size
        if size > self._limits.max_bytes:
            raise refusals.too_many_bytes(size, self._limits.max_bytes)
        if size == 0:
            raise refusals.empty()
        request = {
            "path": str(path.resolve()),
            "name": name,
            "language": language(),
            "limits": asdict(self._limits),
            **task,
        }
        with self._free:
            try:
                reply = self._ask(request)
            except _WorkerLostError as lost:
                if lost.signal_number != signal.SIGKILL:
                    raise self._explain(lost) from None
                reply = self._ask_again(request)
        return _unless_refused(reply)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        timeout_s = WALL_CLOCK_FACTOR * self._limits.cpu_seconds + WALL_CLOCK_MARGIN_S
        worker = self._borrow()
        try:
            reply = worker.ask(request, timeout_s=timeout_s)
        except BaseException:
            worker.kill()
            raise
        self._give_back(worker, spent=reply.get("spent") is True)
        return reply

    def _ask_again(self, request: dict[str, Any]) -> dict[str, Any]:
        """Somebody killed the worker, perhaps while it was idle: the file has one more chance.

        Raises:
            DocumentError: it is killed again, which is what Linux does when the machine has no memory left.
        """
        try:
            return self._ask(request)
        except _WorkerLostError as lost:
            if lost.signal_number == signal.SIGKILL:
                raise refusals.out_of_memory() from None
            raise self._explain(lost) from None

    def close(self) -> None:
        """End all idle workers; no file can be read afterwards."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()
        self._spawner.shutdown(wait=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _borrow(self) -> "_Worker":
        with self._lock:
            if self._closed:
                raise RuntimeError("the reader is closed")
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    return worker
                worker.kill()
        return self._spawner.submit(self._start).result()

    def _start(self) -> "_Worker":
        try:
            return _Worker(self._command, tesseract=self._limits.tesseract, memory_bytes=self._memory_bytes)
        except _WorkerLostError as lost:
            # Not the file's fault: it must not be marked as broken.
            raise EtabliError(
                tr(
                    "The process that reads documents does not start ({reason}). Install Établi again.",
                    reason=lost,
                )
            ) from None

    def _give_back(self, worker: "_Worker", *, spent: bool) -> None:
        with self._lock:
            if not (spent or self._closed or worker.requests >= (self._requests or FILES_PER_WORKER)):
                self._idle.append(worker)
                return
        worker.kill()

    def _explain(self, lost: "_WorkerLostError") -> DocumentError:
        if lost.timed_out or lost.signal_number == signal.SIGXCPU:
            return refusals.timeout(self._limits.cpu_seconds)
        if lost.signal_number is None:
            return refusals.crashed(str(lost))
        try:
            return refusals.crashed(signal.Signals(lost.signal_number).name)
        except ValueError:
            return refusals.crashed(f"signal {lost.signal_number}")


def half_of_processors() -> int:
    """Half of the processors, one at least."""
    return max(1, (os.cpu_count() or 2) // 2)


def _unless_refused(reply: dict[str, Any]) -> dict[str, Any]:
    """The reply.

    Raises:
        DocumentError: it is a refusal, or is not what an honest worker says.
    """
    error = reply.get("error")
    if error is None:
        return reply
    try:
        state, message = error["state"], wire.sentence(error["message"])
    except (TypeError, KeyError, wire.WireError):
        raise refusals.crashed("invalid answer") from None
    if state not in _STATES:
        raise refusals.crashed("invalid answer")
    raise DocumentError(message, state=state)


class _WorkerLostError(Exception):
    """A worker died, was silent too long, or said what no worker says."""

    def __init__(self, message: str, *, timed_out: bool = False, signal_number: int | None = None) -> None:
        super().__init__(message)
        self.timed_out = timed_out
        self.signal_number = signal_number


class _Worker:
    """One child process and its two pipes.

    It is given no environment: the database's password is none of its business.
    """

    def __init__(self, command: Sequence[str], *, tesseract: str | None, memory_bytes: int) -> None:
        self.requests = 0
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            close_fds=True,
            start_new_session=True,
            env={
                "PATH": os.defpath,
                "LC_ALL": "C.UTF-8",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        try:
            reply = self._exchange({"tesseract": tesseract, "memory_bytes": memory_bytes}, _START_TIMEOUT_S)
        except _WorkerLostError:
            self.kill()
            raise
        self.barriers: dict[str, bool] = dict(reply.get("barriers", {}))

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """Send a request and wait for its answer.

        Raises:
            _WorkerLostError: no answer came.
        """
        self.requests += 1
        return self._exchange(request, timeout_s)

    def kill(self) -> None:
        """End the process and what it started."""
        if self._process.poll() is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                self._process.kill()
        self._process.wait()
        self._input.close()
        self._output.close()

    def _exchange(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        try:
            self._input.write(wire.pack(request))
        except OSError:
            raise self._lost() from None
        (length,) = wire.HEADER.unpack(self._receive(wire.HEADER.size, deadline))
        if length > wire.MAX_MESSAGE:
            raise _WorkerLostError("invalid answer")
        try:
            return wire.unpack(self._receive(length, deadline))
        except wire.WireError:
            raise _WorkerLostError("invalid answer") from None

    def _receive(self, count: int, deadline: float) -> bytes:
        parts = bytearray()
        poll = select.poll()
        poll.register(self._output, select.POLLIN | select.POLLHUP)
        while len(parts) < count:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise _WorkerLostError("no answer in time", timed_out=True)
            part = self._output.read(min(count - len(parts), 1 << 20))
            if not part:
                raise self._lost()
            parts += part
        return bytes(parts)

    def _lost(self) -> _WorkerLostError:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return _WorkerLostError("closed its output")
        if status < 0:
            return _WorkerLostError("killed", signal_number=-status)
        return _WorkerLostError(f"exit status {status}")
