"""HTTP/1.1 over plain TCP for `httpx`, at the least cost per piece of a stream.

An engine sends a few hundred bytes for every token, and `httpx`'s own transport spends more time on each of these
pieces than all of the gateway: a parser in Python, a timer and a turn of the event loop. Here a piece goes from the
socket through a parser in C (`httptools`, which is llhttp) to whoever waits for it; pieces that came in the meantime
are given together.

No TLS, no proxy, no HTTP/2, no request body that is a stream: whoever needs these takes `httpx`'s transport. Errors
are those of `httpx`. Source: RFC 9112.
"""

import asyncio
import contextlib
import select
from collections import deque
from collections.abc import AsyncIterator
from typing import cast

import httptools
import httpx

_MOST_WAITING_BYTES = 256 * 1024
"""Unread bytes of one answer; then its server must wait."""
_MOST_HEAD_BYTES = 64 * 1024
_Place = tuple[str, int]


class DirectTransport(httpx.AsyncBaseTransport):
    """Opens connections, uses them again, and sends requests over them. For one event loop.

    Args:
        max_connections: at once; further requests wait for one, as long as the pool timeout allows.
        max_idle: connections that are kept open without a request, for each server.
        idle_s: for how long they are kept.
    """

    def __init__(self, *, max_connections: int, max_idle: int, idle_s: float) -> None:
        self._free = asyncio.Semaphore(max_connections)
        self._max_idle = max_idle
        self._idle_s = idle_s
        self._idle: dict[_Place, deque[_Connection]] = {}
        self._in_use: set[_Connection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and give the answer as soon as its head is there.

        Raises:
            httpx.TransportError: the subclass says whether no connection came about, it was lost, or time was up.
        """
        timeouts = request.extensions.get("timeout", {})
        sent = _head(request) + await request.aread()
        async with _within(timeouts.get("pool"), httpx.PoolTimeout):
            await self._free.acquire()
        connection = None
        try:
            place = (request.url.raw_host.decode("ascii"), request.url.port or 80)
            connection = self._take_idle(place) or await _connect(place, timeouts.get("connect"))
            self._in_use.add(connection)
            status, headers = await connection.ask(sent, timeouts.get("read"))
        except BaseException:
            self._give_back(connection)
            raise
        body = _Body(self, connection)
        return httpx.Response(status, headers=headers, stream=body, extensions={"http_version": b"HTTP/1.1"})

    async def aclose(self) -> None:
        """Close every connection."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        for connection in self._in_use:
            connection.close()

    def _take_idle(self, place: _Place) -> "_Connection | None":
        """The connection that was used last; older ones that time is up for are closed on the way."""
        idle = self._idle.get(place)
        oldest = asyncio.get_running_loop().time() - self._idle_s
        while idle:
            connection = idle.pop()
            if connection.idle_since > oldest and connection.is_quiet():
                return connection
            connection.close()
        return None

    def _give_back(self, connection: "_Connection | None") -> None:
        """The end of a request, whole or not. One that was not read to its end loses its connection."""
        self._free.release()
        if connection is None:
            return
        self._in_use.discard(connection)
        idle = self._idle.setdefault(connection.place, deque())
        if connection.rest():
            idle.append(connection)
        else:
            connection.close()
        while len(idle) > self._max_idle:
            idle.popleft().close()


class _Body(httpx.AsyncByteStream):
    """The body of an answer, in pieces as they come."""

    def __init__(self, transport: DirectTransport, connection: "_Connection") -> None:
        self._transport = transport
        self._connection: _Connection | None = connection

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._connection is None:
            raise StopAsyncIteration
        piece = await self._connection.read()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._transport._give_back(connection)


class _Connection(asyncio.Protocol):
    """One connection; at most one request at a time.

    Args:
        place: host and port.

    Attributes:
        idle_since: when its last answer was over (time of the event loop).
    """

    def __init__(self, place: _Place) -> None:
        self.place = place
        self.idle_since = 0.0
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._error: httpx.TransportError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._patience_s: float | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        """Forget the answer before."""
        self._asked = False
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._has_length = False
        self._has_head = False
        self._whole = False
        self._keeps = False
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0

    # For the transport.

    async def ask(self, sent: bytes, patience_s: float | None) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Send a request; gives status and headers of its answer.

        Args:
            sent: the whole request.
            patience_s: longest silence, here and in `read`; None for any.
        """
        if self._transport is None:
            raise self._error or httpx.ConnectError("The connection was lost.")
        self._asked = True
        self._patience_s = patience_s
        self._transport.write(sent)
        while not self._has_head:
            await self._change()
        return self._status, self._headers

    async def read(self) -> bytes:
        """What came of the body since the last call, or else the next piece; empty at its end."""
        while not self._pieces:
            if self._whole:
                return b""
            await self._change()
        pieces, self._pieces = self._pieces, []
        self._waiting_bytes = 0
        if self._paused and not self._closed:
            assert self._transport is not None
            self._paused = False
            self._transport.resume_reading()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def rest(self) -> bool:
        """Be idle after a request; False when the connection cannot be used again."""
        if not (self._whole and self._keeps) or self._closed:
            return False
        self._begin()
        self._forget_timer()
        self.idle_since = self._loop.time()
        return True

    def is_quiet(self) -> bool:
        """Whether an idle connection is still there; looks at the socket, of which the loop may not have heard."""
        if self._closed or self._transport is None:
            return False
        if not hasattr(select, "poll"):  # Windows
            return True
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Cut the connection."""
        self._closed = True
        self._forget_timer()
        if self._transport is not None:
            self._transport.abort()

    async def _change(self) -> None:
        """Wait until something has come."""
        if self._error is not None:
            raise self._error
        waiter = self._waiter = self._loop.create_future()
        if self._patience_s is not None:
            self._deadline = self._loop.time() + self._patience_s
            if self._timer is None:
                self._timer = self._loop.call_at(self._deadline, self._time_is_up)
        try:
            await waiter
        finally:
            self._waiter = None

    def _time_is_up(self) -> None:
        """One timer serves a whole stream: it looks whether the silence is long enough, and else waits on."""
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._time_is_up)
            return
        self._fail(httpx.ReadTimeout("The server was silent for too long."))

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: httpx.TransportError) -> None:
        """Nothing more can come. What is whole already stays so."""
        self._keeps = False
        self._error = self._error or error
        self.close()
        self._wake()

    # For the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        if not self._asked:  # nobody asked: not to be taken for the answer to the next request
            return self.close()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            return self._fail(httpx.RemoteProtocolError(f"The answer is not valid HTTP: {error}"))
        if self._waiting_bytes > _MOST_WAITING_BYTES and not self._paused and not self._closed:
            assert self._transport is not None
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        if self._has_head and not self._has_length:
            self._whole = True  # an answer without a length ends with its connection
        self._fail(httpx.RemoteProtocolError("The server closed the connection before the answer was whole."))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(httpx.ReadError(str(exc or "The connection was lost.")))

    # For the parser.

    def on_message_begin(self) -> None:
        if self._whole:
            raise ValueError("more than was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > _MOST_HEAD_BYTES:
            raise ValueError("its head is too long")
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._has_length = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        if self._status >= 200:
            self._has_head = True
            self._keeps = self._parser.should_keep_alive()
            self._wake()

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        self._waiting_bytes += len(body)
        self._wake()

    def on_message_complete(self) -> None:
        if self._status < 200:  # interim: the answer comes after it
            self._headers, self._has_length = [], False
            return
        self._whole = True
        self._wake()


async def _connect(place: _Place, timeout_s: float | None) -> _Connection:
    loop = asyncio.get_running_loop()
    async with _within(timeout_s, httpx.ConnectTimeout):
        try:
            _, connection = await loop.create_connection(lambda: _Connection(place), *place)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise httpx.ConnectError(str(error)) from error
    return connection


@contextlib.asynccontextmanager
async def _within(timeout_s: float | None, error: type[httpx.TimeoutException]) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as cause:
        raise error("Time was up.") from cause


def _head(request: httpx.Request) -> bytes:
    """The first line and the headers of a request.

    Raises:
        httpx.LocalProtocolError: one of them holds what would be read as the end of a line.
        httpx.UnsupportedProtocol: the request needs what this transport has not.
    """
    headers: list[tuple[bytes, bytes]] = request.headers.raw
    if request.url.scheme != "http" or "transfer-encoding" in request.headers or request.method == "HEAD":
        raise httpx.UnsupportedProtocol("Only whole requests over plain HTTP.")
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%b: %b" % header for header in headers]
    if any(mark in line for line in lines for mark in (b"\r", b"\n", b"\0")):
        raise httpx.LocalProtocolError("A header of the request holds a line end.")
    return b"\r\n".join([*lines, b"", b""])
