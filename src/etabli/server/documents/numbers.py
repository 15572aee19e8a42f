"""Numbers that come from outside."""

from etabli.errors import NotFoundError
from etabli.messages import tr

MAX_NUMBER = 2**31 - 1
"""Largest number of a collection: PostgreSQL's int."""


def checked_number(number: int, *, largest: int = MAX_NUMBER) -> int:
    """The number, when there can be something of that number at all.

    Raises:
        NotFoundError: it is too large for the database.
    """
    if abs(number) > largest:
        raise NotFoundError(tr("There is no such document, or it is not for you."))
    return number
