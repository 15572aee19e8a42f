"""What every request gets: an identifier, a line in the access log, a limit to its body, an answer if all fails.

Plain ASGI layers: a stream passes through without being copied or buffered.
"""

import logging
import secrets
import time
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from etabli.errors import RequestTooLargeError
from etabli.messages import tr
from etabli.server.errors import error_response

MAX_BODY_BYTES = 16 * 2**20
"""Room for a long conversation with a few pictures in it."""

access_logger = logging.getLogger("etabli.access")


class RequestLog:
    """Gives each answer an `x-request-id`, writes one line about it, and answers what nothing else caught.

    The line holds method, path, status, milliseconds, bytes sent and the identifier: no query, no header, no body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = f"req_{secrets.token_hex(12)}"
        scope.setdefault("state", {})["request_id"] = request_id
        began, status, sent = time.perf_counter(), 0, 0

        async def tagged(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            elif message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, tagged)
        except Exception as error:
            if status:
                raise  # the answer has begun: the server cuts the connection
            await error_response(error)(scope, receive, tagged)
        finally:
            # The path is the caller's: its repr keeps line ends out of the log.
            access_logger.info(
                "%s %r %d %.1f ms %d bytes %s",
                scope["method"],
                scope["path"],
                status,
                (time.perf_counter() - began) * 1000,
                sent,
                request_id,
            )


class BodyLimit:
    """Refuses a body larger than allowed, by what its header says or by counting.

    Args:
        app: what it protects.
        max_bytes: of a body.
        larger: other limits, for exact paths that take files.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int = MAX_BODY_BYTES, larger: Mapping[str, int] | None = None
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._larger = dict(larger or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        limit = self._larger.get(scope["path"], self._max_bytes)
        if _declared_bytes(scope) > limit:
            return await error_response(_refusal(limit))(scope, receive, send)
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                # FastAPI lets this class pass while it reads a body, and hides any other.
                raise HTTPException(status_code=413, detail=str(_refusal(limit)))
            return message

        return await self._app(scope, counted, send)


def _refusal(max_bytes: int) -> RequestTooLargeError:
    limit = max_bytes // 2**20 or 1
    return RequestTooLargeError(
        tr("The body of the request is larger than {limit} MiB. Send less at once.", limit=limit)
    )


def _declared_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0
