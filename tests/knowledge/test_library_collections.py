import hashlib
import threading
from pathlib import Path

import pytest
from tests.knowledge.conftest import Ingest

from etabli.errors import ConflictError, DocumentError, InvalidInputError, NotFoundError
from etabli.knowledge.ingestion import Ingestion
from etabli.knowledge.library import Library
from etabli.knowledge.library_collections import Collections
from etabli.knowledge.library_listing import DocumentFilter, document_entry, list_documents
from etabli.knowledge.library_uploads import Received, Uploads, check_beginning, document_name
from etabli.knowledge.search import Searcher
from etabli.settings import Settings
from etabli.storage.database import EVERYONE, Database

ALICE, BOB = [EVERYONE, "user:1"], [EVERYONE, "user:2"]


@pytest.fixture
def collections(database: Database, settings: Settings) -> Collections:
    return Collections(database, settings.documents_dir)


@pytest.fixture
def uploads(database: Database, settings: Settings) -> Uploads:
    settings.files_dir.mkdir(parents=True)
    return Uploads(database, settings.files_dir)


def send(uploads: Uploads, settings: Settings, collection: int, name: str, text: str) -> tuple[int, str]:
    path = settings.files_dir / f".{name.replace('/', '-')}"
    path.write_text(text, encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    found = uploads.keep(Received(path, digest, path.stat().st_size), collection_id=collection, name=name)
    assert not path.exists()
    return found


def found(searcher: Searcher, question: str) -> list[str]:
    return [each.document_name for each in searcher.search(question, principals=ALICE).passages]


def test_collections_count_what_their_documents_are(
    collections: Collections, uploads: Uploads, settings: Settings, ingest: Ingest
) -> None:
    rh = collections.create("RH")
    collections.create("Achats")
    send(uploads, settings, rh, "a.txt", "Les congés annuels sont de 27 jours.")
    send(uploads, settings, rh, "b.txt", "   \n ")
    ingest()
    send(uploads, settings, rh, "c.txt", "Le parking ferme à 22 heures.")
    entries = collections.listed(principals=ALICE)
    assert [entry.name for entry in entries] == ["Achats", "RH"]
    counts = entries[1]
    assert (counts.documents, counts.ready, counts.waiting, counts.failed) == (3, 1, 1, 1)


def test_names_are_unique_among_what_is_listed(collections: Collections) -> None:
    rh, achats = collections.create("RH"), collections.create("Achats")
    with pytest.raises(ConflictError, match="already"):
        collections.create(" RH ")
    with pytest.raises(ConflictError, match="already"):
        collections.rename(achats, "RH")
    collections.rename(rh, "RH")
    collections.remove(rh)
    collections.rename(achats, "RH")
    with pytest.raises(ConflictError):
        collections.restore(rh, principals=ALICE)
    with pytest.raises(InvalidInputError):
        collections.rename(achats, "\n")


def test_a_conversations_collection_is_its_accounts_alone(
    library: Library, collections: Collections, uploads: Uploads, settings: Settings, database: Database
) -> None:
    own = library.conversation_collection("conv_1", 1)
    assert library.conversation_collection("conv_1", 1) == own
    assert library.conversation_collection("conv_2", 1) != own
    with pytest.raises(NotFoundError):
        library.conversation_collection("conv_1", 2)
    document, _ = send(uploads, settings, own, "note.txt", "Le secret de la conversation.")
    assert collections.listed(principals=ALICE) == [] and library.collections() == {}
    assert collections.entry(own, principals=ALICE).documents == 1
    with pytest.raises(NotFoundError):
        collections.entry(own, principals=BOB)
    assert document_entry(database, document, principals=BOB) is None
    assert list_documents(database, DocumentFilter(), principals=ALICE).total == 0
    assert list_documents(database, DocumentFilter(own), principals=ALICE).total == 1
    assert list_documents(database, DocumentFilter(own), principals=BOB).total == 0
    assert collections.create("conv_1") != own


def test_a_deleted_collection_is_found_by_nobody_and_comes_back(
    collections: Collections, uploads: Uploads, settings: Settings, ingest: Ingest, searcher: Searcher
) -> None:
    rh = collections.create("RH")
    send(uploads, settings, rh, "conges.txt", "Les congés annuels sont de 27 jours.")
    gone, _ = send(uploads, settings, rh, "parking.txt", "Le parking ferme à 22 heures.")
    ingest()
    uploads.remove([gone])
    collections.remove(rh)
    assert found(searcher, "congés annuels") == [] and collections.listed(principals=ALICE) == []
    with pytest.raises(NotFoundError):
        collections.remove(rh)
    collections.restore(rh, principals=ALICE)
    ingest()
    assert found(searcher, "congés annuels") == ["conges.txt"]
    assert collections.entry(rh, principals=ALICE).documents == 1, "what was deleted before stays deleted"


def test_removing_many_leaves_the_statistics_of_none(
    collections: Collections, uploads: Uploads, settings: Settings, ingest: Ingest, database: Database
) -> None:
    rh = collections.create("RH")
    for number in range(5):
        send(uploads, settings, rh, f"{number}.txt", f"Le document numéro {number} parle de congés.")
    ingest()
    collections.remove(rh)
    with database.owner() as connection:
        assert connection.execute(
            "SELECT count(*) FROM term WHERE df <> 0 OR document_df <> 0"
        ).fetchone() == (0,)
        totals = connection.execute("SELECT chunks, length, documents, document_length FROM lexical_total")
        assert totals.fetchone() == (0, 0, 0, 0)


def test_what_a_person_deleted_stays_deleted_at_the_next_start(
    library: Library, collections: Collections, uploads: Uploads, settings: Settings, database: Database
) -> None:
    folder = settings.documents_dir / "RH"
    folder.mkdir(parents=True)
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text(f"Le document {name}.", encoding="utf-8")

    def start() -> tuple[str, ...]:
        changes = library.add(folder, collection="RH", unasked=True)
        return changes.added + changes.changed + changes.removed

    def numbers() -> dict[str, int]:
        page = list_documents(database, DocumentFilter(), principals=ALICE)
        return {entry.name: entry.id for entry in page.entries}

    assert start() == ("a.txt", "b.txt", "c.txt")
    (rh,) = collections.listed(principals=ALICE)
    with pytest.raises(ConflictError, match="folder"):
        collections.rename(rh.id, "Ressources")
    uploads.remove([numbers()["a.txt"]])
    send(uploads, settings, rh.id, "b.txt", "Une version plus récente.")
    assert start() == () and sorted(numbers()) == ["b.txt", "c.txt"]
    (folder / "c.txt").unlink()
    assert start() == ("c.txt",)
    (folder / "c.txt").write_text("Le document c.txt.", encoding="utf-8")
    assert start() == ("c.txt",), "what vanished by itself comes back by itself"
    collections.remove(rh.id)
    assert start() == () and collections.listed(principals=ALICE) == []
    assert library.add(folder, collection="RH").added == ("a.txt", "b.txt", "c.txt"), (
        "asked for, it comes back"
    )


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(
    collections: Collections,
    uploads: Uploads,
    settings: Settings,
    ingestion: Ingestion,
    ingest: Ingest,
    searcher: Searcher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rh = collections.create("RH")
    send(uploads, settings, rh, "conges.txt", "Les congés annuels sont de 25 jours.")
    parse = ingestion._parse
    done = threading.Event()

    def slow(sha256: str, name: str) -> object:
        parsed = parse(sha256, name)
        if not done.is_set():
            done.set()
            assert (
                send(uploads, settings, rh, "conges.txt", "Les congés annuels sont de 27 jours.")[1]
                == "changed"
            )
        return parsed

    monkeypatch.setattr(ingestion, "_parse", slow)
    ingest()
    (passage,) = searcher.search("congés annuels", principals=ALICE).passages
    assert "27 jours" in passage.text


def test_versions_and_outcomes(
    collections: Collections, uploads: Uploads, settings: Settings, ingest: Ingest, database: Database
) -> None:
    rh = collections.create("RH")
    number, outcome = send(uploads, settings, rh, "a.txt", "Première version.")
    assert outcome == "added"
    ingest()
    assert send(uploads, settings, rh, "a.txt", "Première version.") == (number, "unchanged")
    assert send(uploads, settings, rh, "a.txt", "Deuxième version.") == (number, "changed")
    ingest()
    uploads.remove([number])
    other, _ = send(uploads, settings, rh, "a.txt", "Un autre document.")
    assert other != number
    with pytest.raises(ConflictError, match="cannot come back"):
        uploads.restore(number)
    uploads.remove([other])
    uploads.restore(number)
    entry = document_entry(database, number, principals=ALICE)
    assert entry is not None and entry.stage == "queued"
    collections.remove(rh)
    with pytest.raises(NotFoundError):
        send(uploads, settings, rh, "a.txt", "Trop tard.")


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("rh\\2026\\Conge\u0301s.pdf", "rh/2026/Congés.pdf"),
        ("./a//b/./c.md", "a/b/c.md"),
        ("rapport\u202efdp.txt", "rapportfdp.txt"),
        ("a\x00b\n.txt", "ab.txt"),
        ("  espace .txt ", "espace .txt"),
        ("étape..finale.txt", "étape..finale.txt"),
    ],
)
def test_names_that_are_kept(sent: str, name: str) -> None:
    assert document_name(sent) == name


@pytest.mark.parametrize(
    "sent",
    [
        "../etc/passwd", "a/../../b.txt", "..\\..\\b.txt", "/etc/passwd", "\\\\server\\share\\a.txt",
        "C:\\Windows\\a.txt", "c:/a.txt", "a/..", ".\u200b./a.txt",
        "", "/", "...", "a/" * 40 + "b.txt", "x" * 1_001,
        ".env", ".git/config", "rh/~$lettre.docx", "Thumbs.db", "a.crdownload",
    ],
)  # fmt: skip
def test_names_that_are_refused(sent: str) -> None:
    with pytest.raises(InvalidInputError):
        document_name(sent)


def test_formats_that_no_reader_opens_are_refused_at_once(examples: Path) -> None:
    for path in sorted((examples / "documents").rglob("*.*")):
        check_beginning(path.read_bytes()[:4_096], path.name)
    check_beginning("é".encode() * 2_048, "coupe.txt")
    check_beginning(("a" + "é" * 2_048).encode()[:4_096], "coupe.txt")
    for content, name, words in [
        (b"MZ\x90\x00\x03" + bytes(range(256)) * 15, "programme.exe", "PDF, Word, Excel"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 15, "film.mp4", "PDF, Word, Excel"),
        (b"PK\x03\x04" + bytes(100), "archive.zip", "PDF, Word, Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "lettre.doc", ".docx"),
        (b"", "vide.txt", "empty"),
    ]:
        with pytest.raises(DocumentError, match=words):
            check_beginning(content, name)
