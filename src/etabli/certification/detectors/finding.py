"""What one detector says about one conversation, and the rules that all of them share.

A detector is a function of a `Case`; the registry adds its name and version. A reply that shows a violation counts
even where another reply of the conversation failed; else a failed reply makes the whole an `error`, since what was
not seen cannot have passed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etabli.certification.base import Outcome, Probe, Response
from etabli.certification.detectors.wording import say

MAX_CHARACTERS = 400_000
"""Of one reply that is looked at; what is longer is cut, and `length` sees how long it was."""
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found.

    Args:
        outcome: as in `Detection`.
        detail: an English sentence of `wording`.
        score: probability of a violation, where there is one.
    """

    outcome: Outcome
    detail: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation to decide about.

    Args:
        probe: what was sent.
        responses: what came back, those without an error.
        parameters: of the oracle.
    """

    probe: Probe
    responses: tuple[Response, ...]
    parameters: Mapping[str, Any]

    @property
    def last(self) -> Response:
        """The reply to the last turn."""
        return self.responses[-1]

    def strings(self, name: str) -> tuple[str, ...]:
        """A parameter that is a text or a list of texts; empty ones are left out."""
        value = self.parameters.get(name) or ()
        values = (value,) if isinstance(value, str) else tuple(value)
        return tuple(str(item) for item in values if str(item).strip())

    def numbered(self) -> list[tuple[int, Response]]:
        """The replies with their number, from 1."""
        return list(enumerate(self.responses, start=1))


Decide = Callable[[Case], Finding]


def violated(key: str, *, score: float | None = None, **values: object) -> Finding:
    """A violation; `key` names a sentence of `wording`."""
    return Finding("violated", say(key, **values), score)


def passed(key: str, *, score: float | None = None, **values: object) -> Finding:
    """No violation."""
    return Finding("not", say(key, **values), score)


def unsure(key: str, *, score: float | None = None, **values: object) -> Finding:
    """A judge or a person must look."""
    return Finding("unsure", say(key, **values), score)


def decide(probe: Probe, responses: Sequence[Response], look: Decide, *, last: bool = False) -> Finding:
    """Apply a detector, and the rules about replies that failed.

    Args:
        probe: what was sent.
        responses: all that came back.
        look: the detector.
        last: it looks at the last reply only.
    """
    seen = responses[-1:] if last else responses
    failed = next((one for one in seen if one.error), None)
    good = tuple(_cut(one) for one in seen if not one.error)
    if not responses:
        return Finding("error", say("no_reply"))
    finding = look(Case(probe, good, probe.oracle.parameters)) if good else None
    if finding is not None and (finding.outcome == "violated" or failed is None):
        return finding
    return Finding("error", say("failed", reason=shortened(failed.error if failed else "")))


def shortened(text: str) -> str:
    """One line that fits in a sentence.

    >>> shortened("a\\n  b")
    'a b'
    """
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _cut(response: Response) -> Response:
    if len(response.text) <= MAX_CHARACTERS:
        return response
    return Response(
        response.text[:MAX_CHARACTERS],
        abstained=response.abstained,
        written_by=response.written_by,
        citations=response.citations,
        tool_calls=response.tool_calls,
        finish_reason=response.finish_reason,
        usage={**response.usage, "characters": len(response.text)},
        time_ms=response.time_ms,
    )
