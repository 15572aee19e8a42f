"""`/v1/etabli/documents/…`: the text that a citation lies in, and the original file."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import FileResponse

from etabli.server.auth import CurrentCaller
from etabli.server.documents.protocol import DocumentVersion
from etabli.server.documents.service import Documents
from etabli.server.services import Services

_SAFE = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    "cross-origin-resource-policy": "same-origin",
}
"""A document comes from anywhere: a browser must neither guess its type nor run anything in it."""


def documents_router(services: Services) -> APIRouter:
    """The two routes."""
    router = APIRouter(prefix="/v1/etabli/documents", tags=["documents"])
    documents = Documents(services)

    @router.get("/{document_id}/versions/{version_id}")
    async def version(document_id: int, version_id: int, caller: CurrentCaller) -> DocumentVersion:
        """Give the text and structure of one version of a document."""
        return await asyncio.to_thread(documents.version, document_id, version_id, caller)

    @router.get("/{document_id}/versions/{version_id}/file", response_class=FileResponse)
    async def file(document_id: int, version_id: int, caller: CurrentCaller) -> FileResponse:
        """Give the original bytes, to be saved and never to be shown in place."""
        original = await asyncio.to_thread(documents.file, document_id, version_id, caller)
        return FileResponse(
            original.path,
            media_type=original.media_type,
            filename=original.name,
            content_disposition_type="attachment",
            headers=_SAFE,
        )

    return router
