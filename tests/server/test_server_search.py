"""Searching over HTTP, and answering from collections that the request names."""

from typing import Any

import pytest
from server_parts import Shelf
from starlette.testclient import TestClient
from test_server_end_to_end import LEAVE, SECRET, add_document, reply

from etabli.assistants.answering import Answerer
from etabli.assistants.specification import AssistantSpecification
from etabli.engines.fake import FakeEngine
from etabli.knowledge.search import Searcher
from etabli.storage.database import EVERYONE, Database


@pytest.fixture
def client(api: Any, database: Database) -> TestClient:
    add_document(database, "conges", LEAVE, group=EVERYONE)
    add_document(database, "fusion", SECRET, group="group:direction")
    searcher = Searcher(database, None)
    assistant = AssistantSpecification(name="rh", title="RH", collections=["nulle-part"], abstain=False)
    return api(
        database=database,
        searcher=searcher,
        assistants=Shelf([assistant]),
        answerer=Answerer(searcher, database),
        engine=FakeEngine([reply], model="qwen-test"),
    )


def search(client: TestClient, **body: Any) -> Any:
    return client.post("/v1/etabli/search", json=body)


def test_passages_with_their_scores(client: TestClient) -> None:
    found = search(client, query="combien de congés").json()
    assert [one["document_name"] for one in found["data"]] == ["conges.txt"]
    assert found["data"][0]["score"] == pytest.approx(1.0) and "25 jours" in found["data"][0]["text"]
    assert found["dense_method"] == "none" and found["terms"]
    assert search(client, query="congés", collections=["conges"]).json()["data"]


def test_what_the_caller_may_not_see_is_not_found(client: TestClient) -> None:
    assert search(client, query="fusion Bellecour 2027").json()["data"] == []
    refused = search(client, query="fusion", collections=["fusion"])
    assert refused.status_code == 404
    assert refused.json()["error"]["message"] == "There is no collection “fusion”. There are: conges."


@pytest.mark.parametrize("wrong", [{}, {"query": "a", "limit": 0}, {"query": "a", "colections": []}])
def test_a_search_that_cannot_be_done(client: TestClient, wrong: dict[str, Any]) -> None:
    assert search(client, **wrong).status_code == 400


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_from_the_collections_that_are_named(client: TestClient, stream: bool) -> None:
    def ask(*collections: str) -> Any:
        body = {"model": "rh", "messages": [{"role": "user", "content": "Combien de congés par an ?"}]}
        return client.post(
            "/v1/chat/completions",
            json={**body, "stream": stream, "etabli": {"collections": list(collections)}},
        )

    answer = ask("conges")
    assert answer.status_code == 200 and "conges.txt" in answer.text
    for hidden in ("fusion", "rien"):
        refused = ask("conges", hidden)
        assert refused.status_code == 404 and f"“{hidden}”" in refused.json()["error"]["message"]
