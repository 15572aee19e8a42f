"""One HTTP transfer: what a server says of a file, faults and retries, a single resumable stream.

Sources: RFC 9110 sections 8.8 (validators), 10.2.3 (Retry-After), 14 (range requests), 15 (status codes).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from etabli.errors import DownloadError
from etabli.messages import tr
from etabli.models.hashing import full_disk
from etabli.models.parallel import Cancelled, Counter, Stopped
from etabli.outbound import masked

TIMEOUT = httpx.Timeout(30.0, connect=5.0)
"""Short to connect, so that a network that swallows packets costs seconds before the next source is tried."""
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Limits:
    """How hard a download tries.

    Attributes:
        connections: transfers at once.
        attempts: faults in a row, without one byte between them, before giving up.
        pause_s: wait after the first fault, in seconds; doubled after each next one.
        longest_pause_s: and never longer than this.
        block_bytes: unit of the journal of a big file: what a kill may cost, per connection.
        request_blocks: blocks asked for in one request.
        cancel: set by somebody who wants it no more.
    """

    connections: int = 5
    attempts: int = 6
    pause_s: float = 0.5
    longest_pause_s: float = 20.0
    block_bytes: int = 4 << 20
    request_blocks: int = 16
    cancel: threading.Event | None = None


@dataclass(frozen=True)
class RemoteFile:
    """What a server says of one file.

    Attributes:
        url: where it was asked.
        size_bytes: its size, when told.
        ranges: whether parts of it can be asked for.
        etag: the server's mark of this version, when told.
        sha256: the hash the server announces (Hugging Face does, in `X-Linked-Etag`).
    """

    url: str
    size_bytes: int | None
    ranges: bool
    etag: str | None
    sha256: str | None


class Fault(Exception):
    """A passing failure: worth another attempt.

    Args:
        reason: for people.
        wait_s: what the server asked to wait, in seconds.
    """

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s


def persist(
    step: Callable[[], None],
    *,
    limits: Limits,
    stop: threading.Event,
    made_progress: Callable[[], bool] = lambda: False,
) -> None:
    """Run `step` until it passes; back off between faults.

    Args:
        step: raises `Fault` or an httpx error for what may pass; anything else ends it.
        limits: attempts and pauses.
        stop: ends the waiting.
        made_progress: whether bytes arrived since it was last asked; then the count of faults starts anew.

    Raises:
        DownloadError: the attempts are used up.
        Stopped: `stop` was set.
        Cancelled: `limits.cancel` was set.
    """
    faults = 0
    while True:
        if stop.is_set():
            raise Stopped
        if limits.cancel is not None and limits.cancel.is_set():
            raise Cancelled
        try:
            return step()
        except Fault as error:
            reason, wait_s = error.reason, error.wait_s
        except httpx.HTTPError as error:
            reason, wait_s = describe(error), None
        faults = 1 if made_progress() else faults + 1
        if faults >= limits.attempts:
            raise DownloadError(reason) from None
        pause = wait_s if wait_s is not None else limits.pause_s * 2 ** (faults - 1)
        if stop.wait(min(pause, limits.longest_pause_s)):
            raise Stopped


def describe(error: httpx.HTTPError) -> str:
    """A network error in one plain clause."""
    try:
        host = error.request.url.host
    except RuntimeError:
        host = "?"
    detail = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        return tr("{host} did not answer in time", host=host)
    if isinstance(error, httpx.ConnectError):
        return tr("{host} cannot be reached ({detail})", host=host, detail=detail)
    return tr("the connection to {host} broke ({detail})", host=host, detail=detail)


def check_status(response: httpx.Response) -> None:
    """Raise for a status that is not a success.

    Raises:
        Fault: it may pass.
        DownloadError: it will not.
    """
    status = response.status_code
    if status < 400:
        return
    url = masked(response.url)
    if status in _PASSING:
        wait = response.headers.get("retry-after", "")
        raise Fault(
            tr("{url} answers {status}", url=url, status=status), float(wait) if wait.isdigit() else None
        )
    if status in (401, 403):
        raise DownloadError(tr("{url} refuses without an account (status {status})", url=url, status=status))
    if status in (404, 410):
        raise DownloadError(tr("{url} does not exist (status {status})", url=url, status=status))
    raise DownloadError(tr("{url} answers {status}", url=url, status=status))


def probe(client: httpx.Client, url: str, *, limits: Limits) -> RemoteFile:
    """Ask for the first byte of a file, to learn its size and whether ranges work.

    Raises:
        DownloadError: the server does not have it or cannot be reached.
    """
    found: list[RemoteFile] = []

    def step() -> None:
        headers = {"Range": "bytes=0-0", "Accept-Encoding": "identity"}
        with client.stream("GET", url, headers=headers) as response:
            check_status(response)
            total = range_total(response) if response.status_code == 206 else None
            length = response.headers.get("content-length", "")
            if response.status_code == 200 and length.isdigit():
                total = int(length)
            found.append(
                RemoteFile(
                    url=url,
                    size_bytes=total,
                    ranges=response.status_code == 206 and total is not None,
                    etag=response.headers.get("etag"),
                    sha256=_announced_sha256(response),
                )
            )

    few = Limits(attempts=min(2, limits.attempts), pause_s=limits.pause_s)
    persist(step, limits=few, stop=threading.Event())
    return found[0]


def range_total(response: httpx.Response, *, start: int | None = None) -> int | None:
    """Size of the whole file, from `Content-Range: bytes 0-0/123`; checks where the range starts.

    Raises:
        Fault: the range is not the one that was asked for.
    """
    value = response.headers.get("content-range", "")
    unit, _, rest = value.partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdigit() or (start is not None and int(first) != start):
        raise Fault(tr("{url} sends another part than the one asked for", url=masked(response.url)))
    return int(total) if total.isdigit() else None


def _announced_sha256(response: httpx.Response) -> str | None:
    """The SHA-256 that one of the answers, redirects included, gives for the file."""
    for answer in (*response.history, response):
        value = str(answer.headers.get("x-linked-etag", "")).strip('"').lower()
        if len(value) == 64 and set(value) <= set("0123456789abcdef"):
            return value
    return None


def fetch_stream(
    client: httpx.Client,
    url: str,
    target: Path,
    *,
    limits: Limits,
    meter: Counter,
    stop: threading.Event,
    auth: httpx.Auth | None = None,
) -> None:
    """Fetch a file over one connection, going on from what `target` holds when the server can.

    Bytes that `target` holds are not counted in `meter`: the caller did that.

    Raises:
        DownloadError: the server refuses, or faults outlast the attempts.
        DiskSpaceError: the disk is full.
        Stopped: `stop` was set.
    """
    advanced = [False]

    def moved() -> bool:
        was, advanced[0] = advanced[0], False
        return was

    def step() -> None:
        have = target.stat().st_size if target.exists() else 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with client.stream("GET", url, headers=headers, auth=auth) as response:
            if response.status_code == 416:
                if response.headers.get("content-range", "") == f"bytes */{have}":
                    return
                _forget(target, have, meter)
                raise Fault(tr("{url} changed while it was downloaded", url=masked(url)))
            check_status(response)
            resumed = response.status_code == 206
            if resumed:
                range_total(response, start=have)
            elif have:
                _forget(target, have, meter)
            with full_disk(target), target.open("ab") as file:
                for chunk in response.iter_raw():
                    if stop.is_set():
                        raise Stopped
                    file.write(chunk)
                    meter.add(len(chunk))
                    advanced[0] = advanced[0] or resumed or not have

    persist(step, limits=limits, stop=stop, made_progress=moved)


def _forget(target: Path, have: int, meter: Counter) -> None:
    target.unlink()
    meter.add(-have)
