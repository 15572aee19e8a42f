"""Putting the answer together: citations with their literal quotes and places, the trace, the usage."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from etabli.assistants.answer import Answer, Author, Citation, FinishReason, Trace
from etabli.assistants.citing import Mark
from etabli.assistants.locating import locate
from etabli.assistants.run import Run
from etabli.storage.database import Database


async def verified_answer(
    database: Database,
    run: Run,
    text: str,
    marks: Sequence[Mark],
    *,
    abstained: bool,
    finish_reason: FinishReason | None = None,
    written_by: Author = "model",
) -> Answer:
    """The answer with its citations, whose quotes are read as the caller may see them."""
    began = time.perf_counter()
    citations = await asyncio.to_thread(_citations, database, run, marks)
    run.took("verifying", began)
    return answer_of(
        run,
        text,
        citations=citations,
        abstained=abstained,
        finish_reason=finish_reason,
        written_by=written_by,
    )


def answer_of(
    run: Run,
    text: str,
    *,
    citations: tuple[Citation, ...] = (),
    abstained: bool = False,
    finish_reason: FinishReason | None = None,
    written_by: Author = "model",
) -> Answer:
    """The answer with its trace. Call it last: it closes the clock."""
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
        guards=run.guard_notes,
    )
    return Answer(
        text=text,
        citations=citations,
        abstained=abstained,
        finish_reason=finish_reason or run.reading.finish_reason,
        usage=run.reading.usage,
        trace=trace,
        tool_calls=run.reading.tool_calls,
        guarded=run.guarded,
        written_by=written_by,
    )


def _citations(database: Database, run: Run, marks: Sequence[Mark]) -> tuple[Citation, ...]:
    ranges = {mark: _range(mark) for mark in marks}
    places = locate(database, ranges.values(), principals=run.principals)
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


def _range(mark: Mark) -> tuple[int, int, int]:
    return mark.support.source.first.version_id, mark.support.char_start, mark.support.char_end


def _traced(run: Run) -> list[dict[str, Any]]:
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
