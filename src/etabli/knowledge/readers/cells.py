"""Numbers of a spreadsheet as a French reader expects to see them, from their stored value and format.

No digit that was stored is rounded away, except binary noise in the sixteenth digit: 12,5 stays 12,5 and
1234567,891 keeps its decimals. Currency and percent signs and dates come from the number format.
Source: ECMA-376 part 1, sections 18.8.30 (built-in formats) and 18.17.4 (dates).
"""

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from lxml import etree

from etabli.knowledge.readers.archive import attribute, child

_DATE_FORMATS = frozenset({14, 15, 16, 17, 22, *range(27, 32), 36, *range(50, 59)})
_TIME_FORMATS = frozenset({18, 19, 20, 21, 45, 46, 47})
_PERCENT_FORMATS = frozenset({9, 10})
_THOUSANDS_FORMATS = frozenset({3, 4, *range(37, 41)})
_LITERAL = re.compile(r'"[^"]*"|\\.|\[(?![hms$€])[^\]]*\]|_.|\*.', re.I)
_CURRENCY = re.compile(r'€|\[\$([^\]-]{1,3})[^\]]*\]|"\s*(€|\$|£|EUR|USD|CHF)\s*"|[$£]')


class CellFormats:
    """The number formats of one workbook.

    Args:
        styles: the styles part; None when the workbook has none.
        since_1904: dates count from 1904 instead of 1900.
    """

    def __init__(self, styles: etree._Element | None, *, since_1904: bool = False) -> None:
        self._epoch = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)
        custom: dict[str, str] = {}
        self._kinds: list[tuple[str, str]] = []
        if styles is None:
            return
        formats = child(styles, "numFmts")
        for item in formats if formats is not None else ():
            custom[attribute(item, "numFmtId") or ""] = attribute(item, "formatCode") or ""
        uses = child(styles, "cellXfs")
        for item in uses if uses is not None else ():
            identifier = attribute(item, "numFmtId") or "0"
            self._kinds.append(_kind(identifier, custom.get(identifier)))

    def show(self, value: str, style: str) -> str:
        """A stored number as text.

        Args:
            value: the digits as the file has them.
            style: index of the cell's style.
        """
        index = int(style) if style.isascii() and style.isdigit() else 0
        kind, sign = self._kinds[index] if index < len(self._kinds) else ("number", "")
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
        if not number.is_finite() or abs(number) > Decimal("1e300"):
            return value
        if kind in ("date", "time", "datetime"):
            shown = self._date(number, kind)
            if shown is not None:
                return shown
        if kind == "percent":
            return show_number(number * 100) + "\u202f%"
        text = show_number(number, grouped=kind in ("grouped", "currency"))
        return f"{text}\u202f{sign}" if sign else text

    def _date(self, number: Decimal, kind: str) -> str | None:
        """Day number and fraction to `31/12/2024 08:30`; None outside the calendar."""
        if not 0 <= number < 2_958_466:
            return None
        moment = self._epoch + timedelta(seconds=round(float(number) * 86_400))
        if kind == "time" or number < 1:
            return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
        day = f"{moment.day:02d}/{moment.month:02d}/{moment.year:04d}"
        return f"{day} {moment:%H:%M}" if moment.hour or moment.minute else day


def _kind(identifier: str, code: str | None) -> tuple[str, str]:
    """(kind, currency sign) of a number format."""
    number = int(identifier) if identifier.isascii() and identifier.isdigit() and len(identifier) < 9 else 0
    if code is None:
        if number in _DATE_FORMATS:
            return "date", ""
        if number in _TIME_FORMATS:
            return "time", ""
        if number in _PERCENT_FORMATS:
            return "percent", ""
        return ("grouped" if number in _THOUSANDS_FORMATS else "number"), ""
    positive = code.split(";")[0]
    currency = _CURRENCY.search(positive)
    bare = _LITERAL.sub("", positive).lower()
    if "%" in bare:
        return "percent", ""
    if currency is not None:
        return "currency", (currency[1] or currency[2] or currency[0]).strip()
    letters = set(re.sub(r"general|standard|\[\$[^\]]*\]|am/pm", "", bare))
    if letters & set("yjad") and letters & set("ymdja"):
        return "date", ""
    if letters & set("hs"):
        return "time", ""
    return ("grouped" if re.search(r"#[ ,\u00a0\u202f]##0", positive) else "number"), ""


def show_number(number: Decimal, *, grouped: bool = False) -> str:
    """A number with a decimal comma and, when asked, narrow spaces between thousands.

    Fifteen significant digits are kept, which is what spreadsheets store.

    >>> show_number(Decimal("0.1000000000000000055")), show_number(Decimal("1234.50"), grouped=True)
    ('0,1', '1\u202f234,5')
    """
    if len(number.as_tuple().digits) > 15:
        number = Decimal(f"{number:.15g}")
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in ("-0", ""):
        text = "0"
    whole, _, decimals = text.partition(".")
    if grouped:
        sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
        whole = sign + re.sub(r"(?<=\d)(?=(?:\d{3})+$)", "\u202f", digits)
    return f"{whole},{decimals}" if decimals else whole


def show_boolean(value: bool) -> str:
    """Truth as French spreadsheets write it."""
    return "VRAI" if value else "FAUX"
