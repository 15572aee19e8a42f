"""One question put to an assistant, as a person would put it, with everything that is measured on the way.

The same search, prompt, engine and guards as for people; what the callers of the assistant may not see is not found.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from etabli.assistants.answer import Answer, Citation, TextDelta
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.certification.base import Response
from etabli.certification.targets.assistant import Answers
from etabli.engines.base import ChatEngine
from etabli.errors import EtabliError
from etabli.storage.database import EVERYONE, Database

TOP = 5
"""Passages among which the right document is looked for."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one question.

    Args:
        response: the answer, or why there is none.
        found: documents of the first `TOP` passages, best first.
        literal: how many of its quotations are the stored text at their place.
        first_token_ms: from the question to the model's first token; None where no model wrote.
        first_text_ms: to the first text that a person sees.
    """

    response: Response
    found: tuple[str, ...] = ()
    literal: int = 0
    first_token_ms: float | None = None
    first_text_ms: float | None = None


class Asks(Protocol):
    """Something that questions are put to; several at once."""

    async def ask(self, question: str, *, seed: int) -> Reply:
        """Put one question. Never raises on what the engine does: `Response.error` says it."""
        ...


class AssistantAsker:
    """Asks an assistant of this installation in this process.

    Args:
        assistant: who is asked.
        answerer: answers.
        engine: its model.
        database: its documents.
    """

    def __init__(
        self, assistant: AssistantSpecification, *, answerer: Answers, engine: ChatEngine, database: Database
    ) -> None:
        self._assistant = assistant
        self._answerer = answerer
        self._engine = engine
        self._database = database

    async def ask(self, question: str, *, seed: int) -> Reply:
        """Put one question, as somebody who may use the assistant."""
        began = time.perf_counter()
        first_text: float | None = None
        answer: Answer | None = None
        request = AnswerRequest([{"role": "user", "content": question}], {"seed": seed})
        principals = (EVERYONE, *self._assistant.audience)
        events = self._answerer.answer(self._assistant, self._engine, request, principals=principals)
        try:
            async with aclosing(events) as stream:
                async for event in stream:
                    if isinstance(event, TextDelta) and first_text is None:
                        first_text = _since(began)
                    elif isinstance(event, Answer):
                        answer = event
        except EtabliError as error:
            return Reply(Response("", error=str(error), time_ms=_since(began)))
        if answer is None:
            return Reply(Response("", error="the answer broke off", time_ms=_since(began)))
        took = _since(began)
        return Reply(
            response_of(answer, time_ms=took),
            found=tuple(str(one["document"]) for one in answer.trace.passages[:TOP]),
            literal=await asyncio.to_thread(literal_citations, self._database, answer.citations),
            first_token_ms=answer.trace.times_ms.get("first_token"),
            first_text_ms=first_text if first_text is not None else took,
        )


def response_of(answer: Answer, *, time_ms: float) -> Response:
    """An answer as the detectors of certification read one."""
    return Response(
        text=answer.text,
        abstained=answer.abstained,
        written_by=answer.written_by,
        citations=tuple(
            {"number": one.number, "status": one.status, "document": one.document_name, "quote": one.quote}
            for one in answer.citations
        ),
        tool_calls=answer.tool_calls,
        finish_reason=answer.finish_reason,
        usage={name: value for name, value in (answer.usage or {}).items() if isinstance(value, int)},
        time_ms=time_ms,
    )


def literal_citations(database: Database, citations: Iterable[Citation]) -> int:
    """How many quotations are the stored text of their version at their place. Blocks."""
    count = 0
    with database.owner() as connection:
        for one in citations:
            row = connection.execute(
                "SELECT substr(text, %s, %s) FROM version WHERE id = %s",
                (one.char_start + 1, max(0, one.char_end - one.char_start), one.version_id),
            ).fetchone()
            count += row is not None and bool(one.quote) and row[0] == one.quote
    return count


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
