from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from etabli.errors import ConflictError, InvalidInputError, NotFoundError
from etabli.messages import speaking, tr
from etabli.storage.database import Database
from etabli.training.files import UploadedFiles, checked_purpose
from training.training_parts import Room


@pytest.fixture
def files(database: Database, tmp_path: Path) -> UploadedFiles:
    return UploadedFiles(database, tmp_path / "uploads")


@pytest.fixture
def room(database: Database, tmp_path: Path) -> Iterator[Room]:
    made = Room(database, tmp_path)
    yield made
    made.close()


def test_a_file_is_kept_byte_for_byte_and_deleted_with_its_row(files: UploadedFiles) -> None:
    file = files.add_text("é\n", filename="a.txt", purpose="user_data")
    assert (file.bytes, file.status, file.reason, file.expires_at) == (3, "processed", None, None)
    assert files.path(file.id).read_text() == "é\n" and files.get(file.id) == file
    assert files.path(file.id).stat().st_mode & 0o777 == 0o600 or files.folder.stat().st_mode & 0o777 == 0o700
    files.delete(file.id)
    assert not files.path(file.id).exists()
    for missing in (file.id, "file-nothing", "../../etc/passwd"):
        with pytest.raises(NotFoundError, match="There is no file"):
            files.get(missing)
        with pytest.raises(NotFoundError, match="There is no file"):
            files.delete(missing)


def test_nothing_stays_of_a_file_that_was_not_kept(files: UploadedFiles) -> None:
    with pytest.raises(RuntimeError), files.incoming() as place:
        place.write_text("half")
        raise RuntimeError
    assert not list(files.folder.iterdir())


def test_pages_of_a_list(files: UploadedFiles) -> None:
    made = [
        files.add_text(str(n), filename=f"{n}", purpose=["batch", "fine-tune"][n % 2]).id for n in range(5)
    ]
    page = files.list(limit=2)
    assert [one.id for one in page.files] == [made[4], made[3]] and page.has_more
    rest = files.list(limit=10, after=page.files[-1].id)
    assert [one.id for one in rest.files] == [made[2], made[1], made[0]] and not rest.has_more
    oldest = files.list(limit=2, newest_first=False)
    assert [one.id for one in oldest.files] == made[:2]
    assert [one.id for one in files.list(purpose="fine-tune").files] == [made[3], made[1]]
    with pytest.raises(InvalidInputError, match="not in this list") as caught:
        files.list(after="file-nothing")
    assert caught.value.param == "after"


def test_why_a_file_cannot_be_used_is_told_in_the_readers_language(files: UploadedFiles) -> None:
    file = files.add_text("x", filename="a", purpose="fine-tune")
    files.judge(file.id, tr("There is no file {id}.", id="x"))
    found = files.get(file.id)
    assert found.status == "error" and found.reason == "There is no file x."
    with speaking("fr"):
        assert files.get(file.id).reason == "Il n’y a pas de fichier x."
    files.judge(file.id, None)
    assert files.get(file.id).status == "processed"


def test_a_file_that_a_job_needs_stays(room: Room) -> None:
    job = room.submit()
    with pytest.raises(ConflictError, match=f"The job {job.id} needs the file"):
        room.files.delete(job.training_file)
    room.store.ask(job.id, "cancel")
    room.files.delete(job.training_file)
    assert room.store.get(job.id).training_file == job.training_file


def test_files_whose_time_is_over_go(files: UploadedFiles, tmp_path: Path, database: Database) -> None:
    kept = files.add_text("a", filename="a", purpose="batch")
    source = tmp_path / "b"
    source.write_text("b")
    file = files.add(source, filename="b", purpose="batch", sha256="00", expires_in=timedelta(hours=1))
    assert files.delete_expired() == 0
    with database.owner() as connection:
        connection.execute(
            "UPDATE uploaded_file SET expires_at = now() - interval '1 s' WHERE id = %s", (file.id,)
        )
    assert files.delete_expired() == 1
    assert files.get(kept.id) and not files.path(file.id).exists()


def test_purposes() -> None:
    assert checked_purpose("fine-tune") == "fine-tune"
    for wrong in (None, "", "fine-tune-results", "x" * 100):
        with pytest.raises(InvalidInputError, match="must be one of assistants, batch") as caught:
            checked_purpose(wrong)
        assert caught.value.param == "purpose"
