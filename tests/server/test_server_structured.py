"""`response_format`: what fits passes, what does not is mended once or refused, and no schema harms the server."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel
from server_parts import ScriptedAnswerer, citation, told

from etabli.engines.fake import FakeEngine
from etabli.errors import InvalidInputError
from etabli.server.openai import structured
from etabli.server.openai.structured import output_format

CHAT = "/v1/chat/completions"
SCHEMA = {"type": "object", "properties": {"jours": {"type": "integer"}}, "required": ["jours"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "congés", "schema": SCHEMA, "strict": True}}
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "?"}], "response_format": FORMAT}
GOOD, BAD = '{"jours": 25}', '{"jours": "vingt-cinq"}'


def ask(client: TestClient, model: str, **changes: Any) -> Any:
    return client.post(CHAT, json={**ASK, "model": model, **changes})


def services_for(first: str, *later: str) -> dict[str, Any]:
    """An engine and an answerer that give the same first text; what mends comes from the engine."""
    engine = FakeEngine([first, *later], model="qwen-test")
    return {"engine": engine, "answerer": ScriptedAnswerer([told(first, citations=(citation(),))])}


@pytest.mark.parametrize("model", ["qwen-test", "rh"])
def test_what_fits_passes(api: Callable[..., TestClient], model: str) -> None:
    parts = services_for(GOOD)
    response = ask(api(**parts), model)
    assert response.json()["choices"][0]["message"]["content"] == GOOD
    sent = [*parts["engine"].bodies, *(request.generation for request in parts["answerer"].requests)]
    assert [body["response_format"] for body in sent] == [FORMAT]


def test_the_model_is_mended_once(api: Callable[..., TestClient]) -> None:
    parts = services_for(BAD, GOOD)
    body = ask(api(**parts), "qwen-test", max_tokens=50).json()
    assert body["choices"][0]["message"]["content"] == GOOD
    assert body["usage"]["completion_tokens"] == 4  # two words each time
    mending = parts["engine"].bodies[1]
    assert (
        "vingt-cinq" in mending["messages"][1]["content"] and "'integer'" in mending["messages"][1]["content"]
    )
    assert mending["response_format"] == FORMAT and mending["max_tokens"] == 50


def test_the_assistant_is_mended_once_and_loses_its_citations(api: Callable[..., TestClient]) -> None:
    parts = services_for(BAD)
    parts["engine"] = FakeEngine([GOOD], model="qwen-test")
    message = ask(api(**parts), "rh").json()["choices"][0]["message"]
    assert message["content"] == GOOD and message["annotations"] == []


@pytest.mark.parametrize("model", ["qwen-test", "rh"])
def test_twice_wrong_is_an_error(api: Callable[..., TestClient], model: str) -> None:
    response = ask(api(**services_for(BAD, "pas du JSON", "non plus")), model)
    assert response.status_code == 502 and response.headers["x-should-retry"] == "false"
    error = response.json()["error"]
    assert error["code"] == "invalid_output" and "response_format" in error["message"]


@pytest.mark.parametrize("model", ["qwen-test", "rh"])
def test_a_stream_is_checked_at_its_end(api: Callable[..., TestClient], model: str) -> None:
    good = ask(api(**services_for(GOOD)), model, stream=True).text
    assert good.endswith("data: [DONE]\n\n") and '"error"' not in good
    bad = ask(api(**services_for(BAD)), model, stream=True).text
    assert '"code": "invalid_output"' in bad and "[DONE]" not in bad and '"finish_reason":"stop"' not in bad


def test_an_answer_cut_at_its_length_is_given_as_it_is(api: Callable[..., TestClient]) -> None:
    response = ask(api(**services_for('{"jours": 25, "x": 1}')), "qwen-test", max_tokens=1)
    assert response.json()["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": '{"jours":'},
        "finish_reason": "length",
    }


def test_json_object_is_any_object(api: Callable[..., TestClient]) -> None:
    shape = {"type": "json_object"}
    body = ask(api(**services_for("[1]", '{"a": 1}')), "qwen-test", response_format=shape).json()
    assert body["choices"][0]["message"]["content"] == '{"a": 1}'


def test_text_is_not_checked(api: Callable[..., TestClient]) -> None:
    parts = services_for("bonjour")
    assert ask(api(**parts), "qwen-test", response_format={"type": "text"}).status_code == 200
    assert "response_format" not in parts["engine"].bodies[0]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (None, "must be an object"),
        ([], "must be an object"),
        ({"type": "objekt"}, "objekt"),
        ({"$ref": "http://169.254.169.254/latest"}, "outside itself"),
        ({"properties": {"a": [{"$ref": "file:///etc/passwd"}]}}, "outside itself"),
        ({"description": "x" * structured.MAX_SCHEMA_BYTES}, "larger than 64 KiB"),
    ],
)
def test_schemas_that_are_refused(api: Callable[..., TestClient], schema: Any, words: str) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    response = ask(api(**services_for(GOOD)), "qwen-test", response_format=shape)
    assert response.status_code == 400 and words in response.json()["error"]["message"]
    assert response.json()["error"]["param"] == "response_format"


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/nothing"},
        {
            "$schema": "http://elsewhere.example/schema",
            "$id": "http://elsewhere.example/",
            "$ref": "#/$defs/x",
        },
        {"$ref": "#"},
        {"patternProperties": {"(": {}}},
    ],
)
def test_schemas_that_only_fail_when_used(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        form = output_format({"type": "json_schema", "json_schema": {"schema": schema}})
        assert form is not None
        asyncio.run(form.fault('{"a": 1}'))


def test_a_pattern_that_takes_for_ever_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    form = output_format({"type": "json_schema", "json_schema": {"schema": schema}})
    assert form is not None

    async def check() -> None:
        assert await form.fault('{"a": "aaa"}') is None
        assert "'b' does not match" in (await form.fault('{"a": "b"}') or "")
        monkeypatch.setattr(structured, "CHECK_LIMIT_S", 0.5)
        with pytest.raises(InvalidInputError, match="too long"):
            await form.fault(json.dumps({"a": "a" * 60 + "b"}))

    asyncio.run(check())


def test_openais_client_parses(openai_client: Callable[..., openai.OpenAI]) -> None:
    class Leave(BaseModel):
        jours: int

    client = openai_client(**services_for(GOOD))
    messages: Any = [{"role": "user", "content": "?"}]
    for model in ("qwen-test", "rh"):
        parsed = client.chat.completions.parse(model=model, messages=messages, response_format=Leave)
        assert parsed.choices[0].message.parsed == Leave(jours=25)
