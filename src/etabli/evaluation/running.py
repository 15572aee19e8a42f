"""Running an evaluation: every question that is not answered yet, as many at once as the engine has slots for.

Each answer is kept at its end. Cancelling loses at most the questions in flight; the same run goes on later. What got
no answer is asked again then.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from etabli.errors import ConflictError, EngineUnavailableError
from etabli.evaluation.asking import Asks
from etabli.evaluation.measures import Tried, judged
from etabli.evaluation.questions import Item
from etabli.evaluation.store import Report, Run, RunStore
from etabli.messages import tr

_ERRORS_IN_A_ROW = 12


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an evaluation is.

    Args:
        done: answers that are kept.
        total: of the run.
        right: of those done.
        last: the newest answer.
    """

    done: int
    total: int
    right: int
    last: Tried


OnProgress = Callable[[Progress], None]


class Evaluation:
    """One run while it lasts.

    Args:
        store: where it is kept.
        asker: asks.
        on_progress: told after every answer.
    """

    def __init__(self, store: RunStore, asker: Asks, *, on_progress: OnProgress | None = None) -> None:
        self._store = store
        self._asker = asker
        self._tell = on_progress or (lambda progress: None)
        self._failures = 0
        self._done = 0
        self._right = 0

    async def run(self, run: str) -> Report:
        """Ask what is left.

        Raises:
            ConflictError: it is finished, or another process runs it.
            EngineUnavailableError: nothing but errors came.
        """
        with self._store.alone(run):
            record = await asyncio.to_thread(self._store.get, run)
            if record.state == "finished":
                raise ConflictError(tr("The evaluation {id} is finished.", id=run))
            begun = record.model_copy(update={"state": "running", "message": ""})
            await asyncio.to_thread(self._store.write, begun)
            began = time.monotonic()
            try:
                await self._ask_all(begun)
            except asyncio.CancelledError:
                self._end(begun, began, state="stopped")
                raise
            except BaseException as error:
                self._end(begun, began, state="failed", message=str(error))
                raise
            self._end(begun, began, state="finished", finished_at=datetime.now(UTC))
            return await asyncio.to_thread(self._store.report, run)

    async def _ask_all(self, run: Run) -> None:
        good = [one for one in await asyncio.to_thread(self._store.tried, run.id) if not one.error]
        done = {(one.key, one.trial) for one in good}
        self._done, self._right = len(good), sum(one.right for one in good)
        left = [
            (item, trial)
            for trial in range(run.repeat)
            for item in run.asked
            if (item.key, trial) not in done
        ]
        tasks: set[asyncio.Task[None]] = set()
        try:
            for item, trial in left:
                # One more than the slots: a search leaves the engine idle otherwise.
                while len(tasks) > run.slots:
                    tasks = await _some(tasks)
                tasks.add(asyncio.create_task(self._ask(run, item, trial)))
            while tasks:
                tasks = await _some(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, run: Run, item: Item, trial: int) -> None:
        seed = run.seed + trial
        reply = await self._asker.ask(item.question.question, seed=seed)
        tried = await asyncio.to_thread(judged, item, reply, trial=trial, seed=seed)
        await asyncio.to_thread(self._store.add, run.id, tried)
        self._done += 1
        self._right += tried.right
        self._failures = self._failures + 1 if tried.error else 0
        self._tell(Progress(self._done, run.planned, self._right, tried))
        if self._failures >= _ERRORS_IN_A_ROW:
            raise EngineUnavailableError(
                tr("The assistant gave nothing but errors: {reason}", reason=tried.error)
            )

    def _end(self, run: Run, began: float, **changes: Any) -> None:
        spent = run.spent_s + time.monotonic() - began
        self._store.write(run.model_copy(update={"spent_s": round(spent, 1), **changes}))


async def _some(tasks: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
    """Wait for one of them; gives those that go on. An error of one is an error here."""
    finished, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in finished:
        task.result()
    return others
