from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from etabli.errors import ConfigurationError, ConflictError, NotFoundError
from etabli.storage.database import Database
from etabli.training.adapters import (
    Adapter,
    approved_files,
    loadable,
    require_adapter,
)
from training.training_parts import BASE, PASSED, Room


@pytest.fixture
def room(database: Database, tmp_path: Path) -> Iterator[Room]:
    made = Room(database, tmp_path)
    yield made
    made.close()


def made(room: Room, content: str = "adapter", *, gate: dict[str, Any] | None = None) -> Adapter:
    job = room.submit()
    path = room.folder / "out.gguf"
    path.write_text(content)
    figures = {"gate": PASSED if gate is None else gate}
    return room.adapters.add(
        path, name=job.model_name, base=job.base, base_sha256=job.base_sha256, job_id=job.id, figures=figures
    )


def test_an_adapter_lies_under_its_hash_once(room: Room) -> None:
    first, second = made(room, "same"), made(room, "same")
    assert first.sha256 == second.sha256 and room.adapters.path(first).read_text() == "same"
    assert len(list(room.adapters.folder.iterdir())) == 1
    again = room.adapters.add(
        room.folder / "out.gguf", name="x", base=BASE, base_sha256="0", job_id=first.job_id, figures={}
    )
    assert again == first, "a job makes one adapter"
    (room.folder / "out.gguf").write_text("other")
    with pytest.raises(ConflictError, match="made another adapter before"):
        room.adapters.add(
            room.folder / "out.gguf", name="x", base=BASE, base_sha256="0", job_id=first.job_id, figures={}
        )


def test_a_person_lets_it_answer_and_takes_it_back(room: Room, database: Database) -> None:
    adapter = made(room)
    with pytest.raises(ConfigurationError, match=r"waits for approval\. Approve it: etabli adapters approve"):
        require_adapter(database, adapter.name, running=BASE)
    assert approved_files(room.adapters.folder, adapter.base_sha256) == {}
    approved = room.adapters.approve(adapter.name, "account:1")
    assert (approved.state, approved.decided_by) == ("approved", "account:1") and approved.decided_at
    require_adapter(database, adapter.name, running=BASE)
    files = approved_files(room.adapters.folder, adapter.base_sha256)
    assert files == {adapter.name: room.adapters.path(adapter)}
    assert approved_files(room.adapters.folder, "f" * 64) == {}, "another base has none of it"
    with pytest.raises(ConflictError, match="it is approved; retire it instead"):
        room.adapters.refuse(adapter.name, "account:1", "no")
    assert room.adapters.retire(adapter.name, "account:1", "old").reason == "old"
    assert approved_files(room.adapters.folder, adapter.base_sha256) == {}
    with pytest.raises(ConfigurationError, match="it is retired"):
        require_adapter(database, adapter.name, running=BASE)
    assert room.adapters.approve(adapter.name, "account:1").state == "approved"


def test_what_is_refused_stays_refused(room: Room, database: Database) -> None:
    adapter = made(room)
    room.adapters.refuse(adapter.name, "account:1", "forgets dates")
    with pytest.raises(ConflictError, match="was refused: forgets dates"):
        room.adapters.approve(adapter.name, "account:1")
    with pytest.raises(ConflictError, match="it was refused"):
        room.adapters.retire(adapter.name, "account:1")
    with pytest.raises(ConfigurationError, match="it was refused"):
        require_adapter(database, adapter.name, running=BASE)


@pytest.mark.parametrize("gate", [{}, {"passed": False}, {"passed": None}, {"passed": "true"}])
def test_nobody_approves_what_did_not_pass_the_gate(room: Room, gate: dict[str, Any]) -> None:
    adapter = made(room, gate=gate)
    with pytest.raises(ConflictError, match="has not passed"):
        room.adapters.approve(adapter.name, "account:1")


def test_a_file_that_changed_is_not_what_was_examined(room: Room) -> None:
    adapter = made(room)
    path = room.adapters.path(adapter)
    path.write_text("altered")
    with pytest.raises(ConflictError, match="not what was examined"):
        room.adapters.approve(adapter.name, "account:1")
    path.write_text("adapter")
    room.adapters.approve(adapter.name, "account:1")
    path.write_text("altered")
    found = loadable(room.adapters.folder, adapter.base_sha256)
    assert found.files == {} and found.left_out == {adapter.name: "its file is not what was examined"}
    path.unlink()
    assert loadable(room.adapters.folder, adapter.base_sha256).left_out == {adapter.name: "its file is gone"}


def test_unknown_names_and_other_bases(room: Room, database: Database) -> None:
    adapter = made(room)
    room.adapters.approve(adapter.name, "x")
    with pytest.raises(ConfigurationError, match=f"was trained on {BASE}, and the engine runs other"):
        require_adapter(database, adapter.name, running="other")
    with pytest.raises(ConfigurationError, match="The adapter ft:x is unknown"):
        require_adapter(database, "ft:x", running=BASE)
    with pytest.raises(NotFoundError):
        room.adapters.get("ft:x")


def test_an_engine_holds_so_many_those_of_assistants_first(room: Room) -> None:
    adapters = [made(room, f"adapter {number}") for number in range(4)]
    for one in adapters:
        room.adapters.approve(one.name, "x")
    base = adapters[0].base_sha256
    found = loadable(room.adapters.folder, base, first=[adapters[0].name, "ft:gone"], most=2)
    assert set(found.files) == {adapters[0].name, adapters[3].name}, "then the last approved"
    assert list(found.files) == sorted(found.files), "the same set is the same list"
    assert set(found.left_out) == {adapters[1].name, adapters[2].name}
    assert found.left_out[adapters[1].name] == "the engine holds 2 adapters at once, and these came first"


def test_a_note_that_somebody_tampered_with_names_no_other_file(room: Room) -> None:
    adapter = made(room)
    room.adapters.approve(adapter.name, "x")
    place = room.adapters.folder / "approved.json"
    text = place.read_text()
    place.write_text(text.replace(adapter.sha256, "../" * 20 + "etcpw"))
    assert approved_files(room.adapters.folder, adapter.base_sha256) == {}
    place.write_text(text.replace("ft:", "xx:"))
    assert approved_files(room.adapters.folder, adapter.base_sha256) == {}
    room.adapters.write_approved()
    assert place.read_text() == text and place.stat().st_mode & 0o777 == 0o600
