"""`POST /v1/etabli/search`."""

import asyncio

from fastapi import APIRouter

from etabli.server.auth import CurrentCaller
from etabli.server.search.protocol import SearchAnswer, SearchRequest
from etabli.server.search.service import SearchService
from etabli.server.services import Services


def search_router(services: Services) -> APIRouter:
    """The route."""
    router = APIRouter(prefix="/v1/etabli/search", tags=["documents"])
    service = SearchService(services)

    @router.post("")
    async def search(body: SearchRequest, caller: CurrentCaller) -> SearchAnswer:
        """Find passages as the assistants do, without asking a model; the words that matched are marked."""
        return await asyncio.to_thread(service.search, body, caller)

    return router
