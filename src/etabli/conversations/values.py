"""The values that conversations consist of. Knows nothing of HTTP or of how they are stored."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from etabli.conversations.items import JSON, input_text, output_text

Status = Literal["in_progress", "completed", "incomplete", "failed", "cancelled"]
STOPPED = "server_stopped"
"""Why an answer is incomplete that a stop of the server cut short."""


class Asker(Protocol):
    """Who reads or writes."""

    @property
    def account_id(self) -> int:
        """Whose conversations they write."""
        ...

    @property
    def principals(self) -> tuple[str, ...]:
        """What they may read."""
        ...


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation.

    Args:
        number: inside the database.
        id: `conv_…`.
        title: the first question, shortened, or what somebody named it; None before the first question.
        model: assistant or model that answered last.
        pinned: whether it stands before the others.
        metadata: of the API's callers.
        collection_id: the collection of its own documents.
        head: key of the last turn of the branch that is shown.
        turn_count: turns of that branch.
        share_token: of the link under which a copy can be read.
    """

    number: int
    id: str
    title: str | None
    model: str | None
    pinned: bool
    metadata: dict[str, str]
    collection_id: int | None
    head: str | None
    turn_count: int
    share_token: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """One question with its answer, whole or in the making.

    Args:
        number: inside the database; 0 for one that is not stored.
        id: `resp_…`.
        account_id: whose.
        parent: number of the turn before it.
        previous_id: key of the turn before it.
        conversation_id: `conv_…`; None for a response on its own.
        conversation_title: title of the conversation.
        collection_id: of the conversation's own documents.
        model: the name that was asked for.
        assistant: the assistant's name; None for the engine's own model.
        engine: the model that wrote.
        request: the parameters that are told back.
        input: items asked.
        output: items answered.
        attachments: documents named beside the question: `document_id` and `name`.
        metadata: of the API's callers.
        usage: tokens, as OpenAI's Responses have them.
        error: `code` and `message`, when it failed.
        incomplete_reason: why it stops short.
        finish_reason: as the engine said.
        abstained: the documents do not hold the answer.
        guarded: the guard that answered, or that left something out; None where none did.
        written_by: `model`, or `product` where no word of it is the model's own.
        feedback: `rating`, `reason`, `comment`.
        trace: how it came about, for a caller who wants that at once; what is kept is read on its own.
    """

    number: int
    id: str
    account_id: int
    parent: int | None
    previous_id: str | None
    conversation_id: str | None
    conversation_title: str | None
    collection_id: int | None
    status: Status
    model: str
    assistant: str | None
    engine: str | None
    request: JSON
    input: list[JSON]
    created_at: datetime
    output: list[JSON] = field(default_factory=list)
    attachments: list[JSON] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    usage: JSON | None = None
    error: JSON | None = None
    incomplete_reason: str | None = None
    finish_reason: str | None = None
    abstained: bool = False
    guarded: str | None = None
    written_by: str = "model"
    feedback: JSON | None = None
    trace: JSON | None = None
    completed_at: datetime | None = None

    @property
    def input_text(self) -> str:
        """The question."""
        return input_text(self.input)

    @property
    def output_text(self) -> str:
        """The answer."""
        return output_text(self.output)


@dataclass(frozen=True, slots=True)
class NewTurn:
    """What is known of a turn when it begins.

    Args:
        id: `resp_…`.
        model: the name that was asked for.
        assistant: the assistant's name.
        engine: the model that will write.
        request: the parameters that are told back.
        input: items, with identifiers; None to ask again what `replaces` asked.
        attachments: documents; None to keep those of `replaces`.
        metadata: of the API's callers.
        conversation_id: where it belongs.
        previous_id: what it follows; the head of the conversation if None.
        replaces: the turn beside which it stands.
    """

    id: str
    model: str
    assistant: str | None
    engine: str | None
    request: JSON
    input: list[JSON] | None
    attachments: list[JSON] | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    conversation_id: str | None = None
    previous_id: str | None = None
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a list, with what a search found in it."""

    conversation: Conversation
    snippet: dict[str, Any] | None = None
