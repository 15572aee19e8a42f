"""Markdown text without its code, and the addresses that a screen would open or load from it.

A small reader of what matters here (CommonMark 0.31: fenced code, code spans, links, images, definitions, autolinks,
raw HTML), in one pass each, since replies are hostile and may be long. Indented code counts as text: whether it is
code depends on what stands around it, and another screen may think otherwise.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

VERSION = "1"

_QUOTES = re.compile(r"(?: {0,3}>[ \t]?){1,20}")
_FENCE = re.compile(r"[ \t]{0,12}(?:(?:[-*+]|\d{1,9}[.)])[ \t]{1,4}){0,4}(`{3,}|~{3,})")
_RAW = re.compile(r" {0,3}<(?:(pre|script|style|textarea)\b|[/!?a-zA-Z])", re.IGNORECASE)
_TICKS = re.compile(r"`+")
_INVISIBLE = re.compile("[\x00-\x20\x7f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]{0,20}(?=:)", re.IGNORECASE)
_TARGETS = (
    re.compile(r"\]\(\s{0,20}<([^<>\n]{1,4000})>"),
    re.compile(r"\]\(\s{0,20}((?:[^\s<>()]|\([^\s<>()]{0,1000}\)){1,4000})"),
    re.compile(r"(?m)^[ \t>]{0,12}\[[^\[\]\n]{1,200}\]:[ \t]{0,8}\n?[ \t]{0,8}<?([^\s<>]{1,4000})"),
    re.compile(r"<([a-zA-Z][a-zA-Z0-9+.\-]{1,31}:[^<>\s]{1,4000})>"),
    re.compile(
        r"(?<![a-z0-9+.\-])((?:https?|ftp|wss?)\s{0,3}:\s{0,3}[/\\]{2}[^\s<>\"'`]{1,4000})", re.IGNORECASE
    ),
    re.compile(r"(?<![\w./@\-])((?:www\.)[^\s<>\"'`]{3,4000})", re.IGNORECASE),
    re.compile(
        r"\b(?:href|src|srcset|action|formaction|poster|data|background|cite|ping|xlink:href|manifest|content)"
        r"\s{0,8}=\s{0,8}(?:\"([^\"<>]{1,4000})|'([^'<>]{1,4000})|([^\s\"'<>`]{1,4000}))",
        re.IGNORECASE,
    ),
    re.compile(r"(?:url\(|@import)\s{0,8}[\"']?([^\s\"'()<>;]{1,4000})", re.IGNORECASE),
)
_TRAILING = ".,;:!?*_~'\"»”’"


def without_code(text: str) -> str:
    """The text with fenced code and code spans blanked out; positions stay.

    What only might be code is text: a fence ends with the quotation or list that it stands in, a code span ends on
    its own line and in its own table cell, and there is no code inside a block of raw HTML.

    >>> without_code("a `<b>` c")
    'a ````` c'
    """
    lines = text.split("\n")
    fence: _Fence | None = None
    raw = ""
    for place, line in enumerate(lines):
        if fence is not None and not fence.holds(line):
            fence = None
        if fence is not None:
            closed = fence.closes(line)
            lines[place] = "`" * len(line)
            fence = None if closed else fence
            continue
        raw = _raw_after(line, raw)
        if raw:
            continue
        fence = _opened(line)
        lines[place] = "`" * len(line) if fence else _without_spans(line)
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Fence:
    """An open fence: its sign, how often it stands, how many quotation marks before it, and its column."""

    sign: str
    size: int
    depth: int
    column: int

    def holds(self, line: str) -> bool:
        """Whether a line can still be inside."""
        depth, rest = _quotes(line)
        if depth < self.depth:
            return False
        return not rest.strip() or len(rest) - len(rest.lstrip(" \t")) >= self.column

    def closes(self, line: str) -> bool:
        """Whether a line ends it."""
        bare = _quotes(line)[1].strip()
        return len(bare) >= self.size and bare == self.sign * len(bare)


def _quotes(line: str) -> tuple[int, str]:
    """How many quotation marks a line begins with, and the rest."""
    match = _QUOTES.match(line)
    return (match[0].count(">"), line[match.end() :]) if match else (0, line)


def _opened(line: str) -> _Fence | None:
    depth, rest = _quotes(line)
    match = _FENCE.match(rest)
    if match is None or (match[1][0] == "`" and "`" in rest[match.end() :]):
        return None
    return _Fence(match[1][0], len(match[1]), depth, match.start(1))


def _raw_after(line: str, raw: str) -> str:
    """The end of the raw HTML that a line is in: a closing tag, a blank line, or empty when it is in none."""
    if not raw:
        match = _RAW.match(_quotes(line)[1])
        raw = "" if match is None else (f"</{match[1].lower()}" if match[1] else "\n")
    if raw == "\n":
        return raw if line.strip() else ""
    return "" if raw and raw in line.lower() else raw


def _without_spans(line: str) -> str:
    """Code spans of one line end at the next run of as many backticks."""
    runs = [(match.start(), match.end()) for match in _TICKS.finditer(line)]
    later: dict[int, list[int]] = {}
    for number, (start, end) in enumerate(runs):
        later.setdefault(end - start, []).append(number)
    bars = [at for at, char in enumerate(line) if char == "|"] if line.lstrip().startswith("|") else []
    pieces, done, number = [], 0, 0
    while number < len(runs):
        start, end = runs[number]
        same = later[end - start]
        after = bisect_right(same, number)
        closing = runs[same[after]] if after < len(same) else None
        if closing is None or bisect_right(bars, start) != bisect_right(bars, closing[0]):
            number += 1
            continue
        pieces += [line[done:start], "`" * (closing[1] - start)]
        done, number = closing[1], same[after] + 1
    return "".join([*pieces, line[done:]])


def addresses(text: str) -> Iterator[str]:
    """Every address that a reader of Markdown or HTML would make a link of, load or send to; without invisible signs.

    >>> list(addresses("![x](https://a.example/p?q=1)"))
    ['https://a.example/p?q=1']
    """
    seen = set()
    texts = (text, html.unescape(text)) if "&" in text else (text,)
    for one in texts:
        for pattern in _TARGETS:
            for match in pattern.finditer(one):
                found = next((group for group in match.groups() if group), "")
                for part in found.split(",") if " " in found and "," in found else (found,):
                    address = _bare(part)
                    if address and address not in seen:
                        seen.add(address)
                        yield address


def _bare(found: str) -> str:
    """Without what browsers skip, closing brackets that were not opened, and the sentence's own end."""
    address = _INVISIBLE.sub("", found).rstrip(_TRAILING)
    surplus = address.count(")") - address.count("(")
    while surplus > 0 and address.endswith(")"):
        address, surplus = address[:-1].rstrip(_TRAILING), surplus - 1
    return address.rstrip("]}")


def scheme_of(address: str) -> str:
    """`https`, `javascript` …; empty for an address without one.

    >>> scheme_of("JavaScript:alert(1)"), scheme_of("/a:b")
    ('javascript', '')
    """
    match = _SCHEME.match(unquote(address)[:64])
    return match[0].lower() if match else ""


def host_of(address: str) -> str:
    """The host that a browser would ask, in lower case; empty for a place on the same site.

    >>> host_of("https://user@Ex%61mple.org:8443/x"), host_of("//b.example/x"), host_of("a/b.html")
    ('example.org', 'b.example', '')
    """
    address = address.replace("\\", "/")
    if address.lower().startswith("www."):
        address = f"//{address}"
    scheme = scheme_of(address)
    if scheme in ("mailto", "xmpp", "sip"):
        return unquote(address).partition("?")[0].rpartition("@")[2].lower().rstrip(".")
    if scheme or address.startswith("//"):
        address = f"{scheme or 'http'}://{address[len(scheme) + 1 if scheme else 0 :].lstrip('/')}"
    try:
        host = unquote(urlsplit(address).hostname or "")
    except ValueError:
        return address
    try:
        return host.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:
        return host.lower().rstrip(".")
