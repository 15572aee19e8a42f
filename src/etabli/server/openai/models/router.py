"""`GET /v1/models` and `GET /v1/models/{name}`; a name may hold slashes."""

import asyncio

from fastapi import APIRouter

from etabli.server.auth import CurrentCaller
from etabli.server.openai.models.protocol import Model, ModelList
from etabli.server.openai.models.service import Models
from etabli.server.services import Services


def models_router(services: Services) -> APIRouter:
    """The two routes."""
    router = APIRouter(tags=["models"])
    service = Models(services)

    @router.get("/v1/models")
    async def list_models(caller: CurrentCaller) -> ModelList:
        """List the assistants and models that the caller may use."""
        return await asyncio.to_thread(service.list, caller)

    @router.get("/v1/models/{name:path}")
    async def get_model(name: str, caller: CurrentCaller) -> Model:
        """Describe one assistant or model."""
        return await asyncio.to_thread(service.get, name, caller)

    return router
