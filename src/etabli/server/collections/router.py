"""`/v1/etabli/collections`: sets of documents."""

import asyncio

from fastapi import APIRouter

from etabli.server.auth import CurrentCaller
from etabli.server.collections.protocol import Collection, CollectionList, CollectionName, Deleted
from etabli.server.collections.service import CollectionService
from etabli.server.services import Services


def collections_router(services: Services) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/etabli/collections", tags=["documents"])
    collections = CollectionService(services)

    @router.get("")
    async def listed(caller: CurrentCaller) -> CollectionList:
        """List the collections with the numbers of their documents; those of conversations are left out."""
        return CollectionList(data=await asyncio.to_thread(collections.listed, caller))

    @router.post("", status_code=201)
    async def create(body: CollectionName, caller: CurrentCaller) -> Collection:
        """Make a collection."""
        return await asyncio.to_thread(collections.create, body.name, caller)

    @router.get("/{collection_id}")
    async def get(collection_id: int, caller: CurrentCaller) -> Collection:
        """Give one collection, a conversation's own too."""
        return await asyncio.to_thread(collections.get, collection_id, caller)

    @router.patch("/{collection_id}")
    async def rename(collection_id: int, body: CollectionName, caller: CurrentCaller) -> Collection:
        """Rename a collection; 409 when assistants or a folder rely on its name."""
        return await asyncio.to_thread(collections.rename, collection_id, body.name, caller)

    @router.delete("/{collection_id}")
    async def remove(collection_id: int, caller: CurrentCaller) -> Deleted:
        """Delete a collection with its documents; 409 when assistants answer from it. Old citations still open."""
        await asyncio.to_thread(collections.remove, collection_id, caller)
        return Deleted(id=collection_id)

    @router.post("/{collection_id}/restore")
    async def restore(collection_id: int, caller: CurrentCaller) -> Collection:
        """Bring back a deleted collection and the documents that went with it, which are read again."""
        return await asyncio.to_thread(collections.restore, collection_id, caller)

    return router
