"""One form for texts that say the same to a reader: what hides a word from a plain search is undone.

`fold` undoes case, accents, width, zero-width characters and look-alike letters. `views` adds what a machine could
decode: base64, hexadecimal, binary and decimal codes, percent and HTML escapes, `\\u` escapes, rot13, and text
smuggled in invisible tag characters or variation selectors. Every step is linear in the length of the text.

Source of the letter pairs: the look-alikes of Latin letters in Unicode Technical Standard 39, those of the scripts
and blocks that are met in practice.
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

VERSION = "1"

_PAIRS = (
    ("абвгдеёзикмнорстухіїјѕһԁԛԝӏѵьҽԍ", "a6brdee3nkmhopctyxiijshdqwivbeg"),
    ("αβγεζηικνορτυχωσϲϳ", "abyeznikvoptuxwocj"),
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"),
    ("ıɑɡɩʋøłđħŧþßæœ", "iagiuoldhtpsao"),
)
_LOOK_ALIKES = {
    ord(char): latin for chars, latins in _PAIRS for char, latin in zip(chars, latins, strict=True)
}
_LOOK_ALIKES |= {0x1F1E6 + number: chr(97 + number) for number in range(26)}
_LOOK_ALIKES |= {start + number: chr(97 + number) for start in (0x1F150, 0x1F170) for number in range(26)}
_LOOK_ALIKES |= {ord("œ"): "oe", ord("æ"): "ae", ord("ß"): "ss"}
_LEET = str.maketrans("013456789@$€!|+2l", "oieasgtbgaseiitzi")
_NOT_ALNUM = re.compile(r"[\W_]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s,;:-]?){6,}")
_BINARY = re.compile(r"(?:[01]{8}[\s,]?){4,}")
_CODES = re.compile(r"\d{2,3}(?:[\s,;-]{1,2}\d{2,3}){3,}")
_ESCAPE = re.compile(r"\\u\{?([0-9a-fA-F]{4,6})\}?")
_SPACE = re.compile(r"\s+")


def fold(text: str) -> str:
    """Lower case, no accents, one width, no invisible characters, Latin look-alikes; spaces and punctuation stay.

    >>> fold("Ｚо\\u200bＲＢ Été")
    'zorb ete'
    """
    text = unicodedata.normalize("NFKD", text).translate(_LOOK_ALIKES).lower().translate(_LOOK_ALIKES)
    if text.isascii():
        return text
    return "".join(
        char for char in text if not unicodedata.combining(char) and unicodedata.category(char) != "Cf"
    )


def letters(folded: str) -> str:
    """Letters and digits of a folded text, nothing between them.

    >>> letters(fold("Z-O r.b_9"))
    'zorb9'
    """
    return _NOT_ALNUM.sub("", folded)


def unleet(folded: str) -> str:
    """A folded text with the digits and signs that stand for letters read as letters; `l` and `i` become one.

    >>> unleet("z0rb3l") == unleet("zorbel")
    True
    """
    return folded.translate(_LEET)


def words(text: str) -> list[str]:
    """The folded words of a text.

    >>> words("L’Été, demain")
    ['l', 'ete', 'demain']
    """
    return _NOT_ALNUM.sub(" ", fold(text)).split()


def views(text: str) -> Iterator[tuple[str, str]]:
    """The text and what can be decoded from it, each with the name of the form. None of them is folded.

    >>> dict(views("QWJyYWNhZGFicmE="))["base64"].startswith("Abracadabra")
    True
    """
    yield "as it stands", text
    if "%" in text and (plain := unquote(text)) != text:
        yield "percent escapes", plain
    if "&" in text and (plain := html.unescape(text)) != text:
        yield "HTML escapes", plain
    if "\\u" in text:
        yield "Unicode escapes", _ESCAPE.sub(_escaped, text)
    hidden = _invisible(text)
    if hidden:
        yield "invisible characters", hidden
    compact = _SPACE.sub("", text)
    yield from _joined("base64", _from_base64(compact))
    yield from _joined("hexadecimal", _from_hex(text))
    yield from _joined("binary", _from_binary(text))
    yield from _joined("character codes", _from_codes(text))
    yield "rot13", codecs.encode(fold(text), "rot13")


def _joined(form: str, pieces: Iterator[str]) -> Iterator[tuple[str, str]]:
    joined = "\n".join(pieces)
    if joined:
        yield form, joined


def _escaped(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number < 0xD800 or 0xDFFF < number <= 0x10FFFF else ""


def _invisible(text: str) -> str:
    """What tag characters (U+E0000 block) or variation selectors (one a byte) spell."""
    if text.isascii():
        return ""
    tags = "".join(chr(ord(char) - 0xE0000) for char in text if 0xE0020 <= ord(char) <= 0xE007E)
    selectors = bytes(
        ord(char) - 0xFE00 if ord(char) <= 0xFE0F else ord(char) - 0xE0100 + 16
        for char in text
        if 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF
    )
    return tags + selectors.decode("utf-8", "ignore")


def _from_base64(compact: str) -> Iterator[str]:
    """Runs decoded from each of the four places where a group may begin."""
    for run in _BASE64.findall(compact):
        run = run.replace("-", "+").replace("_", "/")
        for start in range(4):
            piece = run[start:]
            piece = piece[: len(piece) - 1] if len(piece) % 4 == 1 else piece
            try:
                yield base64.b64decode(piece + "=" * (-len(piece) % 4)).decode("utf-8", "ignore")
            except binascii.Error:
                continue


def _from_hex(text: str) -> Iterator[str]:
    for match in _HEX.finditer(text):
        digits = re.sub(r"0x|\\x|[\s,;:-]", "", match.group())
        for start in (0, 1):
            piece = digits[start:]
            yield bytes.fromhex(piece[: len(piece) // 2 * 2]).decode("utf-8", "ignore")


def _from_binary(text: str) -> Iterator[str]:
    for match in _BINARY.finditer(text):
        bits = re.sub(r"[\s,]", "", match.group())
        yield bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)).decode("utf-8", "ignore")


def _from_codes(text: str) -> Iterator[str]:
    for match in _CODES.finditer(text):
        numbers = map(int, re.findall(r"\d+", match.group()))
        yield "".join(chr(number) for number in numbers if 32 <= number <= 126)
