"""The wire types of collections."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from etabli.knowledge.library import MAX_NAME


class CollectionName(BaseModel):
    """The body that makes or renames a collection."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=MAX_NAME)


class Collection(BaseModel):
    """A set of documents.

    Attributes:
        documents: how many it has: `ready` + `waiting` + `failed`.
        ready: those that can be searched, if only by their words.
        waiting: those that wait to be read, or are read now.
        failed: those that could not be read.
        assistants: names of the assistants that answer from it.
        conversation_id: the conversation that it belongs to; such a collection is not in the list.
    """

    id: int
    name: str
    documents: int
    ready: int
    waiting: int
    failed: int
    assistants: list[str]
    conversation_id: str | None


class CollectionList(BaseModel):
    """All collections that the caller may see."""

    object: Literal["list"] = "list"
    data: list[Collection]


class Deleted(BaseModel):
    """What was deleted; `POST …/restore` brings it back."""

    id: int
    deleted: Literal[True] = True
