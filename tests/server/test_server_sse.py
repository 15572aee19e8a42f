"""The writer of streams: bytes, comments, errors, and clients that leave."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from server_parts import BEARER, ScriptedAnswerer, told

from etabli.engines.fake import FakeEngine
from etabli.errors import EngineUnavailableError, InvalidInputError
from etabli.server.errors import ClientLeftError
from etabli.server.sse import EventStream, unless_client_leaves


def stream_app(source: Callable[[], AsyncGenerator[bytes, None]], **options: float) -> TestClient:
    app = FastAPI()

    @app.get("/")
    async def stream() -> EventStream:
        return EventStream(source(), **options)

    return TestClient(app)


def test_the_bytes_of_a_stream() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        yield b'{"a":1}'
        yield '{"b":"é"}'.encode()

    response = stream_app(source).get("/")
    assert response.content == 'data: {"a":1}\n\ndata: {"b":"é"}\n\ndata: [DONE]\n\n'.encode()
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache" and response.headers["x-accel-buffering"] == "no"
    assert "content-length" not in response.headers


def test_comments_fill_the_silence_before_and_between() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        await asyncio.sleep(0.2)
        yield b"1"
        await asyncio.sleep(0.2)
        yield b"2"

    text = stream_app(source, patience_s=0.02, keep_alive_s=0.02).get("/").text
    before, between, after = text.split("data: ")[0], text.split("data: ")[1], text.split("data: ")[2]
    assert before.startswith(": keep-alive\n\n: keep-alive\n\n")
    assert between.startswith("1\n\n: keep-alive\n\n") and after == "2\n\n"


def test_no_comment_while_data_flows() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        for _ in range(50):
            yield b"1"

    assert "keep-alive" not in stream_app(source, patience_s=5, keep_alive_s=5).get("/").text


def test_an_early_error_has_its_status_and_a_late_one_is_an_event() -> None:
    async def early() -> AsyncGenerator[bytes, None]:
        raise InvalidInputError("not so", param="x")
        yield b""

    async def late() -> AsyncGenerator[bytes, None]:
        yield b"1"
        raise EngineUnavailableError("gone")

    response = stream_app(early).get("/")
    assert response.status_code == 400 and response.json()["error"]["param"] == "x"
    response = stream_app(late).get("/")
    assert response.status_code == 200
    assert response.text == (
        'data: 1\n\ndata: {"error": {"message": "gone", "type": "server_error", "param": null, '
        '"code": "engine_unavailable"}}\n\n'
    )


def test_an_error_after_the_patience_is_an_event() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        await asyncio.sleep(0.1)
        raise EngineUnavailableError("gone")
        yield b""

    response = stream_app(source, patience_s=0.01).get("/")
    assert response.status_code == 200 and response.text.startswith(": keep-alive\n\n")
    assert '"engine_unavailable"' in response.text and "[DONE]" not in response.text


def test_work_for_nobody_is_cancelled() -> None:
    stopped = []

    async def work() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(True)
            raise
        return "never"

    async def receive() -> Any:
        await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    with pytest.raises(ClientLeftError):
        asyncio.run(unless_client_leaves(receive, work()))
    assert stopped


def test_work_that_fails_raises_its_own_error() -> None:
    async def work() -> str:
        raise InvalidInputError("no")

    async def receive() -> Any:
        await asyncio.sleep(60)

    with pytest.raises(InvalidInputError):
        asyncio.run(unless_client_leaves(receive, work()))


BODY = {"messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize("model", ["qwen-test", "rh"])
@pytest.mark.parametrize("n", [1, 2])
def test_a_client_that_leaves_a_stream_stops_the_work(
    serve: Callable[..., str], wait_until: Callable[..., None], model: str, n: int
) -> None:
    engine = FakeEngine(["mot " * 10_000], model="qwen-test", delay_s=0.005)
    answerer = ScriptedAnswerer([told(*["mot "] * 10_000)], delay_s=0.005)
    url = serve(engine=engine, answerer=answerer) + "/v1/chat/completions"
    body = {**BODY, "model": model, "n": n, "stream": True}
    with httpx.stream("POST", url, json=body, headers=BEARER) as response:
        next(response.iter_bytes())
    wait_until(lambda: engine.cancelled + answerer.cancelled == n)


@pytest.mark.parametrize("model", ["qwen-test", "rh"])
def test_a_client_that_leaves_a_whole_answer_stops_the_work(
    serve: Callable[..., str], wait_until: Callable[..., None], model: str
) -> None:
    class SlowEngine(FakeEngine):
        async def complete(self, body: Any, *, path: str = "/chat/completions") -> Any:
            try:
                return await super().complete(body, path=path)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise

    engine = SlowEngine(["mot " * 10_000], model="qwen-test", delay_s=0.005)
    answerer = ScriptedAnswerer([told(*["mot "] * 10_000)], delay_s=0.005)
    url = serve(engine=engine, answerer=answerer) + "/v1/chat/completions"
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, json={**BODY, "model": model}, headers=BEARER, timeout=0.3)
    wait_until(lambda: engine.cancelled + answerer.cancelled == 1)
