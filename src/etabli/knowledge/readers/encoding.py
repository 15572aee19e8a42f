"""Bytes to text: byte order marks, UTF-8, UTF-16 without mark, then Windows-1252.

Enough for what French and English organisations hold; knows no other legacy encoding.
"""

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 65_536
_CONTROLS = bytes(code for code in [*range(32), 127] if code not in b"\t\n\r\f\x1b")


def detect_encoding(data: bytes) -> str | None:
    """The encoding of a text file, or None when the bytes are no text.

    >>> detect_encoding("é".encode()), detect_encoding("cœur à 3 €".encode("cp1252")), detect_encoding(bytes(9))
    ('utf-8', 'cp1252', None)
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    sample = data[:_SAMPLE]
    if b"\x00" in sample:
        return _utf16_without_mark(sample)
    if _control_share(sample) > 0.01:
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=len(data) <= _SAMPLE)
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    # Five bytes mean nothing in Windows-1252; Latin-1 gives them control characters, which are dropped.
    letters = sum(byte > 127 or chr(byte).isalnum() or byte in b" \r\n\t,.;:'\"-" for byte in sample)
    if letters < 0.7 * len(sample) or sum(byte > 127 for byte in sample) > 0.3 * len(sample):
        return None
    try:
        data.decode("cp1252")
        return "cp1252"
    except UnicodeDecodeError:
        return "latin-1"


def decode(data: bytes) -> str | None:
    """The text of a file, or None when the bytes are no text."""
    encoding = detect_encoding(data)
    return None if encoding is None else data.decode(encoding, "replace")


def _control_share(sample: bytes) -> float:
    return 1 - len(sample.translate(None, _CONTROLS)) / max(1, len(sample))


def _utf16_without_mark(sample: bytes) -> str | None:
    """UTF-16 of a Latin script has a zero in almost every second byte."""
    even, odd = sample[0::2], sample[1::2]
    if not odd:
        return None
    for name, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if high.count(0) > 0.7 * len(high) and low.count(0) == 0:
            return name
    return None
