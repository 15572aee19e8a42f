"""Several generators read at once: the choices of one request with `n` > 1."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TypeVar

Item = TypeVar("Item")

_WAITING_ITEMS = 16
"""Items read ahead of a slow client, over all sources."""


async def merge(sources: Sequence[AsyncGenerator[Item, None]]) -> AsyncGenerator[tuple[int, Item], None]:
    """Give the items of all sources as they come, each with the number of its source.

    The first failure of a source is raised here. Closing this closes every source.
    """
    if len(sources) == 1:  # nothing to merge: no queue, no task
        async with aclosing(sources[0]) as only:
            async for item in only:
                yield 0, item
        return
    queue: asyncio.Queue[tuple[int, Item] | Exception | None] = asyncio.Queue(_WAITING_ITEMS)

    async def read(number: int, source: AsyncGenerator[Item, None]) -> None:
        async with aclosing(source) as items:
            try:
                async for item in items:
                    await queue.put((number, item))
            except Exception as error:
                await queue.put(error)
                return
        await queue.put(None)

    tasks = [asyncio.ensure_future(read(number, source)) for number, source in enumerate(sources)]
    try:
        running = len(tasks)
        while running:
            entry = await queue.get()
            if entry is None:
                running -= 1
            elif isinstance(entry, Exception):
                raise entry
            else:
                yield entry
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
