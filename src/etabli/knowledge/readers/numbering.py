"""Automatic numbers of Word paragraphs: « Article 3 », « 2.1 », « b) ».

Word stores only which list and which depth a paragraph has; the number is counted while reading, as Word
does when it shows the page. Source: ECMA-376 part 1, section 17.9.
"""

import re

from lxml import etree

from etabli.knowledge.readers.archive import attribute, child, descendants

_PLACEHOLDER = re.compile(r"%([1-9])")
_MAX_DEPTH = 9


class Numbering:
    """Counters of all lists of one document.

    Args:
        root: the numbering part; None when the document has none.
    """

    def __init__(self, root: etree._Element | None) -> None:
        self._levels: dict[str, dict[int, tuple[str, str, int]]] = {}
        self._list_of: dict[str, str] = {}
        self._counters: dict[str, list[int | None]] = {}
        if root is None:
            return
        for abstract in descendants(root, "abstractNum"):
            self._levels[attribute(abstract, "abstractNumId") or ""] = _read_levels(abstract)
        for number in root.findall("{*}num"):
            target = child(number, "abstractNumId")
            self._list_of[attribute(number, "numId") or ""] = (
                attribute(target, "val") or "" if target is not None else ""
            )

    def label(self, number_id: str | None, depth: int) -> str | None:
        """Count one paragraph and give its number: empty for a bullet, None when the list is unknown."""
        abstract = self._list_of.get(number_id or "")
        levels = self._levels.get(abstract or "")
        if abstract is None or levels is None:
            return None
        depth = min(depth, _MAX_DEPTH - 1)
        counters = self._counters.setdefault(abstract, [None] * _MAX_DEPTH)
        kind, pattern, start = levels.get(depth, ("bullet", "", 1))
        value = counters[depth]
        counters[depth] = start if value is None else value + 1
        counters[depth + 1 :] = [None] * (_MAX_DEPTH - depth - 1)
        if kind in ("bullet", "none"):
            return ""

        def shown(match: re.Match[str]) -> str:
            index = int(match[1]) - 1
            form, _, first = levels.get(index, ("decimal", "", 1))
            count = counters[index]
            return _number(first if count is None else count, form)

        return _PLACEHOLDER.sub(shown, pattern)[:40].strip()


def _read_levels(abstract: etree._Element) -> dict[int, tuple[str, str, int]]:
    """Depth → (form, pattern with `%1`…, first value)."""
    levels: dict[int, tuple[str, str, int]] = {}
    for level in abstract.findall("{*}lvl"):
        values = {}
        for name in ("numFmt", "lvlText", "start"):
            element = child(level, name)
            values[name] = (attribute(element, "val") or "") if element is not None else ""
        depth = attribute(level, "ilvl") or "0"
        if depth.isascii() and depth.isdigit():
            start = values["start"]
            first = int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 1
            levels[int(depth)] = (values["numFmt"] or "decimal", values["lvlText"], first)
    return levels


def _number(value: int, form: str) -> str:
    """A count in Word's forms.

    >>> [_number(4, form) for form in ("decimal", "lowerLetter", "upperRoman", "decimalZero")]
    ['4', 'd', 'IV', '04']
    """
    if form in ("lowerLetter", "upperLetter"):
        letters = chr(97 + (value - 1) % 26) * (1 + min(20, (value - 1) // 26)) if value > 0 else ""
        return letters if form == "lowerLetter" else letters.upper()
    if form in ("lowerRoman", "upperRoman"):
        roman = _roman(value)
        return roman.lower() if form == "lowerRoman" else roman
    return f"{value:02d}" if form == "decimalZero" else str(value)


def _roman(value: int) -> str:
    if not 0 < value < 4000:
        return str(value)
    result = ""
    for amount, letters in (
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ):
        count, value = divmod(value, amount)
        result += letters * count
    return result
