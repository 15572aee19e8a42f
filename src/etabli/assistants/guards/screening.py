"""What the guards make of a conversation before anything is searched or sent.

A turn that a guard answered is not read again by the model: neither the order nor the answer to it. Results of tools
are cleaned as documents are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from etabli.assistants.answer import Guard
from etabli.assistants.conversation import text_of, with_text
from etabli.assistants.guards import wording
from etabli.assistants.guards.commands import is_command
from etabli.assistants.guards.distress import goes_on
from etabli.assistants.guards.questions import ORIGIN, Verdict, examine
from etabli.assistants.guards.settings import GuardSettings
from etabli.assistants.sentences import sentence_ranges

Message = dict[str, Any]
_LEFT_OUT = "[…]"
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Screening:
    """A conversation after the guards of questions.

    Args:
        messages: what may be read, in OpenAI's shape; the last user message is what remains of the question.
        guard: the guard that answers instead, or that left something of the question out; None where none did.
        answers: whether it answers instead.
        again: distress was answered before in this conversation.
        origin: it is asked who wrote the text.
        notes: for the trace.
    """

    messages: tuple[Message, ...]
    guard: Guard | None = None
    answers: bool = False
    again: bool = False
    origin: bool = False
    notes: tuple[dict[str, Any], ...] = field(default=())


def screen(messages: Sequence[Mapping[str, Any]], guards: GuardSettings) -> Screening:
    """Look at every user's turn and at the results of tools.

    Args:
        messages: as the caller sent them.
        guards: which guards are on.
    """
    last = max((index for index, one in enumerate(messages) if one.get("role") == "user"), default=None)
    if last is None:
        return Screening(tuple(dict(one) for one in messages))
    kept: list[Message] = []
    notes: list[dict[str, Any]] = []
    skipping, distress, first = False, False, True
    for index, message in enumerate(messages):
        role = message.get("role")
        if role == "user" and index < last:
            verdict = _examined(text_of(message.get("content")), guards, first)
            skipping = verdict.guard is not None and not verdict.rest
            distress, first = verdict.guard == "crisis", False
            if not skipping:
                kept.append(with_text(message, verdict.rest) if verdict.rest else dict(message))
        elif index >= last or role in ("system", "developer") or not skipping:
            kept.append(_cleaned(message, notes) if guards.passages else dict(message))
    question = text_of(messages[last].get("content"))
    verdict = _examined(question, guards, first)
    again = distress and verdict.guard is None and goes_on(question)
    if again:
        verdict = Verdict("crisis")
    if verdict.guard is None:
        return Screening(tuple(kept), notes=tuple(notes))
    notes.append(_note(verdict))
    if verdict.rest:
        place = max(index for index, one in enumerate(kept) if one.get("role") == "user")
        kept[place] = with_text(kept[place], verdict.rest)
    return Screening(
        tuple(kept), verdict.guard, not verdict.rest, again, verdict.reason == ORIGIN, tuple(notes)
    )


def product_answer(screening: Screening, *, language: str, title: str, contact: str, grounded: bool) -> str:
    """The answer that the product writes itself where `screening.answers`."""
    assert screening.guard is not None
    return wording.written(
        screening.guard,
        language,
        title=title,
        contact=contact,
        grounded=grounded,
        again=screening.again,
        origin=screening.origin,
    )


def _examined(text: str, guards: GuardSettings, first: bool) -> Verdict:
    return _remembered(text, guards.crisis, guards.identity, guards.questions, first)


@lru_cache(maxsize=2048)
def _remembered(text: str, crisis: bool, identity: bool, orders: bool, first: bool) -> Verdict:
    return examine(text, crisis=crisis, identity=identity, orders=orders, first_turn=first)


def _note(verdict: Verdict) -> dict[str, Any]:
    """For the trace. Words of distress are not repeated there."""
    note: dict[str, Any] = {"guard": verdict.guard, "answered": not verdict.rest}
    if verdict.reason:
        note["reason"] = verdict.reason
    if verdict.guard == "instructions":
        note["left_out"] = [text[:_SHOWN] for text in verdict.left_out]
    return note


def _cleaned(message: Mapping[str, Any], notes: list[dict[str, Any]]) -> Message:
    """A tool's result without the orders in it; any other message as it is."""
    text = text_of(message.get("content"))
    if message.get("role") not in ("tool", "function") or not text:
        return dict(message)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        for start, end in reversed(sentence_ranges(line)):
            if is_command(line[start:end]):
                notes.append({"guard": "passages", "tool": True, "text": line[start:end][:_SHOWN]})
                line = line[:start] + _LEFT_OUT + line[end:]
        lines[number] = line
    cleaned = "\n".join(lines)
    return dict(message) if cleaned == text else with_text(message, cleaned)
