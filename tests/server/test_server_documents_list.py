"""The list of documents and what changes it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from document_parts import DOCUMENTS, collection, ingest, send
from starlette.testclient import TestClient

from etabli.engines.fake_embedder import FakeEmbedder
from etabli.jobs.queue import JobQueue
from etabli.knowledge.ingestion import EMBED_JOB
from etabli.knowledge.library import READ_JOB, Library
from etabli.knowledge.search import Searcher
from etabli.settings import Settings
from etabli.storage.database import EVERYONE, Database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path)


@pytest.fixture
def client(api: Callable[..., TestClient], database: Database) -> TestClient:
    return api(database=database, searcher=Searcher(database, FakeEmbedder()))


def names(client: TestClient, **wanted: Any) -> list[str]:
    response = client.get(DOCUMENTS, params=wanted)
    assert response.status_code == 200, response.text
    return [entry["name"] for entry in response.json()["data"]]


def test_a_document_through_its_stages(client: TestClient, database: Database, settings: Settings) -> None:
    where = collection(client)
    sent = send(client, where, "congés.md", "# Les congés\n\nIls sont de 27 jours ouvrés.").json()
    assert (sent["stage"], sent["version_id"], sent["url"], sent["chunks"]) == ("queued", None, None, 0)
    assert (sent["collection"], sent["media_type"], sent["from_folder"]) == ("RH", "text/markdown", False)
    path = f"{DOCUMENTS}/{sent['id']}"
    with database.owner() as connection:
        connection.execute("UPDATE document SET state = 'reading'")
    assert client.get(path).json()["stage"] == "reading"
    ingest(database, settings, (READ_JOB,))
    entry = client.get(path).json()
    assert (entry["stage"], entry["chunks"], entry["language"]) == ("searchable", 1, "fr")
    assert entry["url"] == f"/documents/{entry['id']}/versions/{entry['version_id']}"
    queue = JobQueue(database)
    job = queue.take([EMBED_JOB])
    assert job is not None
    embedding = client.get(path).json()
    assert embedding["stage"] == "embedding" and embedding["progress"] is None
    assert names(client, state="embedding") == ["congés.md"] and names(client, state="searchable") == []
    queue.retry(job, "later")
    with database.owner() as connection:
        connection.execute("UPDATE job SET run_after = now()")
    ingest(database, settings)
    assert client.get(path).json()["stage"] == "ready"
    with database.owner() as connection:
        connection.execute("UPDATE document SET state = 'searchable'")
        connection.execute("UPDATE job SET state = 'running' WHERE kind = %s", (EMBED_JOB,))
    assert client.get(path).json()["progress"] == 1.0


def test_a_document_that_cannot_be_read_says_what_to_do(
    client: TestClient, database: Database, settings: Settings
) -> None:
    sent = send(client, collection(client), "coupé.pdf", b"%PDF-1.7\n" + b"x" * 100)
    assert sent.status_code == 201
    ingest(database, settings)
    entry = client.get(f"{DOCUMENTS}/{sent.json()['id']}").json()
    assert entry["stage"] == "failed" and entry["state"] == "broken" and "save it again" in entry["message"]
    assert names(client, state="failed") == ["coupé.pdf"]


def test_words_of_names_and_titles(client: TestClient, database: Database, settings: Settings) -> None:
    where = collection(client)
    send(client, where, "œuvres/Élection 2026.txt", "Du texte.")
    send(client, where, "b.md", "# Règlement intérieur\n\nDu texte.")
    send(client, where, "100%_sûr.txt", "Du texte.")
    ingest(database, settings)
    assert names(client, query="election oeuvre") == ["œuvres/Élection 2026.txt"]
    assert names(client, query="ÉLECTION") == ["œuvres/Élection 2026.txt"]
    assert names(client, query="interieur") == ["b.md"]
    assert names(client, query="%_") == ["100%_sûr.txt"]
    assert names(client, query="'; DROP TABLE document; --") == []
    assert len(names(client, query="  ")) == 3


@pytest.mark.parametrize("order", ["name", "newest"])
def test_pages_of_the_list_meet(client: TestClient, order: str) -> None:
    first, second = collection(client, "b"), collection(client, "A")
    for number, where in enumerate([first, second, first, second, first]):
        send(client, where, f"{'éEfgh'[number]}.txt", f"texte {number}")
    whole = names(client, order=order)
    assert whole == (
        ["E.txt", "g.txt", "é.txt", "f.txt", "h.txt"] if order == "name"
        else ["h.txt", "g.txt", "f.txt", "E.txt", "é.txt"]
    )  # fmt: skip
    found: list[str] = []
    after: dict[str, int] = {}
    while True:
        page = client.get(DOCUMENTS, params={"order": order, "limit": 2, **after}).json()
        assert page["total"] == 5
        found += [entry["name"] for entry in page["data"]]
        if not page["has_more"]:
            break
        after = {"after": page["last_id"]}
    assert found == whole


def test_a_page_goes_on_after_a_document_that_was_deleted_meanwhile(client: TestClient) -> None:
    where = collection(client)
    for name in "abcd":
        send(client, where, f"{name}.txt", name)
    page = client.get(DOCUMENTS, params={"limit": 2}).json()
    client.delete(f"{DOCUMENTS}/{page['last_id']}")
    assert names(client, limit=2, after=page["last_id"]) == ["c.txt", "d.txt"]


def test_deleted_undone_and_read_again(client: TestClient, database: Database, settings: Settings) -> None:
    sent = send(client, collection(client), "congés.md", "# Congés\n\nIls sont de 27 jours.").json()
    path = f"{DOCUMENTS}/{sent['id']}"
    ingest(database, settings)
    version = client.get(path).json()["version_id"]

    def found() -> list[str]:
        answer = client.post("/v1/etabli/search", json={"query": "congés"}).json()
        return [hit["document_name"] for hit in answer["data"]]

    assert found() == ["congés.md"]
    assert client.delete(path).json() == {"id": sent["id"], "deleted": True}
    assert found() == [] and client.get(path).status_code == 404 and client.delete(path).status_code == 404
    cited = client.get(f"{path}/versions/{version}").json()
    assert cited["current"] is False and cited["current_version_id"] is None and "27 jours" in cited["text"]
    assert client.post(f"{path}/read").status_code == 404
    assert client.post(f"{path}/restore").json()["stage"] == "queued"
    ingest(database, settings)
    assert found() == ["congés.md"]
    assert client.post(f"{path}/read").json()["stage"] == "queued"
    assert found() == ["congés.md"], "until it is read, it is found as it was"
    ingest(database, settings)
    assert client.get(path).json()["stage"] == "ready"


def test_documents_of_others_do_not_exist(client: TestClient, database: Database, settings: Settings) -> None:
    """Whatever is asked, a document of another account is not there."""
    library = Library(database, settings.files_dir)
    hidden = settings.workspace / "secret.txt"
    hidden.write_text("Le secret des autres.")
    where = library.conversation_collection("conv_b", 2)
    library.collection("modèle")
    library.add(hidden, collection="modèle")
    with database.owner() as connection:
        connection.execute(
            "UPDATE document SET collection_id = %(c)s, acl_set = (SELECT acl_set FROM collection WHERE id = %(c)s)",
            {"c": where},
        )
    ingest(database, settings)
    with database.owner() as connection:
        row = connection.execute("SELECT id, version_id FROM document").fetchone()
    assert row is not None and row[1] is not None
    number, version = row
    assert client.get(DOCUMENTS).json()["total"] == 0
    assert client.get(DOCUMENTS, params={"collection_id": where}).status_code == 404
    for method, path in [
        ("GET", ""), ("DELETE", ""), ("POST", "/restore"), ("POST", "/read"),
        ("GET", f"/versions/{version}"), ("GET", f"/versions/{version}/file"),
        ("GET", f"/versions/{version}/pages"), ("GET", f"/versions/{version}/pages/1.png"),
        ("GET", f"/versions/{version}/find?query=secret"),
    ]:  # fmt: skip
        response = client.request(method, f"{DOCUMENTS}/{number}{path}")
        assert response.status_code == 404, (method, path)
        assert response.json()["error"]["code"] == "not_found"
    body = {"query": "secret", "collection_ids": [where]}
    assert client.post("/v1/etabli/search", json=body).json()["data"] == []
    with database.owner() as connection:
        state = connection.execute("SELECT state, removed_at FROM document").fetchone()
    assert state == ("ready", None)


@pytest.mark.parametrize(
    "wanted",
    [
        {"limit": 0},
        {"limit": 5_001},
        {"state": "broken"},
        {"order": "size"},
        {"query": "x" * 201},
        {"after": "x"},
    ],
)
def test_lists_that_cannot_be(client: TestClient, wanted: dict[str, Any]) -> None:
    assert client.get(DOCUMENTS, params=wanted).status_code == 400


def test_numbers_too_large_for_the_database(client: TestClient) -> None:
    for params in ({"after": 2**70}, {"collection_id": 2**40}):
        assert client.get(DOCUMENTS, params=params).status_code == 404
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/restore"), ("POST", "/read")):
        assert client.request(method, f"{DOCUMENTS}/{2**70}{path}").status_code == 404


def test_thousands_of_documents_take_few_statements(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement lists them, whatever their number; a second says which are being embedded."""
    where = collection(client)
    with database.owner() as connection:
        connection.execute(
            "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
            " SELECT c.id, c.acl_set, 'dossier/document ' || n, md5(n::text), n, 'ready'"
            " FROM collection c, generate_series(1, 5000) n WHERE c.id = %s",
            (where,),
        )
    opened: list[str] = []
    reader = Database.reader

    def counted(self: Database, principals: Any) -> Any:
        opened.append("reader")
        return reader(self, principals)

    monkeypatch.setattr(Database, "reader", counted)
    answer = client.get(DOCUMENTS, params={"limit": 5_000}).json()
    assert len(answer["data"]) == answer["total"] == 5_000 and not answer["has_more"]
    assert len(opened) == 1
    assert names(client, query="DOCUMENT 4321") == ["dossier/document 4321"]


def test_search_marks_the_words_that_matched(
    client: TestClient, database: Database, settings: Settings
) -> None:
    where = collection(client)
    send(
        client,
        where,
        "a.md",
        "# Absences\n\nChaque employée congédiée garde ses congés payés 🚗 l’année suivante.",
    )
    ingest(database, settings)
    library = Library(database, settings.files_dir)
    own = library.conversation_collection("conv_a", 1)
    send(client, own, "b.md", "# Congés\n\nLes congés de cette conversation.")
    ingest(database, settings)

    def hits(**body: Any) -> list[dict[str, Any]]:
        return client.post("/v1/etabli/search", json={"query": "congé annees", **body}).json()["data"]  # type: ignore[no-any-return]

    (hit,) = hits()
    assert [hit["text"][a:b] for a, b in hit["ranges"]] == ["congés", "année"]
    assert (hit["collection"], hit["media_type"], hit["document_name"]) == ("RH", "text/markdown", "a.md")
    version = client.get(f"{DOCUMENTS}/{hit['document_id']}/versions/{hit['version_id']}").json()
    assert version["text"][hit["char_start"] : hit["char_end"]] == hit["text"]
    assert hit["url"].endswith(f"#char={hit['char_start']},{hit['char_end']}")
    assert [each["document_name"] for each in hits(collection_ids=[own])] == ["b.md"]
    assert hits(collection_ids=[2**40]) == []


def test_everyone_sees_nothing_of_a_conversation(database: Database, settings: Settings) -> None:
    """Row-level security itself, under the statement."""
    Library(database, settings.files_dir).conversation_collection("conv_a", 1)
    with database.reader([EVERYONE]) as connection:
        assert connection.execute("SELECT count(*) FROM collection").fetchone() == (0,)
    with database.reader([EVERYONE, "user:1"]) as connection:
        assert connection.execute("SELECT count(*) FROM collection").fetchone() == (1,)
