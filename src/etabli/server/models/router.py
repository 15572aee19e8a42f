"""`/v1/etabli/models…`: see, fetch, verify and delete the models of the machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from etabli.models.background import Transfers
from etabli.server.models.protocol import ModelShelf, Removed, TransferState
from etabli.server.models.service import Models
from etabli.server.services import Services


def machine_models_router(services: Services, transfers: Transfers | None = None) -> APIRouter:
    """The routes; what is under way stops with the server.

    Args:
        services: the parts of the workspace.
        transfers: what fetches and verifies; made from the settings if None.
    """
    work = transfers or Transfers(services.settings)
    models = Models(services, work)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(work.close)

    router = APIRouter(prefix="/v1/etabli/models", tags=["models"], lifespan=lifespan)

    @router.get("")
    async def list_models() -> ModelShelf:
        """List the models that are here and those that can be had, with what this machine makes of them."""
        return await asyncio.to_thread(models.list)

    @router.post("/{name}/pull", status_code=202)
    async def pull(name: str) -> TransferState:
        """Begin to fetch a model, or go on where it stopped. One at a time; the list tells how far it is."""
        return await asyncio.to_thread(models.pull, name)

    @router.post("/{name}/cancel")
    async def cancel(name: str) -> TransferState | None:
        """Stop fetching or verifying a model; what was fetched is kept."""
        return await asyncio.to_thread(models.cancel, name)

    @router.post("/{name}/verify", status_code=202)
    async def verify(name: str) -> TransferState:
        """Begin to read every byte of a model again and compare it with its hash."""
        return await asyncio.to_thread(models.verify, name)

    @router.delete("/{name}")
    async def remove(name: str) -> Removed:
        """Delete a model that does not answer now."""
        return await asyncio.to_thread(models.remove, name)

    return router
