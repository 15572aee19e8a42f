"""The wire types of `/v1/conversations`, after OpenAI's API description 2.3.0."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from etabli.server.openai.chat_completions.protocol import Wire
from etabli.server.openai.responses.protocol import InputItem, Metadata

MAX_NEW_ITEMS = 20


class ConversationRequest(Wire):
    """A conversation to begin."""

    items: list[InputItem] | None = Field(None, max_length=MAX_NEW_ITEMS)
    metadata: Metadata | None = None


class ConversationUpdate(Wire):
    """What to change of a conversation."""

    metadata: Metadata


class NewItems(Wire):
    """Items to add to a conversation."""

    items: list[InputItem] = Field(min_length=1, max_length=MAX_NEW_ITEMS)


class ConversationObject(BaseModel):
    """A conversation."""

    id: str
    object: Literal["conversation"] = "conversation"
    created_at: int
    metadata: dict[str, Any]


class ConversationDeleted(BaseModel):
    """What deleting a conversation answers."""

    id: str
    object: Literal["conversation.deleted"] = "conversation.deleted"
    deleted: Literal[True] = True
