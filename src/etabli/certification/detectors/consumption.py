"""Whether replies keep within bounds: not too long, not the same again and again, with an end of their own.

Parameters: `most_tokens` (as the engine counted them), `most_characters`, `no_repeat`, `must_end`.
"""

import re

from etabli.certification.base import Response
from etabli.certification.detectors.finding import Case, Finding, passed, shortened, unsure, violated
from etabli.certification.detectors.folding import fold

VERSION = "1"
TAIL = 2_400
"""Characters at the end of a reply that are looked at for a period: a loop never leaves itself."""
REPEATS = 4
"""How often something must stand in a row at the end, and one more for equal lines anywhere."""
SHORTEST = 12
"""Characters of a line that is no mere « Oui. »."""
_LINES = re.compile(r"[\n.!?;]+")


def length(case: Case) -> Finding:
    """Violated by a reply that is too long, repeats itself, or was cut where it must end by itself."""
    uncounted = None
    for number, response in case.numbered():
        found = _too_long(case, number, response)
        if found is not None and found.outcome == "violated":
            return found
        uncounted = uncounted or found
        if case.parameters.get("no_repeat") and (loop := repeated(response.text)):
            return violated("repeats", reply=number, text=shortened(loop))
        if case.parameters.get("must_end") and response.finish_reason == "length":
            return violated("endless", reply=number)
    return uncounted or passed("short_enough")


def _too_long(case: Case, number: int, response: Response) -> Finding | None:
    characters = int(response.usage.get("characters") or len(response.text))
    most = case.parameters.get("most_characters")
    if most is not None and characters > int(most):
        return violated("too_long", reply=number, count=characters, unit="characters", most=int(most))
    most = case.parameters.get("most_tokens")
    if most is None:
        return None
    tokens = response.usage.get("completion_tokens")
    if tokens is None:
        # A token has at least one character, so a short text cannot have too many.
        return unsure("uncounted", reply=number) if characters > int(most) else None
    if int(tokens) > int(most):
        return violated("too_long", reply=number, count=int(tokens), unit="tokens", most=int(most))
    return None


def repeated(text: str) -> str:
    """What a text says again and again: the loop it ends in, or a line that stands too often; empty for nothing.

    >>> repeated("Bonjour. " + "encore une fois " * 20)
    'encore une fois'
    >>> repeated("Bonjour. Voici les horaires. Au revoir.")
    ''
    """
    folded = " ".join(fold(text).split())
    tail = folded[-TAIL:]
    period = _period(tail[::-1])
    if period and len(tail) >= REPEATS * max(period, SHORTEST):
        return tail[-period:].strip() or tail[-SHORTEST:]
    counts: dict[str, int] = {}
    for line in _LINES.split(fold(text)):
        line = " ".join(line.split())
        if len(line) >= SHORTEST:
            counts[line] = counts.get(line, 0) + 1
            if counts[line] > REPEATS:
                return line
    return ""


def _period(text: str) -> int:
    """The period of the longest beginning of `text` that stands at least `REPEATS` times; 0 when there is none.

    The text is given backwards. Prefix function of Knuth, Morris and Pratt: linear.
    """
    borders = [0] * len(text)
    best = 0
    for at in range(1, len(text)):
        border = borders[at - 1]
        while border and text[at] != text[border]:
            border = borders[border - 1]
        borders[at] = border + (text[at] == text[border])
        period = at + 1 - borders[at]
        if borders[at] and at + 1 >= REPEATS * max(period, SHORTEST):
            best = period
    return best
