"""From the bytes of a line to a JSON object, strictly: what Python's parser would let through is a fault here.

Refused besides what does not parse: a key that stands twice in one object, NaN and infinities, and nesting that no
example has.
"""

import json
from collections.abc import Sequence
from typing import Any

from etabli.messages import tr
from etabli.training.data.findings import JSON, Fault, shown

DEEPEST = 64
"""Objects and lists within each other: schemas of functions have some ten."""


class _Twice(ValueError):
    """A key stands twice."""


class _NoNumber(ValueError):
    """NaN or an infinity."""


def parse(data: bytes) -> JSON | Fault:
    """The object of a line, or why there is none.

    >>> parse(b'{"messages": []}'), parse(b'[1]').rule, parse(b'{"a": 1, "a": 2}').rule
    ({'messages': []}, 'data_type', 'duplicate_key')
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Fault(
            "not_utf8", {"bytes": data[error.start : error.start + 4].hex(" "), "at": error.start + 1}
        )
    try:
        value = _DECODER.decode(text.strip(" \t\r\n"))
        if _deeper(text) and _depth(value) > DEEPEST:
            raise RecursionError
    except _Twice as error:
        return Fault("duplicate_key", {"key": shown(str(error), most=40)})
    except _NoNumber as error:
        return Fault(
            "invalid_json", {"reason": tr("{word} is no number in JSON", word=str(error)), "column": 0}
        )
    except RecursionError:
        return Fault(
            "invalid_json",
            {"reason": tr("it is nested deeper than {most} levels", most=DEEPEST), "column": 0},
        )
    except json.JSONDecodeError as error:
        return Fault("invalid_json", {"reason": _reason(error.msg), "column": error.pos + 1})
    except ValueError:
        return Fault("invalid_json", {"reason": tr("a number has too many digits"), "column": 0})
    if not isinstance(value, dict):
        return Fault("data_type", {"found": shown(value), "type": json_type(value)})
    return value


def _reason(message: str) -> str:
    """What Python's parser says, in the language in force."""
    return {
        "Expecting value": tr("a value is missing"),
        "Expecting property name enclosed in double quotes": tr("a key in double quotes is missing"),
        "Expecting ',' delimiter": tr("a comma or the end is missing"),
        "Expecting ':' delimiter": tr("a colon is missing"),
        "Unterminated string starting at": tr("a text does not end"),
        "Invalid control character at": tr("a text holds a line break, a tab or another control character"),
        "Extra data": tr("something follows the object"),
        "Invalid \\escape": tr("a backslash stands before a character that needs none"),
        "Invalid \\uXXXX escape": tr("four hexadecimal digits are missing"),
    }.get(message, message)


def json_type(value: object) -> str:
    """JSON's name of a kind of value, for people."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return tr("a boolean")
    if isinstance(value, str):
        return tr("a text")
    if isinstance(value, int | float):
        return tr("a number")
    return tr("a list") if isinstance(value, list) else tr("an object")


def _once(pairs: Sequence[tuple[str, Any]]) -> JSON:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Twice(name)
            seen.add(name)
    return found


def _no_number(word: str) -> float:
    raise _NoNumber(word)


def _finite(word: str) -> float:
    value = float(word)
    if value in (float("inf"), float("-inf")):
        raise _NoNumber(word[:20])
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)


def _deeper(text: str) -> bool:
    """Whether it may be nested too deeply: a cheap look."""
    return text.count("{") + text.count("[") > DEEPEST


def _depth(value: object) -> int:
    level, found = [value], 0
    while level and found <= DEEPEST:
        found += 1
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return found
