"""Pages of a version as pictures, and finding in its text."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from document_parts import DOCUMENTS, collection, ingest, pdf, send
from PIL import Image
from starlette.testclient import TestClient

from etabli.settings import Settings
from etabli.storage.database import Database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path)


@pytest.fixture
def client(api: Callable[..., TestClient], database: Database) -> TestClient:
    return api(database=database)


@pytest.fixture
def opened(client: TestClient, database: Database, settings: Settings) -> Callable[[str, bytes], str]:
    """Send a file, have it read, and give the path of its version."""

    def make(name: str, content: bytes) -> str:
        sent = send(client, collection(client, name), name, content).json()
        ingest(database, settings)
        entry = client.get(f"{DOCUMENTS}/{sent['id']}").json()
        assert entry["version_id"] is not None, entry
        return f"{DOCUMENTS}/{sent['id']}/versions/{entry['version_id']}"

    return make


def test_pages_and_their_pictures(client: TestClient, opened: Callable[[str, bytes], str]) -> None:
    path = opened("a.pdf", pdf("Les congés annuels sont de 27 jours.", "Le parking ferme à 22 heures."))
    version = client.get(path).json()
    assert version["pictured"] is True and version["page_count"] == 2
    pages = client.get(f"{path}/pages").json()["data"]
    assert [page["number"] for page in pages] == [1, 2] and pages[0]["width"] == pytest.approx(
        595.28, abs=0.01
    )
    response = client.get(f"{path}/pages/2.png", params={"width": 800})
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "private, no-store"
    image = Image.open(io.BytesIO(response.content))
    assert abs(image.width - 800) <= 1
    scale = image.width / pages[1]["width"]
    (box,) = [box for block in version["blocks"] for box in block["boxes"] if box["page"] == 2]
    inside = image.crop(tuple(round(box[side] * scale) for side in ("x0", "y0", "x1", "y1")))  # type: ignore[arg-type]
    assert inside.convert("L").getextrema()[0] < 80  # type: ignore[operator]
    assert client.get(f"{path}/pages/3.png").status_code == 404
    for wrong in ("0", "2401", "x", "-5"):
        assert client.get(f"{path}/pages/1.png", params={"width": wrong}).status_code == 400
    assert client.get(f"{path}/pages/../1.png").status_code == 404


def test_documents_without_pages(client: TestClient, opened: Callable[[str, bytes], str]) -> None:
    path = opened("a.md", b"# Titre\n\nDu texte.")
    assert client.get(path).json()["pictured"] is False
    assert client.get(f"{path}/pages").json()["data"] == []
    refused = client.get(f"{path}/pages/1.png")
    assert refused.status_code == 404 and "by its text" in refused.json()["error"]["message"]


def test_the_original_may_be_gone(
    client: TestClient, opened: Callable[[str, bytes], str], settings: Settings
) -> None:
    path = opened("a.pdf", pdf("Une page."))
    for file in settings.files_dir.rglob("*"):
        if file.is_file():
            file.unlink()
    assert client.get(path).json()["pictured"] is False
    assert client.get(f"{path}/pages").status_code == 404
    assert client.get(f"{path}/pages/1.png").status_code == 404


def test_finding_a_phrase_and_its_page(client: TestClient, opened: Callable[[str, bytes], str]) -> None:
    path = opened(
        "a.pdf", pdf("Les congés annuels sont longs.", "Sans rapport.", "Les CONGES ANNUELS encore.")
    )
    text = client.get(path).json()["text"]

    def find(query: str) -> Any:
        return client.get(f"{path}/find", params={"query": query})

    found = find("congés annuels").json()
    assert found["total"] == 2 and [each["page"] for each in found["data"]] == [1, 3]
    assert [text[each["char_start"] : each["char_end"]] for each in found["data"]] == [
        "congés annuels", "CONGES ANNUELS",
    ]  # fmt: skip
    assert find("absent").json() == {"object": "list", "data": [], "total": 0}
    assert find("").status_code == 400 and find("x" * 201).status_code == 400


TABLE = b"Nom;Jours\nAline;27\nBruno;25\n"
MAIL = (
    "From: Aline <aline@example.org>\nTo: rh@example.org\nSubject: Congés\nDate: Mon, 2 Mar 2026 10:00:00 +0100\n"
    "Content-Type: text/plain; charset=utf-8\nMIME-Version: 1.0\n\nBonjour, je pose cinq jours.\n"
).encode()
PAGE = b"<!doctype html><html><body><h1>Titre</h1><p>Un.</p><ul><li>Deux</li></ul></body></html>"


@pytest.mark.parametrize(
    ("name", "content", "kinds"),
    [
        ("a.csv", TABLE, {"table"}),
        ("a.eml", MAIL, {"heading", "paragraph"}),
        ("a.html", PAGE, {"heading", "paragraph", "list_item"}),
        (
            "a.md",
            b"# Titre\n\nUn.\n\n- deux\n- trois\n\n```\ncode\n```\n",
            {"heading", "paragraph", "list_item", "code"},
        ),
    ],
)
def test_a_version_is_enough_for_a_view_of_its_text(
    client: TestClient, opened: Callable[[str, bytes], str], name: str, content: bytes, kinds: set[str]
) -> None:
    """Blocks tell headings, lists, tables and code apart, and cover the whole text."""
    version = client.get(opened(name, content)).json()
    assert {block["kind"] for block in version["blocks"]} == kinds
    outside, place = "", 0
    for block in version["blocks"]:
        outside, place = outside + version["text"][place : block["char_start"]], block["char_end"]
    assert not (outside + version["text"][place:]).strip()
    if name == "a.csv":
        assert version["blocks"][0]["cells"] == [["Nom", "Jours"], ["Aline", "27"], ["Bruno", "25"]]
    if name == "a.eml":
        assert "aline@example.org" in version["text"] and "Congés" in version["text"]
    assert all(
        block["level"] >= 1 for block in version["blocks"] if block["kind"] in ("heading", "list_item")
    )
