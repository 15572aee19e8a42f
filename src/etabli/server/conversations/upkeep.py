"""What is needed beside requests: repair at the start, cleaning once a day, an orderly stop."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from etabli.conversations.purging import purge
from etabli.conversations.turns import Turns
from etabli.server.openai.responses.runs import Runs
from etabli.server.services import Services

_DAY_S = 86_400.0
log = logging.getLogger(__name__)


@asynccontextmanager
async def upkeep(services: Services, runs: Runs) -> AsyncIterator[None]:
    """While the server serves: answers that an earlier process left are settled first, ours are kept at the end."""
    if services.database is None:  # a server without conversations
        yield
        return
    await asyncio.to_thread(Turns(services.database).recover)
    cleaning = asyncio.ensure_future(_clean(services))
    try:
        yield
    finally:
        cleaning.cancel()
        await runs.stop_all()


async def _clean(services: Services) -> None:
    while True:
        try:
            settings = services.settings
            await asyncio.to_thread(
                purge, services.database, settings.files_dir, pages_dir=settings.pages_dir
            )
        except Exception:
            log.exception("removed conversations could not be deleted; trying again tomorrow")
        try:
            if services.training is not None:
                await asyncio.to_thread(services.training.files.delete_expired)
        except Exception:
            log.exception("files whose time is over could not be deleted; trying again tomorrow")
        await asyncio.sleep(_DAY_S)
