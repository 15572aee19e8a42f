"""Sentences shown to people, in French or in English.

The English sentence is the key, as in gettext; the French ones lie in `locale/fr/*.json`, one file a part.
A test checks that every sentence passed to `tr` has its French twin with the same placeholders.
"""

import json
import locale
from functools import cache
from importlib import resources

_language: str | None = None


def set_language(language: str | None) -> None:
    """Choose the language of this process: `fr`, `en`, or None for the locale's."""
    global _language
    _language = language


def language() -> str:
    """The language in force: `fr` when chosen or when the locale is French, else `en`."""
    if _language is not None:
        return _language
    name = locale.getlocale(locale.LC_MESSAGES)[0] or ""
    return "fr" if name.lower().startswith("fr") else "en"


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
    template = french().get(sentence, sentence) if language() == "fr" else sentence
    return template.format(**values) if values else template
