"""Writing: the model's words as they come, with their markers checked and added, and what remains of them.

The first sentence is held back until it is known to be an answer. A refusal, a copied row or a number that stands
nowhere is never shown: the sentence that comes closest is quoted instead, as the answer or beside the fixed sentence
of abstention. An answer that rests on another sentence than this one is followed by it. What is asked for as JSON
passes untouched.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

from etabli.assistants import abstaining
from etabli.assistants.answer import Event, Stage, TextDelta
from etabli.assistants.attributing import Attributor
from etabli.assistants.citing import MARKER, Mark, Marker
from etabli.assistants.claims import fold
from etabli.assistants.composing import verified_answer
from etabli.assistants.conversation import read_conversation
from etabli.assistants.closest import Quotation, as_addition, as_answer, closest_of
from etabli.assistants.run import Run
from etabli.assistants.sentences import sentence_ranges
from etabli.assistants.streaming import read_stream
from etabli.storage.database import Database

Verdict = Literal["wait", "answer", "none"]


def write(run: Run, database: Database) -> AsyncGenerator[Event, None]:
    """The model's answer and what remains of it after verification; the last event is the `Answer`."""
    attributor = Attributor(
        run.evidence,
        question=" ".join([run.question, read_conversation(run.request.messages).question]),
        language=run.language,
    )
    return (_write_json if run.wants_json else _write_text)(run, database, attributor)


async def _write_json(run: Run, database: Database, attributor: Attributor) -> AsyncGenerator[Event, None]:
    """As it comes; its citations say where the whole of it stands."""
    text = ""
    began = time.perf_counter()
    async with aclosing(read_stream(run.engine, run.body(), run.reading)) as pieces:
        async for piece in pieces:
            if not isinstance(piece, str):
                yield piece
                continue
            text += piece
            yield TextDelta(piece)
    run.took("writing", began)
    yield Stage("verifying")
    marks = [Mark(0, len(text), one) for one in await asyncio.to_thread(attributor.whole, text)]
    yield await verified_answer(database, run, text, marks, abstained=False)


async def _write_text(run: Run, database: Database, attributor: Attributor) -> AsyncGenerator[Event, None]:
    """With markers checked and added; the first sentence is held until it is known to be an answer."""
    marker = Marker(attributor)
    held: str | None = "" if run.assistant.abstain else None
    verdict: Verdict = "wait"
    began = time.perf_counter()
    async with aclosing(read_stream(run.engine, run.body(), run.reading)) as pieces:
        async for piece in pieces:
            if not isinstance(piece, str):
                yield piece
                continue
            if held is not None:
                held += piece
                verdict = await asyncio.to_thread(_judged, held, run, attributor)
                if verdict == "wait":
                    continue
                if verdict == "none":
                    break
                piece, held = held, None
            out = await asyncio.to_thread(marker.feed, piece)
            if out:
                yield TextDelta(out)
    run.took("writing", began)
    if held is not None and not run.reading.calls:
        verdict = await asyncio.to_thread(_judged, held, run, attributor, whole=True)
    if verdict == "none":
        text, marks, abstained = _instead(run)
        yield TextDelta(text)
        yield await verified_answer(database, run, text, marks, abstained=abstained, finish_reason="stop")
        return
    rest = await asyncio.to_thread(_finish, marker, held or "")
    if rest:
        yield TextDelta(rest)
    yield Stage("verifying")
    text, marks = marker.text, list(marker.marks)
    added, more, abstained = "", [], False
    if run.assistant.abstain and not run.reading.calls:
        added, more, abstained = _closing(run, attributor, text, marks)
    if added:
        yield TextDelta(added)
    text, marks = text + added, marks + more
    yield await verified_answer(database, run, text, marks, abstained=abstained)


def _judged(held: str, run: Run, attributor: Attributor, *, whole: bool = False) -> Verdict:
    """Whether the beginning of an answer is an `answer`, `none`, or still unclear: `wait`.

    A refusal is none, nor is a first sentence with a number, date or quotation that stands nowhere, nor a copied row
    of a table, nor a marker alone, nor a copied sentence that lacks what is asked for when the closest one has it.

    Args:
        held: what the model wrote so far.
        run: what is asked.
        attributor: what it read.
        whole: whether there is no more to come.
    """
    text = held.strip()
    ranges = sentence_ranges(text.split("\n")[0])
    if not whole and len(ranges) < 2 and "\n" not in text:
        return "wait" if len(text) <= abstaining.LONGEST_REFUSAL else "answer"
    if not ranges or not MARKER.sub("", text[slice(*ranges[0])]).strip(" .:*-"):
        return "none" if whole else "wait"
    sentence = text[slice(*ranges[0])]
    if abstaining.is_refusal(sentence) or " | " in text.split("\n")[0]:
        return "none"
    sentence = MARKER.sub("", sentence)
    return "none" if attributor.contradicts(sentence) or _misses(sentence, run) else "answer"


def _misses(sentence: str, run: Run) -> bool:
    """Whether a sentence is a document's own and lacks the kind of thing that the one that comes closest has."""
    quotation, wanted = closest_of(run.evidence), run.evidence.expected
    if quotation is None or wanted is None or not quotation.answers(wanted) or wanted.found_in(sentence) > 0:
        return False
    said = fold(sentence.split(" : ")[-1]).rstrip(".")
    return any(said in fold(unit.text) for source in run.evidence.sources for unit in source.units)


def _instead(run: Run) -> tuple[str, list[Mark], bool]:
    """What is said where the model has no answer, its marks, and whether it is an abstention."""
    quotation = closest_of(run.evidence)
    if quotation is None:
        return abstaining.abstention(run.language, run.document_names()), [], True
    abstained = not run.trusted
    told = quotation.told(run.language)
    begun = abstaining.with_closest(run.language, told) if abstained else as_answer(quotation, run.language)
    text = f"{begun} [{quotation.source.number}]."
    return text, [Mark(0, len(text) - 1, quotation.support)], abstained


def _finish(marker: Marker, held: str) -> str:
    return marker.feed(held) + marker.finish()


def _closing(
    run: Run, attributor: Attributor, text: str, marks: Sequence[Mark]
) -> tuple[str, list[Mark], bool]:
    """What is added to the model's answer, its marks, and whether the whole is an abstention."""
    gap = "\n\n" if text else ""
    quotation = closest_of(run.evidence) if run.trusted else None
    if attributor.nothing_stands and quotation is None:
        return gap + abstaining.withdrawal(run.language), [], True
    if attributor.refusals and not attributor.statuses and quotation is None:
        return gap + abstaining.next_steps(run.language, run.document_names()), [], True
    if quotation is None or _rests_on(quotation, run, text, marks):
        return "", [], False
    begun = as_addition(quotation, run.language)
    if attributor.nothing_stands:
        begun = f"{abstaining.nothing_read(run.language)} {as_answer(quotation, run.language)}"
    added = f"{begun} [{quotation.source.number}]."
    start = len(text) + len(gap)
    return gap + added, [Mark(start, start + len(added) - 1, quotation.support)], False


def _rests_on(quotation: Quotation, run: Run, text: str, marks: Sequence[Mark]) -> bool:
    """Whether an answer cites the sentence that comes closest, and has of it the kind of thing that is asked for."""
    if not any(quotation.overlaps(mark.support) for mark in marks if mark.support.status != "unsupported"):
        return False
    wanted = run.evidence.expected
    return wanted is None or not quotation.answers(wanted) or wanted.found_in(text) > 0
