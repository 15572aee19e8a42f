import threading
import time

import pytest

from etabli.jobs import queue as queue_module
from etabli.jobs.queue import MOST_ATTEMPTS, Job, JobQueue, enqueue
from etabli.jobs.worker import Worker, drain, somebody_works
from etabli.storage.database import Database


class Recorder:
    """Notes what it is given; fails for the keys it is told to fail for."""

    def __init__(self, failing: tuple[str, ...] = ()) -> None:
        self.failing = failing
        self.done: list[str] = []
        self.abandoned: list[str] = []
        self.event = threading.Event()

    def handle(self, job: Job) -> None:
        if job.key in self.failing:
            raise ValueError("no")
        self.done.append(job.key)
        self.event.set()

    def abandon(self, job: Job, reason: str) -> None:
        self.abandoned.append(f"{job.key}: {reason}")


def put(database: Database, *keys: str) -> None:
    with database.owner() as connection:
        for key in keys:
            enqueue(connection, "read", key=key)


def hurry(database: Database) -> None:
    with database.owner() as connection:
        connection.execute("UPDATE job SET run_after = now()")


def test_jobs_run_once_in_order(database: Database) -> None:
    put(database, "1", "2", "1", "3")
    recorder = Recorder()
    drain(database, recorder, ["read"], lambda: None)
    assert recorder.done == ["1", "2", "3"]
    put(database, "1")
    drain(database, recorder, ["read"], lambda: None)
    assert recorder.done == ["1", "2", "3", "1"]


def test_a_failing_job_is_retried_then_abandoned_and_holds_up_nobody(database: Database) -> None:
    put(database, "bad", "good")
    recorder = Recorder(failing=("bad",))
    for _ in range(MOST_ATTEMPTS):
        drain(database, recorder, ["read"], lambda: None)
        hurry(database)
    assert recorder.done == ["good"]
    assert recorder.abandoned == ["bad: ValueError: no"]
    assert JobQueue(database).pending(["read"]) == 0


def test_a_dead_workers_job_is_taken_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    put(database, "1")
    queue = JobQueue(database)
    monkeypatch.setattr(queue_module, "LEASE_S", 0)
    assert queue.take(["read"]) is not None
    monkeypatch.setattr(queue_module, "LEASE_S", 60)
    again = queue.take(["read"])
    assert again is not None and again.attempts == 2
    assert queue.take(["read"]) is None


def test_a_job_that_kills_its_worker_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    put(database, "deadly")
    queue = JobQueue(database)
    monkeypatch.setattr(queue_module, "LEASE_S", 0)
    for _ in range(MOST_ATTEMPTS):
        queue.take(["read"])
    recorder = Recorder()
    drain(database, recorder, ["read"], lambda: None)
    assert recorder.done == [] and "deadly" in recorder.abandoned[0]


def test_two_workers_never_take_the_same_job(database: Database) -> None:
    put(database, *(str(number) for number in range(40)))
    recorder = Recorder()
    threads = [
        threading.Thread(target=drain, args=(database, recorder, ["read"], lambda: None)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(recorder.done, key=int) == [str(number) for number in range(40)]


def test_a_running_worker_is_seen_and_works(database: Database) -> None:
    recorder = Recorder()
    assert not somebody_works(database)
    with Worker(database, recorder, lanes=[["read"], ["embed"]]):
        assert somebody_works(database)
        put(database, "1")
        assert recorder.event.wait(10)
    assert not somebody_works(database)
    assert recorder.done == ["1"]


def test_a_new_sole_worker_takes_up_what_a_killed_one_held(database: Database) -> None:
    put(database, "1")
    assert JobQueue(database).take(["read"]) is not None
    recorder = Recorder()
    with Worker(database, recorder, lanes=[["read"]]):
        assert recorder.event.wait(10)
    deadline = time.monotonic() + 10
    while JobQueue(database).pending(["read"]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert JobQueue(database).pending(["read"]) == 0


def test_what_is_asked_for_again_while_it_runs_is_done_once_more(database: Database) -> None:
    """It may have begun before what it is about changed: a file replaced while it is read."""
    put(database, "1")
    queue = JobQueue(database)
    running = queue.take(["read"])
    assert running is not None
    put(database, "1", "1")
    assert queue.take(["read"]) is None
    queue.finish(running)
    recorder = Recorder()
    drain(database, recorder, ["read"], lambda: None)
    assert recorder.done == ["1"]


@pytest.mark.parametrize("end", ["give_up", "retry"])
def test_a_failure_does_not_swallow_what_was_asked_for_meanwhile(database: Database, end: str) -> None:
    put(database, "1")
    queue = JobQueue(database)
    running = queue.take(["read"])
    assert running is not None
    put(database, "1")
    getattr(queue, end)(running, "no")
    hurry(database)
    recorder = Recorder()
    drain(database, recorder, ["read"], lambda: None)
    assert recorder.done == ["1"]
