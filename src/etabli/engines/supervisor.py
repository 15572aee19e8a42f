"""Keeps one child process running: starts it, waits until it is ready, restarts it when it dies, stops it.

It knows nothing of engines. The contract with the child:

- its configuration comes as one JSON line on stdin, which then stays open; the child exits when it ends;
- it writes one JSON line to stdout when it is ready, or `{"error": "…"}` when it cannot start;
- what it writes to stderr goes to a log file that never grows past twice `LOG_BYTES`.

The child is started by the supervisor's own thread, which lives as long as the child does: Linux sends the
parent-death signal when the *thread* that forked ends.
"""

import json
import logging
import os
import selectors
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal

from etabli.engines.child_log import ChildLog
from etabli.errors import EngineUnavailableError
from etabli.messages import tr

Status = Literal["stopped", "starting", "ready", "restarting", "failed"]
Configure = Callable[[], Mapping[str, Any]]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChildState:
    """What is known of the child at one moment.

    Attributes:
        status: `failed` is final until `start` is called again: it never became ready in several attempts.
        pid: of the running child.
        config: what it was given on stdin. May hold secrets: do not log.
        ready: what it wrote when it was ready.
        starts: how many times it was started.
        last_error: the last line of its log when it died, or what it said when it could not start.
    """

    status: Status = "stopped"
    pid: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    ready: Mapping[str, Any] = field(default_factory=dict)
    starts: int = 0
    last_error: str = ""


@dataclass(frozen=True)
class RestartPolicy:
    """When to start again. Times in seconds.

    Attributes:
        first_delay_s: pause after the first death; doubled at each further one.
        longest_delay_s: the pause never grows past this.
        healthy_after_s: a child that was ready this long resets the pause.
        attempts: starts in a row that never became ready, after which the state is `failed`.
        ready_timeout_s: a child that is not ready by then is killed and counts as failed.
        probe_every_s: how often `probe` is asked.
        probe_misses: unanswered probes in a row after which a hanging child is killed.
    """

    first_delay_s: float = 0.5
    longest_delay_s: float = 30.0
    healthy_after_s: float = 60.0
    attempts: int = 5
    ready_timeout_s: float = 300.0
    probe_every_s: float = 15.0
    probe_misses: int = 4


class Supervisor:
    """One supervised child.

    Args:
        command: program and arguments. Secrets belong in the configuration, never here.
        configure: called before every start; gives the configuration of that start.
        log_path: the child's log file.
        policy: delays and limits.
        on_state: called at every change, from the supervisor's thread; must return soon.
        probe: asked regularly while ready, with the state; False means that the child hangs.
    """

    def __init__(
        self,
        command: Sequence[str],
        configure: Configure,
        *,
        log_path: Path,
        policy: RestartPolicy | None = None,
        on_state: Callable[[ChildState], None] | None = None,
        probe: Callable[[ChildState], bool] | None = None,
    ) -> None:
        self._command = list(command)
        self._configure = configure
        self._log = ChildLog(log_path)
        self._policy = policy or RestartPolicy()
        self._on_state = on_state
        self._probe = probe
        self._state = ChildState()
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def state(self) -> ChildState:
        """What is known now."""
        return self._state

    def start(self) -> None:
        """Begin supervising; returns at once. Does nothing when it runs already."""
        with self._changed:
            if self._thread is not None and self._thread.is_alive():
                return
            self._stop.clear()
            self._state = ChildState(status="starting")
            self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
            self._thread.start()

    def wait_ready(self, timeout_s: float | None = None) -> ChildState:
        """Wait until the child is ready.

        Raises:
            EngineUnavailableError: it failed, was stopped, or `timeout_s` passed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._state.status in ("ready", "failed", "stopped"), timeout_s)
            state = self._state
        if state.status == "ready":
            return state
        if state.status == "stopped":
            raise EngineUnavailableError(tr("The engine is stopped."))
        raise EngineUnavailableError(
            tr("The engine could not start ({reason}). Its log is {log}.",
               reason=state.last_error or state.status, log=self._log.path)
        )  # fmt: skip

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the child (TERM, then KILL after `timeout_s`) and the supervision. Safe to call twice."""
        self._stop.set()
        process = self._process
        if process is not None:
            self._end(process, timeout_s)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s + 5.0)

    def _run(self) -> None:
        delay, failures = self._policy.first_delay_s, 0
        while not self._stop.is_set():
            ready_for_s = self._run_once()
            if self._stop.is_set():
                break
            failures = failures + 1 if ready_for_s is None else 0
            if failures >= self._policy.attempts:
                self._log.close()
                self._set(status="failed", pid=None, ready={})
                return
            if ready_for_s is not None and ready_for_s >= self._policy.healthy_after_s:
                delay = self._policy.first_delay_s
            self._set(status="restarting", pid=None, ready={})
            self._stop.wait(delay)
            delay = min(delay * 2, self._policy.longest_delay_s)
        self._log.close()
        self._set(status="stopped", pid=None, ready={}, config={})

    def _run_once(self) -> float | None:
        """Start the child and stay with it until it ends. Gives how long it was ready, None if never."""
        try:
            config = dict(self._configure())
            process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Ctrl-C in a terminal is for the parent, which then stops the child. A group, not a session: Linux
                # shares the processors out between sessions first, and priorities count within one only.
                process_group=0,
            )
        except Exception as error:
            self._set(last_error=str(error), starts=self._state.starts + 1)
            return None
        self._process = process
        self._set(pid=process.pid, config=config, starts=self._state.starts + 1)
        pump = self._log.pump(process.stderr)
        ready_at: float | None = None
        try:
            said = self._greet(process, config)
            if said is not None and "error" not in said:
                ready_at = time.monotonic()
                self._set(status="ready", ready=said, last_error="")
                self._watch(process)
            elif said is not None:
                self._set(last_error=str(said["error"]))
        finally:
            self._end(process, timeout_s=1.0)
            pump.join(2.0)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    _close(pipe)
            self._process = None
        if not self._stop.is_set():
            reason = self._log.last_line or self._state.last_error
            logger.warning(
                "child process %d ended (exit status %s): %s", process.pid, process.returncode, reason
            )
            self._set(last_error=self._state.last_error or reason or f"exit status {process.returncode}")
        return None if ready_at is None else time.monotonic() - ready_at

    def _greet(self, process: subprocess.Popen[bytes], config: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the child its configuration and wait for its one line. None: it died, hangs, or is to stop."""
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps(config).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            return None
        deadline = time.monotonic() + self._policy.ready_timeout_s
        line = b""
        while not line.endswith(b"\n"):
            if self._stop.is_set():
                return None
            if time.monotonic() > deadline:
                return {"error": f"not ready after {self._policy.ready_timeout_s:g} s"}
            piece = _read_within(process.stdout, 0.1)
            if piece == b"":
                return None
            line += piece or b""
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        return said if isinstance(said, dict) else {"error": "the child's first line is not a JSON object"}

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Return when the child has ended, which ends its stdout at once, or when it hangs."""
        assert process.stdout is not None
        misses = 0
        while True:
            piece = _read_within(process.stdout, None if self._probe is None else self._policy.probe_every_s)
            if piece == b"":
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)  # it is exiting: let it have its own exit status
                return
            if piece is not None or self._probe is None or self._stop.is_set():
                continue
            misses = 0 if self._probe(self._state) else misses + 1
            if misses >= self._policy.probe_misses:
                self._set(last_error="no answer to health checks")
                return

    def _end(self, process: subprocess.Popen[bytes], timeout_s: float) -> None:
        try:
            process.terminate()
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        except OSError:
            pass

    def _set(self, **changes: Any) -> None:
        """Change the state. The listener is told first: whoever waited finds its work done."""
        state = replace(self._state, **changes)
        if self._on_state is not None and state.status != self._state.status:
            try:
                self._on_state(state)
            except Exception:
                logger.exception("the listener to engine states failed")
        with self._changed:
            self._state = state
            self._changed.notify_all()


def _read_within(pipe: IO[bytes], timeout_s: float | None) -> bytes | None:
    """What can be read from `pipe` now or soon: empty at its end, None when nothing came in time."""
    with selectors.DefaultSelector() as selector:  # select() fails on file numbers past 1024
        selector.register(pipe, selectors.EVENT_READ)
        return os.read(pipe.fileno(), 65536) if selector.select(timeout_s) else None


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        pass  # a broken pipe at the last flush: the child is gone
