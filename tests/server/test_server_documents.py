"""Opening a citation: the text and the file, for those who may see them."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from psycopg.types.json import Jsonb

from etabli.settings import Settings
from etabli.storage.database import EVERYONE, Database, file_of_hash

CONTENT = b"<script>alert(1)</script>"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def add_document(
    database: Database, *, group: str = EVERYONE, name: str = "rh/cong\u00e9s \u201cpay\u00e9s\u201d.html"
) -> Any:
    """One document with two versions, the second of them current; gives its number and the versions'."""
    with database.owner() as connection:

        def number(query: str, *values: Any) -> int:
            row = connection.execute(query.encode(), values).fetchone()
            assert row is not None
            return int(row[0])

        connection.execute("INSERT INTO principal (name) VALUES (%s) ON CONFLICT DO NOTHING", (group,))
        principal = number("SELECT id FROM principal WHERE name = %s", group)
        acl = number(
            "INSERT INTO acl_set (principals) VALUES (%s) ON CONFLICT (principals) DO UPDATE"
            " SET principals = EXCLUDED.principals RETURNING id",
            [principal],
        )
        collection = number("INSERT INTO collection (name, acl_set) VALUES (%s, %s) RETURNING id", group, acl)
        document = number(
            "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
            " VALUES (%s, %s, %s, %s, %s, 'ready') RETURNING id",
            collection, acl, name, SHA256, len(CONTENT),
        )  # fmt: skip
        versions = [
            number(
                "INSERT INTO version (document_id, acl_set, sha256, media_type, title, language, page_count, text,"
                " blocks, notes) VALUES (%s, %s, %s, 'text/html', 'Congés', 'fr', 1, %s, %s, %s) RETURNING id",
                document, acl, SHA256, text, Jsonb([{"kind": "paragraph", "char_start": 0, "char_end": 8}]),
                Jsonb(["une page sans texte"]),
            )
            for text in ("20 jours", "25 jours")
        ]  # fmt: skip
        connection.execute("UPDATE document SET version_id = %s WHERE id = %s", (versions[1], document))
    return document, *versions


@pytest.fixture
def client(api: Callable[..., TestClient], database: Database, tmp_path: Path) -> TestClient:
    path = file_of_hash(Settings(workspace=tmp_path).files_dir, SHA256)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return api(database=database)


def test_a_version(client: TestClient, database: Database) -> None:
    document, old, new = add_document(database)
    body = client.get(f"/v1/etabli/documents/{document}/versions/{new}").json()
    assert body["text"] == "25 jours" and body["title"] == "Congés" and body["current"] is True
    assert body["blocks"][0]["char_end"] == 8 and body["notes"] == ["une page sans texte"]
    assert body["file"] == f"/v1/etabli/documents/{document}/versions/{new}/file"
    before = client.get(f"/v1/etabli/documents/{document}/versions/{old}").json()
    assert before["text"] == "20 jours" and before["current"] is False


def test_the_original_is_saved_and_never_shown(client: TestClient, database: Database) -> None:
    document, _, new = add_document(database)
    response = client.get(f"/v1/etabli/documents/{document}/versions/{new}/file")
    assert response.content == CONTENT
    disposition = response.headers["content-disposition"]
    assert disposition.startswith("attachment; filename*=") and "/" not in disposition.split("''")[1]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert response.headers["cache-control"] == "private, no-store"


def test_documents_of_others_do_not_exist(client: TestClient, database: Database) -> None:
    document, _, new = add_document(database, group="group:direction")
    other, _, others = add_document(database)
    for path in (
        f"{document}/versions/{new}",
        f"{other}/versions/{new}",
        f"{document}/versions/{others}",
        "9/versions/9",
    ):
        for end in ("", "/file"):
            response = client.get(f"/v1/etabli/documents/{path}{end}")
            assert response.status_code == 404 and response.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("x/versions/1", 400),
        ("1/versions/x", 400),
        (f"{2**70}/versions/{2**70}", 404),
        ("-1/versions/0", 404),
    ],
)
def test_numbers_that_cannot_be(client: TestClient, path: str, status: int) -> None:
    assert client.get(f"/v1/etabli/documents/{path}").status_code == status


def test_a_file_that_was_not_kept(client: TestClient, database: Database, tmp_path: Path) -> None:
    document, _, new = add_document(database)
    file_of_hash(Settings(workspace=tmp_path).files_dir, SHA256).unlink()
    response = client.get(f"/v1/etabli/documents/{document}/versions/{new}/file")
    assert response.status_code == 404 and "not kept" in response.json()["error"]["message"]
