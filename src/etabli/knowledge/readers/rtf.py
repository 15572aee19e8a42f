"""Rich Text Format: its text, paragraphs and table rows; styles are not kept.

Source: Microsoft RTF specification 1.9.1. Destinations that show nothing (fonts, pictures…) are skipped.
"""

import re

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.building import DocumentBuilder
from etabli.knowledge.readers.detection import MEDIA_TYPES
from etabli.knowledge.readers.limits import ReaderLimits

_TOKEN = re.compile(rb"\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|([^\\{}]+)", re.S)
_HIDDEN = frozenset(
    b"fonttbl colortbl stylesheet info pict header footer headerl headerr headerf footerl footerr footerf "
    b"generator listtable listoverridetable rsidtbl themedata xmlnstbl datastore object fldinst latentstyles "
    b"colorschememapping wgrffmtfilter".split()
)
_SYMBOLS = {
    b"tab": "\t",
    b"line": "\n",
    b"emdash": "—",
    b"endash": "–",
    b"lquote": "‘",
    b"rquote": "’",
    b"ldblquote": "“",
    b"rdblquote": "”",
    b"bullet": "•",
    b"emspace": " ",
    b"enspace": " ",
}
_ESCAPED = {b"~": "\u00a0", b"_": "-", b"-": ""}
_MAX_DEPTH = 500


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read an .rtf file.

    Raises:
        DocumentError: `broken`, `empty` or `too_large`.
    """
    builder = DocumentBuilder(limits)
    text: list[str] = []
    cells: list[str] = []
    rows: list[list[str]] = []
    stack: list[tuple[bool, int]] = []
    hidden, skip_after_unicode, to_skip = False, 1, 0

    def end_table() -> None:
        if rows:
            builder.add_table(rows)
            rows.clear()

    for match in _TOKEN.finditer(data):
        word, value, code, symbol, brace, plain = match.groups()
        if brace == b"{":
            if len(stack) > _MAX_DEPTH:
                raise refusals.broken("RTF")
            stack.append((hidden, skip_after_unicode))
        elif brace == b"}":
            if stack:
                hidden, skip_after_unicode = stack.pop()
        elif symbol == b"*" or word in _HIDDEN:
            hidden = True
        elif hidden:
            continue
        elif word in (b"par", b"sect", b"page"):
            end_table()
            builder.add("paragraph", _text(text))
        elif word == b"cell":
            cells.append(_text(text))
        elif word == b"row":
            rows.append(cells)
            cells = []
        elif word == b"uc":
            skip_after_unicode = min(10, max(0, int(value or b"1")))
        elif word == b"u" and value is not None:
            text.append(chr(int(value) % 65_536))
            to_skip = skip_after_unicode
        elif word is not None:
            text.append(_SYMBOLS.get(word, ""))
        elif code is not None:
            if to_skip:
                to_skip -= 1
            else:
                text.append(bytes([int(code, 16)]).decode("cp1252", "replace"))
        elif symbol is not None:
            text.append(_ESCAPED.get(symbol, symbol.decode("cp1252", "replace") if symbol in b"\\{}" else ""))
        elif plain is not None:
            shown = plain.replace(b"\r", b"").replace(b"\n", b"").decode("cp1252", "replace")
            text.append(shown[to_skip:])
            to_skip = max(0, to_skip - len(shown))
    end_table()
    builder.add("paragraph", _text(text))
    return builder.finish(MEDIA_TYPES["rtf"])


def _text(parts: list[str]) -> str:
    """The collected text, surrogate pairs made one character; the list is emptied."""
    text = "".join(parts).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    parts.clear()
    return text
