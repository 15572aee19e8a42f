"""The history of assistants, over real files and a real database."""

import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from etabli.assistants.catalogue import AssistantCatalogue
from etabli.assistants.specification import AssistantSpecification
from etabli.assistants.versions import Version, VersionStore
from etabli.errors import ConfigurationError, ConflictError, InvalidInputError, NotFoundError
from etabli.settings import load_settings
from etabli.storage.backup import create_backup
from etabli.storage.database import Database
from etabli.storage.embedded import EmbeddedPostgres
from etabli.storage.restore import restore_backup

ONE = "name: rh\ntitle: Un\n"
TWO = "# Une remarque.\ntitle: Deux   # et une autre\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "assistants"


@pytest.fixture
def store(database: Database, folder: Path) -> VersionStore:
    return VersionStore(database, folder)


def kinds(store: VersionStore, name: str = "rh") -> list[tuple[int, str]]:
    return [(each.number, each.kind) for each in store.list(name)]


def test_each_save_is_a_version_and_the_file(store: VersionStore, folder: Path) -> None:
    first = store.save("rh", ONE, note="début", account_id=1)
    assert (first.number, first.kind, first.note, first.account_id) == (1, "saved", "début", 1)
    assert first.saved_at.tzinfo is not None
    second = store.save("rh", TWO)
    assert second.number == 2
    assert (folder / "rh.yaml").read_text(encoding="utf-8") == TWO, "the text is kept as it was written"
    assert kinds(store) == [(2, "saved"), (1, "saved")]
    assert store.get("rh", 1).title == "Un" and store.get("rh", 2).title == "Deux"
    assert store.text("rh", 1) == ONE
    assert store.save("rh", TWO) == second, "the same text again makes no version"
    assert [path.name for path in folder.iterdir()] == ["rh.yaml"], "nothing else is left behind"


def test_a_specification_is_saved_as_its_yaml(store: VersionStore, folder: Path) -> None:
    store.save("rh", AssistantSpecification(name="rh", title="RH", passages=4))
    assert (folder / "rh.yaml").read_text(encoding="utf-8") == "name: rh\ntitle: RH\npassages: 4\n"
    assert AssistantCatalogue(folder).get("rh").passages == 4


def test_saves_in_one_moment_are_all_seen(store: VersionStore, folder: Path) -> None:
    catalogue = AssistantCatalogue(folder)
    for number in range(20):
        store.save("rh", f"title: T{number:02}\n")
        assert catalogue.get("rh").title == f"T{number:02}"


def test_what_is_no_assistant_is_refused_and_changes_nothing(store: VersionStore, folder: Path) -> None:
    store.save("rh", ONE)
    with pytest.raises(InvalidInputError, match=r"rh\.yaml, line 2: passages is 99") as caught:
        store.save("rh", "title: T\npassages: 99\n")
    assert caught.value.param == "passages"
    for text in ("title: '\ud800'\n", "title: a\0b\n"):
        with pytest.raises(InvalidInputError, match="characters that no text can have"):
            store.save("rh", text)
    with pytest.raises(InvalidInputError, match="both must be the same word"):
        store.save("rh", "name: paie\ntitle: T\n")
    assert kinds(store) == [(1, "saved")] and (folder / "rh.yaml").read_text() == ONE


def test_names_that_no_assistant_has(store: VersionStore, tmp_path: Path) -> None:
    for name in ("../rh", "RH", "", "a/b", "rh\n", ".rh", "x" * 64, "a\0b"):
        for act in (store.head, store.list, store.delete, lambda name: store.save(name, ONE)):
            with pytest.raises((NotFoundError, InvalidInputError)):
                act(name)
    assert list(tmp_path.rglob("*.y*ml")) == []


def test_a_file_changed_by_hand_becomes_a_version_when_it_is_seen(store: VersionStore, folder: Path) -> None:
    folder.mkdir()
    file = folder / "rh.yaml"
    file.write_text(ONE, encoding="utf-8")
    assert store.heads()["rh"].kind == "file" and store.head("rh").number == 1
    file.write_text(TWO, encoding="utf-8")
    assert store.head("rh").number == 2
    file.write_text("title: '\n", encoding="utf-8")
    assert store.heads()["rh"].number == 3, "a broken text too: somebody wrote it"
    with pytest.raises(ConfigurationError, match="this is not YAML"):
        store.get("rh", 3)
    store.save("rh", ONE)
    assert kinds(store) == [(4, "saved"), (3, "file"), (2, "file"), (1, "file")]
    assert store.text("rh", 2) == TWO
    file.unlink()
    assert store.heads() == {}
    assert kinds(store)[0] == (5, "deleted")
    assert store.heads() == {} and kinds(store)[0] == (5, "deleted"), "seen once"


def test_a_save_over_a_change_that_nobody_saw_keeps_it(store: VersionStore, folder: Path) -> None:
    store.save("rh", ONE)
    (folder / "rh.yaml").write_text(TWO, encoding="utf-8")
    with pytest.raises(ConflictError, match="you began with version 1, and there is a version 2 now"):
        store.save("rh", "title: Trois\n", based_on=1)
    store.save("rh", "title: Trois\n")
    assert kinds(store) == [(3, "saved"), (2, "file"), (1, "saved")]


def test_two_people_do_not_overwrite_each_other(store: VersionStore) -> None:
    base = store.save("rh", ONE, based_on=0).number
    store.save("rh", TWO, based_on=base)
    with pytest.raises(ConflictError, match="rh changed meanwhile: you began with version 1"):
        store.save("rh", "title: Trois\n", based_on=base)
    with pytest.raises(ConflictError, match="already an assistant named rh"):
        store.save("rh", "title: Trois\n", based_on=0)
    with pytest.raises(ConflictError, match="changed meanwhile"):
        store.restore("rh", 1, based_on=base)
    store.delete("rh")
    with pytest.raises(ConflictError, match="deleted meanwhile"):
        store.save("rh", "title: Trois\n", based_on=2)
    assert store.save("rh", "title: Trois\n", based_on=0).number == 4, "the numbers go on"


def test_many_at_once_make_one_history(store: VersionStore, database: Database, folder: Path) -> None:
    store.save("rh", ONE)
    done: list[Version] = []
    refused: list[ConflictError] = []

    def save(number: int) -> None:
        try:
            done.append(VersionStore(database, folder).save("rh", f"title: T{number}\n", based_on=1))
        except ConflictError as error:
            refused.append(error)

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1 and len(refused) == 7
    assert (folder / "rh.yaml").read_text() == store.text("rh", 2)
    assert kinds(store) == [(2, "saved"), (1, "saved")]


def test_an_older_version_is_taken_up_again(store: VersionStore, folder: Path) -> None:
    store.save("rh", TWO)
    store.save("rh", ONE)
    again = store.restore("rh", 1, account_id=7)
    assert (again.number, again.kind, again.restored_from, again.account_id) == (3, "restored", 1, 7)
    assert (folder / "rh.yaml").read_text(encoding="utf-8") == TWO
    assert store.restore("rh", 1) == again, "it is there already"
    for number in (0, -1, 9, 2**31, 2**70):
        with pytest.raises(NotFoundError, match="has no version"):
            store.restore("rh", number)
    with pytest.raises(InvalidInputError, match="is not deleted"):
        store.restore("rh")


def test_deleted_and_brought_back(store: VersionStore, folder: Path) -> None:
    store.save("rh", TWO)
    gone = store.delete("rh", account_id=1)
    assert (gone.number, gone.kind) == (2, "deleted") and not (folder / "rh.yaml").exists()
    assert [each.name for each in store.deleted()] == ["rh"] and store.heads() == {}
    for act in (lambda: store.head("rh"), lambda: store.get("rh", 1), lambda: store.delete("rh")):
        with pytest.raises(NotFoundError):
            act()
    assert store.restore("rh").number == 3
    assert (folder / "rh.yaml").read_text(encoding="utf-8") == TWO
    assert store.deleted() == [] and store.get("rh", 1).title == "Deux"
    with pytest.raises(NotFoundError):
        store.restore("never")


def test_a_version_that_is_no_assistant_any_more_is_not_restored(store: VersionStore, folder: Path) -> None:
    folder.mkdir()
    (folder / "rh.yaml").write_text("titre: Vieux\n", encoding="utf-8")
    store.head("rh")
    store.save("rh", ONE)
    with pytest.raises(InvalidInputError, match="title is missing"):
        store.restore("rh", 1)


def test_files_as_administrators_keep_them(store: VersionStore, folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "git" / "rh.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(ONE, encoding="utf-8")
    elsewhere.chmod(0o640)
    folder.mkdir()
    (folder / "rh.yaml").symlink_to(elsewhere)
    (folder / "paie.yml").write_text("title: Paie\n", encoding="utf-8")
    store.save("rh", TWO)
    assert elsewhere.read_text(encoding="utf-8") == TWO and elsewhere.stat().st_mode & 0o777 == 0o640
    assert (folder / "rh.yaml").is_symlink()
    store.save("paie", "title: La paie\n")
    assert sorted(path.name for path in folder.iterdir()) == ["paie.yml", "rh.yaml"]
    assert (folder / "paie.yml").read_text() == "title: La paie\n"


def test_a_file_that_cannot_be_read_is_never_overwritten(store: VersionStore, folder: Path) -> None:
    folder.mkdir()
    for content in (b"title: \xff\n", b"title: " + b"x" * 1_000_001, b"title: a\0b\n"):
        (folder / "rh.yaml").write_bytes(content)
        assert store.heads() == {}
        with pytest.raises(ConfigurationError, match=r"rh\.yaml"):
            store.save("rh", ONE)
        assert (folder / "rh.yaml").read_bytes() == content and store.list("rh") == []


def test_a_folder_that_cannot_be_written_leaves_history_and_file_as_they_were(
    store: VersionStore, folder: Path
) -> None:
    store.save("rh", ONE)
    (folder / "rh.yaml").unlink()
    folder.rmdir()
    folder.write_text("a file where the folder should be")
    with pytest.raises(ConfigurationError, match="cannot be (read|written)"):
        VersionStore(store._database, folder).save("neuf", "title: Neuf\n")
    assert store.list("neuf") == []


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    name = f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres.conninfo.replace("dbname=etabli", f"dbname={name}")
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_history_and_pictures_are_in_the_backup(
    database: Database, tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = tmp_path / "office"
    office.mkdir()
    (office / "etabli.toml").write_text("")
    store = VersionStore(database, office / "assistants")
    store.save("rh", ONE)
    store.save("rh", TWO)
    store.save("paie", "title: Paie\n")
    store.delete("paie")
    with database.owner() as connection:
        connection.execute("INSERT INTO assistant_picture (name, png, digest) VALUES ('rh', '\\x8950', 'd')")
    settings = load_settings(office, database_url=database.conninfo, models_dir=tmp_path / "models")
    create_backup(settings, tmp_path / "b.etabli")
    monkeypatch.setenv("ETABLI_DATABASE_URL", empty_url)
    restore_backup(tmp_path / "b.etabli", tmp_path / "restored")
    with Database(empty_url) as restored:
        back = VersionStore(restored, tmp_path / "restored" / "assistants")
        assert back.list("rh") == store.list("rh") and back.list("paie") == store.list("paie")
        assert back.head("rh").number == 2, "the restored file is the restored version"
        assert back.restore("paie").number == 3
        with restored.owner() as connection:
            row = connection.execute("SELECT png FROM assistant_picture").fetchone()
            assert row is not None and bytes(row[0]) == b"\x89P"
    assert os.listdir(tmp_path / "restored" / "assistants") != []
