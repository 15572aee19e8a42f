"""Whether the server lives (`/health`, for anybody) and how every part is (`/status`, for operators)."""

import asyncio
from typing import Any

from fastapi import APIRouter

from etabli.server.services import Services


def status_router(services: Services) -> APIRouter:
    """The two routes."""
    router = APIRouter(tags=["status"])

    @router.get("/health")
    async def health() -> dict[str, str]:
        """Say that the process answers, and nothing else: this route is open."""
        return {"status": "ok"}

    @router.get("/status")
    async def status() -> dict[str, Any]:
        """Give the state of every part."""
        return await asyncio.to_thread(services.state)

    return router
