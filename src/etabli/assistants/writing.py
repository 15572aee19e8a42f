"""Writing: the model's words as they come, with their markers checked and added, and what remains of them.

The first sentence is held back until it is known to be an answer. A refusal or a copied row is never shown: the
sentence that comes closest is quoted instead, as the answer or beside the fixed sentence of abstention. Where only
what passages support is shown, whole sentences are given out, after they were judged. An answer that rests on another
sentence than the closest is followed by it. What is asked for as JSON gets no marker, and is cut only where it would
tell the instructions.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

from etabli.assistants import abstaining, prompting
from etabli.assistants.answer import Event, Stage, TextDelta
from etabli.assistants.attributing import Attributor
from etabli.assistants.citing import MARKER, Mark, Marker
from etabli.assistants.claims import fold
from etabli.assistants.closest import Quotation, as_addition, as_answer, closest_of
from etabli.assistants.composing import answer_of, verified_answer
from etabli.assistants.conversation import read_conversation
from etabli.assistants.guards.grounding import Grounding, odd_terms
from etabli.assistants.guards.watching import Watch, watch_of
from etabli.assistants.run import Run
from etabli.assistants.sentences import sentence_ranges
from etabli.assistants.streaming import read_stream
from etabli.storage.database import Database

_BARE = re.compile(r"\W*(?:oui|non|si|yes|no)?\W*", re.IGNORECASE)
Verdict = Literal["wait", "answer", "skip", "none"]
_MOST_SKIPPED = 2
"""So many first sentences may be left out before the model is no longer waited for."""


def write(run: Run, database: Database) -> AsyncGenerator[Event, None]:
    """The model's answer and what remains of it after verification; the last event is the `Answer`."""
    question = " ".join([run.question, read_conversation(run.request.messages).question])
    grounding = (
        Grounding(run.evidence, run.unknown, odd_terms(question)) if run.shows_only_supported else None
    )
    attributor = Attributor(run.evidence, question=question, language=run.language, grounding=grounding)
    return (_write_json if run.wants_json else _write_text)(run, database, attributor)


async def abstain(run: Run, database: Database) -> AsyncGenerator[Event, None]:
    """No answer, without asking the model: the fixed sentence and what comes closest."""
    run.trusted = False
    text, marks, _ = _instead(run)
    yield TextDelta(text)
    yield await verified_answer(database, run, text, marks, abstained=True, written_by="product")


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
    added = _joined(text, _closed(watch.closing, run.closing))
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
    """With markers checked and added; the first sentence is held until it is known to be an answer."""
    marker = Marker(attributor, whole=run.shows_only_supported)
    watch = watch_of(run, grounded=True)
    held: str | None = "" if run.assistant.abstain else None
    verdict: Verdict = "wait"
    began = time.perf_counter()
    async with aclosing(_watched(run, watch)) as pieces:
        async for piece in pieces:
            if not isinstance(piece, str):
                yield piece
                continue
            opening: str = piece
            if held is not None:
                verdict, opening = await asyncio.to_thread(_opened, held + piece, run, attributor)
                held = opening if verdict == "wait" else None
                if verdict == "wait":
                    continue
                if verdict == "none":
                    break
            out = await asyncio.to_thread(marker.feed, opening)
            if out:
                yield TextDelta(out)
    run.took("writing", began)
    if held is not None and verdict == "wait" and not run.reading.calls:
        verdict, held = await asyncio.to_thread(_opened, held, run, attributor, whole=True)
    if verdict != "none":
        rest = await asyncio.to_thread(_finish, marker, held or "")
        if rest:
            yield TextDelta(rest)
    _note_hidden(run, attributor)
    if verdict == "none" or _nothing_shown(run, marker):
        text, marks, abstained = _instead(run)
        yield TextDelta(text)
        yield await verified_answer(
            database, run, text, marks, abstained=abstained, finish_reason="stop", written_by="product"
        )
        return
    yield Stage("verifying")
    text, marks = marker.text, list(marker.marks)
    added, abstained = "", False
    more: list[Mark] = []
    if run.assistant.abstain and not run.reading.calls and not watch.closing:
        added, more, abstained = _closing(run, attributor, text, marks)
    if not abstained:
        added += _joined(text + added, _closed(watch.closing, run.closing))
    if added:
        yield TextDelta(added)
    yield await verified_answer(
        database, run, text + added, marks + more, abstained=abstained, finish_reason=watch.finish_reason
    )


def _opened(held: str, run: Run, attributor: Attributor, *, whole: bool = False) -> tuple[Verdict, str]:
    """What becomes of the beginning of an answer, and what of it remains: first sentences may be left out."""
    verdict = _judged(held, run, attributor, whole=whole)
    while verdict == "skip":
        line = held.strip().split("\n")[0]
        rest = held.strip()[sentence_ranges(line)[0][1] :].lstrip()
        marker = MARKER.match(rest)
        held = rest[marker.end() :].lstrip(" .") if marker else rest
        verdict = _judged(held, run, attributor, whole=whole)
        if len(attributor.hidden) > _MOST_SKIPPED:
            verdict = "none"
    return verdict, held


def _judged(held: str, run: Run, attributor: Attributor, *, whole: bool = False) -> Verdict:
    """Whether the beginning of an answer is an `answer`, `none`, still unclear (`wait`), or to be left out (`skip`).

    A refusal is none, nor is a copied row of a table, nor a marker alone, nor a bare yes or no, which nobody could
    check. Where only what passages support is shown,
    a first sentence is left out when it has a number, date or quotation that stands nowhere, or when it is a
    document's own and lacks what is asked for while the closest one has it.

    Args:
        held: what the model wrote so far.
        run: what is asked.
        attributor: what it read.
        whole: whether there is no more to come.
    """
    text = held.strip()
    if whole and run.shows_only_supported and _BARE.fullmatch(text):
        return "none"
    line = text.split("\n")[0]
    ranges = sentence_ranges(line)
    if not whole and len(ranges) < 2 and "\n" not in text:
        return "wait" if len(text) <= abstaining.LONGEST_REFUSAL else "answer"
    if not ranges or not MARKER.sub("", line[slice(*ranges[0])]).strip(" .:*-"):
        return "none" if whole else "wait"
    sentence = MARKER.sub("", line[slice(*ranges[0])])
    if abstaining.is_refusal(sentence) or " | " in line:
        return "none"
    if run.shows_only_supported and (attributor.contradicts(sentence) or _misses(sentence, run)):
        attributor.hidden.append(sentence)
        return "skip"
    return "answer"


def _misses(sentence: str, run: Run) -> bool:
    """Whether a sentence is a document's own and lacks the kind of thing that the one that comes closest has."""
    quotation, wanted = closest_of(run.evidence), run.evidence.expected
    if quotation is None or wanted is None or not quotation.answers(wanted) or wanted.found_in(sentence) > 0:
        return False
    said = fold(sentence.split(" : ")[-1]).rstrip(".")
    return any(said in fold(unit.text) for source in run.evidence.sources for unit in source.units)


def _nothing_shown(run: Run, marker: Marker) -> bool:
    """Whether nothing of the answer could be shown, so that something else must stand there."""
    return run.shows_only_supported and not run.reading.calls and not any(map(str.isalnum, marker.text))


def _note_hidden(run: Run, attributor: Attributor) -> None:
    for sentence in attributor.hidden:
        run.note("grounding", text=sentence[:300])
    if attributor.hidden:
        run.guarded = run.guarded or "grounding"


def _instead(run: Run) -> tuple[str, list[Mark], bool]:
    """What is said where the model has no answer, its marks, and whether it is an abstention."""
    quotation = closest_of(run.evidence)
    if quotation is None:
        text = abstaining.abstention(run.language, run.document_names())
        return f"{text} {run.person}".rstrip(), [], True
    abstained = not run.trusted
    begun = as_answer(quotation, run.language)
    if abstained:
        begun = abstaining.with_closest(run.language, quotation.told(run.language))
    text = f"{begun} [{quotation.source.number}]."
    marks = [Mark(0, len(text) - 1, quotation.support)]
    return (
        (f"{text} {run.person}".rstrip() if abstained else text + _joined(text, run.closing)),
        marks,
        abstained,
    )


def _finish(marker: Marker, held: str) -> str:
    return marker.feed(held) + marker.finish()


def _joined(text: str, closing: str) -> str:
    """What is added to a text so that the closing stands apart from it."""
    return f"\n\n{closing}" if text and closing else closing


def _closed(cut: str, closing: str) -> str:
    """That an answer was cut, and what is told after every one."""
    return "\n\n".join(part for part in (cut, closing) if part)


def _closing(
    run: Run, attributor: Attributor, text: str, marks: Sequence[Mark]
) -> tuple[str, list[Mark], bool]:
    """What is added to the model's answer, its marks, and whether the whole is an abstention."""
    quotation = closest_of(run.evidence) if run.trusted else None
    if attributor.nothing_stands and quotation is None:
        return _joined(text, abstaining.withdrawal(run.language)), [], True
    if attributor.refusals and not attributor.statuses and quotation is None:
        return _joined(text, abstaining.next_steps(run.language, run.document_names())), [], True
    if quotation is None or _rests_on(quotation, run, text, marks):
        return "", [], False
    begun = as_addition(quotation, run.language)
    if attributor.nothing_stands:
        begun = f"{abstaining.nothing_read(run.language)} {as_answer(quotation, run.language)}"
    added = _joined(text, f"{begun} [{quotation.source.number}].")
    start = len(text) + len(added) - len(added.lstrip("\n"))
    return added, [Mark(start, len(text) + len(added) - 1, quotation.support)], False


def _rests_on(quotation: Quotation, run: Run, text: str, marks: Sequence[Mark]) -> bool:
    """Whether an answer cites the sentence that comes closest, and has of it the kind of thing that is asked for."""
    if not any(quotation.overlaps(mark.support) for mark in marks if mark.support.status != "unsupported"):
        return False
    wanted = run.evidence.expected
    return wanted is None or not quotation.answers(wanted) or wanted.found_in(text) > 0
