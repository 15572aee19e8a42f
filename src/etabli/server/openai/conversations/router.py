"""`/v1/conversations`, after OpenAI's API."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from etabli.server.auth import CurrentCaller
from etabli.server.openai.conversations.protocol import (
    ConversationDeleted,
    ConversationObject,
    ConversationRequest,
    ConversationUpdate,
    NewItems,
)
from etabli.server.openai.conversations.service import OpenAIConversations
from etabli.server.openai.responses.protocol import ItemList
from etabli.server.openai.responses.runs import Runs
from etabli.server.services import Services


def openai_conversations_router(services: Services, runs: Runs) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1/conversations", tags=["conversations"])
    service = OpenAIConversations(services, runs)

    @router.post("")
    async def create(caller: CurrentCaller, body: ConversationRequest | None = None) -> ConversationObject:
        """Begin a conversation, with items if there are some already."""
        return await service.create(body or ConversationRequest(), caller)

    @router.get("/{conversation_id}")
    async def get(conversation_id: str, caller: CurrentCaller) -> ConversationObject:
        """Give a conversation."""
        return await service.get(conversation_id, caller)

    @router.post("/{conversation_id}")
    async def update(
        conversation_id: str, body: ConversationUpdate, caller: CurrentCaller
    ) -> ConversationObject:
        """Replace the metadata of a conversation."""
        return await service.update(conversation_id, body.metadata, caller)

    @router.delete("/{conversation_id}")
    async def delete(conversation_id: str, caller: CurrentCaller) -> ConversationDeleted:
        """Delete a conversation."""
        await service.delete(conversation_id, caller)
        return ConversationDeleted(id=conversation_id)

    @router.get("/{conversation_id}/items")
    async def items(
        conversation_id: str,
        caller: CurrentCaller,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: str | None = None,
        order: Literal["asc", "desc"] = "desc",
    ) -> ItemList:
        """List the items of the branch that is shown."""
        return await service.items(
            conversation_id, caller, limit=limit, after=after, newest_first=order == "desc"
        )

    @router.post("/{conversation_id}/items")
    async def add(conversation_id: str, body: NewItems, caller: CurrentCaller) -> ItemList:
        """Add items after the last one."""
        return await service.add(conversation_id, body.items, caller)

    @router.get("/{conversation_id}/items/{item_id}")
    async def item(conversation_id: str, item_id: str, caller: CurrentCaller) -> dict[str, Any]:
        """Give one item."""
        return await service.item(conversation_id, item_id, caller)

    @router.delete("/{conversation_id}/items/{item_id}")
    async def delete_item(conversation_id: str, item_id: str, caller: CurrentCaller) -> ConversationObject:
        """Delete one item; gives the conversation."""
        return await service.delete_item(conversation_id, item_id, caller)

    return router
