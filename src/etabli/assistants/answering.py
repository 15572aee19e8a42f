"""Answering: rewrite the question, search, choose what to read, write, cite, verify — or say that it is not there.

Everything comes as events; the last is always an `Answer` whose text is what was streamed. Search and verification
run in threads, so that other conversations go on. Closing the iterator ends the engine's work.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from etabli.assistants import abstaining, prompting
from etabli.assistants.answer import (
    Answer,
    Citation,
    Event,
    FinishReason,
    Stage,
    TextDelta,
    ToolCallDelta,
    Trace,
)
from etabli.assistants.attributing import Attributor
from etabli.assistants.citing import Mark, Marker
from etabli.assistants.conversation import Conversation, read_conversation
from etabli.assistants.evidence import Evidence, EvidenceChooser
from etabli.assistants.locating import locate
from etabli.assistants.rewriting import rewrite
from etabli.assistants.scope import resolve_collections, term_weights
from etabli.assistants.sentences import sentence_ranges
from etabli.assistants.specification import AssistantSpecification
from etabli.assistants.streaming import Reading, read_stream
from etabli.engines.base import ChatEngine, Embedder
from etabli.errors import ContextLengthError
from etabli.knowledge.language import detect
from etabli.knowledge.search import Passage, SearchResult
from etabli.messages import tr
from etabli.storage.database import Database

DEFAULT_DOCUMENT_TOKENS = 300
"""Tokens of documents for one question where the assistant does not say: some four seconds on two cores."""
_MARGIN_TOKENS = 96
_OWN_KEYS = ("messages", "stream", "stream_options", "n", "model")


class Searches(Protocol):
    """What answering needs of a search: see `etabli.knowledge.search.Searcher`."""

    def search(
        self, question: str, *, principals: Sequence[str], collection_ids: Sequence[int] | None, limit: int
    ) -> SearchResult:
        """The passages that answer a question best, among those the principals may see."""
        ...


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """What a caller asks.

    Args:
        messages: the conversation, in OpenAI's shape; the last user message is the question.
        generation: OpenAI's parameters for the engine (temperature, max_tokens, tools, response_format, …); they
            win over the assistant's.
    """

    messages: Sequence[Mapping[str, Any]]
    generation: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Run:
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

    def took(self, stage: str, began: float) -> None:
        self.times[stage] = self.times.get(stage, 0.0) + (time.perf_counter() - began) * 1000

    @property
    def wants_json(self) -> bool:
        form = self.request.generation.get("response_format")
        return isinstance(form, Mapping) and form.get("type") not in (None, "text")

    def body(self) -> dict[str, Any]:
        """What is sent to the engine."""
        given = {key: value for key, value in self.request.generation.items() if key not in _OWN_KEYS}
        limits = {} if "max_completion_tokens" in given else {"max_tokens": self.assistant.max_tokens}
        return {
            "temperature": self.assistant.temperature,
            **limits,
            **{key: value for key, value in given.items() if value is not None},
            "messages": self.messages,
            "stream_options": {"include_usage": True},
        }

    @property
    def answer_tokens(self) -> int:
        given = self.request.generation
        return int(given.get("max_completion_tokens") or given.get("max_tokens") or self.assistant.max_tokens)


class Answerer:
    """Answers for assistants, from the documents of one database. Safe to share between requests.

    Args:
        searcher: finds passages.
        database: where collections are looked up and quotes are read.
        embedder: compares sentences by meaning when choosing what the model reads; without it, by words alone.
        gate: decides when what was found cannot hold the answer.
    """

    def __init__(
        self,
        searcher: Searches,
        database: Database,
        *,
        embedder: Embedder | None = None,
        gate: abstaining.Gate = abstaining.GATE,
    ) -> None:
        self._searcher = searcher
        self._database = database
        self._chooser = EvidenceChooser(embedder)
        self._gate = gate
        self._gate_suits = embedder is not None and gate.suits(embedder.name)

    def answer(
        self,
        assistant: AssistantSpecification,
        engine: ChatEngine,
        request: AnswerRequest,
        *,
        principals: Sequence[str],
    ) -> AsyncGenerator[Event, None]:
        """Answer the last question of a conversation.

        Args:
            assistant: who answers.
            engine: runs its model.
            request: what is asked.
            principals: who asks; nothing that they may not see is read, named or counted.

        Raises (while iterating):
            InvalidInputError: there is no question, or it does not fit in the model's context.
            ConfigurationError: the assistant names a collection that does not exist.
            EngineError: the engine failed.
        """
        run = _Run(assistant, engine, request, tuple(principals))
        return self._grounded(run) if assistant.collections else self._plain(run)

    async def _plain(self, run: _Run) -> AsyncGenerator[Event, None]:
        """An assistant without documents: the engine's answer untouched."""
        conversation = read_conversation(run.request.messages)
        run.question = conversation.question
        run.messages = prompting.plain_messages(run.assistant, [dict(one) for one in run.request.messages])
        yield Stage("writing")
        began = time.perf_counter()
        text = ""
        async with aclosing(read_stream(run.engine, run.body(), run.reading)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ToolCallDelta):
                    yield piece
                else:
                    text += piece
                    yield TextDelta(piece)
        run.took("writing", began)
        yield _answer(run, text)

    async def _grounded(self, run: _Run) -> AsyncGenerator[Event, None]:
        """An assistant with documents."""
        conversation = read_conversation(run.request.messages)
        run.language = _language(conversation, run.assistant)
        run.question = conversation.question
        if conversation.earlier:
            yield Stage("rewriting")
            began = time.perf_counter()
            rewriting = await rewrite(conversation, run.engine, language=run.assistant.language)
            run.question, run.rewritten = rewriting.question, True
            run.took("rewriting", began)
        yield Stage("searching", {"question": run.question})
        await asyncio.to_thread(self._search, run)
        yield Stage("reading", {"documents": _names(run.passages, most=run.assistant.passages)})
        features = await asyncio.to_thread(self._choose, run, conversation)
        if run.assistant.abstain and (not run.passages or self._gate.closes(features)):
            async with aclosing(self._abstain(run, conversation)) as events:
                async for event in events:
                    yield event
            return
        await self._compose(run, conversation)
        yield Stage("writing")
        async with aclosing(self._write(run)) as events:
            async for event in events:
                yield event

    def _search(self, run: _Run) -> None:
        began = time.perf_counter()
        ids = resolve_collections(self._database, run.assistant, principals=run.principals)
        passages: tuple[Passage, ...] = ()
        if ids:
            found = self._searcher.search(
                run.question, principals=run.principals, collection_ids=ids, limit=run.assistant.passages
            )
            passages = found.passages
            run.search = {
                "terms": list(found.terms), "method": found.dense_method, "times_ms": dict(found.times_ms)
            }  # fmt: skip
            run.idf = term_weights(self._database, run.question)
        run.passages = passages
        run.took("searching", began)

    def _choose(self, run: _Run, conversation: Conversation) -> abstaining.Features:
        began = time.perf_counter()
        characters = int(self._document_tokens(run, conversation) * prompting.CHARACTERS_PER_TOKEN)
        run.evidence = self._chooser.choose(run.question, run.passages, characters=characters, idf=run.idf)
        features = abstaining.features_of(run.question, run.passages, run.evidence, run.idf)
        if not self._gate_suits:
            features = replace(features, sentence=None)
        run.search["probability"] = self._gate.probability(features)
        run.took("reading", began)
        return features

    def _document_tokens(self, run: _Run, conversation: Conversation) -> int:
        """Tokens of documents that fit beside instructions, conversation and answer.

        Raises:
            ContextLengthError: nothing fits.
        """
        wanted = run.assistant.context_tokens or DEFAULT_DOCUMENT_TOKENS
        fixed = len(prompting.system_text(run.assistant, conversation))
        fixed += sum(len(one.question) + len(one.answer) for one in run.assistant.examples)
        fixed += len(conversation.question)
        room = run.engine.context_tokens - run.answer_tokens - _MARGIN_TOKENS - fixed // 3
        if room < 100:
            raise ContextLengthError(
                tr(
                    "The question and the instructions leave no room for documents: the model reads {context} "
                    "tokens, {answer} of which are kept for the answer. Shorten the question, or lower max_tokens.",
                    context=run.engine.context_tokens,
                    answer=run.answer_tokens,
                ),
                param="messages",
            )
        return min(wanted, room)

    async def _compose(self, run: _Run, conversation: Conversation) -> None:
        """The prompt, with as much of the conversation as fits beside the documents."""
        documents = len(prompting.render(run.evidence))
        fixed = documents + len(prompting.system_text(run.assistant, conversation))
        room = (run.engine.context_tokens - run.answer_tokens - _MARGIN_TOKENS) * 3 - fixed
        shortened = conversation.shortened(max(room, 0))
        run.messages = prompting.grounded_messages(
            run.assistant, shortened, run.evidence, language=run.language
        )

    async def _write(self, run: _Run) -> AsyncGenerator[Event, None]:
        """The model's answer, with markers checked and added, and what remains of it after verification."""
        attributor = Attributor(
            run.evidence, question=" ".join([run.question, _asked(run)]), language=run.language
        )
        marker = Marker(attributor)
        held: str | None = "" if run.assistant.abstain and not run.wants_json else None
        refused = False
        text = ""
        began = time.perf_counter()
        async with aclosing(read_stream(run.engine, run.body(), run.reading)) as pieces:
            async for piece in pieces:
                if isinstance(piece, ToolCallDelta):
                    yield piece
                    continue
                if run.wants_json:
                    text += piece
                    yield TextDelta(piece)
                    continue
                if held is not None:
                    held += piece
                    decision = _decide(held)
                    if decision == "wait":
                        continue
                    if decision == "refusal":
                        refused = True
                        break
                    piece, held = held, None
                out = await asyncio.to_thread(marker.feed, piece)
                if out:
                    yield TextDelta(out)
        run.took("writing", began)
        refused = refused or (held is not None and abstaining.is_refusal(held.strip()))
        if refused:
            closing = abstaining.abstention(run.language, _names(run.passages))
            yield TextDelta(closing)
            yield _answer(run, closing, abstained=True, finish_reason="stop")
            return
        if run.wants_json:
            yield Stage("verifying")
            marks = [Mark(0, len(text), one) for one in await asyncio.to_thread(attributor.whole, text)]
            yield await self._finished(run, text, marks, abstained=False)
            return
        rest = await asyncio.to_thread(_finish, marker, held or "")
        if rest:
            yield TextDelta(rest)
        yield Stage("verifying")
        text = marker.text
        abstained = False
        if run.assistant.abstain and not run.reading.calls:
            closing = _closing(run, attributor)
            if closing:
                abstained = True
                closing = f"\n\n{closing}" if text else closing
                yield TextDelta(closing)
                text += closing
        yield await self._finished(run, text, marker.marks, abstained=abstained)

    async def _finished(self, run: _Run, text: str, marks: Sequence[Mark], *, abstained: bool) -> Answer:
        began = time.perf_counter()
        citations = await asyncio.to_thread(self._citations, run, marks)
        run.took("verifying", began)
        return _answer(run, text, citations=citations, abstained=abstained)

    def _citations(self, run: _Run, marks: Sequence[Mark]) -> tuple[Citation, ...]:
        ranges = {mark: _range(mark) for mark in marks}
        places = locate(self._database, ranges.values(), principals=run.principals)
        citations = []
        for mark, place in ranges.items():
            location = places.get(place)
            if location is None:
                continue
            first = mark.support.source.first
            citations.append(
                Citation(
                    number=mark.support.source.number,
                    start_index=mark.start_index,
                    end_index=mark.end_index,
                    status=mark.support.status,
                    document_id=first.document_id,
                    version_id=first.version_id,
                    document_name=first.document_name,
                    title=first.title,
                    page=location.page,
                    boxes=location.boxes,
                    char_start=mark.support.char_start,
                    char_end=mark.support.char_end,
                    quote=location.quote,
                    reason=mark.support.reason,
                )
            )
        return tuple(citations)

    async def _abstain(self, run: _Run, conversation: Conversation) -> AsyncGenerator[Event, None]:
        """The fixed sentence, without asking the model."""
        text = abstaining.abstention(run.language, _names(run.passages))
        yield TextDelta(text)
        yield _answer(run, text, abstained=True)


def _asked(run: _Run) -> str:
    return read_conversation(run.request.messages).question


def _language(conversation: Conversation, assistant: AssistantSpecification) -> str:
    """The language of the answer: the question's; where its words do not tell, the earlier ones', the assistant's."""
    for text in (conversation.question, *reversed(conversation.earlier)):
        told = detect(text)
        if told is not None:
            return told
    return assistant.language


def _decide(held: str) -> str:
    """Whether the beginning of an answer is a `refusal`, an `answer`, or still unclear: `wait`."""
    ranges = sentence_ranges(held.lstrip())
    complete = len(ranges) > 1 or "\n" in held.strip()
    if complete:
        start, end = ranges[0]
        return "refusal" if abstaining.is_refusal(held.lstrip()[start:end]) else "answer"
    return "wait" if abstaining.may_become_refusal(held) else "answer"


def _finish(marker: Marker, held: str) -> str:
    return marker.feed(held) + marker.finish()


def _closing(run: _Run, attributor: Attributor) -> str:
    """What is added to an answer that turns out to be none; empty for a real one."""
    if attributor.nothing_stands:
        return abstaining.withdrawal(run.language)
    if attributor.refusals and not attributor.statuses:
        return abstaining.next_steps(run.language, _names(run.passages))
    return ""


def _names(passages: Sequence[Passage], *, most: int = 3) -> list[str]:
    """Titles of the documents of passages, best first, each once."""
    return list(dict.fromkeys(passage.title or passage.document_name for passage in passages))[:most]


def _range(mark: Mark) -> tuple[int, int, int]:
    return mark.support.source.first.version_id, mark.support.char_start, mark.support.char_end


def _answer(
    run: _Run,
    text: str,
    *,
    citations: tuple[Citation, ...] = (),
    abstained: bool = False,
    finish_reason: FinishReason | None = None,
) -> Answer:
    if run.reading.first_token is not None:
        run.times["first_token"] = (run.reading.first_token - run.started) * 1000
    run.times["total"] = (time.perf_counter() - run.started) * 1000
    trace = Trace(
        question=run.question,
        rewritten=run.rewritten,
        search=run.search,
        passages=_traced(run),
        messages=run.messages,
        times_ms={name: round(value, 1) for name, value in run.times.items()},
    )
    return Answer(
        text=text,
        citations=citations,
        abstained=abstained,
        finish_reason=finish_reason or run.reading.finish_reason,
        usage=run.reading.usage,
        trace=trace,
        tool_calls=run.reading.tool_calls,
    )


def _traced(run: _Run) -> list[dict[str, Any]]:
    """What was found, for operators: scores rank within this question only."""
    numbers = {
        passage.chunk_id: source.number for source in run.evidence.sources for passage in source.passages
    }
    return [
        {
            "document": passage.document_name,
            "title": passage.title,
            "page": passage.page,
            "char_start": passage.char_start,
            "char_end": passage.char_end,
            "score": round(passage.score, 4),
            "cosine": None if passage.dense is None else round(passage.dense, 4),
            "number": numbers.get(passage.chunk_id),
            "sent": bool(run.messages) and passage.chunk_id in numbers,
        }
        for passage in run.passages
    ]
