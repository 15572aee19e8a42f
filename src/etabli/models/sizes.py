"""Bytes and counts as people read them, in the language in force."""

from etabli.messages import language

_UNITS = {"en": ("B", "KiB", "MiB", "GiB", "TiB"), "fr": ("o", "Kio", "Mio", "Gio", "Tio")}


def format_bytes(count: int | float) -> str:
    """Write a number of bytes: `1.0 GiB`, or `1,0 Gio` in French.

    >>> from etabli.messages import set_language
    >>> set_language("en"); format_bytes(1117320768), format_bytes(512)
    ('1.0 GiB', '512 B')
    """
    units = _UNITS[language()]
    value = float(count)
    for unit in units:
        if abs(value) < 1024 or unit == units[-1]:
            break
        value /= 1024
    digits = 0 if unit == units[0] or value >= 100 else 1
    text = f"{value:.{digits}f}"
    return f"{text.replace('.', ',')}\u00a0{unit}" if language() == "fr" else f"{text} {unit}"


def format_count(count: int | float) -> str:
    """Write a number of parameters: `1.5 B` (billions), `1,5 Md` in French.

    >>> from etabli.messages import set_language
    >>> set_language("en"); format_count(1_540_000_000), format_count(135_000_000)
    ('1.5 B', '135 M')
    """
    text = f"{count / 1e9:.1f}" if count >= 1e9 else f"{count / 1e6:.0f}"
    unit = ("B", "Md") if count >= 1e9 else ("M", "M")
    if language() == "fr":
        return f"{text.replace('.', ',')}\u00a0{unit[1]}"
    return f"{text} {unit[0]}"
