"""How the application is run by uvicorn: the product, its tests and its benchmarks do it alike."""

import uvicorn
from fastapi import FastAPI

GRACEFUL_SHUTDOWN_S = 5
"""How long answers in progress may go on when the server is asked to stop."""


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
