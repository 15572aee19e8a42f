import os
from pathlib import Path

import pytest
from tests.knowledge.conftest import Ingest

from etabli.errors import InvalidInputError, NotFoundError
from etabli.knowledge.library import READ_JOB, Library
from etabli.knowledge.search import Searcher
from etabli.settings import Settings
from etabli.storage.database import EVERYONE, Database, file_of_hash


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "dossier"
    (made / "rh").mkdir(parents=True)
    (made / "rh" / "congés.md").write_text("# Congés\n\nLe congé annuel est de 27 jours ouvrés.\n")
    (made / "parking.txt").write_text("Le parking du personnel ferme à 22 h 30.\n")
    (made / ".cache").mkdir()
    (made / ".cache" / "secret.txt").write_text("caché")
    return made


def names(searcher: Searcher, question: str) -> list[str]:
    return [passage.document_name for passage in searcher.search(question, principals=[EVERYONE]).passages]


def test_a_folder_becomes_searchable(
    library: Library, folder: Path, ingest: Ingest, searcher: Searcher
) -> None:
    changes = library.add(folder, collection="demo")
    assert changes.added == ("parking.txt", "rh/congés.md")
    assert library.states() == {"queued": 2}
    ingest()
    assert library.states() == {"ready": 2}
    assert names(searcher, "combien de jours de congé ?")[0] == "rh/congés.md"


def test_words_are_searchable_before_vectors(
    library: Library, folder: Path, ingest: Ingest, searcher: Searcher
) -> None:
    library.add(folder, collection="demo")
    ingest([READ_JOB])
    assert library.states() == {"searchable": 2}
    result = searcher.search("parking", principals=[EVERYONE])
    assert result.dense_method == "none"
    assert [passage.document_name for passage in result.passages] == ["parking.txt"]


def test_adding_again_touches_only_what_changed(
    library: Library, folder: Path, ingest: Ingest, searcher: Searcher
) -> None:
    library.add(folder, collection="demo")
    ingest()
    before = {document.name: document.updated_at for document in library.documents()}
    os.utime(folder / "parking.txt")
    (folder / "rh" / "congés.md").write_text("# Congés\n\nLe congé annuel est de 30 jours ouvrés.\n")
    changes = library.add(folder, collection="demo")
    assert (changes.added, changes.changed, changes.removed) == ((), ("rh/congés.md",), ())
    ingest()
    after = {document.name: document.updated_at for document in library.documents()}
    assert after["parking.txt"] == before["parking.txt"]
    found = searcher.search("congé annuel", principals=[EVERYONE]).passages
    assert ["30 jours" in passage.text for passage in found if passage.document_name == "rh/congés.md"] == [
        True
    ]


def test_a_removed_file_leaves_search_at_once_and_its_citations_open(
    library: Library, folder: Path, ingest: Ingest, searcher: Searcher, database: Database
) -> None:
    library.add(folder, collection="demo")
    ingest()
    cited = searcher.search("parking", principals=[EVERYONE]).passages[0]
    (folder / "parking.txt").unlink()
    assert library.add(folder, collection="demo").removed == ("parking.txt",)
    assert "parking.txt" not in names(searcher, "parking")
    with database.reader([EVERYONE]) as connection:
        row = connection.execute("SELECT text FROM version WHERE id = %s", (cited.version_id,)).fetchone()
    assert row is not None
    assert row[0][cited.char_start : cited.char_end] == cited.text
    with database.owner() as connection:
        left = connection.execute("SELECT sum(df) = (SELECT sum(cardinality(terms)) FROM chunk) FROM term")
        assert left.fetchone() == (True,)


def test_a_folder_does_not_remove_what_another_brought(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "autre.txt"
    other.write_text("Ailleurs.")
    library.add(other, collection="demo")
    library.add(folder, collection="demo")
    assert {document.name for document in library.documents()} == {"autre.txt", "parking.txt", "rh/congés.md"}


def test_what_cannot_be_read_gets_a_state_and_a_sentence(
    library: Library, folder: Path, ingest: Ingest, searcher: Searcher
) -> None:
    (folder / "vide.txt").write_text("")
    (folder / "inconnu.bin").write_bytes(os.urandom(2000))
    (folder / "cassé.pdf").write_bytes(b"%PDF-1.7\n" + os.urandom(500))
    library.add(folder, collection="demo")
    ingest()
    states = {document.name: (document.state, document.message) for document in library.documents()}
    assert states["vide.txt"][0] == "empty"
    assert states["inconnu.bin"][0] == "unsupported"
    assert states["cassé.pdf"][0] == "broken"
    assert all(states[name][1] for name in ("vide.txt", "inconnu.bin", "cassé.pdf"))
    assert states["parking.txt"][0] == "ready"
    assert names(searcher, "parking du personnel")[0] == "parking.txt"


def test_a_file_that_becomes_unreadable_leaves_search(
    library: Library, folder: Path, ingest: Ingest, searcher: Searcher
) -> None:
    library.add(folder, collection="demo")
    ingest()
    (folder / "parking.txt").write_bytes(os.urandom(3000))
    library.add(folder, collection="demo")
    ingest()
    assert "parking.txt" not in names(searcher, "parking")


def test_originals_are_kept_by_hash(
    library: Library, folder: Path, settings: Settings, database: Database
) -> None:
    library.add(folder, collection="demo")
    with database.owner() as connection:
        rows = connection.execute("SELECT name, sha256 FROM document").fetchall()
    for name, sha256 in rows:
        assert file_of_hash(settings.files_dir, sha256).read_bytes() == (folder / name).read_bytes()
    assert not [path for path in settings.files_dir.iterdir() if path.is_file()]


def test_links_out_of_the_folder_are_not_followed(library: Library, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "dehors.txt").write_text("dehors")
    (folder / "lien.txt").symlink_to(tmp_path / "dehors.txt")
    assert "lien.txt" not in library.add(folder, collection="demo").added


def test_mistakes_are_said(library: Library, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="does not exist"):
        library.add(tmp_path / "rien", collection="demo")
    with pytest.raises(InvalidInputError, match="cannot name a collection"):
        library.add(tmp_path, collection=" ")
    with pytest.raises(NotFoundError, match="0 documents"):
        library.remove("rien.txt")


def test_a_name_in_two_collections_needs_more(library: Library, folder: Path) -> None:
    library.add(folder, collection="a")
    library.add(folder, collection="b")
    with pytest.raises(NotFoundError, match="2 documents"):
        library.remove("parking.txt")
    assert library.remove("parking.txt", collection="b").collection == "b"
    assert library.collections() == {"a": 2, "b": 1}
