import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from running_server import RunningServer
from server_parts import BEARER, KEY, MakeServices, make_services
from starlette.testclient import TestClient

from etabli.server.app import create_app
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
