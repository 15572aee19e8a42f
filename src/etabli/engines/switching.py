"""An engine whose adapters can be changed while it answers.

llama.cpp loads adapters when it starts, so a change is another child: it starts with the new list while the old one
answers, takes over when it is ready, and the old one ends when its last answer has. Nothing is dropped and nothing
waits. Where the memory does not hold two of them, requests wait instead: the answers in progress end, the old child
stops, the new one starts. One that cannot start changes nothing.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from etabli.engines.base import JSON
from etabli.engines.local import LocalEngine
from etabli.engines.sizing import EngineSize
from etabli.engines.supervisor import ChildState
from etabli.errors import EngineUnavailableError
from etabli.messages import tr

DRAIN_S = 900.0
"""So long the old child may go on with its answers; what takes longer is broken off."""
_ADMISSION_S = 120.0
"""How long a request waits for a change that needs the memory of the old child."""
_POLL_S = 0.05
log = logging.getLogger(__name__)


class StartsEngines(Protocol):
    """Starts a child with a list of adapters; returns before it is ready."""

    def __call__(self, adapters: Mapping[str, Path], size: EngineSize | None) -> LocalEngine:
        """The engine; `size` is that of the one before, or None for the first."""
        ...


class SwitchingEngine:
    """Implements `ChatEngine` over one local engine at a time.

    Args:
        start: starts a child.
        adapters: of the first one.
        has_room: whether the memory holds another child of this size beside the first.
        drain_s: how long an old child may go on with its answers.
    """

    reports_progress = True

    def __init__(
        self,
        start: StartsEngines,
        adapters: Mapping[str, Path],
        *,
        has_room: Callable[[EngineSize], bool],
        drain_s: float = DRAIN_S,
    ) -> None:
        self._start = start
        self._files = dict(adapters)
        self._has_room = has_room
        self._drain_s = drain_s
        self._lock = threading.Lock()
        self._switching = threading.Lock()
        self._leases: dict[LocalEngine, int] = {}
        self._current: LocalEngine | None = start(self._files, None)
        self._last = self._current
        self._ended: list[LocalEngine] = []
        self._draining: list[LocalEngine] = []
        self._stopped = False

    @property
    def model(self) -> str:
        """The name of the base model at the endpoint."""
        return self._last.model

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        return self._last.context_tokens

    @property
    def size(self) -> EngineSize:
        """Of the child."""
        return self._last.size

    @property
    def adapters(self) -> tuple[str, ...]:
        """Names of the adapters that it holds, in its order."""
        return self._last.adapters

    @property
    def state(self) -> ChildState:
        """What is known of the child that answers."""
        return self._last.state

    def wait_ready(self, timeout_s: float | None = None) -> ChildState:
        """Block until the model is loaded.

        Raises:
            EngineUnavailableError: it could not start, or `timeout_s` passed.
        """
        return self._last.wait_ready(timeout_s)

    def switch(self, adapters: Mapping[str, Path]) -> bool:
        """Have the engine hold these adapters; says whether it did not before. Blocks until they answer.

        Raises:
            EngineUnavailableError: the new child could not start; everything is as it was.
        """
        with self._switching:
            if self._files == dict(adapters) or self._stopped:
                return False
            old = self._last
            if self._has_room(old.size):
                new = self._beside(old, adapters)
            else:
                new = self._instead(old, adapters)
            self._files = dict(adapters)
            log.info("the engine holds %d adapters now (process %s)", len(adapters), new.state.pid)
            return True

    def stop(self) -> None:
        """End every child. Blocks for a few seconds at most."""
        with self._lock:
            self._stopped = True
            engines = [*self._draining, self._last]
            self._draining = []
        for engine in engines:
            engine.stop()

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> JSON:
        """As `LocalEngine.complete`, with the child that answers when it begins."""
        async with self._lease() as engine:
            return await engine.complete(body, path=path)

    async def stream(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[JSON, None]:
        """As `LocalEngine.stream`, with the child that answers when it begins."""
        async with self._lease() as engine, aclosing(engine.stream(body, path=path)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def stream_raw(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[bytes, None]:
        """As `LocalEngine.stream_raw`, with the child that answers when it begins."""
        async with self._lease() as engine, aclosing(engine.stream_raw(body, path=path)) as payloads:
            async for payload in payloads:
                yield payload

    async def count_tokens(self, text: str) -> int:
        """How many tokens `text` has for this model.

        Raises:
            EngineUnavailableError: the child is not there in time.
        """
        async with self._lease() as engine:
            return await engine.count_tokens(text)

    async def aclose(self) -> None:
        """Give back connections; the child goes on. `stop` ends it."""
        await self._give_back()
        for engine in [*self._draining, self._last]:
            await engine.aclose()

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[LocalEngine]:
        """The engine that answers now; it is not stopped while the `with` lasts."""
        engine = await self._admitted()
        try:
            yield engine
        finally:
            with self._lock:
                if engine in self._leases:
                    self._leases[engine] -= 1
            await self._give_back()

    async def _admitted(self) -> LocalEngine:
        deadline = time.monotonic() + _ADMISSION_S
        while True:
            with self._lock:
                if self._current is not None:
                    engine = self._current
                    self._leases[engine] = self._leases.get(engine, 0) + 1
                    return engine
            if self._stopped or time.monotonic() > deadline:
                raise EngineUnavailableError(
                    tr("The engine is changing its adapters. Try again in a moment.")
                )
            await asyncio.sleep(_POLL_S)

    async def _give_back(self) -> None:
        """Close the connections to children that have ended: only the event loop may."""
        with self._lock:
            ended, self._ended = self._ended, []
        for engine in ended:
            with suppress(Exception):
                await engine.aclose()

    def _beside(self, old: LocalEngine, adapters: Mapping[str, Path]) -> LocalEngine:
        """Start the new child while the old one answers; the old one ends by itself."""
        new = self._started(adapters, old.size)
        with self._lock:
            self._current = self._last = new
            self._draining.append(old)
        old.retire()
        threading.Thread(target=self._drain, args=(old,), name="engine-drain", daemon=True).start()
        return new

    def _instead(self, old: LocalEngine, adapters: Mapping[str, Path]) -> LocalEngine:
        """Let the answers in progress end, stop the old child, start the new one; requests wait meanwhile."""
        with self._lock:
            self._current = None
        self._wait_idle(old)
        old.retire()
        old.stop()
        try:
            new = self._started(adapters, old.size)
        except EngineUnavailableError:
            back = self._start(self._files, old.size)
            self._take(back, old)
            raise
        self._take(new, old)
        return new

    def _take(self, new: LocalEngine, old: LocalEngine) -> None:
        with self._lock:
            self._current = self._last = new
            self._leases.pop(old, None)
            self._ended.append(old)

    def _started(self, adapters: Mapping[str, Path], size: EngineSize) -> LocalEngine:
        new = self._start(adapters, size)
        try:
            new.wait_ready()
        except EngineUnavailableError:
            new.stop()
            raise
        if self._stopped:
            new.stop()
            raise EngineUnavailableError(tr("The engine is stopped."))
        return new

    def _drain(self, old: LocalEngine) -> None:
        self._wait_idle(old)
        old.stop()
        with self._lock:
            if old in self._draining:
                self._draining.remove(old)
            self._leases.pop(old, None)
            self._ended.append(old)

    def _wait_idle(self, engine: LocalEngine) -> None:
        """Until its last answer has ended, or takes too long."""
        deadline = time.monotonic() + self._drain_s
        while not self._stopped and time.monotonic() < deadline:
            with self._lock:
                if self._leases.get(engine, 0) == 0:
                    return
            time.sleep(_POLL_S)
