import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from etabli.engines.base import Embedder
from etabli.engines.e5 import E5Embedder
from etabli.engines.embeddings import OpenAIEmbedder, create_embedder
from etabli.errors import (
    ConfigurationError,
    EgressDeniedError,
    EngineError,
    EngineRequestError,
    EngineUnavailableError,
)
from etabli.outbound import http_client
from etabli.settings import Settings

KEY = "sk-secret-of-the-test"
ServeApp = Callable[[object], str]


def row_of(text: str) -> list[float]:
    return [float(len(text)), 3.0, -1.0]


class Endpoint:
    """An embeddings endpoint that notes what it was asked."""

    def __init__(self, *, floats: bool = False, answer: Response | dict[str, Any] | None = None) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.floats = floats
        self.answer = answer

    async def embeddings(self, request: Request) -> Response:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        if isinstance(self.answer, Response):
            return self.answer
        if self.answer is not None:
            return JSONResponse(self.answer)
        data = []
        for index, text in reversed(list(enumerate(body["input"]))):  # order is told by `index` alone
            row: object = row_of(text)
            if not self.floats:
                row = base64.b64encode(np.array(row, "<f4").tobytes()).decode()
            data.append({"object": "embedding", "index": index, "embedding": row})
        return JSONResponse({"object": "list", "data": data, "model": body["model"]})

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/embeddings", self.embeddings, methods=["POST"])])


def embedder_at(url: str, *, model: str = "bge-m3", key: str | None = KEY) -> Embedder:
    secret = None if key is None else SecretStr(key)
    return create_embedder(Settings(embeddings_url=url, embeddings_model=model, embeddings_key=secret))


def test_built_in_unless_an_address_is_set() -> None:
    assert isinstance(create_embedder(Settings(embeddings_url=None)), E5Embedder)


@pytest.mark.parametrize("floats", [False, True])
def test_vectors_come_in_order_with_norm_one(serve_app: ServeApp, floats: bool) -> None:
    endpoint = Endpoint(floats=floats)
    embedder = embedder_at(serve_app(endpoint.app))
    texts = ["x" * length for length in range(1, 71)]
    vectors = embedder.embed_passages(texts)
    expected = np.array([row_of(text) for text in texts], np.float32)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert vectors.dtype == np.float32 and np.allclose(vectors, expected, atol=1e-6)
    assert [len(body["input"]) for body in endpoint.bodies] == [32, 32, 6]
    assert endpoint.bodies[0]["model"] == "bge-m3"
    assert endpoint.headers[0]["authorization"] == f"Bearer {KEY}"
    embedder.close()


def test_dimensions_are_learnt_from_the_first_answer(serve_app: ServeApp) -> None:
    endpoint = Endpoint()
    embedder = embedder_at(serve_app(endpoint.app), key=None)
    assert embedder.dimensions == 3
    assert embedder.dimensions == 3 and len(endpoint.bodies) == 1
    assert "authorization" not in endpoint.headers[0]
    assert embedder.embed_queries([]).shape == (0, 3)
    embedder.close()


@pytest.mark.parametrize(
    ("model", "query", "passage"),
    [
        ("BAAI/bge-m3", "q", "p"),
        ("intfloat/multilingual-e5-base", "query: q", "passage: p"),
        ("Snowflake/snowflake-arctic-embed-l-v2.0", "query: q", "p"),
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: q", "search_document: p"),
    ],
)
def test_prefixes_are_those_the_model_wants(
    serve_app: ServeApp, model: str, query: str, passage: str
) -> None:
    endpoint = Endpoint()
    embedder = embedder_at(serve_app(endpoint.app), model=model)
    embedder.embed_queries(["q"])
    embedder.embed_passages(["p"])
    assert [body["input"] for body in endpoint.bodies] == [[query], [passage]]
    embedder.close()


def test_qwen_wants_an_instruction_and_the_name_says_so(serve_app: ServeApp) -> None:
    endpoint = Endpoint()
    embedder = embedder_at(serve_app(endpoint.app), model="Qwen3-Embedding-0.6B")
    embedder.embed_queries(["q"])
    asked = endpoint.bodies[0]["input"][0]
    assert asked.startswith("Instruct: ") and asked.endswith("\nQuery: q")
    assert embedder.name.endswith(":Qwen3-Embedding-0.6B:instruct")
    embedder.close()


def test_name_tells_host_and_model_and_no_secret() -> None:
    embedder = create_embedder(
        Settings(
            embeddings_url="https://me:hidden@vectors.example.org:8443/v1?token=hidden",
            embeddings_model="bge-m3",
            embeddings_key=SecretStr(KEY),
        )
    )
    assert embedder.name == "openai:vectors.example.org:8443:bge-m3:none"
    embedder.close()


@pytest.mark.parametrize("url", ["ftp://example.org/v1", "example.org/v1", "http://"])
def test_wrong_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match="http://host:port/v1"):
        embedder_at(url)


def test_only_the_host_in_the_settings_is_called() -> None:
    settings = Settings(outbound=())
    client = http_client(settings, purpose="test")
    embedder = OpenAIEmbedder("http://vectors.example.org/v1", None, "bge-m3", client=client)
    with pytest.raises(EgressDeniedError, match=r"vectors\.example\.org"):
        embedder.embed_queries(["x"])
    embedder.close()


def test_nobody_at_the_address() -> None:
    embedder = embedder_at("http://127.0.0.1:1/v1")
    with pytest.raises(EngineUnavailableError, match=r"127\.0\.0\.1:1 does not answer"):
        embedder.embed_queries(["x"])
    embedder.close()


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (401, EngineError, "embeddings_key"),
        (404, EngineError, "embeddings_model"),
        (307, EngineError, "embeddings_url"),
        (429, EngineUnavailableError, "Try again"),
        (500, EngineUnavailableError, "too busy"),
        (400, EngineRequestError, "too busy"),
    ],
)
def test_refusals_say_what_to_do_and_hide_the_key(
    serve_app: ServeApp, status: int, kind: type[EngineError], word: str
) -> None:
    refusal = JSONResponse({"error": {"message": "too busy"}}, status, {"location": "http://example.org/"})
    embedder = embedder_at(serve_app(Endpoint(answer=refusal).app))
    with pytest.raises(kind, match=word) as caught:
        embedder.embed_queries(["x"])
    assert type(caught.value) is kind and KEY not in str(caught.value)
    embedder.close()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": []},
        {"data": [{"index": 1, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": [0.0, 0.0]}]},
        {"data": [{"index": 0, "embedding": [1e300, 1e300]}]},
        {"data": [{"index": 0, "embedding": "AAA"}]},
        {"data": [{"index": 0, "embedding": [[1.0]]}]},
        {"data": [{"index": 0, "embedding": ["un"]}]},
        {"data": [{"index": 0}]},
        {"data": "nothing"},
    ],
)
def test_answers_that_are_no_vectors_are_refused(serve_app: ServeApp, answer: dict[str, Any]) -> None:
    embedder = embedder_at(serve_app(Endpoint(answer=answer).app))
    with pytest.raises(EngineError, match="cannot be used"):
        embedder.embed_queries(["x"])
    embedder.close()


def test_answer_that_is_not_json(serve_app: ServeApp) -> None:
    embedder = embedder_at(serve_app(Endpoint(answer=Response("<html>")).app))
    with pytest.raises(EngineError, match="cannot be used"):
        embedder.embed_queries(["x"])
    embedder.close()


def test_change_of_dimensions_is_refused(serve_app: ServeApp) -> None:
    endpoint = Endpoint()
    embedder = embedder_at(serve_app(endpoint.app))
    embedder.embed_queries(["x"])
    endpoint.answer = {"data": [{"index": 0, "embedding": [1.0, 2.0]}]}
    with pytest.raises(EngineError, match="2 != 3"):
        embedder.embed_queries(["x"])
    embedder.close()
