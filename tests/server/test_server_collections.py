from collections.abc import Callable
from pathlib import Path

import pytest
from document_parts import COLLECTIONS, DOCUMENTS, collection, ingest, send
from server_parts import Shelf
from starlette.testclient import TestClient

from etabli.assistants.specification import AssistantSpecification
from etabli.knowledge.library import Library
from etabli.settings import Settings
from etabli.storage.database import Database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path)


@pytest.fixture
def client(api: Callable[..., TestClient], database: Database) -> TestClient:
    assistants = [
        AssistantSpecification(name="rh", title="RH", collections=["Congés"]),
        AssistantSpecification(
            name="direction", title="D", collections=["Congés"], audience=["group:direction"]
        ),
    ]
    return api(database=database, assistants=Shelf(assistants))


def test_made_listed_renamed_deleted_and_back(
    client: TestClient, database: Database, settings: Settings
) -> None:
    number = collection(client, "Achats")
    assert send(client, number, "a.txt", "Les achats du mois.").status_code == 201
    assert send(client, number, "b.txt", "Les ventes du mois.").status_code == 201
    ingest(database, settings)
    (listed,) = client.get(COLLECTIONS).json()["data"]
    assert listed == {
        "id": number, "name": "Achats", "documents": 2, "ready": 2, "waiting": 0, "failed": 0,
        "assistants": [], "conversation_id": None,
    }  # fmt: skip
    assert client.patch(f"{COLLECTIONS}/{number}", json={"name": "Ventes"}).json()["name"] == "Ventes"
    assert client.delete(f"{COLLECTIONS}/{number}").json() == {"id": number, "deleted": True}
    assert client.get(COLLECTIONS).json()["data"] == []
    assert client.get(f"{COLLECTIONS}/{number}").status_code == 404
    assert client.get(DOCUMENTS, params={"collection_id": number}).status_code == 404
    assert client.get(DOCUMENTS).json()["total"] == 0
    back = client.post(f"{COLLECTIONS}/{number}/restore").json()
    assert (back["name"], back["documents"], back["waiting"]) == ("Ventes", 2, 2)


def test_a_collection_that_assistants_answer_from_keeps_its_name(client: TestClient) -> None:
    number = collection(client, "Congés")
    assert client.get(f"{COLLECTIONS}/{number}").json()["assistants"] == ["rh"], "and not those of others"
    for response in (
        client.patch(f"{COLLECTIONS}/{number}", json={"name": "Vacances"}),
        client.delete(f"{COLLECTIONS}/{number}"),
    ):
        assert response.status_code == 409 and "rh" in response.json()["error"]["message"]
    assert client.get(f"{COLLECTIONS}/{number}").status_code == 200


def test_names_that_cannot_be(client: TestClient) -> None:
    collection(client, "RH")
    assert client.post(COLLECTIONS, json={"name": "RH"}).status_code == 409
    for wrong in (
        {},
        {"name": ""},
        {"name": "  "},
        {"name": "a\nb"},
        {"name": "x" * 101},
        {"name": "a", "acl": 1},
    ):
        assert client.post(COLLECTIONS, json=wrong).status_code == 400


def test_collections_of_others_do_not_exist(
    client: TestClient, database: Database, settings: Settings
) -> None:
    library = Library(database, settings.files_dir)
    own, others = library.conversation_collection("conv_a", 1), library.conversation_collection("conv_b", 2)
    assert client.get(COLLECTIONS).json()["data"] == []
    assert client.get(f"{COLLECTIONS}/{own}").json()["conversation_id"] == "conv_a"
    for number in (others, 999, 2**40, -(2**70)):
        for method, path in (
            ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/restore"),
        ):  # fmt: skip
            body = {"name": "A"} if method == "PATCH" else None
            response = client.request(method, f"{COLLECTIONS}/{number}{path}", json=body)
            assert response.status_code == 404, (method, path, number)
        assert send(client, number, "a.txt", "du texte").status_code in (404, 400)
    assert not [path for path in settings.files_dir.rglob("*") if path.name.startswith(".")]
    assert send(client, own, "a.txt", "du texte").json()["conversation_id"] == "conv_a"
