"""Uploaded examples looked at over HTTP, and the copies that are made of them."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from server_parts import BEARER, make_services
from starlette.testclient import TestClient

from etabli.server.app import create_app
from etabli.server.training.services import Training
from etabli.settings import Settings
from etabli.storage.database import Database
from training.training_parts import BASE, Room, look_without_tokens, rows

PATH = "/v1/etabli/training/files"


@pytest.fixture
def room(database: Database, tmp_path: Path) -> Room:
    return Room(database, tmp_path)


@pytest.fixture
def client(database: Database, tmp_path: Path, room: Room) -> Iterator[TestClient]:
    def none(*_: Any) -> Any:
        raise AssertionError("nothing is trained here")

    training = Training(
        organisation="test",
        files=room.files,
        jobs=room.store,
        adapters=room.adapters,
        submit=none,
        preflight=none,
        load=dict,
        loaded=tuple,
        checks=look_without_tokens,
    )
    settings = Settings(workspace=tmp_path, models_dir=tmp_path / "models")
    services = make_services(tmp_path, settings=settings, database=database, training=training)
    with TestClient(create_app(services), headers=BEARER) as one:
        yield one


def ask(client: TestClient, file: str, what: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"{PATH}/{file}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def lines_of(room: Room, file: str) -> list[str]:
    return room.files.path(file).read_text(encoding="utf-8").splitlines()


def test_each_rule_is_told_once_errors_first_under_the_files_own_name(client: TestClient, room: Room) -> None:
    values = rows(30)
    for place in range(2, 12):
        values[place]["messages"][1]["role"] = "robot"
    values[20] = values[19]
    file = room.upload(values, name="fiches.jsonl")
    found = ask(client, file, "check")
    assert (found["lines"], found["kept"], found["errors"]) == (30, 19, 10)
    first, second = found["rules"][:2]
    assert (first["rule"], first["count"], first["severity"]) == ("unrecognized_role", 10, "error")
    assert second["rule"] == "exact_duplicate" and second["mends"] == "corrected"
    assert [one["line"] for one in first["places"]] == [3, 4, 5, 6, 7], "the first few, all are counted"
    assert {one["file"] for one in first["places"]} == {"fiches.jsonl"}
    assert file not in json.dumps(found["rules"]), "a name of the store says nothing to a person"


def test_a_damaged_base_is_called_by_its_name(client: TestClient, room: Room, tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="install the extra: pip install 'etabli[training]'")
    found = ask(client, room.upload(rows(30)), "check", model=BASE)
    (note,) = [one for one in found["rules"] if one["rule"] == "tokens_not_checked"]
    assert f"{BASE} is damaged" in json.dumps(note) and str(tmp_path) not in json.dumps(note)


def test_a_corrected_copy_is_a_new_file(client: TestClient, room: Room) -> None:
    values = rows(30)
    values[4]["messages"][1]["role"] = "robot"
    values[5]["messages"][1]["role"] = " Assistant "
    file = room.upload(values, name="fiches.jsonl")
    before = room.files.path(file).read_bytes()
    done = ask(client, file, "corrected")
    assert (done["kept"], done["mended"], done["left_out"]) == (28, 1, 1)
    copy = done["file"]
    assert copy["filename"] == "fiches-corrected.jsonl" and copy["purpose"] == "fine-tune"
    assert len(lines_of(room, copy["id"])) == 29 and room.files.path(file).read_bytes() == before
    assert ask(client, copy["id"], "check")["errors"] == 0
    assert [path.name for path in room.files.folder.iterdir() if path.name.startswith(".")] == []


def test_rows_of_another_format_are_converted(client: TestClient, room: Room) -> None:
    file = room.upload(
        [{"instruction": f"Count to {n}", "input": "", "output": str(n)} for n in range(20)],
        name="alpaca.jsonl",
    )
    found = ask(client, file, "check")
    assert found["rules"][0]["mends"] == "converted" and not found["correctable"]
    done = ask(client, file, "converted")
    assert (done["rows"], done["left_out"], done["file"]["filename"]) == (20, 0, "alpaca-converted.jsonl")
    assert json.loads(lines_of(room, done["file"]["id"])[3])["messages"][-1]["content"] == "3"


def test_some_are_held_out_and_never_in_both(client: TestClient, room: Room) -> None:
    file = room.upload(rows(40))
    first, again = (ask(client, file, "split", share=0.25) for _ in "12")
    training, held_out = (lines_of(room, first[side]["id"]) for side in ("training", "held_out"))
    assert (first["training_rows"], first["held_out_rows"]) == (30, 10) == (len(training), len(held_out))
    assert sorted(training + held_out) == sorted(lines_of(room, file))
    assert held_out == lines_of(room, again["held_out"]["id"])
    check = ask(
        client, first["training"]["id"], "check", validation_file=first["held_out"]["id"], method="supervised"
    )
    assert "in_validation" not in {one["rule"] for one in check["rules"]}
    both = ask(client, file, "check", validation_file=first["held_out"]["id"])
    leak = next(one for one in both["rules"] if one["rule"] == "in_validation")
    assert leak["count"] == 10


def test_copies_are_deleted_by_themselves_unless_a_job_needs_them(
    client: TestClient, room: Room, database: Database
) -> None:
    file = room.upload(rows(40))
    parts = ask(client, file, "split", share=0.25)
    copies = [parts["training"], parts["held_out"], ask(client, file, "corrected")["file"]]
    assert {copy["expires_at"] - copy["created_at"] for copy in copies} <= {2_591_999, 2_592_000, 2_592_001}
    assert room.files.get(file).expires_at is None, "what was sent stays"
    brief = room.files.add_copy(
        room.files.path(file), filename="brief.jsonl", purpose="fine-tune", expires_in=timedelta(hours=1)
    )
    of_brief = ask(client, brief.id, "split")["training"]
    assert 3_500 < of_brief["expires_at"] - of_brief["created_at"] <= 3_601, (
        "no longer than what it was made of"
    )
    job = room.submit(training_file=copies[0]["id"], validation_file=copies[1]["id"])
    with database.owner() as connection:
        connection.execute(
            "UPDATE uploaded_file SET expires_at = now() - interval '1 s' WHERE expires_at > now()"
        )
    room.files.delete_expired()
    left = {one.id for one in room.files.list().files}
    assert left == {file, copies[0]["id"], copies[1]["id"]}
    room.store.ask(job.id, "cancel")
    assert room.files.delete_expired() == 2 and [one.id for one in room.files.list().files] == [file]


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("check", {"validation_file": "file-none"}, 404),
        ("check", {"x": 1}, 400),
        ("split", {"share": 0.9}, 400),
    ],
)
def test_what_cannot_be_is_refused(
    client: TestClient, room: Room, what: str, body: dict[str, Any], status: int
) -> None:
    file = room.upload(rows(20))
    assert client.post(f"{PATH}/{file}/{what}", json=body).status_code == status
    assert client.post(f"{PATH}/file-none/{what}", json={}).status_code == 404


def test_a_file_for_something_else_is_not_looked_at(client: TestClient, room: Room) -> None:
    other = room.files.add_text("words", filename="words.txt", purpose="user_data")
    answer = client.post(f"{PATH}/{other.id}/check", json={})
    assert answer.status_code == 400 and "fine-tune" in answer.json()["error"]["message"]


def test_one_example_is_too_few_to_hold_any_out(client: TestClient, room: Room) -> None:
    answer = client.post(f"{PATH}/{room.upload(rows(1), name='one.jsonl')}/split", json={})
    assert answer.status_code == 400 and "one.jsonl has too few" in answer.json()["error"]["message"]
