"""French and English typography, applied to sources typed on a plain keyboard.

French wants a no-break space before ``: ; ? ! % € »`` and after ``«``, and both languages a curly apostrophe.
Only U+00A0 is used: the narrow no-break space is not in the standard PDF fonts.
"""

import re

NO_BREAK = "\u00a0"

_UNITS = (
    r"(?:€|%|h|min|mg|g|kg|ml|mL|L|kHz|m|m²|cm|°C|jours?|ans|heures?|minutes?|mois|semaines?|lits|places)"
)
_BEFORE_SIGN = re.compile(r"(?<=\S) ([:;?!%€»])")
_AFTER_GUILLEMET = re.compile(r"« ")
_THOUSANDS = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")
_NUMBER_UNIT = re.compile(rf"(?<=\d) (?={_UNITS}(?!\w))")
_HOUR = re.compile(rf"(?<=\d{NO_BREAK}h) (?=\d\d\b)")
_TELEPHONE = re.compile(r"\b0\d(?: \d\d){4}\b")
_TITLES = re.compile(r"\b(Dr|M\.|Mme|art\.|n°|poste) (?=\S)")


def typeset(text: str, *, language: str = "fr") -> str:
    """Return `text` with curly apostrophes and, in French, its no-break spaces.

    >>> typeset("L'indemnité : 1 250 € ?")
    'L’indemnité\\xa0: 1\\xa0250\\xa0€\\xa0?'
    >>> typeset("The ward's list: open", language="en")
    'The ward’s list: open'
    """
    text = _AFTER_GUILLEMET.sub("«" + NO_BREAK, text.replace("'", "’")).replace(" »", NO_BREAK + "»")
    if language != "fr":
        return text
    text = _BEFORE_SIGN.sub(NO_BREAK + r"\1", text)
    text = _THOUSANDS.sub(NO_BREAK, text)
    text = _NUMBER_UNIT.sub(NO_BREAK, text)
    text = _HOUR.sub(NO_BREAK, text)
    text = _TELEPHONE.sub(lambda match: match.group().replace(" ", NO_BREAK), text)
    return _TITLES.sub(lambda match: match.group(1) + NO_BREAK, text)
