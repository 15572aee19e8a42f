"""Several generators read at once."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from etabli.server.openai.merging import merge


async def count(
    name: str, numbers: int, closed: list[str], *, fail: bool = False
) -> AsyncGenerator[int, None]:
    try:
        for number in range(numbers):
            await asyncio.sleep(0)
            yield number
        if fail:
            raise ValueError(name)
    finally:
        closed.append(name)


@pytest.mark.parametrize("names", ["a", "abc"])
def test_every_item_in_the_order_of_its_source(names: str) -> None:
    closed: list[str] = []

    async def run() -> list[tuple[int, int]]:
        return [item async for item in merge([count(name, 100, closed) for name in names])]

    items = asyncio.run(run())
    for number in range(len(names)):
        assert [value for source, value in items if source == number] == list(range(100))
    assert sorted(closed) == sorted(names)


@pytest.mark.parametrize("names", ["a", "abc"])
def test_closing_it_closes_the_sources(names: str) -> None:
    closed: list[str] = []

    async def run() -> None:
        merged = merge([count(name, 10**9, closed) for name in names])
        for _ in range(50):
            await anext(merged)
        await merged.aclose()

    asyncio.run(run())
    assert sorted(closed) == sorted(names)


def test_the_first_failure_is_raised_and_the_others_closed() -> None:
    closed: list[str] = []

    async def run() -> None:
        async for _ in merge([count("a", 10**9, closed), count("b", 3, closed, fail=True)]):
            pass

    with pytest.raises(ValueError, match="b"):
        asyncio.run(run())
    assert sorted(closed) == ["a", "b"]
