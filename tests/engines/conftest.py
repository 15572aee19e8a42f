import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn

from etabli.engines.fake import FakeEngine
from etabli.engines.fake_app import fake_app
from etabli.messages import set_language


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)


class ServerThread:
    """A real uvicorn on a free loopback port."""

    def __init__(self, app: object) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        config = uvicorn.Config(app, log_level="critical", lifespan="off")  # type: ignore[arg-type]
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def serve_app() -> Iterator[Callable[[object], str]]:
    servers: list[ServerThread] = []

    def start(app: object) -> str:
        servers.append(ServerThread(app))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def serve(serve_app: Callable[[object], str]) -> Callable[..., str]:
    def start(engine: FakeEngine, **options: object) -> str:
        return serve_app(fake_app(engine, **options))  # type: ignore[arg-type]

    return start


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Polls until a condition holds; the limit is for a broken product only."""

    def wait(condition: Callable[[], object], *, limit_s: float = 60.0) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end:
                raise AssertionError("the condition never came true")
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def small_model() -> Path:
    """The weights of the small test model, from the store of this user."""
    from etabli.models.pull import ensure_model
    from etabli.settings import load_settings

    return ensure_model(load_settings(), "qwen2.5-coder-0.5b")
