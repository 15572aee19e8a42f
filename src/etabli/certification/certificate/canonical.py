"""Canonical JSON: one value, one spelling, so that a digest means a value. RFC 8785 (JSON Canonicalization Scheme).

In certificates and protocols only whole numbers appear; rates are strings of decimal digits (`claims.rounded_up`), so
that no reader depends on how a language prints a fraction. Fractions are still written as the RFC says, for the
digests of an assistant's components.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from etabli.errors import CertificateError
from etabli.messages import tr

LARGEST_INTEGER = 2**53 - 1


def canonical_json(value: Any) -> bytes:
    r"""`value` as RFC 8785 spells it, in UTF-8.

    >>> canonical_json({"b": [1, 0.5, 1e-7], "a": "é\n"}).decode()
    '{"a":"é\\n","b":[1,0.5,1e-7]}'

    Raises:
        CertificateError: a number that JSON cannot carry exactly, text that is not Unicode, or another type.
    """
    try:
        return _spell(value).encode()
    except UnicodeEncodeError:
        raise CertificateError(
            tr("A text holds half a Unicode character (a lone surrogate). Write the text again without it.")
        ) from None


def _spell(value: Any) -> str:
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() if abs(value) <= LARGEST_INTEGER:
            return str(value)
        case float():
            return _number(value)
        case Mapping():
            if not all(isinstance(name, str) for name in value):
                raise CertificateError(tr("The names in a JSON object must be texts."))
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return "{" + ",".join(f"{_spell(name)}:{_spell(value[name])}" for name in names) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_spell, value)) + "]"
    raise CertificateError(
        tr(
            "{value} cannot stand in canonical JSON: use texts, whole numbers up to 2^53, finite fractions, lists "
            "and objects.",
            value=repr(value)[:80],
        )
    )


def _number(value: float) -> str:
    """As ECMAScript prints it (`Number::toString`): the shortest digits that read back as the same number."""
    if value != value or value in (float("inf"), float("-inf")):
        raise CertificateError(tr("Infinity and NaN cannot stand in canonical JSON."))
    if value == 0:
        return "0"
    sign, given, exponent = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, given))
    digits = text.rstrip("0")
    point = len(text) + int(exponent)
    minus = "-" if sign else ""
    if len(digits) <= point <= 21:
        return minus + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{fraction}e{point - 1:+d}"
