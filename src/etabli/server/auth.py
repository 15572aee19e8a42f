"""Who calls. Nothing answers without the key, but for a short list of open paths.

An ASGI layer around the whole application: a route that somebody adds later is closed without a further word.
The key is compared in constant time and never logged.
"""

import hashlib
import hmac
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from etabli.errors import AuthenticationError
from etabli.messages import tr
from etabli.server.errors import error_response
from etabli.storage.database import EVERYONE

OPEN_PATHS = frozenset({"/health"})
"""Exact paths that anybody may ask for."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Args:
        principals: the groups whose documents and assistants they may see.
    """

    principals: tuple[str, ...]

    def may_use(self, audience: Iterable[str]) -> bool:
        """Whether something made for `audience` is for them."""
        return not set(self.principals).isdisjoint(audience)


class Authentication:
    """Lets through who shows the key as `Authorization: Bearer …` or as `x-api-key: …`.

    Args:
        app: what it protects.
        api_key: the key; an empty one opens nothing.
        open_paths: exact paths that need none.
    """

    def __init__(self, app: ASGIApp, *, api_key: str, open_paths: Set[str] = OPEN_PATHS) -> None:
        self._app = app
        self._digest = _digest(api_key.encode()) if api_key else None
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] == "lifespan" or scope.get("path") in self._open_paths:
            return await self._app(scope, receive, send)
        keys = _shown_keys(scope)
        # Every key is compared, so that the time tells nothing of which header was right.
        if not any([self._is_right(key) for key in keys]):
            return await _refuse(scope, receive, send, shown=bool(keys))
        scope.setdefault("state", {})["caller"] = Caller(principals=(EVERYONE,))
        return await self._app(scope, receive, send)

    def _is_right(self, key: bytes) -> bool:
        return self._digest is not None and hmac.compare_digest(_digest(key), self._digest)


async def current_caller(request: Request) -> Caller:
    """The caller of a request that passed `Authentication`. Asynchronous: FastAPI gives others a thread."""
    caller = request.state.caller
    assert isinstance(caller, Caller)
    return caller


CurrentCaller = Annotated[Caller, Depends(current_caller)]


def _digest(key: bytes) -> bytes:
    """Equal lengths for the comparison."""
    return hashlib.sha256(key).digest()


def _shown_keys(scope: Scope) -> list[bytes]:
    keys = []
    for name, value in scope.get("headers", ()):
        if name == b"x-api-key":
            keys.append(value.strip())
        elif name == b"authorization":
            scheme, _, key = value.partition(b" ")
            if scheme.lower() == b"bearer":
                keys.append(key.strip())
    return [key for key in keys if key]


async def _refuse(scope: Scope, receive: Receive, send: Send, *, shown: bool) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    message = (
        tr("This key is not the one of this installation.")
        if shown
        else tr("A key is needed: send it as “Authorization: Bearer <key>” or as “x-api-key: <key>”.")
    )
    await error_response(AuthenticationError(message))(scope, receive, send)
