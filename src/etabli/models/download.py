"""Downloading one big file: in blocks over several connections, journalled, so that it goes on after any end.

A folder holds `data` (the file, at its full size from the start; without it nothing else counts), `state.json`
(which version of the file) and `blocks` (the numbers of the blocks that are complete, one a line, written after
the bytes). A kill costs at most the blocks that were under way.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from etabli.errors import DownloadError
from etabli.messages import tr
from etabli.models.hashing import Progress, full_disk, require_space
from etabli.models.parallel import Meter, Stopped, for_each
from etabli.models.transfer import (
    Fault,
    Limits,
    RemoteFile,
    check_status,
    fetch_stream,
    persist,
    range_total,
)
from etabli.outbound import masked

SPARE_BYTES = 64 << 20
"""Room that must stay free beside the file."""


class Journal:
    """Which numbered pieces of an unfinished file are complete; survives a kill.

    Args:
        folder: of the unfinished file.
        state: what must be unchanged for the old pieces to count; else the folder starts empty.
    """

    def __init__(self, folder: Path, state: dict[str, object]) -> None:
        self._path = folder / "blocks"
        self._lock = threading.Lock()
        marker = folder / "state.json"
        try:
            same = json.loads(marker.read_text(encoding="utf-8")) == state and (folder / "data").exists()
        except (OSError, ValueError):
            same = False
        if not same:
            for path in folder.iterdir():
                path.unlink()
            marker.write_text(json.dumps(state), encoding="utf-8")
        lines = self._path.read_text(encoding="ascii").split("\n")[:-1] if self._path.exists() else []
        self.done = {int(line) for line in lines if line.isdigit()}
        self.resumed = bool(self.done)

    def add(self, number: int, stop: threading.Event) -> None:
        """Record a complete piece; nothing after `stop`."""
        with self._lock:
            if stop.is_set():
                raise Stopped
            with self._path.open("a", encoding="ascii") as file:
                file.write(f"{number}\n")
            self.done.add(number)


def fetch_file(
    client: httpx.Client,
    remote: RemoteFile,
    folder: Path,
    *,
    limits: Limits,
    progress: Progress | None = None,
) -> tuple[Path, bool]:
    """Download `remote` into `folder`, going on from what lies there.

    Returns:
        The file, complete but not yet hashed, and whether part of it came from an earlier run.

    Raises:
        DownloadError: the server refuses or faults outlast the attempts.
        DiskSpaceError: it does not fit.
    """
    data = folder / "data"
    if not remote.ranges or remote.size_bytes is None:
        return _fetch_whole(client, remote, data, limits=limits, progress=progress)
    size, unit = remote.size_bytes, limits.block_bytes
    journal = Journal(folder, {"size": size, "etag": remote.etag, "block": unit})
    count = -(-size // unit)
    have = sum(min(unit, size - number * unit) for number in journal.done)
    require_space(folder, size - have + SPARE_BYTES)
    with data.open("ab") as file:
        file.truncate(size)
    job = _Job(client, remote, data, journal, Meter(size, progress, done=have), unit)
    runs = _runs(sorted(set(range(count)) - journal.done), limits.request_blocks)

    def work(run: Sequence[int], stop: threading.Event) -> None:
        waiting = list(run)
        before = [len(waiting)]

        def step() -> None:
            _fetch_run(job, waiting, stop)

        def moved() -> bool:
            was, before[0] = before[0], len(waiting)
            return len(waiting) < was

        persist(step, limits=limits, stop=stop, made_progress=moved)

    for_each(runs, work, connections=limits.connections)
    return data, journal.resumed


def _runs(numbers: list[int], longest: int) -> list[list[int]]:
    """Group sorted numbers into consecutive runs.

    >>> _runs([0, 1, 2, 5, 6], 2)
    [[0, 1], [2], [5, 6]]
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1 and len(runs[-1]) < longest:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


@dataclass(frozen=True)
class _Job:
    """One file under way, shared by its connections; `unit` is the size of a block."""

    client: httpx.Client
    remote: RemoteFile
    data: Path
    journal: Journal
    meter: Meter
    unit: int

    def end_of(self, block: int) -> int:
        """Where a block ends in the file."""
        return min(self.remote.size_bytes or 0, (block + 1) * self.unit)


def _fetch_run(job: _Job, waiting: list[int], stop: threading.Event) -> None:
    """Fetch consecutive blocks in one request; takes each out of `waiting` once it is journalled."""
    start, end = waiting[0] * job.unit, job.end_of(waiting[-1])
    position = journalled = start
    headers = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "identity"}
    try:
        with job.client.stream("GET", job.remote.url, headers=headers) as response:
            check_status(response)
            _check_version(response, job.remote, start)
            with full_disk(job.data), job.data.open("r+b") as file:
                file.seek(start)
                for chunk in response.iter_raw():
                    if stop.is_set():
                        raise Stopped
                    chunk = chunk[: end - position]
                    file.write(chunk)
                    position += len(chunk)
                    job.meter.add(len(chunk))
                    while waiting and position >= job.end_of(waiting[0]):
                        file.flush()
                        job.journal.add(waiting[0], stop)
                        journalled = job.end_of(waiting.pop(0))
        if waiting:
            raise Fault(tr("{url} sent less than it announced", url=masked(job.remote.url)))
    finally:
        job.meter.add(journalled - position)


def _check_version(response: httpx.Response, remote: RemoteFile, start: int) -> None:
    """Refuse a part that is not of the file the download began with."""
    if response.status_code != 206:
        raise Fault(tr("{url} sends the whole file instead of a part", url=masked(remote.url)))
    etag = response.headers.get("etag")
    changed = etag is not None and remote.etag is not None and etag != remote.etag
    if range_total(response, start=start) != remote.size_bytes or changed:
        raise DownloadError(
            tr("{url} changed while it was downloaded; run the same command again", url=masked(remote.url))
        )


def _fetch_whole(
    client: httpx.Client,
    remote: RemoteFile,
    data: Path,
    *,
    limits: Limits,
    progress: Progress | None,
) -> tuple[Path, bool]:
    """One stream from the start, for servers without ranges."""
    for path in data.parent.iterdir():
        path.unlink()
    require_space(data.parent, (remote.size_bytes or 0) + SPARE_BYTES)
    meter = Meter(remote.size_bytes, progress)
    fetch_stream(client, remote.url, data, limits=limits, meter=meter, stop=threading.Event())
    if remote.size_bytes is not None and data.stat().st_size != remote.size_bytes:
        raise DownloadError(tr("{url} sent less than it announced", url=masked(remote.url)))
    return data, False
