"""Runs the secret shopper while the server has nothing else to do.

It gives way: as soon as somebody sends anything, the conversation that it is at is broken off and held again later.
On an installation that never rests nothing is tried, and the page of the certificate says since when.
"""

import asyncio
import logging
from collections.abc import Callable

from etabli.certification.shopper import SecretShopper, Visit
from etabli.errors import EtabliError
from etabli.server.activity import Activity
from etabli.server.certification.services import AssistantsByName
from etabli.storage.database import Database

LOOK_S = 20.0
"""How often it is looked whether an assistant is due."""
QUIET_S = 15.0
"""For how long nobody must have asked anything."""
_YIELD_S = 0.1
log = logging.getLogger(__name__)


class ServiceWatch:
    """Tries published assistants for as long as the server runs.

    Args:
        database: whose campaigns go first.
        shopper: tries one at a time.
        assistants: those of the workspace.
        activity: of the server.
        writing: whether an answer is being written that no request waits for.
    """

    def __init__(
        self,
        database: Database,
        shopper: SecretShopper,
        assistants: AssistantsByName,
        activity: Activity,
        writing: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._shopper = shopper
        self._assistants = assistants
        self._activity = activity
        self._writing = writing

    async def run(self) -> None:
        """Look again and again, until cancelled. Nothing that goes wrong ends it."""
        while self._shopper.probes_a_day:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Exception:
                log.exception("nothing was tried in service; trying again")

    async def look(self) -> list[Visit]:
        """Try what is due, while nobody asks anything."""
        visits = []
        if not self._idle():
            return []
        for name in await asyncio.to_thread(self._shopper.due):
            if not self._idle() or await asyncio.to_thread(self._examining):
                break
            try:
                assistant = await asyncio.to_thread(self._assistants.get, name)
                visit = await self._giving_way(asyncio.create_task(self._shopper.visit(assistant)))
            except EtabliError as error:  # its file is gone, its questions cannot be read: the others go on
                log.info("%s could not be tried in service: %s", name, error)
                continue
            if visit is not None:
                visits.append(visit)
        return visits

    def _idle(self) -> bool:
        return self._activity.quiet_s >= QUIET_S and not self._writing()

    def _examining(self) -> bool:
        """Whether a campaign runs, in whatever process: it has the engine for itself."""
        with self._database.owner() as connection:
            row = connection.execute("SELECT 1 FROM campaign WHERE state = 'running' LIMIT 1").fetchone()
        return row is not None

    async def _giving_way(self, visit: "asyncio.Task[Visit | None]") -> Visit | None:
        """The visit's end; None where somebody asks something meanwhile, and it is broken off."""
        try:
            while not (await asyncio.wait([visit], timeout=_YIELD_S))[0]:
                if self._activity.busy or self._writing():
                    return None
            return visit.result()
        finally:
            if not visit.done():
                visit.cancel()
                await asyncio.wait([visit])
