import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import pytest

from etabli.engines.fake_embedder import FakeEmbedder
from etabli.errors import BackupError, DiskSpaceError
from etabli.jobs.worker import drain
from etabli.knowledge import index
from etabli.knowledge.ingestion import EMBED_JOB, TEND_JOB, Ingestion
from etabli.knowledge.library import READ_JOB, Library
from etabli.knowledge.reading import DocumentReader
from etabli.knowledge.search import Searcher
from etabli.models.store import ModelStore
from etabli.settings import Settings, load_settings
from etabli.storage import backup as backup_module
from etabli.storage import restore as restore_module
from etabli.storage.backup import create_backup
from etabli.storage.backup_format import is_allowed_path, open_backup
from etabli.storage.database import EVERYONE, Database
from etabli.storage.embedded import EmbeddedPostgres
from etabli.storage.restore import restore_backup, verify_backup

TEXTS = {
    "rh/conges.txt": "Les congés se posent deux mois avant.\n\nLe dimanche est payé double.\tTabulation \\ barre.",
    "rh/parking.md": "# Parking\n\nLe badge du parking se retire à l'accueil — 7 jours sur 7. 🚗",
    "soins/gants.txt": "Les gants stériles sont dans la réserve du bloc.",
}
QUESTIONS = ("congés du dimanche", "badge parking", "gants stériles")
SCHEMA = {
    "policies": "SELECT tablename, policyname, roles::text, cmd, qual FROM pg_policies WHERE schemaname = 'public'",
    "protection": "SELECT relname, relrowsecurity, relkind, relacl::text FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "keys": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "storage": "SELECT attrelid::regclass::text, attname, attstorage, attidentity, atttypmod FROM pg_attribute"
    " WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace) AND attnum > 0",
    "functions": "SELECT proname, proleakproof, prosecdef, prosrc, proacl::text FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace",
    "sequences": "SELECT sequencename, last_value FROM pg_sequences",
}


@dataclass(frozen=True)
class Office:
    """A workspace with documents that were read and embedded, on a database of its own."""

    settings: Settings
    database: Database

    @contextmanager
    def worker(self) -> Iterator[Callable[[], None]]:
        """What does the waiting work, each time that it is called."""
        with DocumentReader(self.settings, workers=1) as reader:
            ingestion = Ingestion(self.database, self.settings, reader=reader, embedder=FakeEmbedder())
            yield lambda: drain(self.database, ingestion, (READ_JOB, EMBED_JOB, TEND_JOB), lambda: None)


@pytest.fixture(scope="module")
def first_office(
    postgres: EmbeddedPostgres, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str]]:
    """The workspace and the name of its database that each test's own are copied from."""
    folder = tmp_path_factory.mktemp("first") / "office"
    (folder / "assistants").mkdir(parents=True)
    (folder / "etabli.toml").write_text('engine_key = "secret"\nport = 8555\n', encoding="utf-8")
    (folder / "assistants" / "rh.yaml").write_text("name: rh\ntitle: RH\n", encoding="utf-8")
    (folder / "questions").mkdir()
    (folder / "questions" / "rh.jsonl").write_text('{"question": "?", "language": "fr"}\n', encoding="utf-8")
    for name, text in TEXTS.items():
        file = folder / "documents" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    with new_database(postgres, template=template_database) as url, Database(url) as database:
        settings = load_settings(folder, database_url=url)
        library = Library(database, settings.files_dir)
        for collection in ("rh", "soins"):
            library.add(folder / "documents" / collection, collection=collection)
        with Office(settings, database).worker() as work:
            work()
        with database.owner() as connection:
            space = index.live_space(connection)
            assert space is not None
            connection.execute(
                f"CREATE INDEX embedding_{space.id}_hnsw ON embedding_{space.id}"
                " USING hnsw (vector halfvec_ip_ops) WITH (m = 16, ef_construction = 64)"
            )
            connection.execute("UPDATE vector_space SET indexed = true")
        database.close()  # nobody may be connected to what is copied
        yield folder, str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


@pytest.fixture
def office(tmp_path: Path, postgres: EmbeddedPostgres, first_office: tuple[Path, str]) -> Iterator[Office]:
    first, template = first_office
    folder = tmp_path / "office"
    shutil.copytree(first, folder)
    with new_database(postgres, template=template) as url, Database(url) as database:
        with database.owner() as connection:
            connection.execute("UPDATE document SET root = replace(root, %s, %s)", (str(first), str(folder)))
        yield Office(load_settings(folder, database_url=url, models_dir=tmp_path / "models"), database)


@contextmanager
def new_database(postgres: EmbeddedPostgres, *, template: str = "template1") -> Iterator[str]:
    """A copy of a database, gone afterwards."""
    name = f"copy_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.conninfo.replace("dbname=etabli", f"dbname={name}")
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    with new_database(postgres) as url:
        yield url


@pytest.fixture
def to_empty_url(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ETABLI_DATABASE_URL", empty_url)
    return empty_url


def rows(conninfo: str) -> dict[str, tuple[int, str | None]]:
    """Number and checksum of the rows of every table, whatever their order; paths as in the old workspace."""
    with psycopg.connect(conninfo) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration' ORDER BY 1"
            )
        ]
        found = {}
        for name in names:
            row = connection.execute(
                f"SELECT count(*), md5(string_agg(r, E'\\n' ORDER BY r COLLATE \"C\"))"
                f" FROM (SELECT replace(t::text, '/restored/', '/office/') AS r FROM {name} t) s"
            ).fetchone()
            assert row is not None
            found[name] = (row[0], row[1])
        return found


def schema(conninfo: str) -> dict[str, list[tuple[object, ...]]]:
    with psycopg.connect(conninfo) as connection:
        return {what: sorted(map(str, connection.execute(query))) for what, query in SCHEMA.items()}  # type: ignore[misc]


def files(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in folder.rglob("*")
        if path.is_file()
        and path.relative_to(folder).parts[:2] not in {("data", "postgres"), ("data", "run")}
    }


def answers(database: Database) -> list[object]:
    searcher = Searcher(database, FakeEmbedder())
    try:
        return [
            [(one.chunk_id, one.text, round(one.score, 6), one.lexical, one.dense) for one in found.passages]
            for question in QUESTIONS
            for found in [searcher.search(question, principals=[EVERYONE], limit=10)]
        ]
    finally:
        searcher.close()


def rewritten(
    source: Path, target: Path, change: Callable[[str, bytes], Sequence[tuple[str, bytes]]]
) -> Path:
    """A backup with other members."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old:
            reader = old.extractfile(member)
            assert reader is not None
            for name, content in change(member.name, reader.read()):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                new.addfile(info, io.BytesIO(content))
    return target


def with_manifest(source: Path, target: Path, edit: Callable[[dict[str, object]], None]) -> Path:
    """A backup whose manifest was edited by somebody who knows to mend its hash."""
    texts: list[bytes] = []

    def change(name: str, content: bytes) -> list[tuple[str, bytes]]:
        if name == "manifest.json":
            value = json.loads(content)
            edit(value)
            texts.append(json.dumps(value).encode())
            return [(name, texts[0])]
        if name == "manifest.sha256":
            return [(name, hashlib.sha256(texts[0]).hexdigest().encode())]
        return [(name, content)]

    return rewritten(source, target, change)


def leftovers(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir() if child.name.startswith("."))


def test_everything_comes_back_into_the_embedded_database(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "today.etabli"
    told: list[tuple[int, int | None]] = []
    summary = create_backup(office.settings, file, progress=lambda done, total: told.append((done, total)))
    assert file.stat().st_mode & 0o777 == 0o600
    assert summary.documents == 3 and not summary.missing and not summary.altered
    assert told[-1][0] == told[-1][1]
    verify_backup(file)

    done = restore_backup(file, tmp_path / "restored", embedded=True)
    assert done.settings_fault is None and not done.url_set_aside
    restored = load_settings(tmp_path / "restored")
    assert restored.port == 8555 and restored.database_url is None
    assert (restored.workspace / "etabli.toml").stat().st_mode & 0o777 == 0o600
    assert not (restored.run_dir / "api-key").exists()
    assert files(restored.workspace) == files(office.settings.workspace)
    with Database.open(restored) as database:
        assert rows(database.conninfo) == rows(office.database.conninfo)
        assert schema(database.conninfo) == schema(office.database.conninfo)
        assert answers(database) == answers(office.database)
        again = Library(database, restored.files_dir)
        changes = again.add(restored.documents_dir / "rh", collection="rh")
        assert not changes.added and not changes.changed and not changes.removed
        with database.owner() as connection:
            acl = index.live_space(connection)
            assert acl is not None and acl.indexed
    assert leftovers(tmp_path) == []


def test_new_rows_continue_the_numbers(office: Office, tmp_path: Path, to_empty_url: str) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")
    restore_backup(tmp_path / "b.etabli", tmp_path / "restored")
    with Database(to_empty_url) as database:
        known = {one.id for one in Library(database, tmp_path / "files").documents()}
        (tmp_path / "new.txt").write_text("Nouveau.", encoding="utf-8")
        Library(database, tmp_path / "files").add(tmp_path / "new.txt", collection="rh")
        new = {one.id for one in Library(database, tmp_path / "files").documents()} - known
        assert len(new) == 1 and min(new) > max(known)


def test_permissions_hold_in_a_restored_database(office: Office, tmp_path: Path, to_empty_url: str) -> None:
    with office.database.owner() as connection:
        connection.execute("INSERT INTO principal (name) VALUES ('group:doctors')")
        connection.execute("INSERT INTO acl_set (principals) SELECT ARRAY[max(id)] FROM principal")
        for table in ("document", "version", "chunk", "document_profile", "embedding_1"):
            connection.execute(f"UPDATE {table} SET acl_set = (SELECT max(id) FROM acl_set)")
    create_backup(office.settings, tmp_path / "b.etabli")
    restore_backup(tmp_path / "b.etabli", tmp_path / "restored")
    with Database(to_empty_url) as database:
        for principals, seen in (([EVERYONE], 0), (["group:doctors"], 3)):
            with database.reader(principals) as connection:
                assert connection.execute("SELECT count(*) FROM document").fetchone() == (seen,)


def test_an_ordinary_user_of_an_external_database_can_restore(
    office: Office,
    postgres: EmbeddedPostgres,
    tmp_path: Path,
    empty_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a superuser the fast operator is made as the plain one; rows and answers are the same."""
    role = f"owner_{uuid.uuid4().hex}"
    with psycopg.connect(empty_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute("CREATE EXTENSION vector")
        connection.execute(f"CREATE ROLE {role} LOGIN CREATEROLE")
        connection.execute(f"GRANT etabli_reader TO {role} WITH ADMIN OPTION")
        connection.execute(f"ALTER DATABASE {name} OWNER TO {role}")
    url = empty_url.replace("user=postgres", f"user={role}")
    monkeypatch.setenv("ETABLI_DATABASE_URL", url)
    create_backup(office.settings, tmp_path / "b.etabli")
    restore_backup(tmp_path / "b.etabli", tmp_path / "restored")
    assert rows(url) == rows(office.database.conninfo)
    with Database(url) as database:
        assert answers(database) == answers(office.database)
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute(f"REASSIGN OWNED BY {role} TO postgres")


def test_one_instant_while_a_worker_writes(office: Office, tmp_path: Path, to_empty_url: str) -> None:
    """Every version in the backup has all its chunks and its original, though documents are added all the while."""
    stop = threading.Event()
    library = Library(office.database, office.settings.files_dir)
    added = 0

    def write() -> None:
        nonlocal added
        with office.worker() as work:
            while not stop.is_set():
                new = tmp_path / f"note-{added}.txt"
                text = "\n\n".join(f"Note {added}, partie {part}." for part in range(20))
                new.write_text(text, encoding="utf-8")
                library.add(new, collection="notes")
                work()
                added += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        files_made = []
        while added < 4:
            target = tmp_path / f"{len(files_made)}.etabli"
            create_backup(office.settings, target)
            files_made.append(target)
    finally:
        stop.set()
        writer.join()
    restore_backup(files_made[-1], tmp_path / "restored")
    with psycopg.connect(to_empty_url) as connection:
        row = connection.execute("SELECT (SELECT chunks FROM lexical_total), count(*) FROM chunk").fetchone()
        assert row is not None and row[0] == row[1]
        broken = connection.execute(
            "SELECT count(*) FROM document d WHERE state = 'ready'"
            " AND NOT EXISTS (SELECT 1 FROM chunk k WHERE k.version_id = d.version_id)"
        ).fetchone()
        assert broken == (0,)
        originals = {sha for (sha,) in connection.execute("SELECT sha256 FROM document")}
    kept = {path.name for path in (tmp_path / "restored" / "data" / "files").rglob("*") if path.is_file()}
    assert originals <= kept


def test_a_document_that_lies_in_two_places_is_stored_once(office: Office, tmp_path: Path) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")
    with open_backup(tmp_path / "b.etabli") as backup:
        paths = [
            each.path for each in backup.manifest.files if each.path.startswith(("documents/", "data/files/"))
        ]
        assert len(paths) == 6
        assert len({each.sha256 for each in backup.manifest.files if each.path in paths}) == 3


def test_every_flipped_byte_is_noticed(office: Office, tmp_path: Path) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")
    content = (tmp_path / "b.etabli").read_bytes()
    with tarfile.open(tmp_path / "b.etabli") as tar:
        bodies = [(each.offset_data, each.size) for each in tar if each.size]
    places = [start + size // 2 for start, size in bodies] + [start for start, _ in bodies]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 0x55
        (tmp_path / "damaged.etabli").write_bytes(damaged)
        with pytest.raises(BackupError):
            verify_backup(tmp_path / "damaged.etabli")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9])
def test_a_truncated_file_restores_nothing(office: Office, tmp_path: Path, share: float) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")
    with tarfile.open(tmp_path / "b.etabli") as tar:
        end = max(each.offset_data + each.size for each in tar)  # after it there is only padding
    with (tmp_path / "b.etabli").open("r+b") as file:
        file.truncate(int(end * share))
    with pytest.raises(BackupError, match="b.etabli"):
        restore_backup(tmp_path / "b.etabli", tmp_path / "restored", embedded=True)
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "objects/x", "data/run/api-key"])
def test_a_member_of_another_name_is_refused(office: Office, tmp_path: Path, name: str) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")
    changed = rewritten(
        tmp_path / "b.etabli",
        tmp_path / "c.etabli",
        lambda old, content: [(old, content), *([(name, b"x")] if old == "manifest.sha256" else [])],
    )
    with pytest.raises(BackupError, match="changed after it was made"):
        verify_backup(changed)


@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "/etc/evil",
        "assistants/../../evil",
        "data/run/x",
        "data/postgres/x",
        "data/pages/x",
        "assistants\\..\\x",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(office: Office, tmp_path: Path, path: str) -> None:
    assert not is_allowed_path(path)
    create_backup(office.settings, tmp_path / "b.etabli")

    def edit(manifest: dict[str, object]) -> None:
        manifest["files"][0]["path"] = path  # type: ignore[index]

    with pytest.raises(BackupError, match="not a path of a workspace"):
        verify_backup(with_manifest(tmp_path / "b.etabli", tmp_path / "c.etabli", edit))


@pytest.mark.parametrize(("key", "message"), [("format", "reads up to"), ("migration", "knows up to")])
def test_a_newer_backup_is_refused(office: Office, tmp_path: Path, key: str, message: str) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")
    newer = with_manifest(
        tmp_path / "b.etabli", tmp_path / "c.etabli", lambda value: value.update({key: 9999})
    )
    with pytest.raises(BackupError, match=message):
        restore_backup(newer, tmp_path / "restored", embedded=True)
    assert not (tmp_path / "restored").exists()


def test_statements_in_a_backup_are_never_run(office: Office, tmp_path: Path, to_empty_url: str) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")

    def edit(manifest: dict[str, object]) -> None:
        manifest["spaces"][0]["index"] = "CREATE TABLE evil ()"  # type: ignore[index]

    restore_backup(with_manifest(tmp_path / "b.etabli", tmp_path / "c.etabli", edit), tmp_path / "restored")
    with psycopg.connect(to_empty_url) as connection:
        assert connection.execute("SELECT to_regclass('evil')").fetchone() == (None,)
        assert connection.execute("SELECT indexed FROM vector_space").fetchone() == (False,)


def test_only_an_empty_folder_is_restored_into(office: Office, tmp_path: Path, to_empty_url: str) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")
    with pytest.raises(BackupError, match=r"not empty \(it holds assistants\)"):
        restore_backup(tmp_path / "b.etabli", office.settings.workspace)
    empty = tmp_path / "empty"
    empty.mkdir()
    restore_backup(tmp_path / "b.etabli", empty)
    assert load_settings(empty).port == 8555 and leftovers(empty) == []
    questions = "questions/rh.jsonl"
    assert (empty / questions).read_bytes() == (office.settings.workspace / questions).read_bytes()


def test_a_database_that_holds_tables_is_left_alone(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETABLI_DATABASE_URL", office.database.conninfo)
    before = rows(office.database.conninfo)
    create_backup(office.settings, tmp_path / "b.etabli")
    with pytest.raises(BackupError, match="empty database"):
        restore_backup(tmp_path / "b.etabli", tmp_path / "restored")
    assert not (tmp_path / "restored").exists() and rows(office.database.conninfo) == before


def test_the_address_of_the_old_database_is_set_aside(
    office: Office, tmp_path: Path, to_empty_url: str
) -> None:
    toml = office.settings.workspace / "etabli.toml"
    toml.write_text(f'database_url = "{office.database.conninfo}"\nport = 8555\n', encoding="utf-8")
    create_backup(office.settings, tmp_path / "b.etabli")
    assert restore_backup(tmp_path / "b.etabli", tmp_path / "restored").url_set_aside
    assert (tmp_path / "restored" / "etabli.toml").read_text(encoding="utf-8").startswith("# database_url")


def test_settings_that_this_version_refuses_do_not_lose_the_rest(
    office: Office, tmp_path: Path, to_empty_url: str
) -> None:
    (office.settings.workspace / "etabli.toml").write_text("of_another_time = 1\n", encoding="utf-8")
    create_backup(office.settings, tmp_path / "b.etabli")
    done = restore_backup(tmp_path / "b.etabli", tmp_path / "restored")
    assert done.settings_fault is not None and "of_another_time" in done.settings_fault
    assert rows(to_empty_url) == rows(office.database.conninfo)


def test_a_failed_restore_leaves_nothing(
    office: Office, tmp_path: Path, to_empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("etabli.storage.backup_database._set_sequences", fail)
    with pytest.raises(RuntimeError):
        restore_backup(tmp_path / "b.etabli", tmp_path / "restored")
    assert not (tmp_path / "restored").exists() and leftovers(tmp_path) == []
    assert rows(to_empty_url) == {}


def test_a_failed_backup_leaves_the_old_one(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "b.etabli"
    create_backup(office.settings, target)
    before = target.read_bytes()
    with pytest.raises(BackupError, match="--replace"):
        create_backup(office.settings, target)
    monkeypatch.setattr(backup_module, "write_member", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(DiskSpaceError):
        create_backup(office.settings, target, replace=True)
    assert target.read_bytes() == before and leftovers(tmp_path) == []


def test_room_is_looked_for_first(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")
    monkeypatch.setattr(backup_module, "free_disk", lambda _: 10)
    with pytest.raises(DiskSpaceError, match="10 B free"):
        create_backup(office.settings, tmp_path / "c.etabli")
    monkeypatch.setattr(restore_module, "free_disk", lambda _: 10)
    with pytest.raises(DiskSpaceError, match="10 B are free"):
        restore_backup(tmp_path / "b.etabli", tmp_path / "restored", embedded=True)
    assert not (tmp_path / "c.etabli").exists() and not (tmp_path / "restored").exists()


@pytest.mark.slow
def test_a_killed_restore_is_no_workspace_and_is_cleared(office: Office, tmp_path: Path) -> None:
    create_backup(office.settings, tmp_path / "b.etabli")
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "import etabli.storage.restore as r\n"
        "r.load = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "r.restore_backup(Path(sys.argv[1]), Path(sys.argv[2]), embedded=True)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "b.etabli"), str(tmp_path / "restored")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "restored").exists()
    (stage,) = [tmp_path / name for name in leftovers(tmp_path)]
    server = int((stage / "data" / "postgres" / "postmaster.pid").read_text().split()[0])
    restore_backup(tmp_path / "b.etabli", tmp_path / "restored", embedded=True)
    assert leftovers(tmp_path) == [] and load_settings(tmp_path / "restored").port == 8555
    for _ in range(200):
        if not os.path.exists(f"/proc/{server}"):
            break
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{server}")


def test_missing_and_altered_originals_are_told(office: Office, tmp_path: Path) -> None:
    kept = sorted(path for path in office.settings.files_dir.rglob("*") if path.is_file())
    kept[0].unlink()
    kept[1].write_bytes(b"other")
    summary = create_backup(office.settings, tmp_path / "b.etabli")
    assert summary.missing == (kept[0].name,) and summary.altered == (kept[1].name,)
    verify_backup(tmp_path / "b.etabli")


def test_links_are_left_out(office: Office, tmp_path: Path) -> None:
    (office.settings.workspace / "documents" / "link.txt").symlink_to("/etc/passwd")
    summary = create_backup(office.settings, tmp_path / "b.etabli")
    assert summary.links == ("documents/link.txt",)


def test_weights_come_back_when_asked_for(office: Office, tmp_path: Path, to_empty_url: str) -> None:
    weights = tmp_path / "weights.gguf"
    weights.write_bytes(b"GGUF" + np.random.default_rng(1).bytes(300_000))
    store = ModelStore(office.settings.models_dir)
    store.add_file(weights, name="our-model")
    (office.settings.workspace / "etabli.toml").write_text(
        f'models_dir = "{tmp_path / "other-store"}"\n', encoding="utf-8"
    )
    create_backup(office.settings, tmp_path / "without.etabli", models=["our-model"])
    create_backup(office.settings, tmp_path / "with.etabli", models=["our-model"], with_models=True)
    assert verify_backup(tmp_path / "without.etabli").models[0].sha256 == store.manifests()[0].sha256
    done = restore_backup(tmp_path / "with.etabli", tmp_path / "restored")
    assert not done.missing_models
    found = ModelStore(tmp_path / "other-store").path_of("our-model")
    assert found.read_bytes() == weights.read_bytes()


def test_a_file_that_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x", encoding="utf-8")
    with pytest.raises(BackupError, match="not a backup"):
        verify_backup(tmp_path / "x")
    with pytest.raises(BackupError, match="does not exist"):
        verify_backup(tmp_path / "y")
