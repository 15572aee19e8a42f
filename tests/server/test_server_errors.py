"""Every failure has OpenAI's shape, and each of the client's exceptions comes when it should."""

import logging
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest
from fastapi.testclient import TestClient
from server_parts import KEY, ScriptedAnswerer

from etabli.engines.fake import Failure, FakeEngine
from etabli.errors import ConfigurationError, EngineUnavailableError, EtabliError, StorageError
from etabli.server.errors import describe, error_response
from etabli.server.middleware import MAX_BODY_BYTES

ASK: Any = {"messages": [{"role": "user", "content": "un deux"}], "model": "qwen-test"}


def error_of(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["x-request-id"].startswith("req_")
    assert set(response.json()) == {"error"}
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def every_class(root: type[EtabliError] = EtabliError) -> list[type[EtabliError]]:
    return [root, *(found for child in root.__subclasses__() for found in every_class(child))]


@pytest.mark.parametrize("kind", every_class())
def test_the_whole_tree_is_mapped(kind: type[EtabliError]) -> None:
    status, body = describe(kind.__new__(kind, "what happened"))  # whatever else its constructor takes
    assert status == kind.http_status and 400 <= status < 600
    assert body["error"]["code"] == kind.code and body["error"]["message"] == "what happened"
    assert body["error"]["type"] == ("server_error" if status >= 500 else "invalid_request_error")


def test_unknown_routes_and_methods(api: Callable[..., TestClient]) -> None:
    client = api()
    assert "/v1/nothing" in error_of(client.get("/v1/nothing"), 404)["message"]
    response = client.delete("/v1/chat/completions")
    assert error_of(response, 405)["code"] == "method_not_allowed" and response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        ({"model": "qwen-test"}, "messages"),
        ({**ASK, "messages": []}, "messages"),
        ({**ASK, "messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
        ({**ASK, "n": 5}, "n"),
        ({**ASK, "temperature": 3}, "temperature"),
        ({**ASK, "max_tokens": 0}, "max_tokens"),
        ({**ASK, "stop": ["x"] * 17}, "stop.list[str]"),
        ({**ASK, "etabli": {"tracing": True}}, "etabli.tracing"),
        ({**ASK, "tools": [{"type": "function"}]}, "tools.0.function"),
        ({**ASK, "functions": [{"name": "f"}]}, "functions"),
        ({**ASK, "messages": ASK["messages"] * 2_001}, "messages"),
    ],
)
def test_faults_of_the_body_are_400_with_their_place(
    api: Callable[..., TestClient], body: dict[str, Any], param: str
) -> None:
    error = error_of(api().post("/v1/chat/completions", json=body), 400)
    assert (error["param"] or "").startswith(param.split(".list")[0]) and error[
        "type"
    ] == "invalid_request_error"


@pytest.mark.parametrize("content", [b"{", b"", b"[1]", b'"x"', b"\xff", b"[" * 100_000])
def test_bodies_that_are_no_object(api: Callable[..., TestClient], content: bytes) -> None:
    headers = {"content-type": "application/json"}
    error_of(api().post("/v1/chat/completions", content=content, headers=headers), 400)


def test_a_body_without_its_type_is_refused(api: Callable[..., TestClient]) -> None:
    headers = {"content-type": "text/plain"}
    error = error_of(api().post("/v1/chat/completions", content=b"{}", headers=headers), 400)
    assert "application/json" in error["message"]


def test_large_bodies_are_refused_declared_or_not(api: Callable[..., TestClient]) -> None:
    client, large = api(), b"x" * (MAX_BODY_BYTES + 1)
    headers = {"content-type": "application/json"}
    assert (
        error_of(client.post("/v1/embeddings", content=large, headers=headers), 413)["code"]
        == "request_too_large"
    )
    pieces = (large[start : start + 2**20] for start in range(0, len(large), 2**20))
    error = error_of(client.post("/v1/embeddings", content=pieces, headers=headers), 413)
    assert error["code"] == "request_too_large" and "16 MiB" in error["message"]


def test_what_nobody_foresaw_is_logged_and_not_told(
    api: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> dict[str, Any]:
        raise RuntimeError("password=hunter2")

    with caplog.at_level(logging.ERROR):
        error = error_of(api(state=broken).get("/status"), 500)
    assert "hunter2" not in str(error) and error["code"] == "internal_error"
    assert "RuntimeError" in caplog.text


def test_headers_tell_clients_whether_to_try_again() -> None:
    assert error_response(EngineUnavailableError("later")).headers["retry-after"] == "5"
    assert error_response(StorageError("later")).headers["retry-after"] == "5"
    assert error_response(ConfigurationError("never")).headers["x-should-retry"] == "false"


def test_openais_exceptions(openai_client: Callable[..., openai.OpenAI]) -> None:
    failures = [Failure("refuse"), Failure("unavailable"), Failure("context")]
    client = openai_client(engine=FakeEngine(failures, model="qwen-test"))
    with pytest.raises(openai.BadRequestError, match="scripted refusal"):
        client.chat.completions.create(**ASK)
    with pytest.raises(openai.InternalServerError) as unavailable:
        client.chat.completions.create(**ASK)
    assert unavailable.value.status_code == 503 and unavailable.value.response.headers["retry-after"] == "5"
    with pytest.raises(openai.BadRequestError) as too_long:
        client.chat.completions.create(**ASK)
    assert too_long.value.code == "context_length_exceeded" and too_long.value.param == "messages"
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(**{**ASK, "model": "gpt-5"})
    assert unknown.value.code == "model_not_found" and "gpt-5" in unknown.value.message
    with pytest.raises(openai.AuthenticationError) as refused:
        client.with_options(api_key="wrong").models.list()
    assert refused.value.code == "invalid_api_key" and KEY not in str(refused.value)


def test_errors_before_the_first_word_of_a_stream_keep_their_status(
    openai_client: Callable[..., openai.OpenAI],
) -> None:
    client = openai_client(engine=FakeEngine([Failure("unavailable"), Failure("context")], model="qwen-test"))
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(**ASK, stream=True)
    with pytest.raises(openai.BadRequestError, match="context"):
        client.chat.completions.create(**ASK, stream=True)


def test_errors_in_the_middle_of_a_stream_are_raised(openai_client: Callable[..., openai.OpenAI]) -> None:
    engine = FakeEngine([Failure("die", after=2)], model="qwen-test")
    answerer = ScriptedAnswerer([[EngineUnavailableError("stopped")]])
    client = openai_client(engine=engine, answerer=answerer)
    words = []
    with pytest.raises(openai.APIError, match="stopped in the middle") as caught:
        for chunk in client.chat.completions.create(**ASK, stream=True):
            words.append(chunk.choices[0].delta.content or "")
    assert "".join(words) == "one two" and caught.value.code == "engine_unavailable"
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(**{**ASK, "model": "rh"}, stream=True)
