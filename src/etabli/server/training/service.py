"""Estimates, figures and approval of what is trained. Blocks: the router calls it from a thread."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from etabli.errors import EtabliError
from etabli.messages import tr
from etabli.server.auth import Caller
from etabli.server.openai.fine_tuning.protocol import EventList, FineTuningJob
from etabli.server.openai.fine_tuning.service import event_object, job_object, request_of
from etabli.server.openai.payloads import encode
from etabli.server.training.protocol import (
    AdapterEntry,
    AdapterList,
    JobEntry,
    PreflightBody,
    PreflightEntry,
)
from etabli.server.training.services import Training
from etabli.training.adapters import Adapter

_WATCH_S = 0.5
_LOAD_S = 30.0
"""An answer waits so long for the engine, which loads a large model for minutes."""


class TrainingRoom:
    """The endpoints.

    Args:
        training: parts of the workspace.
    """

    def __init__(self, training: Training) -> None:
        self._training = training
        self._left_out: Mapping[str, str] = {}

    def preflight(self, body: PreflightBody, caller: Caller) -> PreflightEntry:
        """What a job would take.

        Raises:
            InvalidInputError: a part of it cannot be used.
            ConfigurationError: the packages that train are not installed.
        """
        return PreflightEntry(estimate=self._training.preflight(request_of(body, caller), body.calibrate))

    def job(self, job: str) -> JobEntry:
        """A job with its figures.

        Raises:
            NotFoundError: there is none of this id.
        """
        found = self._training.jobs.get(job)
        return JobEntry(
            job=self._wire(job),
            adapter=found.model_name,
            preflight=found.preflight,
            curve=list(self._training.jobs.curve(job)),
            gate=found.gate,
            comparison=found.comparison,
        )

    def events(self, job: str, *, limit: int) -> EventList:
        """The last events of a job, the newest first, in the reader's language.

        Raises:
            NotFoundError: there is none of this id.
        """
        page = self._training.jobs.events(job, limit=limit)
        return EventList(data=[event_object(event) for event in page.events], has_more=page.has_more)

    async def watch(self, job: str) -> AsyncGenerator[bytes, None]:
        """A job in OpenAI's shape whenever it changed, until it waits for a person or has ended."""
        before: FineTuningJob | None = None
        while True:
            now = await asyncio.to_thread(self._wire, job)
            if now != before:
                before = now
                yield encode(now.model_dump(mode="json"))
            if now.etabli.state in ("paused", "succeeded", "failed", "cancelled"):
                return
            await asyncio.sleep(_WATCH_S)

    def adapters(self) -> AdapterList:
        """All adapters."""
        return AdapterList(data=[self._entry(one) for one in self._training.adapters.list()])

    def adapter(self, name: str) -> AdapterEntry:
        """One adapter.

        Raises:
            NotFoundError: there is none of this name.
        """
        return self._entry(self._training.adapters.get(name))

    def approve(self, name: str, caller: Caller) -> AdapterEntry:
        """Let an adapter answer: from the next request on, once the engine holds it.

        Raises:
            NotFoundError: there is none of this name.
            ConflictError: it was refused, or did not pass the gate.
        """
        self._training.adapters.approve(name, _by(caller))
        return self._loaded_anew(name)

    def refuse(self, name: str, reason: str, caller: Caller) -> AdapterEntry:
        """Never let an adapter answer.

        Raises:
            NotFoundError: there is none of this name.
            ConflictError: it is approved.
        """
        return self._entry(
            self._training.adapters.refuse(name, _by(caller), reason or tr("a person decided so."))
        )

    def retire(self, name: str, reason: str, caller: Caller) -> AdapterEntry:
        """Take an approved adapter out of service.

        Raises:
            NotFoundError: there is none of this name.
            ConflictError: it is not approved.
        """
        self._training.adapters.retire(name, _by(caller), reason)
        return self._loaded_anew(name)

    def _loaded_anew(self, name: str) -> AdapterEntry:
        """Have the engine hold what is approved now. A decision stands also where the engine cannot follow it."""
        failures: list[str] = []

        def load() -> None:
            try:
                self._left_out = self._training.load()
            except EtabliError as error:
                failures.append(str(error))

        loading = threading.Thread(target=load, name="adapters", daemon=True)
        loading.start()
        loading.join(_LOAD_S)
        entry = self.adapter(name)
        if loading.is_alive():
            failures.append(tr("the engine is loading it"))
        return entry.model_copy(update={"not_loaded": failures[0]}) if failures else entry

    def _wire(self, job: str) -> FineTuningJob:
        adapter = self._training.adapters.of_job(job)
        return job_object(self._training.jobs.get(job), adapter, self._training.organisation)

    def _entry(self, adapter: Adapter) -> AdapterEntry:
        loaded = adapter.name in self._training.loaded()
        return AdapterEntry(
            name=adapter.name,
            sha256=adapter.sha256,
            bytes=adapter.bytes,
            base=adapter.base,
            base_sha256=adapter.base_sha256,
            job=adapter.job_id,
            state=adapter.state,
            loaded=loaded,
            not_loaded=None if loaded or adapter.state != "approved" else self._left_out.get(adapter.name),
            figures=_without_pairs(adapter.figures),
            reason=adapter.reason,
            created_at=int(adapter.created_at.timestamp()),
            decided_at=int(adapter.decided_at.timestamp()) if adapter.decided_at is not None else None,
            decided_by=adapter.decided_by,
        )


def _by(caller: Caller) -> str:
    return f"account:{caller.account_id}"


def _without_pairs(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Figures without lists of conversations, which the job's own page gives."""
    return {
        name: {key: one for key, one in value.items() if key != "pairs"} if isinstance(value, dict) else value
        for name, value in figures.items()
    }
