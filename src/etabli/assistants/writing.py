"""Writing: the model's words as they come, with their markers checked and added, and what remains of them.

The beginning of an answer is held back while it may still become a refusal: then the fixed sentence is given instead,
and nobody sees the model's own. Where only what passages support is shown, whole sentences are given out, after they
were judged. What is asked for as JSON gets no marker, and is cut only where it would tell the instructions.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from etabli.assistants import abstaining, prompting
from etabli.assistants.answer import Event, Stage, TextDelta
from etabli.assistants.attributing import Attributor
from etabli.assistants.citing import Mark, Marker
from etabli.assistants.composing import answer_of, verified_answer
from etabli.assistants.conversation import read_conversation
from etabli.assistants.guards.grounding import Grounding, odd_terms
from etabli.assistants.guards.watching import Watch, watch_of
from etabli.assistants.quoting import clipped_quote
from etabli.assistants.run import Run
from etabli.assistants.sentences import sentence_ranges
from etabli.assistants.streaming import read_stream
from etabli.assistants.verifying import Support
from etabli.storage.database import Database


def write(run: Run, database: Database) -> AsyncGenerator[Event, None]:
    """The model's answer and what remains of it after verification; the last event is the `Answer`."""
    question = " ".join([run.question, read_conversation(run.request.messages).question])
    grounding = (
        Grounding(run.evidence, run.unknown, odd_terms(question)) if run.shows_only_supported else None
    )
    attributor = Attributor(run.evidence, question=question, language=run.language, grounding=grounding)
    return (_write_json if run.wants_json else _write_text)(run, database, attributor)


async def write_plain(run: Run) -> AsyncGenerator[Event, None]:
    """The answer of an assistant without documents: the engine's, as the guards of output let it through."""
    run.messages = prompting.plain_messages(run.assistant, [dict(one) for one in run.request.messages])
    watch = watch_of(run, grounded=False)
    yield Stage("writing")
    began = time.perf_counter()
    text = ""
    async with aclosing(_watched(run, watch)) as pieces:
        async for piece in pieces:
            if not isinstance(piece, str):
                yield piece
                continue
            text += piece
            yield TextDelta(piece)
    run.took("writing", began)
    added = _joined(text, watch.closing or run.closing)
    if added:
        yield TextDelta(added)
    yield answer_of(run, text + added, finish_reason=watch.finish_reason)


async def _watched(run: Run, watch: Watch) -> AsyncGenerator[str | Event, None]:
    """The engine's stream with its text filtered; it ends where the guards of output say so."""
    async with aclosing(read_stream(run.engine, run.body(), run.reading)) as pieces:
        async for piece in pieces:
            out = watch.feed(piece) if isinstance(piece, str) else piece
            if out:
                yield out
            if watch.stopped:
                break
    rest = watch.finish()
    if rest:
        yield rest


async def _write_json(run: Run, database: Database, attributor: Attributor) -> AsyncGenerator[Event, None]:
    """As it comes; its citations say where the whole of it stands."""
    text = ""
    began = time.perf_counter()
    watch = watch_of(run, grounded=True)
    async with aclosing(_watched(run, watch)) as pieces:
        async for piece in pieces:
            if not isinstance(piece, str):
                yield piece
                continue
            text += piece
            yield TextDelta(piece)
    run.took("writing", began)
    yield Stage("verifying")
    marks = [Mark(0, len(text), one) for one in await asyncio.to_thread(attributor.whole, text)]
    yield await verified_answer(
        database, run, text, marks, abstained=False, finish_reason=watch.finish_reason
    )


async def _write_text(run: Run, database: Database, attributor: Attributor) -> AsyncGenerator[Event, None]:
    """With markers checked and added; the beginning is held while it may still become a refusal."""
    marker = Marker(attributor, whole=run.shows_only_supported)
    watch = watch_of(run, grounded=True)
    held: str | None = "" if run.assistant.abstain else None
    refused = False
    began = time.perf_counter()
    async with aclosing(_watched(run, watch)) as pieces:
        async for piece in pieces:
            if not isinstance(piece, str):
                yield piece
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
    if not refused:
        rest = await asyncio.to_thread(_finish, marker, held or "")
        if rest:
            yield TextDelta(rest)
        _note_hidden(run, attributor)
    if refused or _nothing_shown(run, marker):
        text, marks = _closest(run)
        text = f"{text} {run.person}".rstrip()
        yield TextDelta(text)
        yield await verified_answer(
            database, run, text, marks, abstained=True, finish_reason="stop", written_by="product"
        )
        return
    yield Stage("verifying")
    text = marker.text
    closing = _closing(run, attributor) if run.assistant.abstain and not run.reading.calls else ""
    added = _joined(text, closing or watch.closing or run.closing)
    if added:
        yield TextDelta(added)
        text += added
    yield await verified_answer(
        database,
        run,
        text,
        marker.marks,
        abstained=bool(closing),
        finish_reason=watch.finish_reason,
    )


def _decide(held: str) -> str:
    """Whether the beginning of an answer is a `refusal`, an `answer`, or still unclear: `wait`."""
    ranges = sentence_ranges(held.lstrip())
    complete = len(ranges) > 1 or "\n" in held.strip()
    if complete:
        start, end = ranges[0]
        return "refusal" if abstaining.is_refusal(held.lstrip()[start:end]) else "answer"
    return "wait" if abstaining.may_become_refusal(held) else "answer"


def _nothing_shown(run: Run, marker: Marker) -> bool:
    """Whether nothing of the answer could be shown, so that the abstention stands instead."""
    return run.shows_only_supported and not run.reading.calls and not any(map(str.isalnum, marker.text))


def _note_hidden(run: Run, attributor: Attributor) -> None:
    for sentence in attributor.hidden:
        run.note("grounding", text=sentence[:300])
    if attributor.hidden:
        run.guarded = run.guarded or "grounding"


def _closest(run: Run) -> tuple[str, list[Mark]]:
    """What is said instead of the model's refusal: the sentence or row that comes closest, quoted and cited."""
    if run.evidence.closest is None:
        return abstaining.abstention(run.language, run.document_names()), []
    number, place = run.evidence.closest
    source = run.evidence.sources[number - 1]
    unit = source.units[place]
    quote = clipped_quote(unit.text)
    begun = abstaining.with_closest(run.language, " ".join(quote.split()))
    text = f"{begun} [{number}]."
    support = Support(source, unit.char_start, unit.char_start + len(quote), "verified", None, 1.0)
    return text, [Mark(0, len(text) - 1, support)]


def _finish(marker: Marker, held: str) -> str:
    return marker.feed(held) + marker.finish()


def _joined(text: str, closing: str) -> str:
    """What is added to a text so that the closing stands apart from it."""
    return f"\n\n{closing}" if text and closing else closing


def _closing(run: Run, attributor: Attributor) -> str:
    """What is added to an answer that turns out to be none; empty for a real one."""
    if attributor.nothing_stands:
        return abstaining.withdrawal(run.language)
    if attributor.refusals and not attributor.statuses:
        return abstaining.next_steps(run.language, run.document_names())
    return ""
