"""What PostgreSQL can keep: its texts have neither NUL nor halves of surrogate pairs, and what people send may."""

from typing import Any

from psycopg.types.json import Jsonb

_REPLACEMENT = "\ufffd"


def clean(value: Any) -> Any:
    """Nested JSON with a replacement sign for every character that the database refuses.

    >>> clean({"a\\0": ["b\\ud800"]})
    {'a�': ['b�']}
    """
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value


def clean_text(text: str) -> str:
    """A text with a replacement sign for every character that the database refuses."""
    if "\0" in text:
        text = text.replace("\0", _REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(_REPLACEMENT if "\ud800" <= one <= "\udfff" else one for one in text)
    return text


def jsonb(value: Any) -> Jsonb | None:
    """A parameter of type jsonb; SQL's NULL for None."""
    return None if value is None else Jsonb(clean(value))


def lookup_key(key: str) -> str:
    """A key to look up: one that cannot be ours finds nothing."""
    return key if key.isascii() and key.isprintable() else ""
