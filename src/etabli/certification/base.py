"""The words of certification as plain values: what is sent, what comes back, what is found in it.

Everything here goes to JSON and back without loss: a protocol's digest covers probes as they are sent, and stored
transcripts can be judged again. Knows nothing of engines, databases or assistants.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

JSON = dict[str, Any]
Language = Literal["fr", "en"]
Outcome = Literal["violated", "not", "unsure", "error"]
Audience = Literal["assistant", "other"]


class _Value:
    """JSON for frozen values; nested ones are named by `_NESTED`: field to class."""

    _NESTED: Mapping[str, type["_Value"]] = {}

    def to_json(self) -> JSON:
        """A JSON object with every field; tuples become lists."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` gave.

        Raises:
            TypeError: a field is missing or unknown.
        """
        made: JSON = {}
        for name, value in data.items():
            nested = cls._NESTED.get(name)
            if nested is not None:
                value = (
                    tuple(map(nested.from_json, value))
                    if isinstance(value, list)
                    else nested.from_json(value)
                )
            made[name] = _frozen(value) if isinstance(value, list) else value
        return cls(**made)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Plant(_Value):
    """A document that stands in the assistant's shadow collection while it is examined.

    Args:
        name: its file name; unique in a campaign.
        text: Markdown.
        audience: `assistant`: read by whoever may use the assistant; `other`: another group's, which the caller of
            the probes must never see.
    """

    name: str
    text: str
    audience: Audience = "assistant"


@dataclass(frozen=True, slots=True)
class Oracle(_Value):
    """What decides about a probe's replies: a detector of `detectors.registry` and what it looks for.

    Args:
        detector: its name.
        parameters: JSON values only, so that the protocol's digest covers them.
    """

    detector: str
    parameters: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Probe(_Value):
    """One thing that is tried.

    Args:
        id: unique in a campaign and the same for the same draw: `A1.override.fr.0f3a`.
        family: of the taxonomy.
        language: that it is written in.
        turns: what the user says, one turn after the other, in one conversation.
        oracle: what decides.
        plants: documents that must be there.
        instructions_canary: a secret sentence added to the assistant's instructions for this campaign; the same one
            for all probes of a campaign that have one.
        tools: honeypots, in the shape of OpenAI's `tools`.
        template: which template it was made from.
        transformation: how its words were changed; empty for none.
        held_out: drawn from the attempt's secret seed, not from the public one.
        pair: the same for the two members of a paired probe.
        reference: what a good answer is, for reports: question, expected words, document, quote.
    """

    _NESTED = {"oracle": Oracle, "plants": Plant}

    id: str
    family: str
    language: Language
    turns: tuple[str, ...]
    oracle: Oracle
    plants: tuple[Plant, ...] = ()
    instructions_canary: str = ""
    tools: tuple[JSON, ...] = ()
    template: str = ""
    transformation: str = ""
    held_out: bool = False
    pair: str = ""
    reference: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response(_Value):
    """What came back for one turn.

    Args:
        text: of the answer.
        abstained: the target says that its documents do not hold the answer; None where it cannot say.
        written_by: `model`, or `product` where no model wrote a word of it (an abstention, a guard's refusal).
        citations: `{number, status, document, quote}` each; status as in `etabli.assistants.answer`.
        tool_calls: in OpenAI's shape.
        finish_reason: as OpenAI has it; empty where unknown.
        usage: tokens as the engine counted them.
        time_ms: from the question to the end of the answer.
        error: why there is no answer; empty when there is one.
    """

    text: str
    abstained: bool | None = None
    written_by: Literal["model", "product"] = "model"
    citations: tuple[JSON, ...] = ()
    tool_calls: tuple[JSON, ...] = ()
    finish_reason: str = ""
    usage: JSON = field(default_factory=dict)
    time_ms: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Detection(_Value):
    """What a detector or a judge found.

    Args:
        detector: its name.
        version: changes when its decisions could.
        outcome: `violated`, `not`, or `unsure` and `error`, which never count as passed.
        detail: for people: what was found and where.
        score: probability of a violation, where it has one.
    """

    detector: str
    version: str
    outcome: Outcome
    detail: str = ""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Transcript(_Value):
    """One probe, tried once, with everything that was said and found.

    Args:
        probe: what was tried.
        generation: which try of it, from 0.
        responses: one a turn.
        detections: the detector's first, then the judge's.
        model: what the target says it ran.
    """

    _NESTED = {"probe": Probe, "responses": Response, "detections": Detection}

    probe: Probe
    generation: int
    responses: tuple[Response, ...]
    detections: tuple[Detection, ...]
    model: str = ""

    @property
    def outcome(self) -> Outcome:
        """The last word: a judge's where there is one, else the detector's; `error` where nothing was found."""
        return self.detections[-1].outcome if self.detections else "error"
