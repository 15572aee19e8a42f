"""Text completions by the engine's own model."""

from collections.abc import Callable
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient

from etabli.engines.fake import FakeEngine
from etabli.server.openai.completions.protocol import Completion

ASK: dict[str, Any] = {"model": "qwen-test", "prompt": "Il était"}
PATH = "/v1/completions"


def test_whole_and_streamed(api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]) -> None:
    engine = FakeEngine(["une fois"], model="qwen-test")
    client = api(engine=engine)
    body = client.post(PATH, json={**ASK, "temperature": 0, "id_slot": 3}).json()
    Completion.model_validate(body)
    assert body["choices"][0]["text"] == "une fois" and body["object"] == "text_completion"
    assert engine.bodies[0] == {
        "model": "qwen-test",
        "prompt": "Il était",
        "max_tokens": 16,
        "temperature": 0,
    }
    chunks = stream_of(client, {**ASK, "stream_options": {"include_usage": True}}, PATH)
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks[:-1]) == "une fois"
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"] and chunks[0]["usage"] is None
    assert all("usage" not in chunk for chunk in stream_of(client, ASK, PATH))


def test_several_prompts_and_answers(
    api: Callable[..., TestClient], stream_of: Callable[..., list[Any]]
) -> None:
    engine = FakeEngine(model="qwen-test")
    client = api(engine=engine)
    many = {**ASK, "prompt": ["a b", "c"], "n": 2, "seed": 1}
    body = client.post(PATH, json=many).json()
    assert [(choice["index"], choice["text"]) for choice in body["choices"]] == [
        (0, "a b"),
        (1, "a b"),
        (2, "c"),
        (3, "c"),
    ]
    assert [sent["seed"] for sent in engine.bodies] == [1, 2, 1, 2]
    chunks = stream_of(client, many, PATH)
    assert {chunk["choices"][0]["index"] for chunk in chunks} == {0, 1, 2, 3}
    assert len({chunk["id"] for chunk in chunks}) == 1


@pytest.mark.parametrize(("prompt", "sent"), [([1, 2], [[1, 2]]), ([[1], [2]], [[1], [2]]), (["x"], ["x"])])
def test_tokens_of_the_engine_are_passed_on(api: Callable[..., TestClient], prompt: Any, sent: Any) -> None:
    engine = FakeEngine(["x"], model="qwen-test")
    assert api(engine=engine).post(PATH, json={**ASK, "prompt": prompt}).status_code == 200
    assert [body["prompt"] for body in engine.bodies] == sent


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"model": "rh"}, 404),
        ({"prompt": ["x"] * 5, "n": 4}, 400),
        ({"prompt": ["x"] * 17}, 400),
        ({"prompt": []}, 400),
        ({"best_of": 3}, 400),
        ({"prompt": None}, 400),
    ],
)
def test_refusals(api: Callable[..., TestClient], changes: dict[str, Any], status: int) -> None:
    client = api()
    for stream in (False, True):
        response = client.post(PATH, json={**ASK, **changes, "stream": stream})
        assert response.status_code == status and response.json()["error"]["message"]


def test_openais_client(openai_client: Callable[..., openai.OpenAI]) -> None:
    client = openai_client()
    assert client.completions.create(**ASK).choices[0].text == "un deux trois"
    assert (
        "".join(c.choices[0].text for c in client.completions.create(**ASK, stream=True)) == "un deux trois"
    )
