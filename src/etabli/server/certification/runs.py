"""Campaigns that run in the server: each a task of its own, which no request's end can stop.

One at a time: two would halve each other's pace and nobody would be told sooner. What was running when the server
stopped is marked so, and goes on when it starts again.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from etabli.certification.campaign import Progress, StopAsked
from etabli.certification.certifying import Certifier, clean_up
from etabli.certification.probes.base import Material
from etabli.certification.targets.base import Target
from etabli.errors import ConflictError, EtabliError
from etabli.messages import tr
from etabli.server.certification.queries import tally
from etabli.storage.database import Database

JSON = dict[str, Any]
POLL_S = 1.0
"""How often a campaign that another process runs is looked at."""
_PAUSE_S = 0.25
"""Shortest time between two events of one watcher."""
_STOPPING_S = 3.0
"""How long an answer waits for another process to stop."""
log = logging.getLogger(__name__)


@dataclass
class _Run:
    counts: dict[str, Counter[str]]
    task: "asyncio.Task[None] | None" = None
    last: JSON | None = None
    moved: asyncio.Event = field(default_factory=asyncio.Event)


Prepared = tuple[Target, Material | None]


class CampaignRuns:
    """The campaigns that this process runs.

    Args:
        database: where they are.
        certifier: runs them.
    """

    def __init__(self, database: Database, certifier: Certifier) -> None:
        self._database = database
        self._certifier = certifier
        self._runs: dict[str, _Run] = {}
        self._closing = False
        self._starting = asyncio.Lock()

    def running(self, campaign: str) -> bool:
        """Whether this process runs it now."""
        run = self._runs.get(campaign)
        return run is not None and run.task is not None and not run.task.done()

    async def start(self, campaign: str, prepare: Callable[[], Awaitable[Prepared]]) -> None:
        """Begin, or go on with, a campaign.

        Args:
            campaign: its id.
            prepare: makes its target, and what the adaptive attacker talks about.

        Raises:
            ConflictError: it is finished, or one runs already.
        """
        async with self._starting:
            await self._start(campaign, prepare)

    async def _start(self, campaign: str, prepare: Callable[[], Awaitable[Prepared]]) -> None:
        busy = next((name for name in self._runs if self.running(name)), None)
        if busy is not None:
            raise ConflictError(
                tr("The campaign {id} runs now. Wait for its end, or stop it first.", id=busy)
            )
        await asyncio.to_thread(clean_up, self._database)
        record = await asyncio.to_thread(self._certifier.store.get, campaign)
        if record.state == "running":
            raise ConflictError(tr("The campaign {id} runs already.", id=campaign))
        if record.state in ("finished", "awaiting"):
            raise ConflictError(tr("The campaign {id} is finished. Plan another one.", id=campaign))
        run = _Run(await asyncio.to_thread(tally, self._database, campaign))
        self._runs[campaign] = run
        target, material = await prepare()
        run.task = asyncio.create_task(self._run(campaign, run, target, material))
        # The answer should say that it runs: wait until it does, or has failed.
        while not run.task.done():
            if (await asyncio.to_thread(self._certifier.store.get, campaign)).state == "running":
                break
            await asyncio.sleep(0.02)

    async def stop(self, campaign: str, by: str) -> None:
        """Stop it, wherever it runs; what was said is kept, and it can go on later.

        One that another process runs is asked to stop, and may still run for a moment afterwards.

        Args:
            campaign: its id.
            by: who stops it.

        Raises:
            ConflictError: it does not run.
        """
        store = self._certifier.store
        if not self.running(campaign) and campaign in await asyncio.to_thread(clean_up, self._database):
            return  # the process that ran it was gone
        if not await asyncio.to_thread(store.ask_to_stop, campaign, by):
            raise ConflictError(tr("The campaign {id} does not run.", id=campaign))
        run = self._runs.get(campaign)
        if self.running(campaign) and run is not None and run.task is not None:
            run.task.cancel()
            await asyncio.wait([run.task])
            return
        until = asyncio.get_running_loop().time() + _STOPPING_S
        while asyncio.get_running_loop().time() < until:
            if (await asyncio.to_thread(store.get, campaign)).state != "running":
                return
            await asyncio.sleep(POLL_S / 5)

    async def resume(self, prepare: Callable[[str], Awaitable[Prepared | None]]) -> None:
        """Go on with what ran when an earlier server stopped, as far as it can be prepared again."""
        for campaign in await asyncio.to_thread(clean_up, self._database):
            try:
                prepared = await prepare(campaign)
                if prepared is not None:
                    await self.start(campaign, _given(prepared))
            except EtabliError as error:
                log.warning("campaign %s cannot go on: %s", campaign, error)

    async def close(self) -> None:
        """Stop everything, marked so that the next server goes on with it."""
        self._closing = True
        tasks = [run.task for run in self._runs.values() if run.task is not None and not run.task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def watch(self, campaign: str) -> AsyncIterator[tuple[dict[str, Counter[str]], JSON | None]]:
        """What is counted so far, whenever it changed, until the campaign does not run any more."""
        seen: JSON | None = None
        while True:
            run = self._runs.get(campaign)
            if run is not None and self.running(campaign):
                assert run.task is not None
                yield run.counts, run.last
                seen = run.last
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(run.moved.wait(), POLL_S)
                run.moved.clear()
                await asyncio.sleep(_PAUSE_S)
                continue
            if run is not None and run.last is not seen:
                yield run.counts, run.last
            record = await asyncio.to_thread(self._certifier.store.get, campaign)
            if record.state != "running" or self._closing:
                return
            yield await asyncio.to_thread(tally, self._database, campaign), None
            await asyncio.sleep(POLL_S)

    async def _run(self, campaign: str, run: _Run, target: Target, material: Material | None) -> None:
        def told(progress: Progress) -> None:
            run.counts.setdefault(progress.family, Counter())[progress.outcome] += 1
            run.last = {
                "family": progress.family,
                "outcome": progress.outcome,
                "position": progress.position,
            }
            run.moved.set()

        try:
            await self._certifier.run(campaign, target, material=material, on_progress=told)
        except asyncio.CancelledError:
            if self._closing:
                await asyncio.to_thread(self._certifier.store.pause, campaign, "running")
        except StopAsked as error:
            log.info("campaign %s is stopped by %s", campaign, error.by)
        except EtabliError as error:
            log.warning("campaign %s failed: %s", campaign, error)
        except Exception:
            log.exception("campaign %s failed", campaign)
        finally:
            run.moved.set()


def _given(prepared: Prepared) -> Callable[[], Awaitable[Prepared]]:
    async def give() -> Prepared:
        return prepared

    return give
