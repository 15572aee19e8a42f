"""The words of a passage instead of the model's: one sentence or row, literally, with its source."""

from etabli.assistants.verifying import Support

LONGEST_QUOTE = 400
"""Characters of a passage that are quoted."""
_SAYS = {"fr": "Le document dit\u00a0: «\u00a0{quote}\u00a0»", "en": "The document says: “{quote}”"}


def clipped_quote(text: str) -> str:
    """The text, or its beginning where it is long, cut between words.

    >>> clipped_quote("mot " * 200).endswith("mot") and len(clipped_quote("mot " * 200)) <= LONGEST_QUOTE
    True
    """
    return text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE].rsplit(" ", 1)[0]


def quotation(support: Support, *, language: str) -> tuple[str, Support]:
    """What a passage says, as a sentence without its full stop, and where exactly; empty where nothing is left.

    Args:
        support: which span; its first unit is quoted.
        language: of the answer.
    """
    unit = next(
        (
            unit
            for unit in support.source.units
            if unit.char_start >= support.char_start and unit.char_end <= support.char_end
        ),
        None,
    )
    if unit is None:
        return "", support
    quote = clipped_quote(unit.text)
    exact = Support(
        support.source, unit.char_start, unit.char_start + len(quote), "verified", None, support.weight
    )
    return _SAYS[language].format(quote=" ".join(quote.split())), exact
