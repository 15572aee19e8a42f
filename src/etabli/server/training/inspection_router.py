"""`/v1/etabli/training/files…`: what is wrong with uploaded examples, and copies that mend it. For the owner."""

import asyncio

from fastapi import APIRouter, Depends

from etabli.server.auth import CurrentCaller
from etabli.server.certification.router import only_owner
from etabli.server.services import Services
from etabli.server.training.inspection import (
    CheckBody,
    CheckEntry,
    ConvertedEntry,
    CorrectedEntry,
    Inspection,
    SplitBody,
    SplitEntry,
)


def inspection_router(services: Services) -> APIRouter:
    """The routes."""
    inspection = Inspection(services)
    router = APIRouter(
        prefix="/v1/etabli/training/files", tags=["training"], dependencies=[Depends(only_owner)]
    )

    @router.post("/{file_id}/check")
    async def check(file_id: str, body: CheckBody) -> CheckEntry:
        """Say what is wrong with a file of examples, each rule once, with its first lines."""
        return await asyncio.to_thread(inspection.check, file_id, body)

    @router.post("/{file_id}/corrected")
    async def corrected(file_id: str, body: CheckBody, caller: CurrentCaller) -> CorrectedEntry:
        """Make a copy without what is wrong; nothing is guessed."""
        return await asyncio.to_thread(inspection.correct, file_id, body, caller)

    @router.post("/{file_id}/converted")
    async def converted(file_id: str, caller: CurrentCaller) -> ConvertedEntry:
        """Make a copy in the format that training reads, of Alpaca, ShareGPT and the like."""
        return await asyncio.to_thread(inspection.convert, file_id, caller)

    @router.post("/{file_id}/split")
    async def split(file_id: str, body: SplitBody, caller: CurrentCaller) -> SplitEntry:
        """Hold some examples out; gives two files."""
        return await asyncio.to_thread(inspection.split, file_id, body, caller)

    return router
