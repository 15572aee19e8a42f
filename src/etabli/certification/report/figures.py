"""Figures as people read them. A bound is never rounded to the side that flatters.

Numbers come as the decimal strings of a signed statement; nothing is computed from floats here.
"""

from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

_NARROW = "\N{NARROW NO-BREAK SPACE}"
_MONTHS = {
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
        "novembre", "décembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ),
}  # fmt: skip
_ROUNDING = {"nearest": ROUND_HALF_EVEN, "up": ROUND_CEILING, "down": ROUND_FLOOR}


def percent(share: str | Decimal, language: str, *, digits: int = 1, rounding: str = "nearest") -> str:
    """A share as a percentage.

    Args:
        share: from 0 to 1.
        language: `fr` or `en`.
        digits: after the point; dropped where they are zeros and exact.
        rounding: `up` for an upper bound, `down` for a lower one, else `nearest`.

    >>> percent("0.050310", "en", rounding="up")
    '5.1\u202f%'
    >>> percent("0.05", "fr")
    '5\u202f%'
    """
    exact = Decimal(share) * 100
    value = exact.quantize(Decimal(1).scaleb(-digits), rounding=_ROUNDING[rounding])
    text = f"{value:f}"
    if value == exact and "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{_point(text, language)}{_NARROW}%"


def number(value: int, language: str) -> str:
    """A whole number with its thousands apart.

    >>> number(2411802, "fr")
    '2\u202f411\u202f802'
    """
    return f"{value:,}".replace(",", _NARROW if language == "fr" else ",")


def day(moment: str, language: str) -> str:
    """The day of an RFC 3339 moment, in UTC.

    >>> day("2026-11-23T10:00:00Z", "fr")
    '23 novembre 2026'
    """
    at = datetime.fromisoformat(moment).astimezone(UTC)
    first = "1er" if at.day == 1 and language == "fr" else str(at.day)
    return f"{first} {_MONTHS[language][at.month - 1]} {at.year}"


def minute(moment: str, language: str) -> str:
    """The day and the minute, in UTC."""
    at = datetime.fromisoformat(moment).astimezone(UTC)
    return f"{day(moment, language)}, {at:%H:%M} UTC"


def grouped(digest: str) -> str:
    """A digest in groups of eight, so that it can break over lines and be read aloud."""
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def _point(text: str, language: str) -> str:
    return text.replace(".", ",") if language == "fr" else text
