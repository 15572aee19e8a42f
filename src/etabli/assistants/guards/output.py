"""What goes out while it is written: no instructions, no foreign links, no endless repetition.

Text is let through word by word; only what may still become a link, a tag or a passage of the instructions is held
until that is decided. Code keeps its signs where the assistant has no documents.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from etabli.assistants.answer import Guard
from etabli.assistants.guards.folding import folded, visible
from etabli.assistants.guards.wording import LINK_REMOVED

LEAK_WORDS = 8
"""So many consecutive words of the instructions are a leak."""
_LONGEST_HELD = 2_000
_MOST_PERIOD = 240
_REPEATS = 6
_SHORTEST_REPEATED = 160
_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}:)?//[^\s<>()\"'`«»\]|]+|\bwww\.[^\s<>()\"'`«»\]|]+", re.IGNORECASE
)
_SCHEME = re.compile(r"\b(?:javascript|data|vbscript|file):[^\s<>\"'`]*", re.IGNORECASE)
_MARKDOWN_LINK = re.compile(r"(!?)\[([^\]\n]{0,300})\]\(\s*<?([^)\s>]*)>?(?:\s+[^)\n]*)?\)")
_TAG = re.compile(r"</?[a-zA-Z!?][^<>]{0,1500}>")
_OPEN = re.compile(
    r"(?:!?\[[^\]\n]{0,300}(?:\](?:\([^)\n]{0,1900})?)?|!|<[/!?]?(?:[a-zA-Z][^<>]{0,1500})?|`{1,2})$"
)
_LAST_WORD = re.compile(r"[^\s]+$")
_WORD = re.compile(r"\w+")
_PUNCTUATION = ".,;:!?…"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the answer ends before the model would.

    Args:
        guard: `leak` or `repetition`.
        words: what was held back, for the trace.
    """

    guard: Guard
    words: str


class Leaks:
    """Finds words that stand in the instructions and not in what may be shown.

    Args:
        instructions: what must not be told.
        shown: what may be: passages, the question.
    """

    def __init__(self, instructions: Iterable[str], *, shown: Iterable[str] = ()) -> None:
        instructions = list(instructions)
        allowed = [words_of(text) for text in shown]
        known = {gram for words in allowed for gram in _grams(words, LEAK_WORDS)}
        flat = " ".join("".join(words) for words in allowed)
        self._places: dict[str, list[int]] = defaultdict(list)
        place = 0
        for text in instructions:
            words = words_of(text)
            public: set[int] = set()
            for start, gram in enumerate(_grams(words, LEAK_WORDS)):
                if gram in known:
                    public.update(range(start, start + LEAK_WORDS))
            for index, word in enumerate(words):
                if index not in public:
                    self._places[word].append(place + index)
            place += len(words) + 1
        codes = (_flat(code) for text in instructions for code in _CODE.findall(visible(text)))
        self._codes = frozenset(code for code in codes if code not in flat)

    def find(self, text: str) -> tuple[int, int | None]:
        """Where the text must be held from, and where it must end.

        Returns:
            The beginning of a run of words that may go on (the text's length without one), and the beginning of a
            leak, or None.
        """
        runs: dict[int, int] = {}
        starts: list[int] = []
        longest = 0
        for match in re.finditer(r"\S+", text):
            if _flat(match.group()) in self._codes:
                return match.start(), match.start()
            for word in words_of(match.group()):
                starts.append(match.start())
                runs = {place + 1: runs.get(place, 0) + 1 for place in self._places.get(word, ())}
                longest = max(runs.values(), default=0)
                if longest >= LEAK_WORDS:
                    return starts[-longest], starts[-longest]
        return (starts[-longest] if longest else len(text)), None


_CODE = re.compile(
    r"(?<![\w-])(?=(?:[\w-]*\d){2})(?=[\w-]*[^\W\d_])(?:[\w-]*\d[\w-]*[^\W\d_][\w-]*\d|[\w-]*\d[-_]?[^\W\d_][\w-]*|"
    r"(?:[\w-]*\d){3})[\w-]*|(?<![\w-])\d{5,}(?![\w-])"
)
"""Words that mean nothing by themselves: letters among digits, long numbers. One of them is a leak."""


class OutputGuard:
    """Filters a stream of text.

    Args:
        leaks: what must not be told.
        links: addresses that may stand in the answer, as they were written in passages, instructions or question;
            None lets all pass.
        strict: nothing but these; otherwise foreign addresses become inert code, and code blocks are let alone.
        language: of the answer.
    """

    def __init__(self, leaks: Leaks, *, links: Iterable[str] | None, strict: bool, language: str) -> None:
        self._leaks = leaks
        self._filters = links is not None
        self._links = frozenset(_address(link) for link in links or ())
        self._strict = strict
        self._removed = LINK_REMOVED[language]
        self._pending = ""
        self._waiting = ""
        self._tail = ""
        self._fenced = False
        self.stop: Stop | None = None
        self.links_removed: list[str] = []

    def feed(self, piece: str) -> str:
        """Take a piece of the model's text; give what may go out now. Nothing after `stop` is set."""
        self._pending += piece
        return self._advance(final=False)

    def finish(self) -> str:
        """The model has ended: give the rest."""
        return self._advance(final=True)

    def _advance(self, *, final: bool) -> str:
        if self.stop is not None:
            return ""
        cut = len(self._pending) if final else self._safe_length()
        ready, self._pending = self._pending[:cut], self._pending[cut:]
        shown = self._without_links(ready) if self._filters else ready
        out = self._without_leaks(shown, final=final)
        self._tail = (self._tail + out)[-_MOST_PERIOD * (_REPEATS + 1) :]
        if self.stop is None and (unit := repeated(self._tail)):
            self.stop = Stop("repetition", unit[:200])
            out = self._shortened(out, unit)
        return out

    def _safe_length(self) -> int:
        """How much of the pending text is complete: no open link, tag or word at its end."""
        text = self._pending
        if len(text) > _LONGEST_HELD:
            return len(text)
        begin = _OPEN.search(text)
        end = len(text) if begin is None else begin.start()
        word = _LAST_WORD.search(text, 0, end)
        end = word.start() if word else end
        begin = _OPEN.search(text[:end])
        return end if begin is None else begin.start()

    def _without_links(self, text: str) -> str:
        if self._strict:
            return self._plain(text)
        parts = re.split(r"(```|`[^`\n]*`)", text)
        out = ""
        for part in parts:
            if part == "```":
                self._fenced = not self._fenced
            code = self._fenced or (part.startswith("`") and part.endswith("`"))
            out += part if code else self._plain(part)
        return out

    def _plain(self, text: str) -> str:
        """Prose without foreign links, images, tags."""
        if not any(sign in text for sign in ("//", "www.", "](", "<", ":")) and "WWW." not in text.upper():
            return text
        text = _MARKDOWN_LINK.sub(self._link, text)
        text = _TAG.sub(self._tag, text)
        text = _URL.sub(self._bare, text)
        return _SCHEME.sub(self._gone, text)

    def _link(self, match: re.Match[str]) -> str:
        image, label, address = match.groups()
        if not image and (self._allowed(address) or not re.search(r"[:/.]", address)):
            return match.group()
        self.links_removed.append(address)
        return str(label)

    def _tag(self, match: re.Match[str]) -> str:
        inner = match.group()[1:-1]
        if _URL.fullmatch(inner) and self._allowed(inner):
            return match.group()
        self.links_removed.append(match.group()[:200])
        return ""

    def _bare(self, match: re.Match[str]) -> str:
        address = match.group().rstrip(_PUNCTUATION)
        rest = match.group()[len(address) :]
        if self._allowed(address):
            return match.group()
        self.links_removed.append(address)
        return (self._removed if self._strict else f"`{address}`") + rest

    def _gone(self, match: re.Match[str]) -> str:
        rest = match.group().partition(":")[2]
        if not rest:
            return match.group()
        self.links_removed.append(match.group()[:200])
        return self._removed

    def _allowed(self, address: str) -> bool:
        return _address(address) in self._links or address.startswith("#")

    def _without_leaks(self, text: str, *, final: bool) -> str:
        """Text up to where the instructions begin; what may be their beginning waits."""
        text = self._waiting + text
        held, leak = self._leaks.find(text)
        if leak is not None:
            self.stop = Stop("leak", text[leak:])
            return text[:leak]
        kept = len(text) if final else held
        self._waiting = text[kept:]
        return text[:kept]

    @staticmethod
    def _shortened(out: str, unit: str) -> str:
        """The new text without its last repetitions."""
        while out.endswith(unit) and len(out) > len(unit):
            out = out[: -len(unit)]
        return out


def repeated(text: str) -> str:
    """What the end of a text says over and over; empty when it does not.

    >>> repeated("mot " * 50), repeated("Le chat dort. Le chien mange.")
    ('mot ', '')
    """
    end = len(text)
    for period in range(1, min(_MOST_PERIOD, end // 2) + 1):
        wanted = max(_REPEATS * period, _SHORTEST_REPEATED)
        unit = text[end - period :]
        if wanted > end or not any(char.isalnum() for char in unit):
            continue
        if (
            text[end - 2 * period : end - period] == unit
            and text[end - wanted : end - period] == text[end - wanted + period :]
        ):
            return unit
    return ""


def links_in(texts: Iterable[str]) -> list[str]:
    """Addresses that stand in texts."""
    return [match.group().rstrip(_PUNCTUATION) for text in texts for match in _URL.finditer(text)]


def words_of(text: str) -> list[str]:
    """Words for comparison, folded."""
    return _WORD.findall(folded(text))


def _grams(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]


def _flat(word: str) -> str:
    return "".join(words_of(word))


def _address(link: str) -> str:
    return link.strip().rstrip(_PUNCTUATION + "/").lower()
