"""Concepts: what a pictogram is of, its names in French and English, and its drawings by set.

A concept is a Unicode emoji that is a picture of something: no flags, letters, skin tones. Names come from emojibase
and CLDR; drawings of the five sets are matched by code point, or by name where a set tells no code points.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from etabli.images.pictograms.colours import WORDS
from etabli.images.pictograms.drawing import Drawing
from etabli.images.pictograms.nouns import is_plural
from etabli.images.pictograms.sources import IconSource, read_json

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")
_COMPONENTS, _FLAGS = 2, 9
# Faces, people and signs are drawn alone: « trois visages souriants à gauche de … » is nobody's wish.
_COUNTABLE_GROUPS = frozenset({3, 4, 5, 6, 7})


@dataclass(frozen=True, slots=True)
class Concept:
    """What a pictogram is of.

    Attributes:
        identifier: code points in hexadecimal.
        names: by language, the label first, then shorter names.
        tags: by language, related words.
        group: emojibase's number: 0 faces, 1 people, 3 nature, 4 food, 5 travel, 6 activities, 7 objects, 8 symbols.
    """

    identifier: str
    names: Mapping[Language, tuple[str, ...]]
    tags: Mapping[Language, tuple[str, ...]]
    group: int

    @property
    def countable(self) -> bool:
        """Whether scenes have several of it, or it beside another."""
        plural = any(is_plural(self.names[language][0], french=language == "fr") for language in LANGUAGES)
        return self.group in _COUNTABLE_GROUPS and not plural


@dataclass(frozen=True)
class Library:
    """Concepts, and drawings by set and concept."""

    concepts: Mapping[str, Concept]
    drawings: Mapping[str, Mapping[str, Drawing]] = field(default_factory=dict)

    def of(self, names: Iterable[str]) -> "Library":
        """Only these sets, and the concepts that they draw."""
        drawings = {name: self.drawings[name] for name in names if name in self.drawings}
        kept = set().union(*drawings.values()) if drawings else set()
        return Library({key: value for key, value in self.concepts.items() if key in kept}, drawings)

    def sets_with(self, *concepts: str) -> list[str]:
        """Sets that draw all of these."""
        return [name for name, own in self.drawings.items() if all(concept in own for concept in concepts)]


def read_library(folder: Path, ledger: Iterable[IconSource]) -> Library:
    """Read the archives of a ledger; they are there and checked (`sources.fetch`)."""
    concepts: dict[str, Concept] = {}
    words: dict[str, str] = {}
    sets: dict[str, tuple[Any, Any]] = {}
    for source in ledger:
        path = folder / source.archive
        if source.role == "labels":
            entries = {language: read_json(path, f"{language}/data.json") for language in LANGUAGES}
            concepts = _concepts(entries)
            words = _words(entries["en"], read_json(path, "meta/unicode-names.json") or {})
        else:
            sets[source.name] = (read_json(path, "icons.json"), read_json(path, "chars.json") or {})
    known = {_bare(identifier): identifier for identifier in concepts}
    for _, chars in sets.values():
        for code, name in chars.items():
            if _bare(code) in known:
                words.setdefault(_squeezed(name), known[_bare(code)])
    return Library(concepts, {name: _drawings(*own, known=known, words=words) for name, own in sets.items()})


def _concepts(entries: Mapping[Language, list[dict[str, Any]]]) -> dict[str, Concept]:
    by_language = {
        language: {entry["hexcode"]: entry for entry in rows} for language, rows in entries.items()
    }
    found = {}
    for identifier, entry in by_language["en"].items():
        group = entry.get("group")
        if group in (None, _COMPONENTS, _FLAGS) or identifier not in by_language["fr"]:
            continue
        rows: dict[Language, dict[str, Any]] = {"fr": by_language["fr"][identifier], "en": entry}
        found[identifier] = Concept(
            identifier,
            {language: _names(row["label"], row.get("tags", ()), language) for language, row in rows.items()},
            {language: tuple(row.get("tags", ())) for language, row in rows.items()},
            group,
        )
    return found


def _names(label: str, tags: Iterable[str], language: Language) -> tuple[str, ...]:
    """The label, and a tag that is its chief word: « pomme » of « pomme rouge »."""
    label = " ".join(label.split())
    parts = label.split()
    chief = parts[0] if language == "fr" else parts[-1]
    return (label, chief) if len(parts) > 1 and chief in tags and chief not in WORDS[language] else (label,)


def _words(entries: list[dict[str, Any]], unicode_names: Mapping[str, str]) -> dict[str, str]:
    """By squeezed English name, the concept."""
    found: dict[str, str] = {}
    for entry in entries:
        found.setdefault(_squeezed(entry["label"]), entry["hexcode"])
    for entry in entries:
        found.setdefault(_squeezed(unicode_names.get(entry["hexcode"], "")), entry["hexcode"])
    return found


def _drawings(
    icons: Any, chars: Mapping[str, str], *, known: Mapping[str, str], words: Mapping[str, str]
) -> dict[str, Drawing]:
    default = icons.get("width", 16), icons.get("height", 16)
    names = {known[_bare(code)]: name for code, name in chars.items() if _bare(code) in known}
    if not chars:
        for name in icons["icons"]:
            concept = words.get(_squeezed(name))
            if concept is not None and _bare(concept) in known:
                names.setdefault(known[_bare(concept)], name)
    found = {}
    for concept, name in names.items():
        icon = icons["icons"].get(icons.get("aliases", {}).get(name, {}).get("parent", name))
        if icon is not None:
            width, height = icon.get("width", default[0]), icon.get("height", default[1])
            found[concept] = Drawing(icon["body"], width, height, icon.get("left", 0), icon.get("top", 0))
    return found


def _bare(code: str) -> str:
    """Code points without the selector of colour presentation."""
    return "-".join(part for part in code.lower().split("-") if part != "fe0f")


def _squeezed(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain)
