"""`/v1/moderations` as OpenAI's clients use it."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from running_server import RunningServer

from etabli.certification.moderation import CATEGORIES
from etabli.server.errors import install_error_handlers
from etabli.server.openai.moderations.protocol import MAX_INPUTS, OWN_MODEL, ModerationResponse
from etabli.server.openai.moderations.router import moderations_router

PATH = "/v1/moderations"


def application() -> FastAPI:
    app = FastAPI()
    install_error_handlers(app)
    app.include_router(moderations_router())
    return app


@pytest.fixture
def client() -> TestClient:
    return TestClient(application())


@pytest.fixture
def official() -> Iterator[openai.OpenAI]:
    server = RunningServer(application())
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield made
    server.close()


def test_openais_client(official: openai.OpenAI) -> None:
    answer = official.moderations.create(model="omni-moderation-latest", input="Je veux mourir.")
    (result,) = answer.results
    assert answer.id.startswith("modr-") and answer.model == OWN_MODEL
    assert result.flagged and result.categories.self_harm_intent and not result.categories.hate
    assert result.category_scores.self_harm_intent > 0.5 > result.category_scores.sexual_minors
    assert result.category_applied_input_types.violence == ["text"]


def test_several_texts_and_the_parts_of_one(official: openai.OpenAI) -> None:
    texts = official.moderations.create(input=["Bonjour.", "Tu es un imbécile."])
    assert [result.flagged for result in texts.results] == [False, True]
    parts = [{"type": "text", "text": "Bonjour."}, {"type": "text", "text": "Tu es un imbécile."}]
    joined = official.moderations.create(input=parts)  # type: ignore[arg-type]
    assert [result.flagged for result in joined.results] == [True]


def test_the_whole_shape(client: TestClient) -> None:
    body = client.post(PATH, json={"input": "Bonjour."}).json()
    ModerationResponse.model_validate(body)
    result = body["results"][0]
    for field in ("categories", "category_scores", "category_applied_input_types"):
        assert list(result[field]) == list(CATEGORIES)
    assert set(body) == {"id", "model", "results"} and result["flagged"] is False


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"input": "x", "model": "gpt-4o"}, 404, "gpt-4o"),
        ({"input": []}, 400, ""),
        ({}, 400, "input"),
        ({"input": [1]}, 400, ""),
        ({"input": ["a"] * (MAX_INPUTS + 1)}, 400, ""),
        ({"input": "a" * 200_001}, 400, "200001 characters"),
        ({"input": ["a" * 190_000] * 6}, 400, "1140000 together"),
        (
            {"input": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]},
            400,
            "Pictures",
        ),
        ({"input": [{"type": "audio"}]}, 400, ""),
    ],
)
def test_refusals(client: TestClient, body: dict[str, Any], status: int, words: str) -> None:
    response = client.post(PATH, json=body)
    assert response.status_code == status, response.text
    assert words in response.json()["error"]["message"]
