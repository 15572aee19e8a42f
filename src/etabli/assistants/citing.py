"""Markers while the answer streams: `[n]` checked, corrected, added and removed, sentence by sentence.

Text goes out word by word; only what may become a marker, the end of a sentence and white space are held back
until their meaning is known. So what was streamed, joined, is the final text.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etabli.assistants.sentences import is_end
from etabli.assistants.verifying import Support

MARKER = re.compile(
    r"[\[【]\s*(?:(?:sources?|passages?|documents?|docs?|extraits?)\s*)?"
    r"(\d{1,3}(?:\s*(?:,|;|et|and)\s*\d{1,3})*)\s*[\]】]",
    re.IGNORECASE,
)
_LONGEST_MARKER = 40
_SPECIAL = re.compile(r"[\[【\n]|[.!?…]+[»”\"')\]]*|```")
_FENCE = "```"
_HELD = " |\u00a0\u202f"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What stands instead of a sentence of the model.

    Args:
        text: without markers and full stop; empty where the sentence is left out.
        supports: its sources.
    """

    text: str = ""
    supports: tuple[Support, ...] = ()


Resolve = Callable[[str, Sequence[int]], Sequence[Support] | Rewritten]
"""Gives the sources of a sentence: its text, and the numbers that the model put there."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker that was written.

    Args:
        start_index: where its sentence begins in the answer.
        end_index: where the marker ends (exclusive).
        support: what it points to.
    """

    start_index: int
    end_index: int
    support: Support


class Marker:
    """Turns the model's stream into the answer's text.

    Markers go to the end of their sentence, before its full stop. Code blocks are left alone.

    Args:
        resolve: asked once for each sentence.
        whole: give out whole sentences only, so that one can be left out or replaced, and with each supported one
            what leads to it; code is then read as text.
    """

    def __init__(self, resolve: Resolve, *, whole: bool = False) -> None:
        self._resolve = resolve
        self._whole = whole
        self._given = 0
        self._solid = 0
        self._dropped = False
        self._text = ""
        self._pending = ""
        self._held = ""
        self._numbers: list[int] = []
        self._sentence = 0
        self._code = False
        self.marks: list[Mark] = []

    @property
    def text(self) -> str:
        """All that was given out, once it is finished."""
        return self._text

    def feed(self, delta: str) -> str:
        """Take a piece of the model's text; give what can go out now."""
        self._pending += delta
        self._advance(final=False)
        return self._give(self._solid if self._whole else len(self._text))

    def finish(self) -> str:
        """The model has ended: give the rest."""
        self._advance(final=True)
        self._close("")
        if self._whole and self._dropped:
            self._text = self._text[: self._solid]
        return self._give(len(self._text))

    def _give(self, end: int) -> str:
        """The text up to `end` that was not given out yet."""
        out = self._text[self._given : end]
        self._given = max(end, self._given)
        return out

    def _advance(self, *, final: bool) -> str:
        out = ""
        while self._pending:
            match = _SPECIAL.search(self._pending)
            if match is None:
                # A backquote at the end may begin a fence.
                kept = 0 if final else len(self._pending) - len(self._pending.rstrip("`"))
                return out + self._plain(len(self._pending) - kept)
            step = self._plain(match.start()) if match.start() else self._special(match.group(), final=final)
            if step is None:
                return out
            out += step
        return out

    def _special(self, token: str, *, final: bool) -> str | None:
        """Deal with what stands at the head of the pending text; None: more text is needed."""
        if token == _FENCE and self._whole:
            self._pending = self._pending[len(token) :]
            return ""
        if token == _FENCE:
            self._code = not self._code
            out = self._plain(len(token))
            self._sentence = len(self._text)
            return out
        if self._code:
            return self._plain(len(token))
        if token == "\n":
            self._pending = self._pending[1:]
            return self._close(token)
        if token in "[【":
            return self._bracket(final=final)
        return self._terminator(token, final=final)

    def _bracket(self, *, final: bool) -> str | None:
        """A marker is taken away and remembered; any other bracket is text."""
        match = MARKER.match(self._pending)
        if match is None:
            return None if _may_become_marker(self._pending) and not final else self._plain(1)
        rest = self._pending[match.end() :]
        if not rest and not final:
            return None
        self._remember(match)
        self._pending = rest
        if not self._text[self._sentence :].strip():
            self._pending = rest.lstrip(" ")
        elif "|" not in self._held and not rest[:1].isalnum():
            self._held = ""
        return ""

    def _terminator(self, token: str, *, final: bool) -> str | None:
        """The end of a sentence, with the markers that stand behind it: « …10 €. [2] »."""
        behind = self._pending[len(token) :]
        following = behind.lstrip(" ")
        if not following and not final:
            return None
        whole = self._text + self._held + self._pending
        start = len(self._text) + len(self._held)
        if not is_end(whole, start + len(token), after=start) and following[:1] not in ("[", "【"):
            return self._plain(len(token))
        match = MARKER.match(following)
        if match is not None:
            self._remember(match)
            self._pending = token + following[match.end() :]
            return ""
        if following[:1] in ("[", "【") and _may_become_marker(following) and not final:
            return None
        self._pending = behind
        return self._close(token)

    def _remember(self, marker: re.Match[str]) -> None:
        self._numbers.extend(int(number) for number in re.findall(r"\d+", marker.group(1)))

    def _plain(self, length: int) -> str:
        """Give out the head of the pending text; spaces and cell borders wait for what follows them."""
        head, self._pending = self._pending[:length], self._pending[length:]
        body = head.rstrip(_HELD)
        if not body:
            self._held += head
            return ""
        out = self._write(self._held + body)
        self._held = head[len(body) :]
        return out

    def _close(self, end: str) -> str:
        """End a sentence: its markers, then `end` (a full stop, a line's end, or nothing at the text's)."""
        held, self._held = self._held, ""
        raw = self._text[self._sentence :]
        out, supported = "", False
        if any(char.isalnum() for char in raw) and not self._code:
            numbers, self._numbers = self._numbers, []
            start = self._sentence + len(raw) - len(raw.lstrip())
            supports = self._resolve(raw.strip() + end.strip(), numbers)
            if isinstance(supports, Rewritten):
                return self._replace(supports, start, end)
            for support in supports:
                out += self._write(f"{'' if out else ' '}[{support.source.number}]")
                self.marks.append(Mark(start, len(self._text), support))
            supported = bool(supports)
        keeps = bool(end.strip()) or "|" in held or (bool(end) and not out)
        out += self._write((held if keeps else "") + end)
        self._sentence = len(self._text)
        if supported:
            self._solid = self._sentence
        return out

    def _replace(self, other: Rewritten, start: int, end: str) -> str:
        """Put other words in the place of the sentence that just ended, or nothing."""
        self._dropped = True
        self._text = self._text[: start if other.text else self._sentence]
        if other.text:
            self._write(other.text)
            for number, support in enumerate(other.supports):
                self._write(f"{'' if number else ' '}[{support.source.number}]")
                self.marks.append(Mark(start, len(self._text), support))
            self._write("." + ("\n" if end == "\n" else ""))
        elif end == "\n" and self._text.strip() and not self._text.endswith("\n"):
            self._write(end)
        self._sentence = len(self._text)
        if other.text:
            self._solid = self._sentence
        return ""

    def _write(self, text: str) -> str:
        self._text += text
        return text


def _may_become_marker(text: str) -> bool:
    return not re.search(r"[\]】\n]", text) and len(text) < _LONGEST_MARKER
