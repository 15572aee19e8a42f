"""The shipped fake does what its documentation says, also under OpenAI's own client."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import openai
import pytest

from etabli.engines.base import ChatEngine
from etabli.engines.fake import Failure, FakeEngine, ToolCalls
from etabli.errors import ContextLengthError, EngineUnavailableError

BODY: dict[str, Any] = {"model": "fake", "messages": [{"role": "user", "content": "un deux trois"}]}


def complete(engine: ChatEngine, body: dict[str, Any] = BODY, **options: Any) -> Any:
    return asyncio.run(engine.complete(body, **options))


def content(engine: ChatEngine, body: dict[str, Any] = BODY) -> Any:
    return complete(engine, body)["choices"][0]["message"]["content"]


def test_replies_in_turn_then_the_last_again() -> None:
    engine = FakeEngine(["a", lambda body: body["messages"][0]["content"].upper(), {"ok": True}])
    assert [content(engine) for _ in range(4)] == ["a", "UN DEUX TROIS", '{"ok": true}', '{"ok": true}']
    assert len(engine.bodies) == 4


def test_without_replies_it_echoes() -> None:
    parts = [{"type": "text", "text": "texte"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    assert content(FakeEngine()) == "un deux trois"
    assert "texte" in content(FakeEngine(), {"messages": [{"role": "user", "content": parts}]})


def test_the_length_is_kept() -> None:
    answer = complete(FakeEngine(["un deux trois"]), {**BODY, "max_tokens": 2})
    assert answer["choices"][0] == {
        "index": 0,
        "message": {"role": "assistant", "content": "un deux"},
        "finish_reason": "length",
    }


def test_legacy_completions() -> None:
    answer = complete(FakeEngine(["un deux"]), {"prompt": "x y"}, path="/completions")
    assert answer["object"] == "text_completion" and answer["choices"][0]["text"] == "un deux"


def test_streams_count_what_was_closed_early() -> None:
    engine = FakeEngine(["un deux trois"])

    async def read(most: int) -> int:
        count = 0
        async with aclosing(engine.stream(BODY)) as chunks:
            async for _ in chunks:
                count += 1
                if count == most:
                    break
        return count

    assert asyncio.run(read(100)) == 5 and engine.cancelled == 0
    assert asyncio.run(read(2)) == 2 and engine.cancelled == 1


def test_failures() -> None:
    with pytest.raises(ContextLengthError):
        complete(FakeEngine(context_tokens=2))
    with pytest.raises(EngineUnavailableError):
        complete(FakeEngine([Failure("unavailable")]))


@pytest.fixture
def client(serve: Callable[..., str]) -> Callable[..., openai.OpenAI]:
    def make(engine: FakeEngine) -> openai.OpenAI:
        return openai.OpenAI(base_url=serve(engine, key="k"), api_key="k", max_retries=0)

    return make


def test_openais_client_whole_and_streamed(client: Callable[..., openai.OpenAI]) -> None:
    with client(FakeEngine(["un deux trois"])) as api:
        assert api.chat.completions.create(**BODY).choices[0].message.content == "un deux trois"
        chunks = list(
            api.chat.completions.create(**BODY, stream=True, stream_options={"include_usage": True})
        )
        assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]) == "un deux trois"
        assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens == 3
        assert [model.id for model in api.models.list()] == ["fake"]


def test_openais_client_assembles_tool_calls(client: Callable[..., openai.OpenAI]) -> None:
    with client(FakeEngine([ToolCalls([("a", {"x": 1}), ("b", {"y": "é"})])])) as api:
        with api.chat.completions.stream(**BODY) as stream:
            calls = stream.get_final_completion().choices[0].message.tool_calls or []
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("a", '{"x": 1}'),
        ("b", '{"y": "é"}'),
    ]


def test_openais_client_sees_errors(client: Callable[..., openai.OpenAI]) -> None:
    with client(FakeEngine([Failure("refuse"), Failure("unavailable"), Failure("die", after=1)])) as api:
        with pytest.raises(openai.BadRequestError, match="scripted"):
            api.chat.completions.create(**BODY)
        with pytest.raises(openai.InternalServerError):
            api.chat.completions.create(**BODY)
        stream = api.chat.completions.create(**BODY, stream=True)
        with pytest.raises(openai.APIConnectionError):
            list(stream)
