"""`/v1/etabli/training…` and `/v1/etabli/adapters…`: what OpenAI's shape cannot say. For the owner."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from etabli.server.auth import CurrentCaller
from etabli.server.certification.router import only_owner
from etabli.server.openai.fine_tuning.protocol import EventList
from etabli.server.sse import EventStream
from etabli.server.training.protocol import (
    AdapterEntry,
    AdapterList,
    JobEntry,
    PreflightBody,
    PreflightEntry,
    ReasonBody,
)
from etabli.server.training.service import TrainingRoom
from etabli.server.training.services import Training
from etabli.training.estimating import stop_estimates


def training_router(training: Training) -> APIRouter:
    """The routes."""
    room = TrainingRoom(training)
    router = APIRouter(prefix="/v1/etabli", tags=["training"], dependencies=[Depends(only_owner)])

    @router.post("/training/preflight")
    async def preflight(body: PreflightBody, caller: CurrentCaller) -> PreflightEntry:
        """Estimate what a job would take; nothing is kept."""
        try:
            return await asyncio.to_thread(room.preflight, body, caller)
        except asyncio.CancelledError:  # the server stops, and would wait for the thread
            stop_estimates()
            raise

    @router.get("/training/jobs/{job}")
    async def job(job: str) -> JobEntry:
        """Give a job with its curve, its gate and the answers before and after."""
        return await asyncio.to_thread(room.job, job)

    @router.get("/training/jobs/{job}/events")
    async def events(job: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> EventList:
        """List what a job told, the newest first, in the reader's language; OpenAI's address says it in English."""
        return await asyncio.to_thread(room.events, job, limit=limit)

    @router.get("/training/jobs/{job}/watch", response_class=Response)
    async def watch(job: str) -> Response:
        """Follow a job: server-sent events with the job whenever it changed, then `[DONE]`."""
        return EventStream(room.watch(job))

    @router.get("/adapters")
    async def adapters() -> AdapterList:
        """List the adapters, the newest first."""
        return await asyncio.to_thread(room.adapters)

    @router.get("/adapters/{name}")
    async def adapter(name: str) -> AdapterEntry:
        """Give one adapter."""
        return await asyncio.to_thread(room.adapter, name)

    @router.post("/adapters/{name}/approve")
    async def approve(name: str, caller: CurrentCaller) -> AdapterEntry:
        """Let an adapter answer, and have the engine load it; requests in progress are not disturbed."""
        return await asyncio.to_thread(room.approve, name, caller)

    @router.post("/adapters/{name}/refuse")
    async def refuse(name: str, caller: CurrentCaller, body: ReasonBody | None = None) -> AdapterEntry:
        """Never let an adapter answer."""
        return await asyncio.to_thread(room.refuse, name, (body or ReasonBody(reason="")).reason, caller)

    @router.post("/adapters/{name}/retire")
    async def retire(name: str, caller: CurrentCaller, body: ReasonBody | None = None) -> AdapterEntry:
        """Take an approved adapter out of service; it can be approved again."""
        return await asyncio.to_thread(room.retire, name, (body or ReasonBody(reason="")).reason, caller)

    return router
