"""The supervisor with tiny children that crash, hang, refuse and outlive their welcome."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from etabli.engines.child_log import ChildLog
from etabli.engines.supervisor import ChildState, RestartPolicy, Supervisor
from etabli.errors import EngineUnavailableError
from etabli.processes import is_process_alive

CHILD = """
import json, os, signal, sys, time
config = json.loads(sys.stdin.buffer.readline())
mode = config["mode"]
print("hello from", mode, file=sys.stderr, flush=True)
if mode == "crash":
    print("boom at start", file=sys.stderr, flush=True)
    sys.exit(3)
if mode == "refuse":
    print(json.dumps({"error": "no such model"}), flush=True)
    sys.exit(1)
if mode == "mute":
    time.sleep(600)
if mode == "babble":
    print("ready!", flush=True)
    time.sleep(600)
if mode == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode in ("eof", "pdeathsig"):
    from etabli.processes import die_with_parent, exit_at_eof
    exit_at_eof(sys.stdin.buffer) if mode == "eof" else die_with_parent(config["parent"])
print(json.dumps({"port": 1, "number": config["number"]}), flush=True)
while True:
    time.sleep(600)
"""
FAST = RestartPolicy(first_delay_s=0.02, longest_delay_s=0.08, attempts=3, ready_timeout_s=20.0)
Make = Callable[..., Supervisor]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    made: list[Supervisor] = []

    def start(
        mode: str | Callable[[int], str], *, policy: RestartPolicy = FAST, **options: Any
    ) -> Supervisor:
        numbers = iter(range(1000))

        def configure() -> dict[str, Any]:
            number = next(numbers)
            chosen = mode if isinstance(mode, str) else mode(number)
            return {"mode": chosen, "number": number, "parent": os.getpid()}

        supervisor = Supervisor(
            [sys.executable, str(script)],
            configure,
            log_path=tmp_path / "logs" / "child.log",
            policy=policy,
            **options,
        )
        made.append(supervisor)
        supervisor.start()
        return supervisor

    yield start
    for supervisor in made:
        supervisor.stop()


def test_ready_then_stopped(make: Make, tmp_path: Path) -> None:
    seen: list[str] = []
    supervisor = make("fine", on_state=lambda state: seen.append(state.status))
    state = supervisor.wait_ready(60)
    assert state.ready == {"port": 1, "number": 0} and state.pid is not None and is_process_alive(state.pid)
    supervisor.stop()
    assert not is_process_alive(state.pid)
    assert supervisor.state.status == "stopped" and seen == ["ready", "stopped"]
    log = tmp_path / "logs" / "child.log"
    assert log.read_text() == "hello from fine\n" and log.stat().st_mode & 0o777 == 0o600
    with pytest.raises(EngineUnavailableError, match="stopped"):
        supervisor.wait_ready(1)


def test_it_can_be_started_again_after_a_stop(make: Make) -> None:
    supervisor = make("fine")
    supervisor.wait_ready(60)
    supervisor.stop()
    supervisor.start()
    assert supervisor.wait_ready(60).ready["number"] == 1


def test_a_killed_child_is_started_again(make: Make, wait_until: Callable[..., None]) -> None:
    seen: list[ChildState] = []
    supervisor = make("fine", on_state=seen.append)
    first = supervisor.wait_ready(60)
    os.kill(first.pid or 0, signal.SIGKILL)
    wait_until(lambda: supervisor.state.starts == 2)
    second = supervisor.wait_ready(60)
    assert second.pid != first.pid and second.ready["number"] == 1
    assert [state.status for state in seen] == ["ready", "restarting", "ready"]
    assert seen[1].last_error == "hello from fine"


@pytest.mark.parametrize(
    ("mode", "reason"),
    [("crash", "boom at start"), ("refuse", "no such model"), ("babble", "not a JSON object")],
)
def test_a_child_that_never_gets_ready_fails_after_some_attempts(make: Make, mode: str, reason: str) -> None:
    supervisor = make(mode)
    with pytest.raises(EngineUnavailableError, match=reason) as caught:
        supervisor.wait_ready(60)
    assert supervisor.state.status == "failed" and supervisor.state.starts == 3
    assert "child.log" in str(caught.value)


def test_a_failed_start_may_still_succeed(make: Make) -> None:
    supervisor = make(lambda number: "crash" if number < 2 else "fine")
    assert supervisor.wait_ready(60).starts == 3


def test_a_child_that_hangs_at_start_is_killed(make: Make) -> None:
    supervisor = make("mute", policy=RestartPolicy(first_delay_s=0.01, attempts=2, ready_timeout_s=0.3))
    with pytest.raises(EngineUnavailableError, match="not ready after 0.3 s"):
        supervisor.wait_ready(60)


def test_a_child_that_hangs_later_is_killed_and_replaced(make: Make, wait_until: Callable[..., None]) -> None:
    answers = iter([True, False, True, False, False])
    policy = RestartPolicy(first_delay_s=0.01, probe_every_s=0.05, probe_misses=2)
    supervisor = make("fine", policy=policy, probe=lambda state: next(answers, True))
    first = supervisor.wait_ready(60)
    wait_until(lambda: supervisor.state.starts == 2)
    assert first.pid is not None and not is_process_alive(first.pid)
    assert next(answers, None) is None


def test_pauses_double_up_to_a_limit(make: Make) -> None:
    policy = RestartPolicy(first_delay_s=0.01, longest_delay_s=0.04, attempts=6)
    pauses: list[float] = []
    supervisor = make("crash", policy=policy)
    wait = supervisor._stop.wait
    supervisor._stop.wait = lambda timeout=None: (pauses.append(timeout or 0.0), wait(timeout))[1]  # type: ignore[method-assign]
    with pytest.raises(EngineUnavailableError):
        supervisor.wait_ready(60)
    expected = [0.01, 0.02, 0.04, 0.04, 0.04]
    assert pauses == expected[-len(pauses) :] and len(pauses) >= 4


def test_a_child_deaf_to_term_is_killed(make: Make) -> None:
    supervisor = make("deaf")
    pid = supervisor.wait_ready(60).pid
    supervisor.stop(timeout_s=0.2)
    assert pid is not None and not is_process_alive(pid)


def test_stop_while_it_starts(make: Make) -> None:
    supervisor = make("mute")
    supervisor.stop()
    assert supervisor.state.status == "stopped"


def test_a_broken_listener_does_no_harm(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    def broken(state: ChildState) -> None:
        raise RuntimeError("listener")

    assert make("fine", on_state=broken).wait_ready(60).status == "ready"
    assert "the listener to engine states failed" in caplog.text


def test_waiting_has_an_end(make: Make) -> None:
    with pytest.raises(EngineUnavailableError, match="starting"):
        make("mute").wait_ready(0.05)


def test_a_missing_program(tmp_path: Path) -> None:
    supervisor = Supervisor([str(tmp_path / "none")], dict, log_path=tmp_path / "log", policy=FAST)
    supervisor.start()
    with pytest.raises(EngineUnavailableError, match="No such file"):
        supervisor.wait_ready(60)


PARENT = """
import json, os, sys, time
from pathlib import Path
from etabli.engines.supervisor import Supervisor
child, mode, log = sys.argv[1:]
supervisor = Supervisor([sys.executable, child], lambda: {"mode": mode, "number": 0, "parent": os.getpid()},
                        log_path=Path(log))
supervisor.start()
print(json.dumps({"pid": supervisor.wait_ready(60).pid}), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    "mode",
    [
        "eof",
        pytest.param("pdeathsig", marks=pytest.mark.skipif(sys.platform != "linux", reason="a Linux signal")),
    ],
)
def test_children_die_when_the_parent_is_killed(
    tmp_path: Path, mode: str, wait_until: Callable[..., None]
) -> None:
    (tmp_path / "child.py").write_text(CHILD)
    command = [sys.executable, "-c", PARENT, str(tmp_path / "child.py"), mode, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = json.loads(parent.stdout.readline())["pid"]
        assert is_process_alive(pid)
        parent.kill()
    wait_until(lambda: not is_process_alive(pid))


def test_the_log_keeps_the_end_and_stays_small(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "a.log", limit_bytes=200_000)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream:
        pump = log.pump(stream)
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for number in range(50_000):
                pipe.write(b"line %d\n" % number)
        pump.join(30)
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["a.log", "a.log.1"]
    assert all(file.stat().st_size <= 200_000 for file in files)
    assert log.last_line == "line 49999" and (tmp_path / "a.log").read_text().endswith("line 49999\n")


def test_the_supervisor_leaves_no_thread(make: Make) -> None:
    before = threading.active_count()
    supervisor = make("fine")
    supervisor.wait_ready(60)
    supervisor.stop()
    assert threading.active_count() == before
