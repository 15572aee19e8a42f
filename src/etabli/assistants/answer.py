"""What answering gives: events while it happens, then the answer with its citations and its trace.

Only values; how they come about is `answering`. Everything here can be shown to the caller who asked.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from etabli.knowledge.blocks import Box

Status = Literal["verified", "weak", "unsupported"]
StageName = Literal["rewriting", "searching", "reading", "writing", "verifying"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
Guard = Literal[
    "crisis",
    "contact",
    "identity",
    "instructions",
    "impartial",
    "passages",
    "links",
    "leak",
    "repetition",
    "grounding",
]
Author = Literal["model", "product"]


@dataclass(frozen=True, slots=True)
class Citation:
    """One `[n]` of the answer, resolved to a span of a document.

    Args:
        number: the n of `[n]`; equal numbers name the same passage.
        start_index: where the sentence that it supports begins in the answer's text.
        end_index: where the marker ends in the answer's text (exclusive).
        status: `verified` when numbers, dates and quotes of the sentence stand literally in the span and its
            words agree; `weak` when only its words do; `unsupported` when they do not.
        document_id: the document.
        version_id: the version of it that was read; it stays readable when the document changes.
        document_name: its file name in its collection.
        title: its own title, when it has one.
        page: page, slide or sheet, from 1.
        boxes: the lines of the quote on the page.
        char_start: where the quote begins in the version's canonical text.
        char_end: where it ends (exclusive).
        quote: the literal text of that range.
        reason: for people, why it is not `verified`.
    """

    number: int
    start_index: int
    end_index: int
    status: Status
    document_id: int
    version_id: int
    document_name: str
    title: str | None
    page: int | None
    boxes: tuple[Box, ...]
    char_start: int
    char_end: int
    quote: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """Something begins: shown as a line of progress."""

    name: StageName
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """The model reads what it was sent; nothing is written yet. Only from engines that tell.

    Args:
        fraction: done of what had to be read anew, 0 to 1.
        tokens: read so far, with those that were known already.
        total: to be read.
    """

    fraction: float
    tokens: int
    total: int


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call, as the engine gave it (OpenAI's shape, with `index`)."""

    tool_calls: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Trace:
    """How the answer came about.

    Args:
        question: the stand-alone question that was searched for.
        rewritten: whether it was rewritten from a follow-up.
        search: what was searched (terms, method) and milliseconds per step.
        passages: what was found: name, page, range, scores; and whether it was sent to the model.
        messages: what was sent to the model.
        times_ms: milliseconds per stage, and to the first token.
        guards: what the assistant's guards did, in order: each with `guard` and what it left out or wrote, and where.
    """

    question: str
    rewritten: bool
    search: dict[str, Any]
    passages: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    times_ms: dict[str, float]
    guards: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """The last event.

    Args:
        text: the whole answer, with its `[n]` markers.
        citations: in the order of the text.
        abstained: the documents do not hold the answer, and the text says so.
        finish_reason: as OpenAI has it.
        usage: `prompt_tokens`, `completion_tokens`, `total_tokens` as the engine counted them; None if it did not.
        trace: how it came about.
        tool_calls: whole tool calls, when the model made some.
        guarded: the guard that wrote this answer, or that left something of the question or the answer out; None
            where none did. What was left out of documents is told by the trace alone.
        written_by: `product` where no word of it is the model's own: a guard's answer, an abstention, a quotation.
    """

    text: str
    citations: tuple[Citation, ...]
    abstained: bool
    finish_reason: FinishReason
    usage: dict[str, Any] | None
    trace: Trace
    tool_calls: tuple[dict[str, Any], ...] = ()
    guarded: Guard | None = None
    written_by: Author = "model"


Event = Stage | Progress | TextDelta | ToolCallDelta | Answer
