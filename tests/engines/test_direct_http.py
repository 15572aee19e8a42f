"""Our transport against servers that say exactly what a test wants, under both event loops."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from etabli.engines.direct_http import DirectTransport

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    if request.param == "asyncio":
        return asyncio.run
    if sys.platform == "win32":
        pytest.skip("uvloop is not made for Windows")
    import uvloop

    return uvloop.run


@asynccontextmanager
async def talking_to(
    talk: Talk, *, max_connections: int = 10, idle_s: float = 30.0, **timeouts: float
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of ours and a server at which `talk` has each connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = DirectTransport(max_connections=max_connections, max_idle=4, idle_s=idle_s)
    timeout = httpx.Timeout(timeouts.get("read", 20.0), **timeouts)
    base = f"http://127.0.0.1:{port}"
    async with server, httpx.AsyncClient(transport=transport, base_url=base, timeout=timeout) as client:
        yield client


def says(*pieces: bytes, asked: list[bytes] | None = None, again: bool = False) -> Talk:
    """Reads a request and writes these pieces, each in a packet of its own; then closes, or answers the next."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line[16:]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0
            )
            body = await reader.readexactly(length)
            if asked is not None:
                asked.append(head + body)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.005)
            if not again:
                return

    return talk


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_chunked_answer_in_any_cut(run: Run) -> None:
    whole = CHUNKED + b"5\r\nun de\r\n3;x=y\r\nux \r\n5\r\ntrois\r\n0\r\nTrailer: t\r\n\r\n"

    async def main() -> None:
        for size in (1, 3, 7, len(whole)):
            pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
            async with talking_to(says(*pieces)) as client:
                answer = await client.get("/")
                assert (answer.status_code, answer.text) == (200, "un deux trois")

    run(main())


def test_pieces_come_as_they_are_sent(run: Run) -> None:
    go_on: list[asyncio.Event] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(CHUNKED)
        for word in (b"un", b"de", b"tr"):
            writer.write(b"2\r\n%b\r\n" % word)
            await go_on[0].wait()
            go_on[0].clear()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    async def main() -> None:
        go_on.append(asyncio.Event())
        got = []
        async with talking_to(talk) as client, client.stream("GET", "/") as answer:
            async for piece in answer.aiter_raw():
                got.append(piece)
                go_on[0].set()
        assert got == [b"un", b"de", b"tr"]

    run(main())


def test_lengths_statuses_and_headers(run: Run) -> None:
    asked: list[bytes] = []
    reply = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nX-A: 1\r\nX-A: 2\r\n\r\nrien"

    async def main() -> None:
        async with talking_to(says(reply, asked=asked)) as client:
            answer = await client.post("/a/b?c=d", content="é".encode(), headers={"X-Key": "k"})
            assert (answer.status_code, answer.text) == (404, "rien")
            assert answer.headers.get_list("x-a") == ["1", "2"]

    run(main())
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /a/b?c=d HTTP/1.1\r\nHost: 127.0.0.1:") and body == "é".encode()
    assert b"x-key: k" in head.lower() and b"content-length: 2" in head.lower()


def test_an_answer_without_a_length_ends_with_its_connection(run: Run) -> None:
    async def main() -> None:
        async with talking_to(says(b"HTTP/1.1 200 OK\r\n\r\nun ", b"deux")) as client:
            assert (await client.get("/")).text == "un deux"

    run(main())


def test_interim_answers_are_passed_over(run: Run) -> None:
    reply = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\noui"[:-1]

    async def main() -> None:
        async with talking_to(says(reply)) as client:
            answer = await client.get("/")
            assert (answer.status_code, answer.text) == (200, "ou")

    run(main())


def test_an_answer_without_a_body_is_whole(run: Run) -> None:
    async def main() -> None:
        async with talking_to(says(b"HTTP/1.1 204 No Content\r\n\r\n", again=True)) as client:
            for _ in range(2):
                assert (await client.get("/")).status_code == 204

    run(main())


@pytest.mark.parametrize(
    "pieces",
    [
        (CHUNKED + b"5\r\nun de\r\n",),
        (CHUNKED + b"5\r\nun",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nun",),
        (b"HTTP/1.1 200 OK\r\nContent-",),
        (b"",),
        (b"SSH-2.0-OpenSSH_9.6\r\n",),
        (CHUNKED + b"zz\r\nun\r\n",),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",),
    ],
)
def test_what_is_not_a_whole_answer_is_an_error(run: Run, pieces: tuple[bytes, ...]) -> None:
    async def main() -> None:
        async with talking_to(says(*pieces)) as client:
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                await client.get("/")

    run(main())


def test_what_came_before_the_loss_is_given(run: Run) -> None:
    async def main() -> None:
        got: list[bytes] = []
        async with talking_to(says(CHUNKED + b"2\r\nun\r\n")) as client, client.stream("GET", "/") as answer:
            with pytest.raises(httpx.RemoteProtocolError):
                async for piece in answer.aiter_raw():
                    got.append(piece)
        assert got == [b"un"]

    run(main())


def counting(talk: Talk, count: list[int]) -> Talk:
    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count[0] += 1
        await talk(reader, writer)

    return counted


@pytest.mark.parametrize(
    ("reply", "idle_s", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nun", 30.0, 1),
        (CHUNKED + b"2\r\nun\r\n0\r\n\r\n", 30.0, 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nun", 0.0, 3),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nun", 30.0, 3),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nun", 30.0, 3),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nunHTTP/1.1 200 OK\r\n", 30.0, 3),
    ],
)
def test_connections_are_used_again_where_they_may(
    run: Run, reply: bytes, idle_s: float, connections: int
) -> None:
    count = [0]

    async def main() -> None:
        async with talking_to(counting(says(reply, again=True), count), idle_s=idle_s) as client:
            for _ in range(3):
                assert (await client.get("/")).text == "un"

    run(main())
    assert count == [connections]


def test_an_idle_connection_that_the_server_closed_is_not_used(run: Run) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nun"
    count = [0]

    async def main() -> None:
        closed = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await counting(says(reply), count)(reader, writer)
            writer.close()
            await writer.wait_closed()
            closed.set()

        async with talking_to(talk) as client:
            for _ in range(5):
                closed.clear()
                assert (await client.get("/")).text == "un"
                await closed.wait()

    run(main())
    assert count == [5]


def test_what_comes_unasked_is_never_an_answer(run: Run) -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nun"

    async def main() -> None:
        async with talking_to(says(reply, reply.replace(b"un", b"!!"), again=True)) as client:
            for _ in range(3):
                assert (await client.get("/")).text == "un"
                await asyncio.sleep(0.03)

    run(main())


def test_silence_is_given_up_and_a_trickle_is_not(run: Run) -> None:
    slow = [CHUNKED, *[b"1\r\nx\r\n"] * 60, b"0\r\n\r\n"]

    async def main() -> None:
        async with talking_to(says(*slow), read=0.15) as client:
            assert len((await client.get("/")).text) == 60  # 0.3 s, but never silent for long

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(CHUNKED + b"2\r\nun\r\n")
            await reader.read()

        async with talking_to(silent, read=0.1) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/")

    run(main())


def test_nobody_there(run: Run) -> None:
    async def main() -> None:
        transport = DirectTransport(max_connections=1, max_idle=1, idle_s=1)
        async with httpx.AsyncClient(transport=transport) as client:
            for _ in range(3):
                with pytest.raises(httpx.ConnectError):
                    await client.get("http://127.0.0.1:9/")

    run(main())


def test_the_number_of_connections_is_limited(run: Run) -> None:
    open_now, most = [0], [0]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now[0] += 1
        most[0] = max(most[0], open_now[0])
        await says(CHUNKED, b"2\r\nun\r\n0\r\n\r\n", again=True)(reader, writer)

    async def main() -> None:
        async with talking_to(talk, max_connections=3) as client:
            answers = await asyncio.gather(*(client.get("/") for _ in range(20)))
            assert {answer.text for answer in answers} == {"un"}

        async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with talking_to(never, max_connections=1, pool=0.05) as client:
            first = asyncio.ensure_future(client.get("/"))
            await asyncio.sleep(0.02)
            with pytest.raises(httpx.PoolTimeout):
                await client.get("/")
            first.cancel()
            await asyncio.wait([first])

    run(main())
    assert most == [3]


def test_leaving_closes_the_connection(run: Run) -> None:
    async def main() -> None:
        left = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(CHUNKED + b"2\r\nun\r\n")
            try:
                await reader.read()
            finally:
                left.set()

        async with talking_to(talk) as client:
            async with client.stream("GET", "/") as answer:
                assert await anext(answer.aiter_raw()) == b"un"
            async with asyncio.timeout(20):
                await left.wait()

    run(main())


def test_a_slow_reader_makes_the_server_wait(run: Run) -> None:
    sent = [0]
    block = b"x" * 65_536

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (400 * len(block)))
        for _ in range(400):
            writer.write(block)
            await writer.drain()
            sent[0] += len(block)

    async def main() -> None:
        async with talking_to(talk) as client, client.stream("GET", "/") as answer:
            before = -1
            while sent[0] != before:
                before = sent[0]
                await asyncio.sleep(0.1)
            assert before < 300 * len(block)  # the rest of it is in the buffers of both sockets
            got = 0
            async for piece in answer.aiter_raw():
                got += len(piece)
        assert got == 400 * len(block)

    run(main())


@pytest.mark.parametrize("value", [b"a\r\nX-Evil: 1", b"a\nb", b"a\0b"])
def test_a_header_never_becomes_two(run: Run, value: bytes) -> None:
    asked: list[bytes] = []

    async def main() -> None:
        async with talking_to(says(b"HTTP/1.1 204 No Content\r\n\r\n", asked=asked)) as client:
            with pytest.raises(httpx.LocalProtocolError):
                await client.get("/", headers={b"authorization": value})

    run(main())
    assert asked == []


def test_what_it_cannot_do_is_refused(run: Run) -> None:
    async def main() -> None:
        async with talking_to(says(b"")) as client:
            for asking in (
                client.head("/"),
                client.get("https://127.0.0.1:9/"),
                client.post("/", content=_pieces()),
            ):
                with pytest.raises(httpx.UnsupportedProtocol):
                    await asking

    async def _pieces() -> AsyncIterator[bytes]:
        yield b"a"

    run(main())
