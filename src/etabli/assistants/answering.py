"""Answering: screen the question, rewrite it, search, choose what to read, write, cite, verify, or say no.

Everything comes as events; the last is always an `Answer` whose text is what was streamed. Search and verification
run in threads, so that other conversations go on. Closing the iterator ends the engine's work.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Protocol

from etabli.assistants import abstaining, prompting
from etabli.assistants.answer import Event, Stage, TextDelta
from etabli.assistants.asking import core
from etabli.assistants.composing import answer_of
from etabli.assistants.conversation import Conversation, read_conversation, text_of, with_text
from etabli.assistants.evidence import EvidenceChooser
from etabli.assistants.guards.identity import may_want_person
from etabli.assistants.guards.origin import asks_origin
from etabli.assistants.guards.questions import ORIGIN
from etabli.assistants.guards.screening import product_answer, screen
from etabli.assistants.guards.wording import ORIGIN as ORIGIN_TOLD
from etabli.assistants.guards.wording import REST_LEFT_OUT, person
from etabli.assistants.impartial import impartial, read_impartially
from etabli.assistants.rewriting import rewrite
from etabli.assistants.run import AnswerRequest, Run
from etabli.assistants.scope import resolve_collections, term_weights, unknown_terms
from etabli.assistants.specification import AssistantSpecification
from etabli.assistants.writing import abstain, write, write_plain
from etabli.engines.base import ChatEngine, Embedder
from etabli.knowledge.language import detect
from etabli.knowledge.search import Passage, SearchResult
from etabli.storage.database import Database
from etabli.training.adapters import require_adapter

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
            ConfigurationError: the assistant names a collection that does not exist, or an adapter that may not
                answer.
            EngineError: the engine failed.
        """
        return self._screened(Run(assistant, engine, request, tuple(principals)))

    async def _screened(self, run: Run) -> AsyncGenerator[Event, None]:
        """What the product answers by itself; all else with or without documents."""
        if run.assistant.adapter is not None:
            await asyncio.to_thread(
                require_adapter, self._database, run.assistant.adapter, running=run.engine.model
            )
        conversation = read_conversation(run.request.messages)
        run.language = _language(conversation, run.assistant)
        run.question = conversation.question
        grounded = bool(run.assistant.collections or run.request.collection_ids)
        screening = screen(run.request.messages, run.assistant.guards)
        run.guarded = screening.guard
        run.guard_notes.extend(screening.notes)
        if screening.answers:
            text = product_answer(
                screening,
                language=run.language,
                title=run.assistant.title,
                contact=run.assistant.contact,
                grounded=grounded,
            )
            yield TextDelta(text)
            yield answer_of(run, text, written_by="product")
            return
        if screening.guard is not None and not run.wants_json:
            run.closing = REST_LEFT_OUT[run.language]
        run.request = replace(run.request, messages=screening.messages)
        run.question = read_conversation(run.request.messages).question
        self._offer_closing(run)
        if grounded:
            run.request = replace(run.request, messages=without_words_around(run.request.messages))
        async with aclosing(self._grounded(run) if grounded else write_plain(run)) as events:
            async for event in events:
                yield event

    @staticmethod
    def _offer_closing(run: Run) -> None:
        """How to reach a person, to who may look for one and in place of an answer; who writes, to who asks it."""
        if not run.assistant.guards.identity or run.wants_json:
            return
        wished = may_want_person(run.question)
        if wished or run.assistant.contact.strip():
            run.person = person(run.language, run.assistant.contact)
        if wished:
            run.note("contact", answered=False)
            run.closing = " ".join(part for part in (run.closing, run.person) if part)
        if asks_origin(run.question) is not None:
            run.note("identity", reason=ORIGIN, answered=False)
            run.person = f"{run.person} {ORIGIN_TOLD[run.language]}".strip()
            run.closing = f"{run.closing} {ORIGIN_TOLD[run.language]}".strip()

    async def _grounded(self, run: Run) -> AsyncGenerator[Event, None]:
        """An assistant with documents."""
        conversation = read_conversation(run.request.messages)
        run.question = conversation.question
        if conversation.earlier:
            yield Stage("rewriting")
            began = time.perf_counter()
            rewriting = await rewrite(conversation, run.engine, language=run.assistant.language)
            run.question, run.rewritten = rewriting.question, True
            run.took("rewriting", began)
        yield Stage("searching", {"question": run.question})
        await asyncio.to_thread(self._search, run)
        conversation = read_conversation(run.request.messages)
        yield Stage("reading", {"documents": run.document_names(most=run.assistant.passages)})
        features = await asyncio.to_thread(self._choose, run, conversation)
        if run.assistant.abstain and (not run.passages or self._gate.closes(features)):
            async with aclosing(abstain(run, self._database)) as events:
                async for event in events:
                    yield event
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
            found = self._found(run, ids)
            if run.assistant.guards.impartial and self._leave_out(run, found):
                found = self._found(run, ids)
            passages = found.passages
            run.search = {
                "terms": list(found.terms), "method": found.dense_method, "times_ms": dict(found.times_ms)
            }  # fmt: skip
            run.idf = term_weights(self._database, run.question)
            run.unknown = unknown_terms(
                self._database,
                "\n".join(
                    text_of(one.get("content")) for one in run.request.messages if one.get("role") == "user"
                ),
            )
        run.passages = passages
        run.took("searching", began)

    @staticmethod
    def _leave_out(run: Run, found: SearchResult) -> bool:
        """Whether the question lost what no document found speaks of, a name or a trait of a person."""
        asked = impartial(run.question, (one.text for one in found.passages))
        if not asked.left_out:
            return False
        run.question = asked.searched
        run.request = replace(
            run.request,
            messages=messages_read_impartially(run.request.messages, asked.left_out, run.language),
        )
        run.note("impartial", left_out=list(asked.left_out))
        return True

    def _found(self, run: Run, collection_ids: Sequence[int]) -> SearchResult:
        return self._searcher.search(
            run.question,
            principals=run.principals,
            collection_ids=collection_ids,
            limit=round(run.assistant.passages * _MORE_PASSAGES),
        )

    def _choose(self, run: Run, conversation: Conversation) -> abstaining.Features:
        began = time.perf_counter()
        characters = int(run.document_tokens(conversation) * prompting.CHARACTERS_PER_TOKEN)
        run.evidence = self._chooser.choose(
            run.question,
            run.passages,
            characters=characters,
            idf=run.idf,
            guarded=run.assistant.guards.passages,
        )
        run.passages = run.evidence.ranked
        for one in run.evidence.left_out:
            run.note(
                "passages",
                document=one.passage.document_name,
                page=one.passage.page,
                char_start=one.unit.char_start,
                char_end=one.unit.char_end,
                text=one.unit.text[:300],
            )
        features = abstaining.features_of(run.question, run.passages, run.evidence, run.idf)
        if not self._gate_suits:
            features = replace(features, sentence=None)
        probability = self._gate.probability(features)
        run.search["probability"], run.trusted = probability, self._gate.trusts(probability)
        run.took("reading", began)
        return features


def messages_read_impartially(
    messages: Sequence[Mapping[str, Any]], left_out: Sequence[str], language: str
) -> tuple[dict[str, Any], ...]:
    """The messages without those names and traits in what the user said."""
    return tuple(
        with_text(one, read_impartially(text_of(one.get("content")), left_out, language))
        if one.get("role") == "user"
        else dict(one)
        for one in messages
    )


def without_words_around(messages: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The messages with only what is asked in the last user's."""
    kept = [dict(one) for one in messages]
    last = max(place for place, one in enumerate(kept) if one.get("role") == "user")
    text = text_of(kept[last].get("content"))
    if (asked := core(text)) != text:
        kept[last] = with_text(kept[last], asked)
    return tuple(kept)


def _language(conversation: Conversation, assistant: AssistantSpecification) -> str:
    """The language of the answer: the question's; where its words do not tell, the earlier ones', the assistant's."""
    for text in (conversation.question, *reversed(conversation.earlier)):
        told = detect(text)
        if told is not None:
            return told
    return assistant.language
