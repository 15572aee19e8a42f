"""What people thought of answers, as training data: thumbs become judged answers, pairs, or examples to follow.

    kto          every judged answer with its label
    dpo          two answers to the same question at the same place, one liked and one not
    supervised   the liked answers

Pure: where the answers come from is `etabli.conversations.judged`. What the product wrote without its model is left
out, and so is what holds a secret or, unless asked for, personal data; all of it is counted.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from etabli.messages import tr
from etabli.training.base import Method
from etabli.training.data.findings import JSON
from etabli.training.data.personal import personal_data, secrets_of

_DOCUMENTS_END = "</documents>"
"""After it stands what was asked."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer that somebody judged.

    Args:
        place: the same for answers to the same question at the same place of a conversation.
        prompt: what the model read, in OpenAI's shape, texts only; the question is last.
        answer: what people saw.
        liked: thumb up.
        by_model: the model wrote it, not the product.
        with_documents: the prompt holds passages of documents.
    """

    place: Hashable
    prompt: tuple[JSON, ...]
    answer: str
    liked: bool
    by_model: bool = True
    with_documents: bool = False


@dataclass
class Taken:
    """What was made of the judged answers.

    Args:
        rows: that were made.
        judged: answers that were looked at.
        liked: of them.
        with_documents: rows whose prompt holds passages of documents.
        left_out: answers that are in no row, by reason: `product`, `empty`, `secret`, `personal`, `unpaired`,
            `disliked`.
    """

    rows: int = 0
    judged: int = 0
    liked: int = 0
    with_documents: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> JSON:
        """For programs."""
        return {
            "rows": self.rows,
            "judged": self.judged,
            "liked": self.liked,
            "with_documents": self.with_documents,
            "left_out": dict(self.left_out),
        }


def feedback_rows(
    judged: Iterable[Judged], method: Method, taken: Taken, *, personal: bool = False
) -> Iterator[JSON]:
    """Rows that training reads.

    Args:
        judged: the answers.
        method: what the rows are for.
        taken: is told what became of each answer.
        personal: keep what holds personal data.
    """
    usable = (one for one in judged if _is_usable(one, taken, personal=personal))
    if method == "dpo":
        yield from _pairs(usable, taken)
        return
    for one in usable:
        if method == "supervised" and not one.liked:
            taken.left_out["disliked"] += 1
            continue
        taken.rows += 1
        taken.with_documents += one.with_documents
        yield _example(one) if method == "supervised" else _labelled(one)


def reason_label(reason: str) -> str:
    """Why an answer is in no row, for people."""
    return {
        "product": tr("written by the product, not by its model"),
        "empty": tr("without a question or an answer"),
        "secret": tr("with a secret in it"),
        "personal": tr("with personal data in it"),
        "unpaired": tr("without an answer to the same question that was judged otherwise"),
        "disliked": tr("not liked"),
    }.get(reason, reason)


def _is_usable(one: Judged, taken: Taken, *, personal: bool) -> bool:
    taken.judged += 1
    taken.liked += one.liked
    reason = _fault(one, personal=personal)
    if reason is not None:
        taken.left_out[reason] += 1
    return reason is None


def _fault(one: Judged, *, personal: bool) -> str | None:
    if not one.by_model:
        return "product"
    if not one.answer.strip() or not one.prompt or one.prompt[-1]["role"] != "user":
        return "empty"
    text = "\n".join((*(str(message["content"]) for message in one.prompt), one.answer))
    if secrets_of(text):
        return "secret"
    # Of the prompt only what people wrote: documents and instructions are the organisation's own.
    said = "\n".join(
        str(message["content"]).rpartition(_DOCUMENTS_END)[2]
        for message in one.prompt
        if message["role"] != "system"
    )
    return "personal" if not personal and personal_data(f"{said}\n{one.answer}") else None


def _pairs(judged: Iterable[Judged], taken: Taken) -> Iterator[JSON]:
    places: dict[Hashable, list[Judged]] = {}
    for one in judged:
        places.setdefault(one.place, []).append(one)
    for group in places.values():
        liked = [one for one in group if one.liked]
        others = [one for one in group if not one.liked]
        pairs = [(up, down) for up in liked for down in others if up.answer.strip() != down.answer.strip()]
        if not pairs:
            taken.left_out["unpaired"] += len(group)
        for up, down in pairs:
            taken.rows += 1
            taken.with_documents += up.with_documents
            yield {
                "input": {"messages": list(up.prompt)},
                "preferred_output": [_assistant(up)],
                "non_preferred_output": [_assistant(down)],
            }


def _labelled(one: Judged) -> JSON:
    return {"prompt": list(one.prompt), "completion": [_assistant(one)], "label": one.liked}


def _example(one: Judged) -> JSON:
    """Only the judged answer is learned, not the earlier ones."""
    before = [
        {**message, "weight": 0} if message["role"] == "assistant" else message for message in one.prompt
    ]
    return {"messages": [*before, _assistant(one)]}


def _assistant(one: Judged) -> JSON:
    return {"role": "assistant", "content": one.answer}
