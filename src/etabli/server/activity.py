"""Whether anybody waits for an answer: work that can wait asks here first."""

import time

from starlette.types import ASGIApp, Receive, Scope, Send

_PATH = "/v1/"


class Activity:
    """Requests that make the server work: everything that is sent to the API, as opposed to read from it.

    For the event loop's thread.
    """

    def __init__(self) -> None:
        self._answering = 0
        self._last = time.monotonic()

    @property
    def busy(self) -> bool:
        """Whether a request is being answered now."""
        return self._answering > 0

    @property
    def quiet_s(self) -> float:
        """For how many seconds none has been; since the start where there was none."""
        return 0.0 if self.busy else time.monotonic() - self._last

    def begin(self) -> None:
        """A request comes in."""
        self._answering += 1

    def end(self) -> None:
        """It is answered, or its client left."""
        self._answering -= 1
        self._last = time.monotonic()


class ActivityCount:
    """An ASGI layer that keeps count; a stream counts until its end.

    Args:
        app: what it counts.
        activity: where.
    """

    def __init__(self, app: ASGIApp, *, activity: Activity) -> None:
        self._app = app
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(_PATH):
            return await self._app(scope, receive, send)
        self._activity.begin()
        try:
            await self._app(scope, receive, send)
        finally:
            self._activity.end()
