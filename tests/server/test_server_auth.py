"""Nothing answers without the key, whatever route is added, and the key is never told."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from server_parts import BEARER, KEY, MakeServices

from etabli.server.app import create_app
from etabli.server.auth import OPEN_PATHS, OPEN_PREFIX, Authentication


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of every route of the application, included routers and mounts too."""
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            yield method.upper(), path
    for route in app.routes:
        for method in getattr(route, "methods", None) or ():
            yield method, str(getattr(route, "path", "/"))


def test_every_route_needs_the_key(services: MakeServices) -> None:
    app = create_app(services())
    seen = set(routes(app))
    assert {("POST", "/v1/chat/completions"), ("GET", "/status"), ("GET", "/openapi.json")} <= seen
    with TestClient(app) as client:
        for method, path in sorted(seen):
            for headers in ({}, {"authorization": "Bearer wrong"}, {"x-api-key": "wrong"}):
                response = client.request(method, path, headers=headers)
                if path.startswith(OPEN_PREFIX):
                    assert response.status_code == 404  # the pattern of a path is no file
                    continue
                if path in OPEN_PATHS:
                    assert response.status_code == 200
                    continue
                assert response.status_code == 401, (method, path)
                if method != "HEAD":
                    error = response.json()["error"]
                    assert error["code"] == "invalid_api_key" and set(error) == {
                        "message",
                        "type",
                        "param",
                        "code",
                    }


def test_little_is_open() -> None:
    assert OPEN_PATHS == {"/health", "/sign-in"}
    assert OPEN_PREFIX == "/static/"


@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {"authorization": f"bearer  {KEY} "},
        {"x-api-key": KEY},
        {"x-api-key": KEY, "authorization": "Basic abc"},
    ],
)
def test_both_headers_are_taken(api: Callable[..., TestClient], headers: dict[str, str]) -> None:
    client = api()
    client.headers.clear()
    assert client.get("/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer é"]
)
def test_what_is_not_the_key_opens_nothing(api: Callable[..., TestClient], shown: str) -> None:
    response = api().get("/v1/models", headers=[("authorization", shown.encode())])  # type: ignore[arg-type]
    assert response.status_code == 401 and response.headers["www-authenticate"] == "Bearer"


def test_an_empty_key_opens_nothing(api: Callable[..., TestClient]) -> None:
    client = api(api_key="")
    for shown in ("Bearer ", "Bearer"):
        assert client.get("/v1/models", headers={"authorization": shown}).status_code == 401


def test_a_missing_and_a_wrong_key_are_told_apart(api: Callable[..., TestClient]) -> None:
    client = api()
    wrong = client.get("/status", headers={"authorization": "Bearer no"}).json()["error"]["message"]
    client.headers.clear()
    missing = client.get("/status").json()["error"]["message"]
    assert "not the one" in wrong and "needed" in missing and "no" != missing


def test_unknown_paths_are_closed_too(api: Callable[..., TestClient]) -> None:
    client = api()
    assert client.get("/nothing").status_code == 404
    client.headers.clear()
    for path in ("/nothing", "//health", "/health/", "/v1/../health/x", "/HEALTH", "/static", "/sign-in/x"):
        assert client.get(path).status_code == 401, path


def test_websockets_are_closed_too() -> None:
    sent: list[Any] = []

    async def app(*_: Any) -> None:
        raise AssertionError("reached")

    async def send(message: Any) -> None:
        sent.append(message)

    layer = Authentication(app, api_key=KEY)
    asyncio.run(layer({"type": "websocket", "path": "/x", "headers": []}, None, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


def test_the_key_is_in_no_log_and_no_representation(
    api: Callable[..., TestClient], services: MakeServices, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client = api()
        client.get(f"/v1/models?key={KEY}")
        client.get("/v1/models", headers={"authorization": "Bearer wrong-key-shown"})
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("etabli")]
    assert len(ours) == 2 and "'/v1/models' 200" in ours[0]
    assert not any(KEY in line or "wrong-key-shown" in line for line in ours)
    assert KEY not in repr(services())
