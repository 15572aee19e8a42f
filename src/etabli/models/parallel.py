"""Doing several network jobs at once, stopping together."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from etabli.models.hashing import Progress

Item = TypeVar("Item")


class Stopped(Exception):
    """Another job failed or the person interrupted: give up quietly."""


class Cancelled(Exception):
    """A person wants it no more. What was fetched stays, to go on from."""


class Counter(Protocol):
    """Something that counts bytes."""

    def add(self, count: int) -> None:
        """Count `count` more bytes; negative when some must be fetched again."""
        ...


class Meter:
    """Adds up bytes from several threads and tells one progress callback.

    Args:
        total: bytes in all, or None.
        progress: the callback, or None.
        done: bytes that an earlier run got already.
    """

    def __init__(self, total: int | None, progress: Progress | None, *, done: int = 0) -> None:
        self._total = total
        self._progress = progress
        self._done = done
        self._lock = threading.Lock()
        self.add(0)

    def add(self, count: int) -> None:
        """Count `count` more bytes; negative when some must be fetched again."""
        with self._lock:
            self._done += count
            if self._progress is not None:
                self._progress(self._done, self._total)


def for_each(
    items: Iterable[Item], work: Callable[[Item, threading.Event], None], *, connections: int
) -> None:
    """Run `work(item, stop)` over the items on a few threads; return when all are done.

    The first failure (or Ctrl-C) sets `stop`, which the other jobs look at between chunks; it is raised here. The
    threads are daemons and keep no promise after that, so a stalled connection cannot hold the command back:
    what counts is journalled as it happens.
    """
    queue = deque(items)
    stop = threading.Event()
    failures: list[BaseException] = []

    def loop() -> None:
        while not stop.is_set():
            try:
                item = queue.popleft()
            except IndexError:
                return
            try:
                work(item, stop)
            except Stopped:
                return
            except BaseException as error:  # handed to the caller below
                failures.append(error)
                stop.set()
                return

    threads = [threading.Thread(target=loop, daemon=True) for _ in range(min(connections, len(queue)))]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
                if failures:
                    break
    finally:
        stop.set()
        deadline = time.monotonic() + 1.0
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
    if failures:
        raise failures[0]
