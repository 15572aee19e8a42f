"""`/v1/fine_tuning/jobs`, after OpenAI's API. For the owner of the installation."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from etabli.server.auth import CurrentCaller
from etabli.server.certification.router import only_owner
from etabli.server.openai.fine_tuning.protocol import (
    CheckpointList,
    EventList,
    FineTuningJob,
    JobCreation,
    JobList,
)
from etabli.server.openai.fine_tuning.service import FineTuning, metadata_filter
from etabli.server.training.services import Training

After = Annotated[str | None, Query(max_length=80)]


def fine_tuning_router(training: Training) -> APIRouter:
    """The routes."""
    router = APIRouter(
        prefix="/v1/fine_tuning/jobs", tags=["fine-tuning"], dependencies=[Depends(only_owner)]
    )
    service = FineTuning(training)

    @router.post("")
    async def create(body: JobCreation, caller: CurrentCaller) -> FineTuningJob:
        """Begin to train an adapter on uploaded examples."""
        return await asyncio.to_thread(service.create, body, caller)

    @router.get("")
    async def list_jobs(
        request: Request, after: After = None, limit: Annotated[int, Query(ge=1, le=100)] = 20
    ) -> JobList:
        """List the jobs, the newest first; `metadata[key]=value` lists those that carry these words."""
        wanted, without = metadata_filter(request.query_params)
        return await asyncio.to_thread(
            service.list, after=after, limit=limit, metadata=wanted, without_metadata=without
        )

    @router.get("/{job}")
    async def get(job: str) -> FineTuningJob:
        """Give a job and how far it is."""
        return await asyncio.to_thread(service.get, job)

    @router.post("/{job}/cancel")
    async def cancel(job: str) -> FineTuningJob:
        """End a job; what it learnt is lost."""
        return await asyncio.to_thread(service.ask, job, "cancel")

    @router.post("/{job}/pause")
    async def pause(job: str) -> FineTuningJob:
        """Have a job write a checkpoint and wait."""
        return await asyncio.to_thread(service.ask, job, "pause")

    @router.post("/{job}/resume")
    async def resume(job: str) -> FineTuningJob:
        """Have a paused job, or one that failed, go on from its last checkpoint."""
        return await asyncio.to_thread(service.ask, job, "resume")

    @router.get("/{job}/events")
    async def events(
        job: str, after: After = None, limit: Annotated[int, Query(ge=1, le=1000)] = 20
    ) -> EventList:
        """List what a job told, the newest first."""
        return await asyncio.to_thread(service.events, job, after=after, limit=limit)

    @router.get("/{job}/checkpoints")
    async def checkpoints(
        job: str, after: After = None, limit: Annotated[int, Query(ge=1, le=100)] = 10
    ) -> CheckpointList:
        """List the checkpoints of a job, the newest first."""
        return await asyncio.to_thread(service.checkpoints, job, after=after, limit=limit)

    return router
