"""Answers in the making: each a task of the server, whatever becomes of the connection that asked for it.

What it sends is kept, so that several clients can follow, and one that lost its connection goes on where it was;
ten minutes after the end it is forgotten, and only the stored response remains. For the event loop's thread.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Literal

from etabli.conversations.values import Turn
from etabli.server.openai.payloads import JSON, encode

KEPT_S = 600.0
"""How long the events of a finished answer are kept."""
MOST_KEPT = 500
"""Finished answers whose events are kept at most; the oldest go first."""

log = logging.getLogger(__name__)
StopReason = Literal["cancelled", "stopping"]


class Run:
    """One answer in the making, and its events so far.

    Args:
        turn: as it begins.
        stored: whether it is kept in the database.

    Attributes:
        error: why it failed.
        stop_reason: why it was stopped.
        ending: what was written is being kept; nothing stops that.
        finished: no event comes any more, and `turn` is as it ended.
    """

    def __init__(self, turn: Turn, *, stored: bool) -> None:
        self.turn = turn
        self.stored = stored
        self.error: Exception | None = None
        self.stop_reason: StopReason | None = None
        self.finished = False
        self.ending = False
        self._events: list[bytes] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._began = False

    def publish(self, event: JSON) -> None:
        """Send an event to everybody who follows, with the next sequence number."""
        self._events.append(encode({**event, "sequence_number": len(self._events)}))
        self._wake()

    def finish(self, turn: Turn, error: Exception | None = None) -> None:
        """No event comes any more."""
        self.turn = turn
        self.error = error
        self.finished = True
        self._wake()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin the work, which calls `finish`."""

        async def whole() -> None:
            self._began = True
            await work

        self._task = asyncio.ensure_future(whole())

    def cancel(self, reason: StopReason) -> None:
        """Have the work end soon; one that is ending already ends by itself."""
        if self._task is None or self._task.done() or self.ending or self.stop_reason is not None:
            return
        self.stop_reason = reason
        if (
            self._began
        ):  # a task that is cancelled before its first step never runs: it looks at the reason itself
            self._task.cancel()

    async def stop(self, reason: StopReason) -> None:
        """End the work and wait until what there is was kept."""
        self.cancel(reason)
        await self.wait()

    async def wait(self) -> None:
        """Wait until the work is over, however it ends."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def follow(self, after: int = -1) -> AsyncGenerator[bytes, None]:
        """The events with a higher sequence number than `after`: those that were, then those to come."""
        place = max(0, after + 1)
        while True:
            changed = self._changed
            while place < len(self._events):
                yield self._events[place]
                place += 1
            if self.finished:
                return
            if changed is self._changed:
                await changed.wait()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Runs:
    """The answers in the making, and those that ended a moment ago."""

    def __init__(self, *, kept_s: float = KEPT_S) -> None:
        self._kept_s = kept_s
        self._runs: dict[str, Run] = {}
        self._ended: dict[str, asyncio.TimerHandle] = {}

    def start(self, run: Run, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Take up a run and begin its work."""
        self._runs[run.turn.id] = run

        async def whole() -> None:
            try:
                await work()
            except Exception as error:  # nobody may wait for an end that never comes
                log.exception("the response %s ended without a word", run.turn.id)
                run.finish(run.turn, error)
            finally:
                self._end(run)

        run.start(whole())

    def get(self, key: str, account_id: int) -> Run | None:
        """The run of a response, if there is one and it is this account's."""
        run = self._runs.get(key)
        return run if run is not None and run.turn.account_id == account_id else None

    def running(self) -> set[str]:
        """Keys of the conversations in which something is being written."""
        return {
            run.turn.conversation_id
            for run in self._runs.values()
            if not run.finished and run.turn.conversation_id is not None
        }

    async def stop_conversation(self, key: str) -> None:
        """Stop what is being written in a conversation."""
        await asyncio.gather(
            *(run.stop("cancelled") for run in self._unfinished() if run.turn.conversation_id == key)
        )

    async def stop_all(self) -> None:
        """Stop everything because the server stops; what was written so far is kept."""
        await asyncio.gather(*(run.stop("stopping") for run in self._unfinished()))
        for timer in self._ended.values():
            timer.cancel()

    def forget(self, key: str) -> None:
        """Let go of a run whose response was deleted."""
        self._runs.pop(key, None)
        timer = self._ended.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _unfinished(self) -> list[Run]:
        return [run for run in self._runs.values() if not run.finished]

    def _end(self, run: Run) -> None:
        key = run.turn.id
        if not run.stored:
            self.forget(key)
            return
        self._ended[key] = asyncio.get_running_loop().call_later(self._kept_s, self.forget, key)
        while len(self._ended) > MOST_KEPT:
            self.forget(next(iter(self._ended)))
