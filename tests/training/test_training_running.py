"""Jobs from the queue to the adapter, with a scripted trainer in a real process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from etabli.errors import ConflictError, EngineUnavailableError
from etabli.messages import told
from etabli.storage.database import Database
from etabli.training.base import ADAPTER_FILE, CHECKPOINTS
from etabli.training.checking import FileChecks
from etabli.training.running import MOST_CRASHES
from training.training_parts import BASE, Room, probed, rows


@pytest.fixture
def room(database: Database, tmp_path: Path) -> Iterator[Room]:
    made = Room(database, tmp_path)
    yield made
    made.close()


def test_a_job_runs_to_an_adapter_that_waits_for_a_person(room: Room) -> None:
    job = room.submit(suffix="Formulaires d'accueil", validation_file=None)
    assert job.state == "validating" and job.model_name.startswith(
        f"ft:{BASE}:test-room:formulaires-d-accueil:"
    )
    room.runner()
    done = room.wait(job, "succeeded")
    assert (done.step, done.total_steps, done.checkpoint_step, done.trained_tokens) == (6, 6, 6, 600)
    assert done.started_at and done.finished_at and done.estimated_finish is None and done.error is None
    assert done.preflight and done.preflight["steps"] == 6
    adapter = room.adapters.get(job.model_name)
    assert adapter.state == "trained" and room.adapters.path(adapter).is_file()
    assert adapter.figures["training"]["steps"] == 6 and adapter.figures["gate"]["passed"] is True
    assert room.examiner.examined == [job.model_name] and room.approved == 0
    messages = room.told(job)
    assert (
        messages[-1]
        == f"{job.model_name} is trained and waits for approval: etabli adapters approve {job.model_name}"
    )
    order = ["Created", "files are as", "training begins", "About 6", "Step 1/6", "finished", "say the same"]
    places = [next(place for place, one in enumerate(messages) if word in one) for word in order]
    assert places == sorted(places)
    (csv,) = done.result_files
    lines = room.files.path(csv).read_text().splitlines()
    assert lines[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert lines[1].startswith("1,1.0,0.5,") and len(lines) == 7
    assert not (room.jobs / job.id / CHECKPOINTS).exists(), "checkpoints of a finished job are nobody's"


def test_jobs_run_one_after_the_other_in_order(room: Room) -> None:
    first, second = room.submit(), room.submit()
    room.script(first, steps=5, step_s=0.05)
    room.runner()
    while (state := room.store.get(first.id).state) != "succeeded":
        assert room.store.get(second.id).state in ("validating", "queued"), state
    assert room.wait(second, "succeeded").started_at >= room.store.get(first.id).finished_at  # type: ignore[operator]


def test_a_file_that_cannot_be_trained_on_fails_with_its_line(room: Room) -> None:
    wrong = rows(20)
    wrong[4]["messages"][1]["role"] = "robot"
    job = room.submit(training_file=room.upload(wrong, name="fiches.jsonl"))
    room.runner()
    failed = room.wait(job, "failed")
    assert failed.error and failed.error["code"] == "invalid_training_file"
    assert failed.error["param"] == "training_file"
    message = told(failed.error["message"])
    assert message.startswith("fiches.jsonl, line 5: ") and "robot" in message
    assert failed.started_at is None


def test_a_crash_goes_on_from_the_checkpoint_to_the_same_adapter(room: Room) -> None:
    plain, crashing = room.submit(), room.submit()
    room.script(crashing, crash_at=5, crashes=2)
    room.runner()
    done = room.wait(crashing, "succeeded")
    assert done.crashes == 0, "a checkpoint came after them"
    told_of = [one for one in room.told(crashing) if "died" in one]
    assert len(told_of) == 2 and "going on from step 4" in told_of[0]
    steps = [
        event.data["step"] for event in room.store.new_events(crashing.id, None) if event.kind == "metrics"
    ]
    assert steps == [1, 2, 3, 4, 5, 5, 5, 6], (
        "every step that was told is there once for each time it was done"
    )
    assert [point["step"] for point in room.store.curve(crashing.id)] == [1, 2, 3, 4, 5, 6]
    room.wait(plain, "succeeded")
    folders = [room.jobs / job.id / ADAPTER_FILE for job in (plain, crashing)]
    assert folders[0].read_bytes() != b"" and [path.is_file() for path in folders] == [True, True]


def test_without_progress_it_is_started_three_times_again_and_then_fails(room: Room) -> None:
    job = room.submit()
    room.script(job, crash_at=1, crashes=99)
    room.runner()
    failed = room.wait(job, "failed")
    assert failed.error and failed.error["code"] == "training_crashed"
    assert f"died {MOST_CRASHES + 1} times without getting further" in told(failed.error["message"])
    marks = room.jobs / job.id / "crashes"
    assert marks.stat().st_size == MOST_CRASHES + 1
    room.script(job, crash_at=None)
    room.store.ask(job.id, "resume")
    assert room.wait(job, "succeeded").error is None, "a person may have given it more memory"


def test_a_failure_of_the_trainer_is_told_and_not_tried_again(room: Room) -> None:
    job = room.submit()
    room.script(job, fail_at=3)
    room.runner()
    failed = room.wait(job, "failed")
    assert failed.error == {"code": "data_error", "message": "The scripted failure.", "param": None}
    assert sum("Step 1/" in one for one in room.told(job)) == 1


def test_pause_and_resume(room: Room) -> None:
    job = room.submit()
    room.script(job, steps=200, step_s=0.02, checkpoint=1000)
    room.runner()
    while room.store.get(job.id).step < 3:
        time.sleep(0.02)
    assert room.store.ask(job.id, "pause").wanted == "pause"
    paused = room.wait(job, "paused")
    assert paused.checkpoint_step >= 3 and paused.estimated_finish is None and paused.wanted is None
    time.sleep(0.2)
    assert room.store.get(job.id).state == "paused"
    room.script(job, steps=paused.step + 2)
    room.store.ask(job.id, "resume")
    done = room.wait(job, "succeeded")
    assert done.step == paused.step + 2
    assert any(f"Going on from step {paused.checkpoint_step}." in one for one in room.told(job))


def test_a_job_that_waits_is_paused_and_cancelled_at_once(room: Room) -> None:
    job = room.submit()
    with pytest.raises(ConflictError, match="its files are being looked at"):
        room.store.ask(job.id, "pause")
    assert room.store.ask(job.id, "cancel").state == "cancelled"
    for wanted in ("pause", "cancel", "resume"):
        with pytest.raises(ConflictError, match="was cancelled"):
            room.store.ask(job.id, wanted)
    room.runner()
    assert room.store.get(job.id).state == "cancelled"


def test_a_running_job_is_cancelled_at_once(room: Room) -> None:
    job = room.submit()
    room.script(job, steps=10_000, step_s=0.02)
    room.runner()
    while room.store.get(job.id).step < 1:
        time.sleep(0.02)
    room.store.ask(job.id, "cancel")
    assert room.wait(job, "cancelled").finished_at is not None
    assert not (room.jobs / job.id).exists()
    assert not [
        one for one in psutil.Process().children(recursive=True) if "etabli.training.fake" in one.cmdline()
    ]


def test_the_next_runner_goes_on_where_the_last_one_stopped(room: Room) -> None:
    job = room.submit()
    room.script(job, steps=60, step_s=0.02, checkpoint=1000)
    runner = room.runner()
    while room.store.get(job.id).step < 3:
        time.sleep(0.02)
    runner.stop()
    waiting = room.store.get(job.id)
    assert waiting.state == "queued" and waiting.checkpoint_step >= 3 and waiting.crashes == 0
    room.runner()
    assert room.wait(job, "succeeded").step == 60
    assert any(f"Going on from step {waiting.checkpoint_step}." in one for one in room.told(job))


RUNNER = """
import sys, threading
from pathlib import Path
from etabli.storage.database import Database
from training.training_parts import Room
room = Room(Database(sys.argv[1]), Path(sys.argv[2]))
room.runner()
threading.Event().wait()
"""


def test_a_runner_that_is_killed_leaves_no_trainer_and_loses_nothing(room: Room, database_url: str) -> None:
    job = room.submit()
    room.script(job, steps=200, step_s=0.02, checkpoint=5)
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER, database_url, str(room.folder)],
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parent.parent}"},
    )
    try:
        while room.store.get(job.id).checkpoint_step < 10:
            assert process.poll() is None
            time.sleep(0.02)
        (trainer,) = [
            one for one in psutil.Process(process.pid).children() if "etabli.training.fake" in one.cmdline()
        ]
        assert os.sched_getscheduler(trainer.pid) == os.SCHED_IDLE, "training gives way to answers"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    psutil.wait_procs([trainer], timeout=20)
    assert not trainer.is_running()
    at = room.store.get(job.id)
    assert at.state == "running"
    room.script(job, steps=at.step + 4, checkpoint=5)
    room.runner()
    done = room.wait(job, "succeeded")
    assert done.step == at.step + 4
    metrics = [event.data["step"] for event in room.store.new_events(job.id, None) if event.kind == "metrics"]
    assert set(metrics) == set(range(1, at.step + 5))
    assert any("the program that ran it ended" in one for one in room.told(job))


def test_only_one_runner_of_a_workspace_works(room: Room) -> None:
    first = room.runner()
    second = room.runner()
    job = room.submit()
    room.wait(job, "succeeded")
    first.stop()
    again = room.submit()
    room.wait(again, "succeeded")
    second.stop()
    assert sum("training begins" in one for one in room.told(job)) == 1


def test_events_are_read_once_however_often(room: Room) -> None:
    job = room.submit()
    room.runner()
    room.wait(job, "succeeded")
    before = room.store.new_events(job.id, None)
    assert room.store.absorb(job.id, room.jobs / job.id) == ()
    with room.database.owner() as connection:
        connection.execute("UPDATE training_job SET event_offset = 0 WHERE id = %s", (job.id,))
    assert room.store.absorb(job.id, room.jobs / job.id)
    assert room.store.new_events(job.id, None) == before


def test_half_a_line_of_a_killed_process_does_no_harm(room: Room) -> None:
    job = room.submit()
    folder = room.jobs / job.id
    room.script(job)
    (folder / "events.jsonl").write_bytes(b'{"at": "2026-01-01T00:00:00", "kind": "metr')
    room.runner()
    assert room.wait(job, "succeeded").step == 6


def test_a_lost_folder_begins_anew(room: Room) -> None:
    job = room.submit()
    room.script(job, steps=60, step_s=0.02)
    runner = room.runner()
    while room.store.get(job.id).checkpoint_step < 4:
        time.sleep(0.02)
    runner.stop()
    for path in sorted((room.jobs / job.id).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    room.runner()
    assert room.wait(job, "succeeded").step == 6


def test_an_adapter_that_fails_the_gate_is_refused_for_good(room: Room) -> None:
    room.examiner.gate = {"passed": False, "mean_divergence": 0.4, "agreement": 0.5, "positions": 10}
    job = room.submit(approve=True)
    room.runner()
    failed = room.wait(job, "failed")
    assert failed.error and failed.error["code"] == "not_equivalent" and failed.gate == room.examiner.gate
    adapter = room.adapters.get(job.model_name)
    assert adapter.state == "refused" and room.approved == 0
    with pytest.raises(ConflictError, match="was refused"):
        room.adapters.approve(adapter.name, "somebody")


def test_an_examination_that_breaks_off_is_done_again_without_training(room: Room) -> None:
    room.examiner.gate = EngineUnavailableError("no memory for an engine")
    job = room.submit()
    room.runner()
    failed = room.wait(job, "failed")
    assert failed.error and failed.error["code"] == "engine_unavailable"
    with pytest.raises(ConflictError, match="has not passed"):
        room.adapters.approve(job.model_name, "somebody")
    room.examiner.gate = {"passed": True}
    room.store.ask(job.id, "resume")
    assert room.wait(job, "succeeded").gate == {"passed": True}
    assert sum("Step 1/" in one for one in room.told(job)) == 1
    assert room.adapters.approve(job.model_name, "somebody").state == "approved"


def test_a_damaged_base_is_called_by_its_name(room: Room) -> None:
    pytest.importorskip("gguf", reason="install the extra: pip install 'etabli[training]'")
    job = room.submit()
    room.runner(checks=FileChecks())
    failed = room.wait(job, "failed")
    assert failed.error is not None and failed.error["code"] == "invalid_request"
    said = told(failed.error["message"])
    assert f"{BASE} is damaged" in said and str(room.folder) not in said


def test_a_comparison_that_fails_leaves_the_decision_to_the_person(room: Room) -> None:
    room.examiner.comparison = EngineUnavailableError("gone")
    job = room.submit()
    room.runner()
    assert room.wait(job, "succeeded").comparison is None
    assert "The answers could not be compared: gone" in room.told(job)


@pytest.mark.parametrize("forgot", [False, True])
def test_approval_beforehand_holds_unless_the_model_forgot(room: Room, forgot: bool) -> None:
    room.examiner.comparison = {"forgot": forgot, "gains": [], "pairs": [{"id": "1"}]}
    job = room.submit(approve=True)
    room.runner()
    room.wait(job, "succeeded")
    adapter = room.adapters.get(job.model_name)
    while adapter.decided_at is None and not forgot:
        adapter = room.adapters.get(job.model_name)
    assert adapter.state == ("trained" if forgot else "approved")
    assert "pairs" not in adapter.figures["comparison"]
    approved = (
        json.loads((room.adapters.folder / "approved.json").read_text())["adapters"] if not forgot else []
    )
    assert [one["name"] for one in approved] == ([] if forgot else [job.model_name])


@pytest.mark.parametrize("harmed", [False, True])
def test_approval_beforehand_holds_unless_probes_are_violated_more(room: Room, harmed: bool) -> None:
    room.examiner.probes = probed(harmed=harmed)
    job = room.submit(approve=True, assistant="desk")
    room.runner()
    done = room.wait(job, "succeeded")
    adapter = room.adapters.get(job.model_name)
    assert adapter.state == ("trained" if harmed else "approved")
    assert done.comparison and done.comparison["probes"]["assistant"] == "desk" and done.probes == 24
    assert len(done.comparison["probes"]["turned"]) == harmed
    assert "turned" not in adapter.figures["comparison"]["probes"], "texts are on the job's own page"
    assert any("probes on desk" in one for one in room.told(job))
    assert any("more probes are violated" in one for one in room.told(job)) is harmed


def test_probes_are_tried_only_on_an_assistant_and_only_where_wanted(room: Room) -> None:
    room.examiner.probes = probed()
    room.runner()
    for wishes in ({}, {"assistant": "desk", "probes": 0}):
        job = room.submit(**wishes)
        done = room.wait(job, "succeeded")
        assert done.comparison is not None and done.comparison["probes"] is None
        assert not any("probes" in one for one in room.told(job))


def test_probes_that_fail_leave_the_comparison_and_the_decision(room: Room) -> None:
    room.examiner.probes = EngineUnavailableError("gone")
    job = room.submit(assistant="desk")
    room.runner()
    done = room.wait(job, "succeeded")
    assert done.comparison is not None and done.comparison["probes"] is None
    assert "The probes could not be tried: gone" in room.told(job)


def test_what_the_probes_found_is_kept_where_the_answers_cannot_be_compared(room: Room) -> None:
    room.examiner.comparison, room.examiner.probes = EngineUnavailableError("gone"), probed()
    job = room.submit(assistant="desk")
    room.runner()
    done = room.wait(job, "succeeded")
    assert done.comparison is not None and done.comparison["gains"] == []
    assert done.comparison["probes"]["harmed"] is True


def test_how_far_an_examination_is_can_be_seen(room: Room) -> None:
    room.examiner.ticks = 400
    job = room.submit()
    room.runner()
    while (seen := room.store.get(job.id)).progress is None:
        time.sleep(0.02)
    assert seen.state == "examining" and (seen.progress["part"], seen.progress["total"]) == ("answers", 400)
    room.store.ask(job.id, "cancel")
    room.wait(job, "cancelled")


def test_a_job_cancelled_under_examination_leaves_nothing_to_approve(room: Room) -> None:
    room.examiner.ticks = 400
    job = room.submit()
    room.runner()
    room.wait(job, "examining")
    while not room.examiner.examined:
        time.sleep(0.02)
    room.store.ask(job.id, "cancel")
    room.wait(job, "cancelled")
    while room.adapters.get(job.model_name).state == "trained":
        time.sleep(0.02)
    assert room.adapters.get(job.model_name).state == "refused"


def test_a_server_that_stops_under_examination_goes_on_with_it(room: Room) -> None:
    room.examiner.ticks = 400
    job = room.submit()
    runner = room.runner()
    room.wait(job, "examining")
    while not room.examiner.examined:
        time.sleep(0.02)
    runner.stop()
    assert room.store.get(job.id).state == "examining"
    room.examiner.ticks = 0
    room.runner()
    room.wait(job, "succeeded")
