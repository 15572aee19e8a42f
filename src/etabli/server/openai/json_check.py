"""Whether a text is the JSON that was asked for. Imports little: it also runs in a process of its own."""

import json
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry

_LONGEST_FAULT = 300


def find_fault(text: str, schema: dict[str, Any] | None) -> str | None:
    """Why `text` is not a JSON object, or not what `schema` asks for; None when it is.

    >>> find_fault('{"a": 1}', {"required": ["b"]})
    "'b' is a required property"
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return shortened(f"not JSON: {error}")
    if schema is None:
        return None if isinstance(value, dict) else "not a JSON object"
    fault = best_match(Draft202012Validator(schema, registry=Registry()).iter_errors(value))
    if not isinstance(fault, ValidationError):
        return None
    place = "".join(f"[{part!r}]" for part in fault.absolute_path)
    return shortened(f"{place}: {fault.message}" if place else fault.message)


def shortened(text: str) -> str:
    """One line of at most 300 characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST_FAULT else flat[: _LONGEST_FAULT - 1] + "…"
