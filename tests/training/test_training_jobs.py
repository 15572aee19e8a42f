import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from etabli.errors import DiskSpaceError, InvalidInputError, NotFoundError
from etabli.messages import speaking, told, tr
from etabli.storage.database import Database
from etabli.training import running
from etabli.training.base import Event, EventLog
from etabli.training.jobs import checked_suffix, method_of_file, model_name, multiplier, read_events, resolve
from training.training_parts import BASE, Room


@pytest.fixture
def room(database: Database, tmp_path: Path) -> Iterator[Room]:
    made = Room(database, tmp_path)
    yield made
    made.close()


def test_what_is_auto_suits_the_method() -> None:
    given = {"n_epochs": "auto", "batch_size": None, "learning_rate_multiplier": "auto"}
    assert resolve(given, "supervised", seed=3).learning_rate == 2e-4
    assert resolve(given, "dpo", seed=3).learning_rate == 5e-5
    assert (resolve(given, "kto", seed=3).epochs, resolve(given, "kto", seed=3).seed) == (3, 3)


def test_openais_words_and_ours() -> None:
    found = resolve({"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 2, "rank": 8}, "dpo", seed=1)
    assert (found.epochs, found.batch_size, found.learning_rate, found.rank) == (2, 4, 1e-4, 8)
    assert multiplier(found.model_dump(), "dpo") == 2.0
    assert resolve({"beta": 0.2}, "dpo", seed=1).beta == 0.2


@pytest.mark.parametrize(
    ("given", "method", "said"),
    [
        ({"epochen": 2}, "supervised", "epochen is unknown. Allowed: alpha, "),
        ({"seed": 2}, "supervised", "seed is unknown"),
        ({"n_epochs": 0}, "supervised", "epochs is 0: "),
        ({"n_epochs": "many"}, "supervised", "epochs is many: "),
        ({"learning_rate_multiplier": -1}, "supervised", "must be a number above 0"),
        ({"learning_rate_multiplier": True}, "supervised", "must be a number above 0"),
        ({"beta": 0.1}, "supervised", "beta belongs to dpo and kto"),
    ],
)
def test_wrong_hyperparameters(given: dict[str, Any], method: Any, said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        resolve(given, method, seed=1)
    assert said in str(caught.value) and caught.value.param == "hyperparameters"


@pytest.mark.parametrize(
    ("row", "method"),
    [
        ({"messages": []}, "supervised"),
        ({"input": {}, "preferred_output": [], "non_preferred_output": []}, "dpo"),
        ({"prompt": [], "completion": [], "label": True}, "kto"),
        ({"text": "x"}, None),
        ([1], None),
    ],
)
def test_the_first_example_says_the_method(tmp_path: Path, row: Any, method: str | None) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert method_of_file(path) == method


def test_a_file_that_is_nothing_has_no_method(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    assert method_of_file(path) is None
    for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        path.write_bytes(content)
        assert method_of_file(path) is None


def test_names() -> None:
    first, second = (model_name("qwen2.5", "/srv/Demo", "Été 24") for _ in range(2))
    assert first.startswith("ft:qwen2.5:srv-demo:t-24:") and first != second
    assert model_name("b", "…", "").startswith("ft:b:etabli::")
    assert checked_suffix(None) == "" and checked_suffix(" a ") == "a"
    with pytest.raises(InvalidInputError, match="65 characters; at most 64"):
        checked_suffix("x" * 65)


def test_odd_lines_of_events_are_passed_over(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    good = log.append("message", "first")
    with (tmp_path / "events.jsonl").open("ab") as file:
        for line in (b"nonsense\n", b"[]\n", b'{"at": "x"}\n', b"[" * 50_000 + b"\n"):
            file.write(line)
        file.write(b'{"at": "not yet')
    found = [event for _, _, event in read_events(tmp_path, 0)]
    assert found == [good, None, None, None, None]
    ends = [offset for offset, _, _ in read_events(tmp_path, 0)]
    assert list(read_events(tmp_path, ends[-1])) == [] and isinstance(found[0], Event)


def test_numbers_that_are_none_do_not_stop_a_job(room: Room) -> None:
    job = room.submit()
    folder = room.jobs / job.id
    folder.mkdir(parents=True)
    log = EventLog(folder)
    log.append("metrics", "a\0b", step=1, train_loss=float("nan"), remaining_s=float("inf"), note="x\0y")
    log.append("metrics", "", step=2, total_steps="many", nested={"x": float("inf")})
    room.store.absorb(job.id, folder)
    first, second = [one for one in room.store.new_events(job.id, None) if one.kind == "metrics"]
    assert first.data == {"step": 1, "train_loss": None, "remaining_s": None, "note": "xy"}
    assert first.message == "ab" and second.data["nested"] == {"x": None}
    assert room.store.get(job.id).step == 2


def test_what_the_process_says_is_told_in_the_readers_language(room: Room) -> None:
    job = room.submit()
    folder = room.jobs / job.id
    folder.mkdir(parents=True)
    log = EventLog(folder)
    log.append("message", tr("Loading {model}.", model="qwen"))
    log.append(
        "failed", tr("The memory is full. Lower max_tokens or set gradient_checkpointing."), code="memory"
    )
    log.append("message", "as it is")
    room.store.absorb(job.id, folder)
    loading, failed, plain = room.store.new_events(job.id, None)[-3:]
    with speaking("fr"):
        assert told(loading.message) == "Chargement de qwen." and told(plain.message) == "as it is"
        assert told(failed.message).startswith("La mémoire est pleine.")
    with speaking("en"):
        assert told(loading.message) == "Loading qwen."


@pytest.mark.parametrize(
    ("changes", "param", "said"),
    [
        (
            {"base": "unknown"},
            "model",
            f"There is no base model unknown on this machine. Those that are: {BASE}",
        ),
        ({"base": "../x"}, "model", "There is no base model ../x"),
        ({"training_file": "file-0"}, "training_file", "There is no file file-0."),
        ({"validation_file": "file-0"}, "validation_file", "There is no file file-0."),
        ({"suffix": "x" * 65}, "suffix", "at most 64"),
        ({"seed": -1}, "seed", "from 0 to"),
        ({"hyperparameters": {"x": 1}}, "hyperparameters", "unknown"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_kept(
    room: Room, changes: dict[str, Any], param: str, said: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        room.submit(**changes)
    assert said in str(caught.value) and caught.value.param == param
    assert room.store.list().jobs == ()


def test_the_held_out_file_is_another_one(room: Room) -> None:
    file = room.upload()
    with pytest.raises(InvalidInputError, match="learnt by heart"):
        room.submit(training_file=file, validation_file=file)
    other = room.files.add_text("x", filename="x", purpose="batch")
    with pytest.raises(InvalidInputError, match=r"uploaded for “batch”"):
        room.submit(training_file=other.id)


def test_no_job_begins_on_a_full_disk(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "free_disk", lambda folder: 1000)
    with pytest.raises(DiskSpaceError, match="Training needs about"):
        room.submit()


def test_pages_of_jobs_and_what_they_carry(room: Room) -> None:
    file = room.upload()
    first = room.submit(training_file=file, metadata={"team": "a", "x": ""})
    second = room.submit(training_file=file, metadata={"team": "b"})
    third = room.submit(training_file=file)
    page = room.store.list(limit=2)
    assert [one.id for one in page.jobs] == [third.id, second.id] and page.has_more
    assert [one.id for one in room.store.list(after=second.id).jobs] == [first.id]
    assert [one.id for one in room.store.list(metadata={"team": "a"}).jobs] == [first.id]
    assert [one.id for one in room.store.list(metadata={"x": ""}).jobs] == [first.id]
    assert [one.id for one in room.store.list(without_metadata=True).jobs] == [third.id]
    with pytest.raises(InvalidInputError, match="not in this list"):
        room.store.list(after="ftjob-0")
    with pytest.raises(NotFoundError, match="There is no training job ftjob-0"):
        room.store.events("ftjob-0")
