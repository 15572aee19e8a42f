"""`/v1/etabli/documents…`: the list, uploads, the text that a citation lies in, pages as pictures, the original."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.requests import ClientDisconnect

from etabli.knowledge.library_listing import MAX_LIMIT, DocumentFilter, Order, Stage
from etabli.knowledge.pages import MAX_WIDTH, PagePictures
from etabli.server.auth import CurrentCaller
from etabli.server.documents.protocol import (
    DeletedDocument,
    Document,
    DocumentList,
    DocumentVersion,
    OccurrenceList,
    Page,
    PageList,
)
from etabli.server.documents.service import Documents
from etabli.server.documents.shelf import DocumentShelf
from etabli.server.errors import ClientLeftError
from etabli.server.services import Services
from etabli.server.sse import unless_client_leaves

PREFIX = "/v1/etabli/documents"
_SAFE = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    "cross-origin-resource-policy": "same-origin",
}
"""A document comes from anywhere: a browser must neither guess its type nor run anything in it."""
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "collection_id"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "collection_id": {"type": "integer"},
                        "relative_path": {
                            "type": "string",
                            "description": "Its path within a folder that is sent; the file's name if absent.",
                        },
                    },
                }
            }
        },
    }
}
Needle = Annotated[str, Query(min_length=1, max_length=200)]
Width = Annotated[int, Query(ge=1, le=MAX_WIDTH)]


def documents_router(services: Services, pictures: PagePictures) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix=PREFIX, tags=["documents"])
    _add_shelf(router, DocumentShelf(services))
    _add_versions(router, Documents(services), pictures)
    return router


def _add_shelf(router: APIRouter, shelf: DocumentShelf) -> None:
    """The list and what changes it."""

    @router.get("")
    async def listed(
        caller: CurrentCaller,
        collection_id: int | None = None,
        query: Annotated[str, Query(max_length=200)] = "",
        state: Stage | None = None,
        order: Order = "name",
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
        after: int | None = None,
    ) -> DocumentList:
        """List documents: of one collection or of all that are listed, by words of their names, by stage."""
        wanted = DocumentFilter(collection_id, query, state, order, limit, after)
        return await asyncio.to_thread(shelf.listed, wanted, caller)

    @router.post("", status_code=201, openapi_extra=_FORM)
    async def upload(request: Request, response: Response, caller: CurrentCaller) -> Document:
        """Add one file to a collection; one of the same name becomes its new version. 200 when nothing changed."""
        try:
            document, outcome = await shelf.upload(
                request.stream(), request.headers.get("content-type", ""), caller
            )
        except ClientDisconnect:
            raise ClientLeftError from None
        if outcome == "unchanged":
            response.status_code = 200
        return document

    @router.get("/{document_id}")
    async def get(document_id: int, caller: CurrentCaller) -> Document:
        """Give one document and how far it is."""
        return await asyncio.to_thread(shelf.get, document_id, caller)

    @router.delete("/{document_id}")
    async def remove(document_id: int, caller: CurrentCaller) -> DeletedDocument:
        """Take a document out of search at once. Old citations still open."""
        await asyncio.to_thread(shelf.remove, document_id, caller)
        return DeletedDocument(id=document_id)

    @router.post("/{document_id}/restore")
    async def restore(document_id: int, caller: CurrentCaller) -> Document:
        """Bring back a deleted document; it is read again."""
        return await asyncio.to_thread(shelf.restore, document_id, caller)

    @router.post("/{document_id}/read")
    async def read_again(document_id: int, caller: CurrentCaller) -> Document:
        """Have a document read again; until then it is found as it was."""
        return await asyncio.to_thread(shelf.read_again, document_id, caller)


def _add_versions(router: APIRouter, documents: Documents, pictures: PagePictures) -> None:
    """What was read from one state of a document."""

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

    @router.get("/{document_id}/versions/{version_id}/pages")
    async def pages(document_id: int, version_id: int, caller: CurrentCaller) -> PageList:
        """List the pages with their sizes; none where the format has no pages to look at."""
        original = await asyncio.to_thread(documents.original, document_id, version_id, caller)
        sizes = await asyncio.wrap_future(pictures.sizes(original))
        return PageList(
            data=[Page(number=size.number, width=size.width, height=size.height) for size in sizes]
        )

    @router.get(
        "/{document_id}/versions/{version_id}/pages/{number}.png",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}}},
    )
    async def picture(
        document_id: int,
        version_id: int,
        number: int,
        request: Request,
        caller: CurrentCaller,
        width: Width = 1_200,
    ) -> Response:
        """Give a page as a picture, in the next width that is a multiple of 100."""
        original = await asyncio.to_thread(documents.original, document_id, version_id, caller)

        async def drawn() -> bytes:
            return await asyncio.wrap_future(pictures.picture(original, number, width=width))

        # Who scrolls on has the pages that went by forgotten, before they are drawn.
        content = await unless_client_leaves(request.receive, drawn())
        return Response(content, media_type="image/png", headers=_SAFE)

    @router.get("/{document_id}/versions/{version_id}/find")
    async def find(document_id: int, version_id: int, query: Needle, caller: CurrentCaller) -> OccurrenceList:
        """Find a phrase in a version: any case, with or without accents, over line ends."""
        return await asyncio.to_thread(documents.find, document_id, version_id, query, caller)
