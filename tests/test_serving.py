"""The parts of a serving installation: started together, kept up, and stopped."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from etabli.errors import AlreadyServingError, ConfigurationError
from etabli.listening import is_serving, who_listens
from etabli.priority import give_way
from etabli.serving import Serving
from etabli.settings import load_settings
from etabli.workspace import Workspace
from product import fake_endpoints, fake_settings, make_office, wait_until

Open = Callable[..., Workspace]


@pytest.fixture(scope="module")
def endpoints() -> Iterator[str]:
    with fake_endpoints() as url:
        yield url


@pytest.fixture
def open_office(tmp_path: Path, endpoints: str, monkeypatch: pytest.MonkeyPatch) -> Open:
    folder = make_office(tmp_path / "office")
    for name, value in fake_settings(endpoints).items():
        monkeypatch.setenv(name, value)
    return lambda **settings: Workspace(load_settings(folder, **settings))


def test_one_process_serves_a_workspace(open_office: Open, database_url: str) -> None:
    run_dir = open_office().settings.run_dir
    assert not is_serving(run_dir)
    with Serving(open_office(database_url=database_url)):
        assert is_serving(run_dir)
        with pytest.raises(AlreadyServingError, match="already starting") as caught, Serving(open_office()):
            pass
        assert caught.value.url is None
    assert not is_serving(run_dir)


def test_a_port_that_is_taken_is_said_with_who_has_it(open_office: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert who_listens(port) == (psutil.Process().name()[:15], os.getpid())
        with pytest.raises(ConfigurationError) as caught, Serving(open_office(port=port)):
            pass
    assert f"Port {port} is taken by " in str(caught.value)
    assert f"(process {os.getpid()})" in str(caught.value)
    assert f"ETABLI_PORT={port + 1}" in str(caught.value)
    with Serving(open_office(port=port)) as serving:
        assert serving.url == f"http://127.0.0.1:{port}", "the failed attempt holds nothing"


def test_an_address_of_another_machine_is_refused(open_office: Open) -> None:
    with (
        pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1"),
        Serving(open_office(host="192.0.2.1", port=0)),
    ):
        pass


def test_documents_are_read_at_full_speed_and_then_give_way(open_office: Open, database_url: str) -> None:
    progress: list[tuple[int, int | None]] = []
    with Serving(open_office(database_url=database_url)) as serving:
        serving.start_engine()
        serving.start_database()
        assert serving.add_documents() == 2
        assert serving.add_documents() == 0
        serving.start_worker()
        serving.wait_documents(lambda done, total: progress.append((done, total)))
        assert progress[-1] == (2, 2)
        assert serving.wait_engine().model == "fake"
        pid = serving.state()["worker"]["pid"]
        assert os.sched_getscheduler(pid) == os.SCHED_OTHER
        serving.answers_come_first()
        tasks = [int(name) for name in os.listdir(f"/proc/{pid}/task")]
        assert {os.sched_getscheduler(task) for task in tasks} == {os.SCHED_IDLE}
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: serving.state()["worker"]["starts"] == 2)
        wait_until(lambda: serving.state()["worker"]["status"] == "ready")
        again = serving.state()["worker"]["pid"]
        assert os.sched_getscheduler(again) == os.SCHED_IDLE, "also a worker that was started again"
        state = serving.state()
        assert state["index"]["chunks"] == 2 and sum(state["documents"].values()) == 2
        assert serving.workspace.api_key not in repr(state)
    assert not psutil.pid_exists(again) or psutil.Process(again).status() == psutil.STATUS_ZOMBIE


def test_a_database_that_was_killed_is_started_again(open_office: Open) -> None:
    with Serving(open_office()) as serving:
        serving.start_engine()
        serving.start_database()
        serving.add_documents()
        pid_file = serving.workspace.settings.data_dir / "postgres" / "postmaster.pid"
        first = int(pid_file.read_text().split()[0])
        os.kill(first, signal.SIGKILL)

        def answers() -> bool:
            try:
                return serving.workspace.library.states() == {"queued": 2}
            except psycopg.OperationalError:
                return False

        wait_until(lambda: not psutil.pid_exists(first) or psutil.Process(first).status() == "zombie")
        wait_until(answers)
    assert not pid_file.exists(), "the server that was started again is stopped at the end"


def test_a_process_and_what_it_started_give_way() -> None:
    parent = psutil.Popen(["sh", "-c", "sleep 60 & wait"])
    try:
        wait_until(lambda: parent.children())
        give_way(parent.pid)
        (child,) = parent.children()
        assert os.sched_getscheduler(parent.pid) == os.SCHED_IDLE
        assert os.sched_getscheduler(child.pid) == os.SCHED_IDLE
        child.kill()
    finally:
        parent.kill()
        parent.wait()
    give_way(parent.pid)  # gone, and that is fine


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert who_listens(port) is None
