"""The server of this workspace, when one runs: commands ask it rather than load models of their own.

Standard library only, so that a command that asks it starts at once.
"""

import http.client
import json
import socket
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, urlsplit

from etabli import errors
from etabli.errors import EngineUnavailableError, EtabliError
from etabli.listening import is_serving
from etabli.messages import tr
from etabli.processes import read_private_json
from etabli.settings import Settings

JSON = dict[str, Any]
_TIMEOUT_S = 60.0
"""Longest silence; while the model works, a stream says every ten seconds that it lives."""
_SHORT_S = 5.0
_KINDS: tuple[type[EtabliError], ...] = (
    errors.NotFoundError,
    errors.ContextLengthError,
    errors.ConfigurationError,
    errors.EngineUnavailableError,
    errors.StorageError,
)


class RunningServer:
    """A server of ours.

    Args:
        url: its address, without path.
        key: the installation's.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._key = key
        self._hung_up = False
        self._sockets: list[socket.socket] = []

    def get(self, path: str) -> JSON:
        """Ask for something.

        Raises:
            EtabliError: the server refused, in its words, or does not answer.
        """
        with self._send("GET", path, None, timeout_s=_SHORT_S) as response:
            return _object(response.read())

    def post(self, path: str, body: Mapping[str, Any]) -> JSON:
        """Send something and give the answer.

        Raises: as `get`.
        """
        with self._send("POST", path, body) as response:
            return _object(response.read())

    def stream(self, path: str, body: Mapping[str, Any]) -> Generator[JSON, None, None]:
        """Send something and give the events of the answer. Closing it makes the server stop working for it.

        Raises: as `get`, also in mid-stream.
        """
        with self._send("POST", path, body) as response:
            for line in response:
                if not line.startswith(b"data: "):
                    continue
                payload = line.removeprefix(b"data: ").strip()
                if payload == b"[DONE]":
                    return
                event = _object(payload)
                if "error" in event:
                    raise _refusal(event)
                yield event
        raise _broken_off()

    def has_assistant(self, name: str) -> bool:
        """Whether it answers as this assistant."""
        try:
            found = self.get(f"/v1/models/{quote(name)}")
        except EtabliError:
            return False
        return (found.get("etabli") or {}).get("kind") == "assistant"

    def hang_up(self) -> None:
        """Break off what is asked now, and all that would be asked later. From any thread or signal handler."""
        self._hung_up = True
        for one in [*self._sockets]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, timeout_s: float = _TIMEOUT_S
    ) -> Iterator[http.client.HTTPResponse]:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout_s)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        try:
            connection.connect()
            self._sockets.append(connection.sock)
            if self._hung_up:
                raise _broken_off()
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            if not 200 <= response.status < 300:
                raise _refusal(_object(response.read()))
            yield response
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _broken_off() from error
        finally:
            self._sockets.clear()  # one question at a time
            connection.close()


def running_server(settings: Settings) -> RunningServer | None:
    """The server of this workspace; None where none takes requests."""
    if not is_serving(settings.run_dir):
        return None
    entry = read_private_json(settings.run_dir / "server.json")
    key_file = settings.run_dir / "api-key"
    if entry is None or not key_file.is_file():
        return None
    return RunningServer(str(entry.get("url")), key_file.read_text(encoding="utf-8").strip())


def _object(content: bytes) -> JSON:
    value = json.loads(content)
    if not isinstance(value, dict):
        raise ValueError(content[:100])
    return value


def _refusal(body: JSON) -> EtabliError:
    """The server's failure, as it would be raised here."""
    said = body.get("error") or {}
    message, code = str(said.get("message") or ""), said.get("code")
    kind = next((kind for kind in _KINDS if kind.code == code), EtabliError)
    return kind(message) if message else _broken_off()


def _broken_off() -> EtabliError:
    return EngineUnavailableError(tr("The answer broke off. Try again."))
