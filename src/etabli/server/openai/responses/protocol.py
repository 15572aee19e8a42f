"""The wire types of `/v1/responses`, after OpenAI's API description 2.3.0 and openresponses.org.

As for chat completions, unknown fields are ignored and known ones checked; `etabli` is our one extension, and strict.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from etabli.assistants.specification import AssistantSpecification
from etabli.server.openai.chat_completions.protocol import MAX_TOOLS, Wire

MAX_ITEMS = 2_000
MAX_ATTACHMENTS = 50

Metadata = Annotated[
    dict[Annotated[str, StringConstraints(max_length=64)], Annotated[str, StringConstraints(max_length=512)]],
    Field(max_length=16),
]
"""At most 16 pairs; keys of 64 characters, values of 512."""


class InputItem(Wire):
    """One item of the input: a message, a function's call or its output, or a reference to an earlier item."""

    model_config = ConfigDict(extra="allow")

    type: str = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[dict[str, Any]] | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[dict[str, Any]] | None = None


class TextFormat(Wire):
    """The form that the answer must have."""

    model_config = ConfigDict(extra="allow")

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    schema_: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class TextOptions(Wire):
    """How the text of the answer is to be."""

    format: TextFormat | None = None
    verbosity: str | None = None


class Reasoning(Wire):
    """How much a reasoning model thinks."""

    effort: str | None = None
    summary: str | None = None


class ConversationReference(Wire):
    """The conversation that a response belongs to."""

    id: str


class ResponseOptions(BaseModel):
    """Our extension.

    Attributes:
        stages: send what is being done, and how far the prompt is read, as events of their own.
        trace: tell with the answer how it came about; that of a stored response can be asked for at any time.
        replaces: a response of the conversation beside which this one stands: same question again, or an edited one.
        draft: an assistant that is not saved, to try it.
        attachments: numbers of documents named beside the question; with `replaces`, those of that turn if absent.
    """

    model_config = ConfigDict(extra="forbid")

    stages: bool = False
    trace: bool = False
    replaces: str | None = None
    draft: AssistantSpecification | None = None
    attachments: list[int] | None = Field(None, max_length=MAX_ATTACHMENTS)


class ResponseRequest(Wire):
    """The body of a request. Without `model`, the conversation's last one answers."""

    model: str | None = Field(None, min_length=1, max_length=256)
    input: str | Annotated[list[InputItem], Field(max_length=MAX_ITEMS)] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | ConversationReference | None = None
    stream: bool | None = None
    background: bool | None = None
    store: bool | None = None
    max_output_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    tools: list[dict[str, Any]] | None = Field(None, max_length=MAX_TOOLS)
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    reasoning: Reasoning | None = None
    metadata: Metadata | None = None
    include: list[str] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None

    etabli: ResponseOptions = ResponseOptions()

    @property
    def conversation_id(self) -> str | None:
        """Key of the conversation."""
        return (
            self.conversation.id
            if isinstance(self.conversation, ConversationReference)
            else self.conversation
        )

    @property
    def stored(self) -> bool:
        """Whether the response is kept."""
        return self.store is not False


class ResponseObject(BaseModel):
    """A response, as documentation of the answer; fields of OpenAI's that are always the same are left out."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: Literal["response"]
    created_at: int
    completed_at: int | None
    status: Literal["in_progress", "completed", "incomplete", "failed", "cancelled"]
    model: str
    output: list[dict[str, Any]]
    error: dict[str, Any] | None
    incomplete_details: dict[str, Any] | None
    previous_response_id: str | None
    conversation: dict[str, Any] | None
    usage: dict[str, Any] | None
    metadata: dict[str, str]
    etabli: dict[str, Any]


class ResponseDeleted(BaseModel):
    """What deleting a response answers."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


class ItemList(BaseModel):
    """A page of items."""

    object: Literal["list"] = "list"
    data: list[dict[str, Any]]
    first_id: str | None
    last_id: str | None
    has_more: bool


def item_list(items: list[dict[str, Any]], *, has_more: bool) -> ItemList:
    """Items as a page."""
    return ItemList(
        data=items,
        first_id=items[0]["id"] if items else None,
        last_id=items[-1]["id"] if items else None,
        has_more=has_more,
    )
