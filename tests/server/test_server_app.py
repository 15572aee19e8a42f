"""What every request gets, and the two routes for operators."""

import logging
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from server_parts import MakeServices

from etabli.server.app import create_app


def test_health_is_minimal_and_status_is_for_those_with_the_key(api: Callable[..., TestClient]) -> None:
    client = api(state=lambda: {"engine": {"status": "ready"}, "database": "ready"})
    assert client.get("/status").json() == {"engine": {"status": "ready"}, "database": "ready"}
    client.headers.clear()
    assert client.get("/health").json() == {"status": "ok"}


def test_every_answer_has_its_own_identifier(api: Callable[..., TestClient]) -> None:
    client = api()
    answers = [client.get("/health"), client.get("/nothing"), client.post("/v1/chat/completions", json={})]
    identifiers = {answer.headers["x-request-id"] for answer in answers}
    assert len(identifiers) == 3 and all(re.fullmatch(r"req_[0-9a-f]{24}", each) for each in identifiers)


def test_the_access_log_holds_no_query_and_no_line_end(
    api: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="etabli.access"):
        answer = api().get("/v1/models/a%0Ab?secret=1")
    [line] = [record.getMessage() for record in caplog.records if record.name == "etabli.access"]
    assert line.startswith("GET '/v1/models/a\\nb' 404 ") and line.endswith(answer.headers["x-request-id"])
    assert "secret" not in line and "\n" not in line


def test_the_description_is_served_and_loads_nothing_from_elsewhere(api: Callable[..., TestClient]) -> None:
    client = api()
    assert "/v1/chat/completions" in client.get("/openapi.json").json()["paths"]
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


def test_the_environment_cannot_switch_telemetry_on(
    services: MakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    app = create_app(services())
    assert not any(app._telemetry[name] for name in ("tracing", "metrics", "logs", "auto_configure"))  # type: ignore[literal-required]
