"""The same request is answered once, as long as chance has no part in it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from etabli.certification.targets.remembering import RememberingEngine
from etabli.engines.base import JSON
from etabli.errors import EngineUnavailableError

BODY = {"messages": [{"role": "user", "content": "Combien ?"}], "temperature": 0, "seed": 1}


class CountingEngine:
    """Never says the same twice."""

    model = "counting"
    context_tokens = 1000

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> JSON:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.fails:
            raise EngineUnavailableError("It is away.")
        return {"said": self.asked}

    async def stream(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncIterator[JSON]:
        self.asked += 1
        number = self.asked
        for place in range(4):
            await asyncio.sleep(0)
            yield {"said": number, "place": place}

    async def count_tokens(self, text: str) -> int:
        return len(text)

    async def aclose(self) -> None:
        raise AssertionError("the engine is its owner's to close")


async def read(engine: RememberingEngine, body: Mapping[str, Any], most: int = 99) -> list[JSON]:
    found: list[JSON] = []
    stream = engine.stream(body)
    async for chunk in stream:
        found.append(chunk)
        if len(found) == most:
            break
    await stream.aclose()  # type: ignore[attr-defined]
    return found


def test_the_same_request_is_answered_once_whatever_its_seed() -> None:
    async def check() -> None:
        inner = CountingEngine()
        engine = RememberingEngine(inner)
        both = await asyncio.gather(read(engine, BODY), read(engine, {**BODY, "seed": 2}))
        assert both[0] == both[1] and len(both[0]) == 4 and inner.asked == 1
        whole = await asyncio.gather(engine.complete(BODY), engine.complete({**BODY, "seed": 2}))
        assert whole[0] == whole[1] == {"said": 2} and inner.asked == 2
        assert (await read(engine, {**BODY, "messages": []}))[0]["said"] == 3
        engine.forget()
        assert (await read(engine, BODY))[0]["said"] == 4

    asyncio.run(check())


def test_what_is_drawn_by_chance_is_drawn_anew() -> None:
    async def check() -> None:
        engine = RememberingEngine(CountingEngine())
        warm = {**BODY, "temperature": 0.2}
        assert (await read(engine, warm))[0] != (await read(engine, warm))[0]
        assert await engine.complete(warm) != await engine.complete(warm)

    asyncio.run(check())


def test_an_answer_that_was_broken_off_goes_on_where_it_stopped() -> None:
    async def check() -> None:
        inner = CountingEngine()
        engine = RememberingEngine(inner)
        assert len(await read(engine, BODY, most=2)) == 2
        assert len(await read(engine, BODY, most=2)) == 2 and inner.asked == 1
        assert [chunk["place"] for chunk in await read(engine, BODY)] == [0, 1, 2, 3]
        assert [chunk["place"] for chunk in await read(engine, BODY)] == [0, 1, 2, 3] and inner.asked == 2

    asyncio.run(check())


def test_a_failure_is_not_remembered() -> None:
    async def check() -> None:
        inner = CountingEngine()
        engine = RememberingEngine(inner)
        inner.fails = True
        with pytest.raises(EngineUnavailableError):
            await engine.complete(BODY)
        inner.fails = False
        assert await engine.complete(BODY) == {"said": 2}
        await engine.aclose()

    asyncio.run(check())
