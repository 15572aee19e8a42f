"""Answering: rewrite the question, search, choose what to read, write, cite, verify — or say that it is not there.

Everything comes as events; the last is always an `Answer` whose text is what was streamed. Search and verification
run in threads, so that other conversations go on. Closing the iterator ends the engine's work.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

from etabli.assistants import abstaining, prompting
from etabli.assistants.answer import Event, Stage, TextDelta
from etabli.assistants.composing import answer_of
from etabli.assistants.conversation import Conversation, read_conversation
from etabli.assistants.evidence import EvidenceChooser
from etabli.assistants.rewriting import rewrite
from etabli.assistants.run import AnswerRequest, Run
from etabli.assistants.scope import resolve_collections, term_weights
from etabli.assistants.specification import AssistantSpecification
from etabli.assistants.streaming import read_stream
from etabli.assistants.writing import write
from etabli.engines.base import ChatEngine, Embedder
from etabli.knowledge.language import detect
from etabli.knowledge.search import Passage, SearchResult
from etabli.storage.database import Database

_MORE_PASSAGES = 1.5
"""So many times the passages that an assistant asks for are searched: their sentences then say which are best."""


class Searches(Protocol):
    """What answering needs of a search: see `etabli.knowledge.search.Searcher`."""

    def search(
        self, question: str, *, principals: Sequence[str], collection_ids: Sequence[int] | None, limit: int
    ) -> SearchResult:
        """The passages that answer a question best, among those the principals may see."""
        ...


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
        run = Run(assistant, engine, request, tuple(principals))
        grounded = assistant.collections or request.collection_ids
        return self._grounded(run) if grounded else self._plain(run)

    async def _plain(self, run: Run) -> AsyncGenerator[Event, None]:
        """An assistant without documents: the engine's answer untouched."""
        conversation = read_conversation(run.request.messages)
        run.question = conversation.question
        run.messages = prompting.plain_messages(run.assistant, [dict(one) for one in run.request.messages])
        yield Stage("writing")
        began = time.perf_counter()
        text = ""
        async with aclosing(read_stream(run.engine, run.body(), run.reading)) as pieces:
            async for piece in pieces:
                if not isinstance(piece, str):
                    yield piece
                else:
                    text += piece
                    yield TextDelta(piece)
        run.took("writing", began)
        yield answer_of(run, text)

    async def _grounded(self, run: Run) -> AsyncGenerator[Event, None]:
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
        yield Stage("reading", {"documents": run.document_names(most=run.assistant.passages)})
        features = await asyncio.to_thread(self._choose, run, conversation)
        if run.assistant.abstain and (not run.passages or self._gate.closes(features)):
            text = abstaining.abstention(run.language, run.document_names())
            yield TextDelta(text)
            yield answer_of(run, text, abstained=True)
            return
        run.compose(conversation)
        yield Stage("writing")
        async with aclosing(write(run, self._database)) as events:
            async for event in events:
                yield event

    def _search(self, run: Run) -> None:
        began = time.perf_counter()
        ids = resolve_collections(self._database, run.assistant, principals=run.principals)
        ids.extend(number for number in run.request.collection_ids if number not in ids)
        passages: tuple[Passage, ...] = ()
        if ids:
            found = self._searcher.search(
                run.question,
                principals=run.principals,
                collection_ids=ids,
                limit=round(run.assistant.passages * _MORE_PASSAGES),
            )
            passages = found.passages
            run.search = {
                "terms": list(found.terms), "method": found.dense_method, "times_ms": dict(found.times_ms)
            }  # fmt: skip
            run.idf = term_weights(self._database, run.question)
        run.passages = passages
        run.took("searching", began)

    def _choose(self, run: Run, conversation: Conversation) -> abstaining.Features:
        began = time.perf_counter()
        characters = int(run.document_tokens(conversation) * prompting.CHARACTERS_PER_TOKEN)
        run.evidence = self._chooser.choose(run.question, run.passages, characters=characters, idf=run.idf)
        run.passages = run.evidence.ranked
        features = abstaining.features_of(run.question, run.passages, run.evidence, run.idf)
        if not self._gate_suits:
            features = replace(features, sentence=None)
        probability = self._gate.probability(features)
        run.search["probability"], run.trusted = probability, self._gate.trusts(probability)
        run.took("reading", began)
        return features


def _language(conversation: Conversation, assistant: AssistantSpecification) -> str:
    """The language of the answer: the question's; where its words do not tell, the earlier ones', the assistant's."""
    for text in (conversation.question, *reversed(conversation.earlier)):
        told = detect(text)
        if told is not None:
            return told
    return assistant.language
