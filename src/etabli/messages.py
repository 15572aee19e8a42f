"""Sentences shown to people, in French or in English.

The English sentence is the key, as in gettext; the French ones lie in `locale/fr/*.json`, one file a part.
A test checks that every sentence passed to `tr` has its French twin with the same placeholders.

The language is the reader's while a request of theirs is answered (`speak`), else the one of the installation. A
sentence remembers what it was made of, so that one that is kept, or that another thread made, is told again in the
language of whoever reads it then (`retold`, `message_of`; `kept` and `told` for the database).
"""

import json
import locale
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from typing import Any, Self

_language: str | None = None
_reader: ContextVar[str | None] = ContextVar("reader_language", default=None)
_PLACEHOLDER = re.compile(r"\{(\w+)[^{}]*\}")
_MOST_NESTED = 3


class Sentence(str):
    """A sentence in the language in force when it was made, with what it was made of.

    Attributes:
        template: in English.
        values: of its placeholders; some may be sentences.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]

    def __new__(cls, text: str, template: str = "", values: Mapping[str, object] | None = None) -> Self:
        """Make one: only `tr` does."""
        made = super().__new__(cls, text)
        made.template = template or text
        made.values = values or {}
        return made


def set_language(language: str | None) -> None:
    """Choose the language of this process: `fr`, `en`, or None for the locale's."""
    global _language
    _language = language


def installation_language() -> str:
    """The language of this process: `fr` when chosen or when the locale is French, else `en`."""
    if _language is not None:
        return _language
    name = locale.getlocale(locale.LC_MESSAGES)[0] or ""
    return "fr" if name.lower().startswith("fr") else "en"


def language() -> str:
    """The language in force: the reader's where one is known, else the installation's."""
    return _reader.get() or installation_language()


def speak(language: str | None) -> None:
    """Speak to a reader of this language from here on, in this task and those that it begins; None: to nobody."""
    _reader.set(language)


@contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """Speak to a reader of this language while the `with` lasts.

    >>> set_language("en")
    >>> with speaking("fr"):
    ...     language()
    'fr'
    """
    token = _reader.set(language)
    try:
        yield
    finally:
        _reader.reset(token)


@cache
def french() -> dict[str, str]:
    """All French sentences of this program but those of its screens, by their English twin."""
    catalogue: dict[str, str] = {}
    folder = resources.files("etabli") / "locale" / "fr"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".json") and not entry.name.startswith("web_"):
            catalogue.update(json.loads(entry.read_text(encoding="utf-8")))
    return catalogue


def tr(sentence: str, **values: object) -> str:
    """Translate `sentence` into the language in force and fill its `{placeholders}`.

    >>> set_language("en"); tr("{count} files", count=3)
    '3 files'
    """
    return _made(sentence, values)


def retold(text: str) -> str:
    """A sentence in the language in force now; any other text as it is.

    >>> set_language("en"); kept_one = tr("none")
    >>> with speaking("fr"):
    ...     retold(kept_one)
    'aucun'
    """
    return _made(text.template, text.values) if isinstance(text, Sentence) else text


def message_of(error: BaseException) -> str:
    """What an error says, in the language in force now, whoever raised it."""
    said = error.args[0] if len(error.args) == 1 else None
    return retold(said) if isinstance(said, Sentence) else str(error)


def kept(text: str) -> Any:
    """A sentence as JSON, to be told in either language later; any other text as it is.

    >>> kept(tr("{count} files", count=3)), kept("notes.txt")
    ({'say': '{count} files', 'values': {'count': 3}}, 'notes.txt')
    """
    if not isinstance(text, Sentence):
        return text
    return {"say": text.template, "values": {name: _kept_value(value) for name, value in text.values.items()}}


def told(stored: object) -> str:
    """What `kept` gave, as a sentence in the language in force; of a list, one after the other.

    Only sentences of this program are told from what they were made of: what a template may reach is never
    somebody else's choice. One that another version of it knew comes in English.

    >>> set_language("en"); told({"say": "{count} files", "values": {"count": 3}}), told(["a.", "b."])
    ('3 files', 'a. b.')
    """
    return _told(stored, _MOST_NESTED)


def _told(stored: object, depth: int) -> str:
    if isinstance(stored, list):
        return " ".join(_told(one, depth - 1) for one in stored) if depth else ""
    if not isinstance(stored, dict):
        return "" if stored is None else str(stored)
    template, given = str(stored.get("say", "")), stored.get("values")
    values: dict[str, object] = {}
    if depth and isinstance(given, dict):
        values = {
            name: given[name] if isinstance(given[name], int | float) else _told(given[name], depth - 1)
            for name in _PLACEHOLDER.findall(template)
            if name in given
        }
    if template in french() and set(_PLACEHOLDER.findall(template)) == values.keys():
        return _made(template, values)
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], "…")), template)


def _made(template: str, values: Mapping[str, object]) -> Sentence:
    text = french().get(template, template) if language() == "fr" else template
    if values:
        text = text.format(
            **{name: retold(one) if isinstance(one, str) else one for name, one in values.items()}
        )
    return Sentence(text, template, values)


def _kept_value(value: object) -> Any:
    if isinstance(value, str):
        return kept(value)
    return value if isinstance(value, bool | int | float) else str(value)
