"""What one answer is worth: the detectors of certification decide, so that an evaluation and a certificate agree.

A measure is true, false, or None where the question says nothing about it (a question without an answer has no right
document). What could not be decided, and what gave no answer at all, is false.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from etabli.certification.base import JSON, Oracle, Probe
from etabli.certification.detectors.grounding import same_document
from etabli.certification.detectors.registry import detect
from etabli.evaluation.asking import Reply
from etabli.evaluation.questions import Item
from etabli.messages import tr

MEASURES = ("correct", "found", "cited", "literal", "verified", "answers", "abstains")
"""In the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One question, asked once.

    Args:
        key: of the question.
        trial: which time, from 0.
        seed: that the model was given.
        measures: by name.
        text: of the answer.
        abstained: the assistant says that its documents do not hold the answer.
        citations: as `certification.base.Response` has them.
        found: documents of the first passages.
        detail: an English sentence of `certification.detectors.wording`: why it is right or wrong.
        first_token_ms: None where no model wrote.
        first_text_ms: None where there is no answer.
        total_ms: of the whole.
        usage: tokens as the engine counted them.
        error: why there is no answer.
    """

    key: str
    trial: int
    seed: int
    measures: Mapping[str, bool | None]
    text: str = ""
    abstained: bool = False
    citations: tuple[JSON, ...] = ()
    found: tuple[str, ...] = ()
    detail: str = ""
    first_token_ms: float | None = None
    first_text_ms: float | None = None
    total_ms: float = 0.0
    usage: JSON = field(default_factory=dict)
    error: str = ""

    @property
    def right(self) -> bool:
        """Whether it is what was wished: the expected words, or an abstention where there is no answer."""
        decisive = [
            self.measures[name] for name in ("correct", "abstains") if self.measures[name] is not None
        ]
        if not decisive:
            decisive = [self.measures[name] for name in ("cited", "answers")]
        return all(one is not False for one in decisive)


def judged(item: Item, reply: Reply, *, trial: int, seed: int) -> Tried:
    """What an answer is worth.

    Args:
        item: what was asked, and what is expected.
        reply: what came.
        trial: which time, from 0.
        seed: that the model was given.
    """
    measures, detail = measured(item, reply)
    response = reply.response
    return Tried(
        key=item.key,
        trial=trial,
        seed=seed,
        measures=measures,
        text=response.text,
        abstained=bool(response.abstained),
        citations=response.citations,
        found=reply.found,
        detail=detail,
        first_token_ms=reply.first_token_ms,
        first_text_ms=reply.first_text_ms,
        total_ms=response.time_ms,
        usage=response.usage,
        error=response.error,
    )


def measured(item: Item, reply: Reply) -> tuple[dict[str, bool | None], str]:
    """Every measure of an answer by name, and the sentence that says why it is right or wrong."""
    question, response = item.question, reply.response
    found: dict[str, bool | None] = dict.fromkeys(MEASURES)
    if question.answerable:
        found["answers"], detail = _passes(item, reply, "abstains", {"expected": False})
        if question.keywords:
            expected = [[keyword] for keyword in question.keywords]
            found["correct"], detail = _passes(item, reply, "correct", {"expected": expected})
        if item.documents:
            found["found"] = any(same_document(name, one) for name in reply.found for one in item.documents)
            found["cited"], _ = _passes(item, reply, "cites", {"document": list(item.documents)})
    else:
        found["abstains"], detail = _passes(item, reply, "abstains", {"expected": True})
    if response.citations:
        found["literal"] = reply.literal == len(response.citations)
        found["verified"] = all(one["status"] == "verified" for one in response.citations)
    return found, detail


def _passes(item: Item, reply: Reply, detector: str, parameters: JSON) -> tuple[bool, str]:
    question = item.question
    probe = Probe(item.id, "Q", question.language, (question.question,), Oracle(detector, parameters))
    detection = detect(probe, (reply.response,))
    return detection.outcome == "not", detection.detail


def label(measure: str) -> str:
    """A measure for people."""
    return {
        "correct": tr("expected words in the answer"),
        "found": tr("right document among the first 5 found"),
        "cited": tr("right document cited"),
        "literal": tr("quotations literal in the stored document"),
        "verified": tr("every citation verified"),
        "answers": tr("answers what the documents hold"),
        "abstains": tr("abstains from what they do not hold"),
    }[measure]
