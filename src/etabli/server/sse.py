"""The one writer of event streams, and the watch over clients that leave.

A stream is `data: {json}` and a blank line for each payload, then `data: [DONE]`. While nothing comes, because the
engine reads a long prompt or other conversations are before this one, comments (`: keep-alive`) keep proxies and
clients from giving up. An error before the first payload is an ordinary HTTP error; later it is one
`data: {"error": …}`, at which OpenAI's clients raise, and the stream ends without `[DONE]`.
When the client leaves, the source of the payloads is closed, at which the engine stops.

Source: WHATWG HTML, section 9.2 "Server-sent events".
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from etabli.server.errors import ClientLeftError, error_payload, error_response

PATIENCE_S = 2.0
"""How long the status is held back for the first payload, so that a refusal of the engine keeps its own status."""
KEEP_ALIVE_S = 10.0
"""Longest silence on the wire: below the shortest idle limits of proxies in use (30 s and more)."""

_KEEP_ALIVE = b": keep-alive\n\n"
_DONE = b"data: [DONE]\n\n"

Result = TypeVar("Result")


class EventStream(Response):
    """A stream of JSON payloads.

    Args:
        payloads: each the JSON of one event, without line ends. It is closed in any case.
        patience_s: how long to wait for the first one before the answer begins without it.
        keep_alive_s: longest silence.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        payloads: AsyncGenerator[bytes, None],
        *,
        patience_s: float = PATIENCE_S,
        keep_alive_s: float = KEEP_ALIVE_S,
    ) -> None:
        self._payloads = payloads
        self._patience_s = patience_s
        self._keep_alive_s = keep_alive_s
        self.status_code = 200
        self.background = None
        self.body = b""
        self.init_headers({"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the stream until it ends or the client leaves."""
        wire = _Wire(send, self.raw_headers)
        await first_of(
            self._write(wire, scope, receive, send), _until_client_leaves(receive), self._keep_alive(wire)
        )

    def framed(self, payload: bytes) -> bytes:
        """A payload as it goes out. Streams whose events have names add them here."""
        return b"data: %b\n\n" % payload

    async def _write(self, wire: "_Wire", scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._payloads) as payloads:
            try:
                async for payload in payloads:
                    await wire.send(self.framed(payload))
            except Exception as error:
                if not wire.started:
                    wire.started = True
                    return await error_response(error)(scope, receive, send)
                return await wire.send(b"data: %b\n\n" % error_payload(error), last=True)
        await wire.send(_DONE, last=True)

    async def _keep_alive(self, wire: "_Wire") -> None:
        await asyncio.sleep(self._patience_s)
        if not wire.started:
            await wire.send(_KEEP_ALIVE)
        while True:
            wire.quiet = True
            await asyncio.sleep(self._keep_alive_s)
            if wire.quiet:
                await wire.send(_KEEP_ALIVE)


class _Wire:
    """Sends whole events, one at a time, with the head of the answer before the first."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self.started = False
        self.quiet = False
        self._send = send
        self._headers = headers
        self._lock = asyncio.Lock()

    async def send(self, event: bytes, *, last: bool = False) -> None:
        message: Message = {"type": "http.response.body", "body": event, "more_body": not last}
        async with self._lock:
            if not self.started:
                self.started = True
                await self._send(
                    {"type": "http.response.start", "status": 200, "headers": list(self._headers)}
                )
            self.quiet = False
            await self._send(message)


async def unless_client_leaves(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """Do `work` for a client that waits for the whole answer; cancel it when the client leaves.

    Args:
        receive: of the request, whose body was read.
        work: gives the answer.

    Raises:
        ClientLeftError: nobody waits any more.
    """
    results: list[Result] = []

    async def keep() -> None:
        results.append(await work)

    await first_of(keep(), _until_client_leaves(receive))
    if not results:
        raise ClientLeftError
    return results[0]


async def first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Run `works` until the first ends, cancel the others and wait for them; raise what the first raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _until_client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
