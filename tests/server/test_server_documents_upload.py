"""Files that are sent: streamed to the disk, bounded, named safely, refused with a reason."""

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from document_parts import DOCUMENTS, collection, ingest, send
from server_parts import BEARER, MakeServices
from starlette.testclient import TestClient

from etabli.errors import InvalidInputError
from etabli.server.documents.receiving import receive_upload
from etabli.server.middleware import MAX_BODY_BYTES
from etabli.settings import Settings
from etabli.storage.database import Database

MEBIBYTE = 2**20


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path)


@pytest.fixture
def client(api: Callable[..., TestClient], database: Database) -> TestClient:
    return api(database=database)


def leftovers(settings: Settings) -> list[Path]:
    """Temporary files that nobody took away."""
    return [path for path in settings.files_dir.rglob(".*") if path.is_file()]


def test_a_file_its_new_version_and_the_same_again(
    client: TestClient, database: Database, settings: Settings
) -> None:
    where = collection(client)
    first = send(client, where, "congés « payés ».txt", "Ils sont de 25 jours.")
    assert first.status_code == 201 and first.json()["name"] == "congés « payés ».txt"
    ingest(database, settings)
    old = client.get(f"{DOCUMENTS}/{first.json()['id']}").json()
    second = send(client, where, "congés « payés ».txt", "Ils sont de 27 jours.")
    assert second.status_code == 201 and second.json()["id"] == first.json()["id"]
    ingest(database, settings)
    new = client.get(f"{DOCUMENTS}/{first.json()['id']}").json()
    assert new["version_id"] != old["version_id"]
    before = client.get(f"{DOCUMENTS}/{old['id']}/versions/{old['version_id']}").json()
    assert "25 jours" in before["text"] and before["current_version_id"] == new["version_id"]
    same = send(client, where, "congés « payés ».txt", "Ils sont de 27 jours.")
    assert same.status_code == 200 and same.json()["stage"] == "ready"
    assert send(client, collection(client, "B"), "congés « payés ».txt", "x").json()["id"] != old["id"]
    assert leftovers(settings) == []


def test_a_folder_keeps_its_paths(client: TestClient, settings: Settings) -> None:
    where = collection(client)
    sent = send(client, where, "note.txt", "Du texte.", relative_path="Dossier RH/2026/note.txt")
    assert sent.json()["name"] == "Dossier RH/2026/note.txt"
    for path in ("../../etc/passwd", "/etc/passwd", "a/../../b.txt", "C:\\a.txt", "a/.git/config"):
        refused = send(client, where, "note.txt", "Du texte.", relative_path=path)
        assert refused.status_code == 400, path
    for name in ("..", ".env", "~$a.docx"):
        assert send(client, where, name, "Du texte.").status_code == 400, name
    kept = sorted(path for path in settings.data_dir.rglob("*") if path.is_file())
    assert [path.parent.parent for path in kept] == [settings.files_dir], "only under its hash"


def test_what_no_reader_opens_is_refused_with_what_can_be(client: TestClient, settings: Settings) -> None:
    where = collection(client)
    refused = send(client, where, "film.mp4", b"\x00\x00\x00\x18ftypmp42" + os.urandom(3 * MEBIBYTE))
    assert refused.status_code == 422
    error = refused.json()["error"]
    assert error["code"] == "document_error"
    for word in ("PDF", "Word", "Excel", "CSV", "images"):
        assert word in error["message"]
    assert send(client, where, "vide.txt", b"").status_code == 422
    old = send(client, where, "lettre.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5_000))
    assert ".docx" in old.json()["error"]["message"]
    assert leftovers(settings) == [] and client.get(DOCUMENTS).json()["total"] == 0


def test_forms_that_cannot_be(client: TestClient, settings: Settings) -> None:
    where = collection(client)
    file = {"file": ("a.txt", b"du texte")}
    two = [("file", ("a.txt", b"du texte")), ("file", ("b.txt", b"du texte"))]
    head = {"content-type": "multipart/form-data; boundary=x"}
    begun = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ndu texte'
    cases: list[dict[str, Any]] = [
        {"files": file},
        {"files": file, "data": {"collection_id": "un"}},
        {"files": file, "data": {"collection_id": "-1"}},
        {"files": file, "data": {"collection_id": "9" * 30}},
        {"files": file, "data": {"collection_id": str(where), "relative_path": "x" * 9_000}},
        {"files": {"document": ("a.txt", b"du texte")}, "data": {"collection_id": str(where)}},
        {"files": two, "data": {"collection_id": str(where)}},
        {"data": {"collection_id": str(where)}},
        {"json": {"collection_id": where}},
        {"content": begun, "headers": head},
        {"content": b"--x\r\nnothing of the kind", "headers": head},
        {"content": b"", "headers": head},
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
        {"content": b"x", "headers": {"content-type": f"multipart/form-data; boundary={'x' * 300}"}},
    ]
    for case in cases:
        response = client.post(DOCUMENTS, **case)
        assert response.status_code == 400, (case, response.text)
        assert response.json()["error"]["message"]
    assert leftovers(settings) == [] and client.get(DOCUMENTS).json()["total"] == 0


def test_fields_in_any_order_and_names_in_quotes(client: TestClient) -> None:
    where = collection(client)
    parts = [
        ('name="file"; filename="l\u00e9gende %22a%22.txt"', "du texte"),
        ('name="collection_id"', str(where)),
        ('name="unknown"', "x"),
    ]
    body = "".join(f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in parts)
    sent = client.post(
        DOCUMENTS,
        content=f"{body}--b--\r\n".encode(),
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert sent.status_code == 201 and sent.json()["name"] == 'l\u00e9gende "a".txt'


def test_the_limit_is_that_of_documents(
    api: Callable[..., TestClient], database: Database, tmp_path: Path
) -> None:
    settings = Settings(workspace=tmp_path, max_document_bytes=2 * MEBIBYTE)
    client = api(database=database, settings=settings)
    where = collection(client)
    line = b"Une ligne de texte ordinaire.\n"
    fits = line * (2 * MEBIBYTE // len(line))
    assert send(client, where, "a.txt", fits).status_code == 201
    larger = send(client, where, "b.txt", fits + line * 10)
    assert larger.status_code == 413 and "max_document_bytes" in larger.json()["error"]["message"]
    declared = send(client, where, "c.txt", fits * 2)
    assert declared.status_code == 413 and declared.json()["error"]["code"] == "request_too_large"
    assert leftovers(settings) == []


def test_only_uploads_may_be_larger(client: TestClient) -> None:
    for path in ("/v1/etabli/search", f"{DOCUMENTS}/", "/v1/chat/completions"):
        response = client.post(path, content=b"x" * (MAX_BODY_BYTES + 1))
        assert response.status_code == 413


def text_of(size: int) -> Iterator[bytes]:
    line = b"Une ligne de texte ordinaire, comme il y en a beaucoup.\n"
    piece = line * (65_536 // len(line))
    for _ in range(size // len(piece)):
        yield piece


def test_thirty_megabytes_pass_through_bounded_memory(tmp_path: Path) -> None:
    """What is held while a file of 30 MB arrives is a small multiple of the piece that is written."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'

    async def body() -> AsyncIterator[bytes]:
        yield head
        for piece in text_of(30 * MEBIBYTE):
            yield piece
        yield b"\r\n--x--\r\n"

    async def receive() -> tuple[int, int]:
        tracemalloc.start()
        try:
            upload = await receive_upload(
                body(), "multipart/form-data; boundary=x", folder=tmp_path, max_bytes=100 * MEBIBYTE
            )
            return upload.received.size_bytes, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    size, peak = asyncio.run(receive())
    assert size > 29 * MEBIBYTE and peak < 8 * MEBIBYTE
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_size == size


def test_a_large_file_over_a_real_server(
    services: MakeServices, serve: Callable[..., str], database: Database, tmp_path: Path
) -> None:
    url = serve(services(database=database))
    path = tmp_path / "grand.txt"
    path.write_bytes(b"".join(text_of(30 * MEBIBYTE)))
    with httpx.Client(base_url=url, headers=BEARER, timeout=60) as client:
        where = client.post("/v1/etabli/collections", json={"name": "RH"}).json()["id"]
        with path.open("rb") as file:
            sent = client.post(DOCUMENTS, data={"collection_id": where}, files={"file": ("grand.txt", file)})
        assert sent.status_code == 201 and sent.json()["size_bytes"] == path.stat().st_size
        refused = client.post(
            DOCUMENTS,
            data={"collection_id": where},
            files={"file": ("film.mp4", b"\x00\x00\x00\x18ftypmp42" + os.urandom(8 * MEBIBYTE))},
        )
        assert refused.status_code == 422, "said to a client that still sends"
        assert client.get(DOCUMENTS).json()["total"] == 1


def test_a_client_that_leaves_leaves_nothing(
    services: MakeServices,
    serve: Callable[..., str],
    database: Database,
    tmp_path: Path,
    wait_until: Callable[..., None],
) -> None:
    made = services(database=database)
    url = serve(made)

    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        yield from text_of(4 * MEBIBYTE)
        wait_until(lambda: leftovers(made.settings))
        raise ConnectionError("gone")

    head = {**BEARER, "content-type": "multipart/form-data; boundary=x"}
    with pytest.raises(ConnectionError), httpx.Client(base_url=url, headers=head) as client:
        client.post(DOCUMENTS, content=body())
    wait_until(lambda: not leftovers(made.settings))


@pytest.mark.parametrize("piece", [1, 7, 4_095])
def test_pieces_of_any_size_make_the_same_file(tmp_path: Path, piece: int) -> None:
    content = "--x \r\n-\r\n--\r\n--y\r\né\r".encode() * 300
    form = b"".join([
        b'--x\r\nContent-Disposition: form-data; name="collection_id"\r\n\r\n12\r\n',
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n',
        b"Content-Type: text/plain\r\n\r\n", content, b"\r\n--x--\r\nepilogue",
    ])  # fmt: skip

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(form), piece):
            yield form[start : start + piece]

    upload = asyncio.run(
        receive_upload(body(), 'multipart/form-data; boundary="x"', folder=tmp_path, max_bytes=MEBIBYTE)
    )
    assert upload.received.path.read_bytes() == content
    assert (upload.filename, upload.fields) == ("a.txt", {"collection_id": "12"})


def test_a_form_of_endless_parts(tmp_path: Path) -> None:
    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'

    with pytest.raises(InvalidInputError, match="too many parts"):
        asyncio.run(
            receive_upload(body(), "multipart/form-data; boundary=x", folder=tmp_path, max_bytes=MEBIBYTE)
        )
    assert list(tmp_path.iterdir()) == []
