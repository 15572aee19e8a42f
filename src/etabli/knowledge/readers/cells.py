"""Numbers of a spreadsheet as a French reader expects to see them, from their stored value and format.

No digit that was stored is rounded away, except binary noise in the sixteenth digit: 12,5 stays 12,5 and
1234567,891 keeps its decimals. Currency and percent signs and dates come from the number format.
Source: ECMA-376 part 1, sections 18.8.30 (built-in formats) and 18.17.4 (dates).
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from lxml import etree

from etabli.knowledge.readers.archive import attribute, child

_BUILT_IN: dict[str, frozenset[int]] = {
    "date": frozenset({14, 15, 16, 17, 22, *range(27, 32), 36, *range(50, 59)}),
    "time": frozenset({18, 19, 20, 21, 45, 46, 47}),
    "percent": frozenset({9, 10}),
    "grouped": frozenset({3, 4, *range(37, 41)}),
}
_LITERAL = re.compile(r'"[^"]*"|\\.|\[(?![hms$€])[^\]]*\]|_.|\*.', re.I)
_CURRENCY = re.compile(r'€|\[\$([^\]-]{1,3})[^\]]*\]|"\s*(€|\$|£|EUR|USD|CHF)\s*"|[$£]')


@dataclass(frozen=True, slots=True)
class _Form:
    """A number format: its kind, currency sign, least decimals and least digits before the comma."""

    kind: str = "number"
    sign: str = ""
    decimals: int = 0
    digits: int = 1


class CellFormats:
    """The number formats of one workbook.

    Args:
        styles: the styles part; None when the workbook has none.
        since_1904: dates count from 1904 instead of 1900.
    """

    def __init__(self, styles: etree._Element | None, *, since_1904: bool = False) -> None:
        self._epoch = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 30)
        custom: dict[str, str] = {}
        self._forms: list[_Form] = []
        if styles is None:
            return
        formats = child(styles, "numFmts")
        for item in formats if formats is not None else ():
            custom[attribute(item, "numFmtId") or ""] = attribute(item, "formatCode") or ""
        uses = child(styles, "cellXfs")
        for item in uses if uses is not None else ():
            identifier = attribute(item, "numFmtId") or "0"
            self._forms.append(_form(identifier, custom.get(identifier)))

    def show(self, value: str, style: str) -> str:
        """A stored number as text.

        Args:
            value: the digits as the file has them.
            style: index of the cell's style.
        """
        index = int(style) if style.isascii() and style.isdigit() else 0
        form = self._forms[index] if index < len(self._forms) else _Form()
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
        if not number.is_finite() or abs(number) > Decimal("1e300"):
            return value
        if form.kind in ("date", "time"):
            shown = self._date(number, form.kind)
            if shown is not None:
                return shown
        if form.kind == "percent":
            return show_number(number * 100, decimals=form.decimals) + "\u202f%"
        grouped = form.kind in ("grouped", "currency")
        text = show_number(number, grouped=grouped, decimals=form.decimals, digits=form.digits)
        return f"{text}\u202f{form.sign}" if form.sign else text

    def _date(self, number: Decimal, kind: str) -> str | None:
        """Day number and fraction to `31/12/2024 08:30`; None outside the calendar."""
        if not 0 <= number < 2_958_466:
            return None
        moment = self._epoch + timedelta(seconds=round(float(number) * 86_400))
        if kind == "time" or number < 1:
            return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
        day = f"{moment.day:02d}/{moment.month:02d}/{moment.year:04d}"
        return f"{day} {moment:%H:%M}" if moment.hour or moment.minute else day


def _form(identifier: str, code: str | None) -> _Form:
    """What a number format asks for."""
    number = int(identifier) if identifier.isascii() and identifier.isdigit() and len(identifier) < 9 else 0
    if code is None:
        decimals = 2 if number in (2, 4, 10, 39, 40) else 0
        for kind, numbers in _BUILT_IN.items():
            if number in numbers:
                return _Form(kind, decimals=decimals)
        return _Form(decimals=decimals)
    positive = code.split(";")[0]
    bare = _LITERAL.sub("", positive).lower()
    places = re.search(r"0\.(0+)", bare)
    decimals = min(10, len(places[1])) if places else 0
    currency = _CURRENCY.search(positive)
    if "%" in bare:
        return _Form("percent", decimals=decimals)
    if currency is not None:
        return _Form("currency", (currency[1] or currency[2] or currency[0]).strip(), decimals)
    letters = set(re.sub(r"general|standard|\[\$[^\]]*\]|am/pm", "", bare))
    if letters & set("yjad"):
        return _Form("date")
    if letters & set("hs"):
        return _Form("time")
    if re.search(r"#[ ,\u00a0\u202f]##0", positive):
        return _Form("grouped", decimals=decimals)
    zeros = re.match(r"0+(?=$|\.)", bare)
    return _Form(decimals=decimals, digits=min(15, len(zeros[0])) if zeros else 1)


def show_number(number: Decimal, *, grouped: bool = False, decimals: int = 0, digits: int = 1) -> str:
    r"""A number with a decimal comma.

    Fifteen significant digits are kept, which is what spreadsheets store.

    Args:
        number: the value.
        grouped: put narrow spaces between thousands.
        decimals: least number of decimals; more are shown when the value has them.
        digits: least number of digits before the comma (postal codes).

    >>> show_number(Decimal("0.1000000000000000055")), show_number(Decimal("12.8"), decimals=2)
    ('0,1', '12,80')
    >>> show_number(Decimal("1234567.5"), grouped=True), show_number(Decimal(1300), digits=5)
    ('1\u202f234\u202f567,5', '01300')
    """
    if len(number.as_tuple().digits) > 15:
        number = Decimal(f"{number:.15g}")
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text in ("-0", ""):
        text = "0"
    whole, _, fraction = text.partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    whole, fraction = whole.zfill(digits), fraction.ljust(decimals, "0")
    if grouped:
        whole = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", "\u202f", whole)
    return f"{sign}{whole},{fraction}" if fraction else sign + whole


def show_boolean(value: bool) -> str:
    """Truth as French spreadsheets write it."""
    return "VRAI" if value else "FAUX"
