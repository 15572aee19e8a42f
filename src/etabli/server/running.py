"""How the application is run by uvicorn: the product, its tests and its benchmarks do it alike."""

import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

GRACEFUL_SHUTDOWN_S = 5
"""How long answers in progress may go on when the server is asked to stop."""


class TellingServer(uvicorn.Server):
    """A server that tells when it answers, and when somebody wants it to stop.

    Args:
        config: of the server.
        on_ready: called once requests are answered; the server waits for it.
        on_stop: called by the handler of SIGINT and SIGTERM, so that it must not wait for anything.
    """

    def __init__(
        self, config: uvicorn.Config, *, on_ready: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets=sockets)
        if self.started and not self.should_exit:
            self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal says to stop."""
        self._on_stop()
        super().handle_exit(sig, frame)


def server_config(app: FastAPI, *, host: str, port: int) -> uvicorn.Config:
    """The configuration of the server.

    Its own access log is off: it would hold queries. Requests are logged by `RequestLog` instead.

    Args:
        app: the application.
        host: address to listen on.
        port: port to listen on; 0 takes any free one.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
