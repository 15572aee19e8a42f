"""What in a sentence can be checked literally: numbers, quantities, dates, times, articles, quotes, names.

French and English notations meet in one value: « 1 500,00 € » and "€1,500" are the same amount, « 13 juin 2026 »
and "June 13, 2026" the same day, « 21 h 30 » and "9.30 pm" the same time. A notation that can be read two ways
("1,500") has both readings, and agrees with a source that has either.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier january janv jan", "février fevrier february févr fev feb", "mars march mar",
            "avril april avr apr", "mai may", "juin june jun", "juillet july juil jul",
            "août aout august aug", "septembre september sept sep", "octobre october oct",
            "novembre november nov", "décembre decembre december déc dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_NUMBER_WORDS = {
    word: value
    for value, words in {
        2: "deux two", 3: "trois three", 4: "quatre four", 5: "cinq five", 6: "six", 7: "sept seven",
        8: "huit eight", 9: "neuf nine", 10: "dix ten", 11: "onze eleven", 12: "douze twelve",
        13: "treize thirteen", 14: "quatorze fourteen", 15: "quinze fifteen", 16: "seize sixteen",
        17: "dix-sept seventeen", 18: "dix-huit eighteen", 19: "dix-neuf nineteen", 20: "vingt twenty",
        24: "vingt-quatre twenty-four", 30: "trente thirty", 40: "quarante forty", 48: "quarante-huit",
        50: "cinquante fifty", 60: "soixante sixty", 70: "soixante-dix seventy", 72: "soixante-douze",
        80: "quatre-vingts eighty", 90: "quatre-vingt-dix ninety", 100: "cent hundred", 1000: "mille thousand",
    }.items()
    for word in words.split()
}  # fmt: skip
_UNITS = {
    spelling: unit
    for unit, spellings in {
        "%": "% pour-cent percent", "€": "€ euro euros eur", "$": "$ dollar dollars usd", "£": "£ pound pounds",
        "second": "s sec seconde secondes second seconds", "minute": "min mn minute minutes",
        "hour": "h heure heures hour hours", "day": "j jour jours day days", "week": "semaine semaines week weeks",
        "month": "mois month months", "year": "an ans année années year years",
        "night": "nuit nuits night nights",
        "g": "g gramme grammes gram grams", "mg": "mg", "µg": "µg mcg", "kg": "kg kilo kilos", "ml": "ml",
        "cl": "cl", "l": "l litre litres liter liters litre", "mm": "mm", "cm": "cm", "m": "m mètre mètres metre",
        "km": "km", "°c": "°c", "m²": "m²", "character": "caractère caractères character characters",
    }.items()
    for spelling in spellings.split()
}  # fmt: skip

_SPACES = "\u0020\u00a0\u202f\u2009\u2007"
_MONTH = "|".join(sorted((re.escape(name) for name in _MONTHS), key=len, reverse=True))
_UNIT = "|".join(sorted((re.escape(name) for name in _UNITS), key=len, reverse=True))
_WORDS = "|".join(sorted((re.escape(name) for name in _NUMBER_WORDS), key=len, reverse=True))
_NUMBER = (
    rf"\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?!\d)(?:[.,]\d+)?|\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:[.,]\d+)?"
)

_ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_SLASH_DATE = re.compile(r"(?<!\d)(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?!\d)")
_DAY_MONTH = re.compile(
    rf"(?<![\d,.])(\d{{1,2}})(?:er|st|nd|rd|th)?(?:\s+of)?\s+({_MONTH})\b\.?(?:,?\s+(\d{{4}}))?",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"\b({_MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?(?!\d|[.,]\d)(?:,?\s+(\d{{4}}))?", re.IGNORECASE
)
_MONTH_YEAR = re.compile(rf"\b({_MONTH})\s+(\d{{4}})\b", re.IGNORECASE)
_CLOCK = re.compile(r"(?<![\d.,])(\d{1,2})\s?[h:]\s?([0-5]\d)(?!\d)")
_CLOCK_MERIDIEM = re.compile(r"(?<![\d.,])(\d{1,2})(?:[.:h]([0-5]\d))?\s?([ap])\.?\s?m\b\.?", re.IGNORECASE)
_ARTICLE = re.compile(
    r"\b(?:articles?|art\.?|section|§)\s*((?:[LRDA]\s?\.?\s?\*?\s?)?\d+(?:[-.]\d+)*)", re.IGNORECASE
)
_QUOTED = re.compile(r"«\s*([^«»]{2,300}?)\s*»|“([^“”]{2,300}?)”|\"([^\"\n]{2,300}?)\"")
_QUANTITY = re.compile(
    rf"(?P<currency>[€$£]\s?)?(?<![\w.,])(?P<number>{_NUMBER})(?:[{_SPACES}\u2011-]?(?P<unit>{_UNIT})(?!\w))?"
    rf"|\b(?P<word>{_WORDS})(?:[{_SPACES}-](?P<word_unit>{_UNIT})(?!\w))?\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![\w.])(?:[A-ZÀ-Þ][\w’'-]*[a-zà-ÿ][\w’-]*|[A-ZÀ-Þ]{2,}\d*)(?!\w)")
_NO_NAMES = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday lundi mardi mercredi jeudi vendredi samedi dimanche "
    "oui non yes no i le la les il elle vous the you it this je".split()
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that a source must hold literally.

    Args:
        kind: `quantity`, `date`, `time`, `article`, `quote` or `name`.
        shown: as the sentence has it.
        values: every reading of it; a source that holds one of them holds the claim.
    """

    kind: str
    shown: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a source holds: values of each kind of claim, and its text folded for quotes and names."""

    values: frozenset[str]
    folded: str

    def holds(self, claim: Claim) -> bool:
        """Whether the source has this claim literally."""
        if claim.kind in ("quote", "name"):
            return any(value in self.folded for value in claim.values)
        return any(self._has(value) for value in claim.values)

    def _has(self, value: str) -> bool:
        if value in self.values:
            return True
        kind, _, rest = value.partition(":")
        if kind == "quantity":
            # A number without a unit on either side agrees with any: the unit may stand in a table's header.
            number, _, unit = rest.partition(" ")
            if unit:
                return f"quantity:{number} " in self.values
            return any(known.startswith(f"quantity:{number} ") for known in self.values)
        if kind == "date":
            # A date without its year agrees with the same day of any year.
            year, _, day = rest.partition("-")
            others = [
                known for known in self.values if known.startswith("date:") and known.endswith("-" + day)
            ]
            return bool(others) if year == "0000" else f"date:0000-{day}" in others
        return False


def fold(text: str) -> str:
    """Text for literal comparison: one form for spaces, quotes, dashes, accents and case.

    >>> fold("L’été\\u00a0: « 2–3 »")
    'l\\'ete : " 2-3 "'
    """
    text = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "oe"))
    text = "".join(char for char in text if not unicodedata.combining(char)).lower()
    text = re.sub(r"[’‘ʼ]", "'", text)
    text = re.sub(r"[«»“”„]", '"', text)
    text = re.sub(r"[‐‑‒–—−]", "-", text)
    return " ".join(text.split())


def claims_of(sentence: str) -> list[Claim]:
    """What a sentence of an answer claims, each thing once.

    >>> [(claim.kind, claim.shown) for claim in claims_of("La prime est de 1 500 € au 1er juin 2026.")]
    [('date', '1er juin 2026'), ('quantity', '1 500 €')]
    """
    found = [*_literal_claims(sentence), *_names(sentence)]
    unique: dict[frozenset[str], Claim] = {}
    for claim in found:
        unique.setdefault(claim.values, claim)
    return list(unique.values())


def facts_of(text: str) -> Facts:
    """What a source holds.

    >>> facts_of("Un préavis de 2 mois").holds(claims_of("two months")[0])
    True
    >>> facts_of("Un préavis de 2 mois").holds(claims_of("deux semaines")[0])
    False
    """
    values = {value for claim in _literal_claims(text, source=True) for value in claim.values}
    return Facts(frozenset(values), fold(text))


def names_of(text: str) -> list[str]:
    """Words with a capital that do not merely begin a sentence, folded.

    >>> names_of("Le chirurgien est Claire Montfort.")
    ['claire', 'montfort']
    """
    return [fold(claim.shown) for claim in _names(text)]


def _literal_claims(text: str, *, source: bool = False) -> list[Claim]:
    """Dates, times, articles, quotes and quantities; each character belongs to the first kind that takes it."""
    text = text.replace("\u2011", "-")
    claims: list[Claim] = []
    rest = text
    for kind, pattern, reading in (
        ("date", _ISO_DATE, _iso), ("date", _SLASH_DATE, _slash), ("date", _DAY_MONTH, _day_month),
        ("date", _MONTH_DAY, _month_day), ("date", _MONTH_YEAR, _month_year),
        ("time", _CLOCK_MERIDIEM, _meridiem), ("time", _CLOCK, _clock),
    ):  # fmt: skip
        for match in pattern.finditer(rest):
            values = reading(match)
            if values:
                claims.append(Claim(kind, match.group().strip(), frozenset(values)))
                rest = rest[: match.start()] + "\n" * len(match.group()) + rest[match.end() :]
    if not source:
        for match in _QUOTED.finditer(text):
            words = next(group for group in match.groups() if group is not None)
            claims.append(Claim("quote", match.group(), frozenset({fold(words).rstrip(".,;")})))
    for match in _ARTICLE.finditer(rest):
        number = re.sub(r"[\s*.]+(?=\d)|\s", "", match.group(1)).upper()
        claims.append(Claim("article", match.group().strip(), frozenset({f"article:{number}"})))
    if not source:
        rest = _ARTICLE.sub(lambda match: "\n" * len(match.group()), rest)
    claims.extend(_quantities(rest))
    return claims


def _quantities(text: str) -> list[Claim]:
    claims = []
    for match in _QUANTITY.finditer(text):
        unit = match.group("unit") or match.group("word_unit") or (match.group("currency") or "").strip()
        unit = _UNITS.get(unit.lower(), "")
        if match.group("word"):
            numbers = {str(_NUMBER_WORDS[match.group("word").lower()])}
        else:
            numbers = _readings(match.group("number"))
        values = {f"quantity:{number} {unit}" for number in numbers}
        if unit == "hour":
            # « 15 h » is a time as well as a duration.
            values |= {
                f"time:{int(number) * 60}" for number in numbers if number.isdigit() and int(number) <= 24
            }
        claims.append(Claim("quantity", match.group().strip(), frozenset(values)))
    return claims


def _readings(number: str) -> set[str]:
    """Every value a written number can have: `1,500` is 1500 in English and 1.5 in French."""
    bare = re.sub(rf"[{_SPACES}]", "", number)
    candidates = (
        {bare.replace(",", ".")} if bare.count(",") <= 1 and bare.count(".") + bare.count(",") <= 1 else set()
    )
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", bare):
        candidates.add(bare.replace(",", ""))
    readings = set()
    for candidate in candidates:
        try:
            readings.add(format(Decimal(candidate).normalize(), "f"))
        except InvalidOperation:
            continue
    return readings


def _names(sentence: str) -> list[Claim]:
    """Words with a capital that do not merely begin the sentence."""
    text = sentence.lstrip(" -*•#>\"«“'")
    claims = []
    for match in _NAME.finditer(text):
        word = match.group()
        begins = match.start() == 0 or text[: match.start()].rstrip()[-1:] in (".", "!", "?", ":", "|")
        if (begins and not word.isupper()) or len(word) < 2:
            continue
        folded = fold(word)
        if folded in _NO_NAMES or folded in _MONTHS:
            continue
        claims.append(Claim("name", word, frozenset({folded})))
    return claims


def _date(year: str | None, month: int, day: int) -> set[str]:
    if not 1 <= month <= 12 or not 0 <= day <= 31:
        return set()
    full = "0000" if year is None else year if len(year) == 4 else f"20{year}"
    return {f"date:{full}-{month:02d}-{day:02d}"}


def _iso(match: re.Match[str]) -> set[str]:
    return _date(match[1], int(match[2]), int(match[3]))


def _slash(match: re.Match[str]) -> set[str]:
    first, second = int(match[1]), int(match[2])
    return _date(match[3], second, first) | _date(match[3], first, second)


def _day_month(match: re.Match[str]) -> set[str]:
    return _date(match[3], _MONTHS[match[2].lower()], int(match[1]))


def _month_day(match: re.Match[str]) -> set[str]:
    return _date(match[3], _MONTHS[match[1].lower()], int(match[2]))


def _month_year(match: re.Match[str]) -> set[str]:
    return _date(match[2], _MONTHS[match[1].lower()], 0)


def _clock(match: re.Match[str]) -> set[str]:
    return {f"time:{int(match[1]) * 60 + int(match[2])}"} if int(match[1]) <= 24 else set()


def _meridiem(match: re.Match[str]) -> set[str]:
    hour = int(match[1])
    if not 1 <= hour <= 12:
        return set()
    hour = hour % 12 + (12 if match[3].lower() == "p" else 0)
    return {f"time:{hour * 60 + int(match[2] or 0)}"}
