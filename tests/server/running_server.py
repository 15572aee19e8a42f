"""The product's server in a thread of the test, for clients that need a real connection."""

import socket
import threading
import time

import uvicorn
from fastapi import FastAPI

from etabli.server.running import server_config


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
