"""`/v1/files`, after OpenAI's API. For the owner of the installation: training files hold what people wrote."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse
from starlette.requests import ClientDisconnect

from etabli.server.auth import CurrentCaller
from etabli.server.certification.router import only_owner
from etabli.server.errors import ClientLeftError
from etabli.server.openai.files.protocol import FORM, FileDeleted, FileList, FileObject
from etabli.server.openai.files.service import Files
from etabli.server.training.services import Training

PREFIX = "/v1/files"
_SAFE = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    "cross-origin-resource-policy": "same-origin",
}


def files_router(training: Training) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX, tags=["files"], dependencies=[Depends(only_owner)])
    service = Files(training)

    @router.post("", openapi_extra=FORM)
    async def create(request: Request, caller: CurrentCaller) -> FileObject:
        """Upload a file."""
        try:
            return await service.create(request.stream(), request.headers.get("content-type", ""), caller)
        except ClientDisconnect:
            raise ClientLeftError from None

    @router.get("")
    async def list_files(
        purpose: Annotated[str | None, Query(max_length=40)] = None,
        after: Annotated[str | None, Query(max_length=80)] = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
        order: Literal["asc", "desc"] = "desc",
    ) -> FileList:
        """List the files."""
        return await asyncio.to_thread(
            service.list, purpose=purpose, after=after, limit=limit, newest_first=order == "desc"
        )

    @router.get("/{file_id}")
    async def get(file_id: str) -> FileObject:
        """Describe a file."""
        return await asyncio.to_thread(service.get, file_id)

    @router.get("/{file_id}/content", response_class=FileResponse)
    async def content(file_id: str) -> FileResponse:
        """Give the bytes of a file."""
        file, path = await asyncio.to_thread(service.content, file_id)
        return FileResponse(
            path,
            media_type="application/octet-stream",
            filename=file.filename,
            content_disposition_type="attachment",
            headers=_SAFE,
        )

    @router.delete("/{file_id}")
    async def delete(file_id: str) -> FileDeleted:
        """Delete a file that no unfinished job needs."""
        return await asyncio.to_thread(service.delete, file_id)

    return router
