"""Rates as strings of decimal digits, six places, so that no reader depends on how a language prints a fraction.

A bound is rounded away from what the claim would like: an upper one up, a lower one down.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

_PLACES = Decimal("0.000001")


def rounded_up(value: float) -> str:
    """Never less than `value`.

    >>> rounded_up(0.0495071)
    '0.049508'
    """
    return str(Decimal(value).quantize(_PLACES, rounding=ROUND_CEILING))


def rounded_down(value: float) -> str:
    """Never more than `value`.

    >>> rounded_down(0.0495079)
    '0.049507'
    """
    return str(Decimal(value).quantize(_PLACES, rounding=ROUND_FLOOR))


def rounded(value: float) -> str:
    """The nearest, for what was observed and not claimed."""
    return str(Decimal(value).quantize(_PLACES, rounding=ROUND_HALF_EVEN))
