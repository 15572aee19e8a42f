"""The adapter against a real HTTP server that speaks as llama.cpp, vLLM and providers do."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from etabli.engines.fake import Failure, FakeEngine, ToolCalls
from etabli.engines.fake_app import fake_app
from etabli.engines.openai import ASSUMED_CONTEXT_TOKENS, OpenAIEngine, is_loopback
from etabli.errors import (
    ConfigurationError,
    ContextLengthError,
    EngineError,
    EngineRequestError,
    EngineUnavailableError,
)

BODY = {"messages": [{"role": "user", "content": "Quelle est la durée du préavis ?"}]}
Serve = Callable[..., str]


def use(
    url: str,
    work: Callable[[OpenAIEngine], Coroutine[Any, Any, Any]],
    *,
    key: str | None = None,
    **options: Any,
) -> Any:
    """Run `work` with an engine at `url` and close it."""

    async def main() -> Any:
        engine = OpenAIEngine(url, key, model=options.pop("model", "fake"), **options)
        try:
            return await work(engine)
        finally:
            await engine.aclose()

    return asyncio.run(main())


async def collect(engine: OpenAIEngine, body: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return [chunk async for chunk in engine.stream(body or BODY)]


def text_of(chunks: list[dict[str, Any]]) -> str:
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def raw_server(serve_app: Callable[[object], str], handler: Callable[[Request], Any]) -> str:
    """A server whose every answer is what `handler` gives."""

    async def answer(request: Request) -> Response:
        response: Response = handler(request)
        return response

    return serve_app(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]))


def events(*pieces: bytes) -> Callable[[Request], Response]:
    async def body() -> Any:
        for piece in pieces:
            yield piece
            await asyncio.sleep(0.01)

    return lambda request: StreamingResponse(body(), media_type="text/event-stream")


def test_whole_answer_and_body(serve: Serve) -> None:
    fake = FakeEngine(["Deux mois, sauf accord."])
    answer = use(serve(fake, key="k"), lambda engine: engine.complete({**BODY, "seed": 7}), key="k")
    assert answer["choices"][0]["message"]["content"] == "Deux mois, sauf accord."
    assert answer["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 4,
        "total_tokens": 11,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    assert fake.bodies == [{"model": "fake", **BODY, "seed": 7, "stream": False}]


def test_the_body_names_the_model_when_it_wants(serve: Serve) -> None:
    fake = FakeEngine(["a"])
    use(serve(fake), lambda engine: engine.complete({**BODY, "model": "adapter-1"}))
    assert fake.bodies[0]["model"] == "adapter-1"


def test_stream_with_usage_and_keep_alive(serve: Serve) -> None:
    fake = FakeEngine(["Deux mois, sauf accord « plus favorable »."])
    body = {**BODY, "stream_options": {"include_usage": True}}
    chunks = use(serve(fake, keep_alive_s=0.05), lambda engine: collect(engine, body))
    assert text_of(chunks) == "Deux mois, sauf accord « plus favorable »."
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["completion_tokens"] == 8
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


def test_raw_stream_gives_the_same_chunks(serve: Serve) -> None:
    url = serve(FakeEngine(["un deux trois"]))

    async def both(engine: OpenAIEngine) -> tuple[list[Any], list[Any]]:
        raw = [json.loads(payload) async for payload in engine.stream_raw(BODY)]
        return raw, await collect(engine)

    raw, parsed = use(url, both)
    assert [chunk["choices"] for chunk in raw] == [chunk["choices"] for chunk in parsed]


def test_tool_call_deltas_pass_through(serve: Serve) -> None:
    chunks = use(serve(FakeEngine([ToolCalls([("find", {"mot": "préavis"})])])), collect)
    deltas = [d for c in chunks for d in c["choices"][0]["delta"].get("tool_calls", [])]
    assert all(delta["index"] == 0 for delta in deltas)
    assert json.loads("".join(delta["function"]["arguments"] for delta in deltas)) == {"mot": "préavis"}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("flavour", ["llama.cpp", "vllm", "provider"])
def test_too_long_a_prompt_whole_and_streamed(serve: Serve, flavour: str) -> None:
    url = serve(FakeEngine(context_tokens=3), flavour=flavour)
    for work in (lambda engine: engine.complete(BODY), collect):
        with pytest.raises(ContextLengthError, match="too long for the model"):
            use(url, work)


def test_refusal_keeps_the_engines_words(serve: Serve) -> None:
    with pytest.raises(EngineRequestError, match="scripted refusal"):
        use(serve(FakeEngine([Failure("refuse")])), collect)


def test_a_wrong_key_is_named_and_not_shown(serve: Serve) -> None:
    with pytest.raises(EngineError, match="engine_key") as caught:
        use(serve(FakeEngine(), key="right"), lambda engine: engine.complete(BODY), key="wrong-secret")
    assert "wrong-secret" not in str(caught.value)


def test_death_in_mid_stream(serve: Serve) -> None:
    seen: list[Any] = []

    async def read(engine: OpenAIEngine) -> None:
        async for chunk in engine.stream(BODY):
            seen.append(chunk)

    with pytest.raises(EngineUnavailableError, match="in the middle of the answer"):
        use(serve(FakeEngine([Failure("die", after=3)])), read)
    assert text_of(seen) == "one two three"


def test_a_stream_that_ends_early_but_cleanly_is_an_error(serve_app: Callable[[object], str]) -> None:
    url = raw_server(serve_app, events(b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'))
    with pytest.raises(EngineUnavailableError, match="in the middle"):
        use(url, collect)


def test_a_stream_without_done_but_finished_is_whole(serve_app: Callable[[object], str]) -> None:
    url = raw_server(
        serve_app,
        events(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n', b'data: {"choices":[],"us',
               b'age":{"total_tokens":3}}'),
    )  # fmt: skip
    assert len(use(url, collect)) == 2


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (b'data: {"error":{"message":"boom","code":500}}\n\n', EngineError),
        (b'data: {"error": "boom"}\r\n\r\n', EngineError),
        (b'error: {"code":500,"message":"boom"}\n\n', EngineError),
        (b'data: {"object":"error","message":"boom"}\n\ndata: [DONE]\n\n', EngineError),
        (b'data: {"error":{"code":500,"message":"Context size has been exceeded."}}\n\n', ContextLengthError),
        (b"data: <html>\n\n", EngineError),
    ],
)
def test_errors_in_mid_stream(
    serve_app: Callable[[object], str], event: bytes, expected: type[Exception]
) -> None:
    first = b'data: {"choices":[{"index":0,"delta":{"content":"\\"error\\""}}]}\n\n'
    with pytest.raises(expected):
        use(raw_server(serve_app, events(first, event)), collect)


@pytest.mark.parametrize(
    ("status", "body", "expected", "words"),
    [
        (
            404,
            {"error": {"message": "The model `x` does not exist.", "code": "model_not_found"}},
            EngineError,
            "`x`",
        ),
        (429, {"error": {"message": "Slow down"}}, EngineUnavailableError, "Slow down"),
        (503, {"error": {"message": "Loading model", "code": 503}}, EngineUnavailableError, "Loading"),
        (400, {"detail": [{"msg": "field required"}]}, EngineRequestError, "field required"),
        (400, {"object": "error", "message": "bad n", "code": 400}, EngineRequestError, "bad n"),
        (
            400,
            {"error": {"message": "This model's maximum context length is 10 tokens."}},
            ContextLengthError,
            "10",
        ),
        (500, {"error": {"message": "x" * 5000}}, EngineError, "…"),
    ],
)
def test_error_bodies(
    serve_app: Callable[[object], str], status: int, body: Any, expected: type[Exception], words: str
) -> None:
    url = raw_server(serve_app, lambda request: JSONResponse(body, status_code=status))
    for work in (lambda engine: engine.complete(BODY), collect):
        with pytest.raises(expected) as caught:
            use(url, work)
        assert type(caught.value) is expected
        assert words in str(caught.value) and len(str(caught.value)) < 800


def test_a_page_instead_of_an_answer(serve_app: Callable[[object], str]) -> None:
    url = raw_server(serve_app, lambda request: Response("<html>login</html>", media_type="text/html"))
    with pytest.raises(EngineError, match="not a JSON object"):
        use(url, lambda engine: engine.complete(BODY))


def test_redirects_are_not_followed(serve_app: Callable[[object], str]) -> None:
    visited: list[str] = []

    def handler(request: Request) -> Response:
        visited.append(request.url.path)
        return RedirectResponse("/elsewhere", status_code=307)

    with pytest.raises(EngineError):
        use(raw_server(serve_app, handler), lambda engine: engine.complete(BODY))
    assert visited == ["/v1/chat/completions"]


def test_nobody_there() -> None:
    with pytest.raises(EngineUnavailableError, match="does not answer"):
        use("http://127.0.0.1:9/v1", lambda engine: engine.complete(BODY))


def test_silence_is_given_up(serve: Serve) -> None:
    with pytest.raises(EngineUnavailableError, match="silent"):
        use(serve(FakeEngine(["a"], delay_s=30)), lambda engine: engine.complete(BODY), timeout_s=0.2)


def test_closing_the_iterator_stops_the_engine(serve: Serve, wait_until: Callable[..., None]) -> None:
    fake = FakeEngine(["mot " * 10_000], delay_s=0.005)

    async def read_three(engine: OpenAIEngine) -> None:
        async with aclosing(engine.stream(BODY)) as chunks:
            for _ in range(3):
                await anext(chunks)

    url = serve(fake)
    use(url, read_three)
    wait_until(lambda: fake.cancelled == 1)


def test_many_streams_at_once(serve: Serve) -> None:
    async def all_of_them(engine: OpenAIEngine) -> list[str]:
        return [text_of(chunks) for chunks in await asyncio.gather(*(collect(engine) for _ in range(100)))]

    assert set(use(serve(FakeEngine(["un deux trois"], delay_s=0.01)), all_of_them)) == {"un deux trois"}


@pytest.mark.parametrize(
    ("flavour", "context", "tokens"), [("llama.cpp", 777, 4), ("vllm", 777, 4), ("provider", None, 7)]
)
def test_discovery_and_counting(serve: Serve, flavour: str, context: int | None, tokens: int) -> None:
    async def ask(engine: OpenAIEngine) -> tuple[int | None, int, int]:
        return (
            await engine.discover_context(),
            engine.context_tokens,
            await engine.count_tokens("un deux trois quatre"),
        )

    found, used, counted = use(serve(FakeEngine(context_tokens=777), flavour=flavour, key="k"), ask, key="k")
    assert (found, used, counted) == (context, context or ASSUMED_CONTEXT_TOKENS, tokens)


def test_a_given_context_is_only_made_smaller(serve: Serve) -> None:
    async def ask(engine: OpenAIEngine) -> int:
        await engine.discover_context()
        return engine.context_tokens

    url = serve(FakeEngine(context_tokens=777))
    assert use(url, ask, context_tokens=500) == 500
    assert use(url, ask, context_tokens=5000) == 777


def test_one_engine_over_several_event_loops(serve: Serve) -> None:
    engine = OpenAIEngine(serve(FakeEngine(["a"])), model="fake")

    async def once() -> Any:
        answer = await engine.complete(BODY)
        await engine.aclose()
        return answer

    assert asyncio.run(once())["choices"] == asyncio.run(once())["choices"]


def test_a_connection_is_used_again_after_a_stream(serve_app: Callable[[object], str]) -> None:
    ports: list[int] = []
    inner = fake_app(FakeEngine(["un deux"]))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        ports.append(scope["client"][1])
        await inner(scope, receive, send)

    async def ask_thrice(engine: OpenAIEngine) -> None:
        for _ in range(3):
            assert [chunk async for chunk in engine.stream(BODY)]

    use(serve_app(app), ask_thrice)
    assert len(ports) == 3 and len(set(ports)) == 1


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "", "http://"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not the address"):
        OpenAIEngine(url, model="m")


def test_loopback() -> None:
    assert (
        is_loopback("127.8.0.1") and not is_loopback("10.0.0.1") and not is_loopback("localhost.example.org")
    )
