"""An engine that answers the same request once: what is asked again word for word gets what was said the first time.

At temperature 0 an engine is meant to repeat itself, and does not quite: which other requests share its batch changes
the last digits, and now and then a word. Two questions that differ only in what never reaches the model (a name in a
greeting) are one request; a campaign must not count the noise between two runs of it as the assistant's doing. How
large that noise is, the replay measures, which asks anew.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from etabli.engines.base import JSON, ChatEngine


@dataclass
class _Said:
    """The chunks of one answer so far, and whether they are all of it."""

    chunks: list[JSON] = field(default_factory=list)
    whole: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class RememberingEngine:
    """Implements `ChatEngine` over another one, which stays the caller's.

    Args:
        engine: answers what is asked for the first time.
    """

    def __init__(self, engine: ChatEngine) -> None:
        self._engine = engine
        self._streams: dict[str, _Said] = {}
        self._answers: dict[str, asyncio.Task[JSON]] = {}

    @property
    def model(self) -> str:
        """The other engine's."""
        return self._engine.model

    @property
    def context_tokens(self) -> int:
        """The other engine's."""
        return self._engine.context_tokens

    @property
    def reports_progress(self) -> bool:
        """Nobody watches a campaign's answers grow."""
        return False

    def forget(self) -> None:
        """Answer everything anew from now on."""
        self._streams.clear()
        self._answers.clear()

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> JSON:
        """As `ChatEngine.complete`; a failure is not remembered."""
        key = _key(body, path)
        if key is None:
            return await self._engine.complete(body, path=path)
        if key not in self._answers:
            self._answers[key] = asyncio.create_task(self._complete(key, dict(body), path))
        return cast(JSON, json.loads(json.dumps(await asyncio.shield(self._answers[key]))))

    async def _complete(self, key: str, body: JSON, path: str) -> JSON:
        try:
            return await self._engine.complete(body, path=path)
        except BaseException:
            self._answers.pop(key, None)
            raise

    async def stream(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncIterator[JSON]:
        """As `ChatEngine.stream`. Of an answer that its reader broke off, the part that was read is remembered."""
        key = _key(body, path)
        said = _Said() if key is None else self._streams.setdefault(key, _Said())
        async with said.turn:
            for chunk in list(said.chunks):
                yield chunk
            if said.whole:
                return
            known = len(said.chunks)
            chunks = cast(Any, self._engine.stream(body, path=path))
            async with aclosing(chunks):
                async for place, chunk in _numbered(chunks):
                    if place < known:
                        continue
                    said.chunks.append(chunk)
                    yield chunk
            said.whole = True

    async def count_tokens(self, text: str) -> int:
        """The other engine's."""
        return await self._engine.count_tokens(text)

    async def aclose(self) -> None:
        """Forget; the other engine is its owner's to close."""
        self.forget()


async def _numbered(chunks: AsyncIterator[JSON]) -> AsyncIterator[tuple[int, JSON]]:
    place = 0
    async for chunk in chunks:
        yield place, chunk
        place += 1


def _key(body: Mapping[str, Any], path: str) -> str | None:
    """The request without its seed, which temperature 0 does not use; None where the answer is drawn by chance."""
    if body.get("temperature") != 0:
        return None
    return json.dumps([path, {name: body[name] for name in sorted(body) if name != "seed"}], sort_keys=True)
