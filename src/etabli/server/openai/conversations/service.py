"""Conversations as OpenAI's API has them: metadata, and one list of items. Knows nothing of HTTP."""

import asyncio
from collections.abc import Sequence

from etabli.conversations.conversations import Conversations
from etabli.conversations.item_store import Items
from etabli.conversations.items import JSON
from etabli.conversations.turns import Turns
from etabli.conversations.values import Conversation
from etabli.server.auth import Caller
from etabli.server.openai.chat_completions.conversation import sees_images
from etabli.server.openai.conversations.protocol import ConversationObject, ConversationRequest
from etabli.server.openai.responses.inputs import input_items
from etabli.server.openai.responses.protocol import InputItem, ItemList, item_list
from etabli.server.openai.responses.runs import Runs
from etabli.server.openai.responses.shapes import unix
from etabli.server.services import Services


class OpenAIConversations:
    """Conversations for OpenAI's clients.

    Args:
        services: the parts of the workspace.
        runs: what is being written.
    """

    def __init__(self, services: Services, runs: Runs) -> None:
        self._services = services
        self._runs = runs
        self._conversations = Conversations(services.database)
        self._items = Items(services.database, Turns(services.database))

    async def create(self, request: ConversationRequest, caller: Caller) -> ConversationObject:
        """Begin a conversation.

        Raises:
            InvalidInputError: an item cannot be read.
        """
        items = await asyncio.to_thread(self._read, request.items, caller) if request.items else []
        made = await asyncio.to_thread(self._conversations.create, caller, metadata=request.metadata)
        if items:
            await asyncio.to_thread(self._items.add, made.id, caller, items)
        return _shape(made)

    async def get(self, key: str, caller: Caller) -> ConversationObject:
        """A conversation.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        return _shape(await asyncio.to_thread(self._conversations.get, key, caller))

    async def update(self, key: str, metadata: dict[str, str], caller: Caller) -> ConversationObject:
        """Replace the metadata.

        Raises:
            NotFoundError: there is no such conversation, or it is somebody else's.
        """
        return _shape(await asyncio.to_thread(self._conversations.change, key, caller, metadata=metadata))

    async def delete(self, key: str, caller: Caller) -> None:
        """Remove a conversation; what is being written in it stops.

        Raises:
            NotFoundError: there is none, or it is somebody else's.
        """
        await asyncio.to_thread(self._conversations.remove, key, caller)
        await self._runs.stop_conversation(key)

    async def items(
        self, key: str, caller: Caller, *, limit: int, after: str | None, newest_first: bool
    ) -> ItemList:
        """A page of the items of the branch that is shown.

        Raises:
            NotFoundError: the conversation or the item is not there.
        """
        items, has_more = await asyncio.to_thread(
            self._items.page, key, caller, limit=limit, after=after, newest_first=newest_first
        )
        return item_list(items, has_more=has_more)

    async def add(self, key: str, items: Sequence[InputItem], caller: Caller) -> ItemList:
        """Add items after the last one.

        Raises:
            NotFoundError: there is no such conversation, or it is somebody else's.
            InvalidInputError: an item cannot be read.
        """
        read = await asyncio.to_thread(self._read, items, caller)
        return item_list(await asyncio.to_thread(self._items.add, key, caller, read), has_more=False)

    async def item(self, key: str, identifier: str, caller: Caller) -> JSON:
        """One item.

        Raises:
            NotFoundError: the conversation or the item is not there.
        """
        return await asyncio.to_thread(self._items.get, key, identifier, caller)

    async def delete_item(self, key: str, identifier: str, caller: Caller) -> ConversationObject:
        """Delete one item; gives the conversation.

        Raises:
            NotFoundError: the conversation or the item is not there.
            InvalidInputError: it is still being written.
        """
        return _shape(await asyncio.to_thread(self._items.remove, key, identifier, caller))

    def _read(self, items: Sequence[InputItem], caller: Caller) -> list[JSON]:
        return input_items(
            items,
            find=lambda identifier: self._items.find(identifier, caller),
            images=sees_images(self._services.engine),
        )


def _shape(conversation: Conversation) -> ConversationObject:
    return ConversationObject(
        id=conversation.id, created_at=unix(conversation.created_at), metadata=conversation.metadata
    )
