"""One answer in the making: what is asked, what is known so far, and what is sent to the engine.

It holds no database and asks nobody; `answering` moves it from stage to stage.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etabli.assistants import prompting
from etabli.assistants.answer import Guard
from etabli.assistants.conversation import Conversation
from etabli.assistants.evidence import Evidence
from etabli.assistants.specification import AssistantSpecification
from etabli.assistants.streaming import Reading
from etabli.engines.base import ChatEngine
from etabli.errors import ContextLengthError
from etabli.knowledge.search import Passage
from etabli.messages import tr

DEFAULT_DOCUMENT_TOKENS = 240
"""Tokens of documents for one question where the assistant does not say: some three seconds on two cores."""
_MARGIN_TOKENS = 96
_OWN_KEYS = ("messages", "stream", "stream_options", "n", "model")


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """What a caller asks.

    Args:
        messages: the conversation, in OpenAI's shape; the last user message is the question.
        generation: OpenAI's parameters for the engine (temperature, max_tokens, tools, response_format, …); they
            win over the assistant's.
        collection_ids: numbers of collections that are searched besides the assistant's, such as the documents of
            one conversation; those that the caller may not see hold nothing for them.
    """

    messages: Sequence[Mapping[str, Any]]
    generation: Mapping[str, Any] = field(default_factory=dict)
    collection_ids: Sequence[int] = ()


@dataclass
class Run:
    """One answer in the making."""

    assistant: AssistantSpecification
    engine: ChatEngine
    request: AnswerRequest
    principals: tuple[str, ...]
    started: float = field(default_factory=time.perf_counter)
    question: str = ""
    rewritten: bool = False
    language: str = "fr"
    search: dict[str, Any] = field(default_factory=dict)
    passages: tuple[Passage, ...] = ()
    evidence: Evidence = Evidence((), None)
    messages: list[dict[str, Any]] = field(default_factory=list)
    times: dict[str, float] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    idf: dict[str, float] = field(default_factory=dict)
    trusted: bool = False
    """Whether the sentence that comes closest may stand as the answer."""
    unknown: frozenset[str] = frozenset()
    guarded: Guard | None = None
    guard_notes: list[dict[str, Any]] = field(default_factory=list)
    closing: str = ""
    person: str = ""

    def note(self, guard: Guard, **what: Any) -> None:
        """A guard did something: for the trace."""
        self.guard_notes.append({"guard": guard, **what})

    @property
    def shows_only_supported(self) -> bool:
        """Whether what no passage supports is left out of the answer."""
        return self.assistant.abstain and self.assistant.guards.grounded == "strict"

    def took(self, stage: str, began: float) -> None:
        """A stage that began at this `time.perf_counter()` is done, or a part of it."""
        self.times[stage] = self.times.get(stage, 0.0) + (time.perf_counter() - began) * 1000

    @property
    def wants_json(self) -> bool:
        """The caller asks for JSON: nothing may be added to it or held back."""
        form = self.request.generation.get("response_format")
        return isinstance(form, Mapping) and form.get("type") not in (None, "text")

    def body(self) -> dict[str, Any]:
        """What is sent to the engine."""
        given = {key: value for key, value in self.request.generation.items() if key not in _OWN_KEYS}
        limits = {} if "max_completion_tokens" in given else {"max_tokens": self.assistant.max_tokens}
        adapter = {"model": self.assistant.adapter} if self.assistant.adapter is not None else {}
        return {
            **adapter,
            "temperature": self.assistant.temperature,
            **limits,
            **{key: value for key, value in given.items() if value is not None},
            "messages": self.messages,
            "stream_options": {"include_usage": True},
        }

    @property
    def answer_tokens(self) -> int:
        """The most that the answer may have."""
        given = self.request.generation
        return int(given.get("max_completion_tokens") or given.get("max_tokens") or self.assistant.max_tokens)

    def document_names(self, *, most: int = 3) -> list[str]:
        """Titles of the documents that were found, best first, each once."""
        return list(dict.fromkeys(passage.title or passage.document_name for passage in self.passages))[:most]

    def document_tokens(self, conversation: Conversation) -> int:
        """Tokens of documents that fit beside instructions, conversation and answer.

        Raises:
            ContextLengthError: nothing fits.
        """
        wanted = self.assistant.context_tokens or DEFAULT_DOCUMENT_TOKENS
        fixed = len(prompting.system_text(self.assistant, conversation))
        fixed += sum(len(one.question) + len(one.answer) for one in self.assistant.examples)
        fixed += len(conversation.question)
        room = self.engine.context_tokens - self.answer_tokens - _MARGIN_TOKENS - fixed // 3
        if room < 100:
            raise ContextLengthError(
                tr(
                    "The question and the instructions leave no room for documents: the model reads {context} "
                    "tokens, {answer} of which are kept for the answer. Shorten the question, or lower max_tokens.",
                    context=self.engine.context_tokens,
                    answer=self.answer_tokens,
                ),
                param="messages",
            )
        return min(wanted, room)

    def compose(self, conversation: Conversation) -> None:
        """The prompt, with as much of the conversation as fits beside the documents."""
        documents = len(prompting.render(self.evidence))
        fixed = documents + len(prompting.system_text(self.assistant, conversation))
        room = (self.engine.context_tokens - self.answer_tokens - _MARGIN_TOKENS) * 3 - fixed
        shortened = conversation.shortened(max(room, 0))
        self.messages = prompting.grounded_messages(
            self.assistant, shortened, self.evidence, language=self.language
        )
