"""The wire types of conversations as the chat shows them. Places in texts are counted in Unicode characters."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from etabli.conversations.conversations import LONGEST_TITLE
from etabli.conversations.items import annotations_of
from etabli.conversations.values import Conversation, Listed, Turn
from etabli.server.openai.payloads import JSON

LONGEST_COMMENT = 4_000


class Strict(BaseModel):
    """What our own clients send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Snippet(BaseModel):
    """A piece of text around what was searched for, and the ranges of the words in it."""

    text: str
    ranges: list[tuple[int, int]]


class ConversationEntry(BaseModel):
    """A conversation in the list.

    Attributes:
        assistant: the assistant or model that answered last.
        running: something is being written in it.
        snippet: what the search found in a message; null where the title alone matched.
    """

    id: str
    title: str | None
    assistant: str | None
    pinned: bool
    created_at: datetime
    updated_at: datetime
    running: bool
    snippet: Snippet | None = None


class ConversationList(BaseModel):
    """A page of conversations."""

    object: Literal["list"] = "list"
    data: list[ConversationEntry]
    has_more: bool
    last_id: str | None


class ConversationDetails(ConversationEntry):
    """One conversation.

    Attributes:
        head: the last response of the branch that is shown.
        collection_id: the collection of its own documents.
        shared_url: where a copy can be read, relative to the server.
        turn_count: turns of the branch that is shown.
    """

    head: str | None
    collection_id: int | None
    shared_url: str | None
    turn_count: int


class Attachment(BaseModel):
    """A document named beside a question."""

    document_id: int
    name: str


class Feedback(Strict):
    """What somebody thinks of an answer; without a rating it is taken back."""

    rating: Literal["up", "down"] | None
    reason: Literal["wrong", "incomplete", "source", "tone", "other"] | None = None
    comment: str | None = Field(None, max_length=LONGEST_COMMENT)


class TurnEntry(BaseModel):
    """A question and its answer.

    Attributes:
        siblings: the responses to the same point of the conversation, in order, this one included.
        assistant: who answered; null for the engine's own model.
        model: the model that wrote.
        error: code and message, when it failed.
        annotations: the citations, as in the Responses API.
        guarded: the guard that answered, or that left something of the question or the answer out.
        written_by: `product` where no word of the answer is the model's own.
    """

    response_id: str
    previous_response_id: str | None
    siblings: list[str]
    created_at: datetime
    completed_at: datetime | None
    assistant: str | None
    model: str | None
    status: Literal["in_progress", "completed", "incomplete", "failed", "cancelled"]
    error: dict[str, Any] | None
    input_text: str
    attachments: list[Attachment]
    output_text: str
    annotations: list[dict[str, Any]]
    abstained: bool
    guarded: str | None = None
    written_by: Literal["model", "product"] = "model"
    finish_reason: str | None
    usage: dict[str, Any] | None
    feedback: Feedback | None


class TurnPage(BaseModel):
    """A part of the branch that is shown, the oldest turn first."""

    data: list[TurnEntry]
    has_more: bool


class ConversationChange(Strict):
    """What to change; what is absent stays."""

    title: str | None = Field(None, max_length=LONGEST_TITLE)
    pinned: bool | None = None
    head: str | None = None


class SharedLink(BaseModel):
    """Where the copy can be read, relative to the server."""

    url: str


class SharedEntry(BaseModel):
    """A shared copy. Citations of documents that the reader may not see say only that there is one."""

    title: str | None
    assistant: str | None
    created_at: datetime
    turns: list[TurnEntry]


class ConversationCollection(BaseModel):
    """The collection of a conversation's own documents."""

    id: int


class Energy(BaseModel):
    """What an answer took."""

    joules: float | None
    method: Literal["measured", "estimated"]
    explanation: str


class AnswerTrace(BaseModel):
    """How an answer came about; what was not reached is null.

    Attributes:
        question: what was searched for.
        rewritten: whether that is a follow-up question made to stand alone.
        search: terms, method, milliseconds of each step.
        passages: what was found, and whether it was sent to the model.
        messages: what the model was sent.
        guards: what guards did, in order: each with `guard` and what it left out or wrote.
        guarded: the guard that answered, or that left something out.
        written_by: `product` where no word of the answer is the model's own.
        times_ms: milliseconds of each stage and to the first token.
        usage: tokens, as the engine counted them.
        tokens_per_s: of writing.
        engine: `local` or `endpoint`.
    """

    question: str
    rewritten: bool = False
    search: dict[str, Any] = {}
    passages: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []
    guards: list[dict[str, Any]] = []
    guarded: str | None = None
    written_by: Literal["model", "product"] = "model"
    times_ms: dict[str, float] = {}
    usage: dict[str, Any] | None = None
    tokens_per_s: float | None = None
    energy: Energy | None = None
    model: str | None
    engine: str | None = None
    assistant: str | None


def shared_url(token: str | None) -> str | None:
    """Where a copy is read."""
    return None if token is None else f"/shared/{token}"


def entry(listed: Listed, running: set[str]) -> ConversationEntry:
    """A conversation for the list."""
    return ConversationEntry(**_common(listed.conversation, running), snippet=listed.snippet)


def details(conversation: Conversation, running: set[str]) -> ConversationDetails:
    """A conversation on its own."""
    return ConversationDetails(
        **_common(conversation, running),
        head=conversation.head,
        collection_id=conversation.collection_id,
        shared_url=shared_url(conversation.share_token),
        turn_count=conversation.turn_count,
    )


def turn_entry(turn: Turn, siblings: list[str]) -> TurnEntry:
    """A turn as the chat shows it."""
    return TurnEntry(
        response_id=turn.id,
        previous_response_id=turn.previous_id,
        siblings=siblings,
        created_at=turn.created_at,
        completed_at=turn.completed_at,
        assistant=turn.assistant,
        model=turn.engine,
        status=turn.status,
        error=turn.error,
        input_text=turn.input_text,
        attachments=[Attachment(**one) for one in turn.attachments],
        output_text=turn.output_text,
        annotations=list(annotations_of(turn.output)),
        abstained=turn.abstained,
        guarded=turn.guarded,
        written_by="product" if turn.written_by == "product" else "model",
        finish_reason=turn.finish_reason,
        usage=turn.usage,
        feedback=None if turn.feedback is None else Feedback(**turn.feedback),
    )


def _common(conversation: Conversation, running: set[str]) -> JSON:
    return {
        "id": conversation.id,
        "title": conversation.title,
        "assistant": conversation.model,
        "pinned": conversation.pinned,
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
        "running": conversation.id in running,
    }
