import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import uvicorn
from fastapi import FastAPI
from server_parts import BEARER, KEY, MakeServices, make_services
from starlette.testclient import TestClient

from etabli.server.app import create_app
from etabli.server.running import server_config
from etabli.server.services import Services


@pytest.fixture
def services(tmp_path: Path) -> MakeServices:
    return lambda **changes: make_services(tmp_path, **changes)


@pytest.fixture
def api(services: MakeServices) -> Iterator[Callable[..., TestClient]]:
    """A client with the key, in this process, over services with the given changes."""
    clients: list[TestClient] = []

    def make(**changes: Any) -> TestClient:
        clients.append(TestClient(create_app(services(**changes)), headers=BEARER))
        return clients[-1].__enter__()

    yield make
    for client in clients:
        client.__exit__(None, None, None)


class RunningServer:
    """A real uvicorn on a free loopback port, configured as the product does."""

    def __init__(self, app: FastAPI) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(server_config(app, host="127.0.0.1", port=0))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()


@pytest.fixture
def serve(services: MakeServices) -> Iterator[Callable[..., str]]:
    """Start the server over services with the given changes and give its address."""
    servers: list[RunningServer] = []

    def start(given: Services | None = None, **changes: Any) -> str:
        servers.append(RunningServer(create_app(given or services(**changes))))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def openai_client(serve: Callable[..., str]) -> Iterator[Callable[..., openai.OpenAI]]:
    """The official client against a real server over services with the given changes."""
    clients: list[openai.OpenAI] = []

    def make(**changes: Any) -> openai.OpenAI:
        clients.append(openai.OpenAI(base_url=serve(**changes) + "/v1", api_key=KEY, max_retries=0))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Polls until a condition holds; the limit is for a broken product only."""

    def wait(condition: Callable[[], object], *, limit_s: float = 30.0) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, "the condition never came true"
            time.sleep(0.01)

    return wait


def sse_payloads(text: str) -> list[Any]:
    """The JSON payloads of a whole stream that ends with `[DONE]`, checked byte for byte."""
    events = text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    data = [event for event in events[:-2] if not event.startswith(":")]
    assert all(event.startswith("data: ") and "\n" not in event for event in data)
    return [json.loads(event.removeprefix("data: ")) for event in data]


@pytest.fixture
def stream_of() -> Callable[..., list[Any]]:
    """Post a body and give the payloads of the stream."""

    def read(client: httpx.Client, body: dict[str, Any], path: str = "/v1/chat/completions") -> list[Any]:
        response = client.post(path, json={**body, "stream": True})
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("text/event-stream")
        return sse_payloads(response.text)

    return read
