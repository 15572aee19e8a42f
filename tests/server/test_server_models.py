"""The names that may be asked."""

from collections.abc import Callable
from pathlib import Path

import openai
from fastapi.testclient import TestClient

from etabli.assistants.specification import AssistantSpecification
from etabli.server.openai.models.protocol import ModelList
from etabli.settings import Settings


def test_all_that_the_caller_may_use(api: Callable[..., TestClient]) -> None:
    body = api().get("/v1/models").json()
    models = ModelList.model_validate(body).data
    assert [(model.id, model.etabli.kind) for model in models] == [
        ("rh", "assistant"),
        ("qwen-test", "model"),
        ("letters", "embeddings"),
    ]
    first = body["data"][0]
    assert first["object"] == "model" and first["owned_by"] == "etabli" and isinstance(first["created"], int)
    assert first["context_length"] == first["max_model_len"] == 4096
    assert first["title"] == "Ressources humaines" and first["etabli"]["first_questions"] == [
        "Combien de congés ?"
    ]


def test_one_of_them(api: Callable[..., TestClient]) -> None:
    client = api()
    assert client.get("/v1/models/rh").json()["title"] == "Ressources humaines"
    for name in ("direction", "nobody", "a/b/c"):
        response = client.get(f"/v1/models/{name}")
        assert response.status_code == 404 and response.json()["error"]["code"] == "model_not_found"


def test_names_with_slashes(api: Callable[..., TestClient], tmp_path: Path) -> None:
    settings = Settings(
        workspace=tmp_path, embeddings_url="http://127.0.0.1:1/v1", embeddings_model="intfloat/e5"
    )
    assert api(settings=settings).get("/v1/models/intfloat/e5").json()["id"] == "intfloat/e5"


def test_an_assistant_is_as_old_as_its_file(api: Callable[..., TestClient], tmp_path: Path) -> None:
    file = tmp_path / "assistants" / "rh.yaml"
    file.parent.mkdir()
    file.write_text("title: x")
    assert api().get("/v1/models/rh").json()["created"] == int(file.stat().st_mtime)


def test_without_embedder(api: Callable[..., TestClient]) -> None:
    assert [model["id"] for model in api(embedder=None).get("/v1/models").json()["data"]] == [
        "rh",
        "qwen-test",
    ]


def test_the_model_wins_over_an_assistant_of_its_name(api: Callable[..., TestClient]) -> None:
    from server_parts import Shelf

    twin = AssistantSpecification(name="qwen-test", title="Twin")
    body = api(assistants=Shelf([twin])).get("/v1/models").json()
    assert [(model["id"], model["etabli"]["kind"]) for model in body["data"]][0] == ("qwen-test", "model")


def test_openais_client(openai_client: Callable[..., openai.OpenAI]) -> None:
    client = openai_client()
    assert [model.id for model in client.models.list()] == ["rh", "qwen-test", "letters"]
    assert client.models.retrieve("rh").owned_by == "etabli"
