"""Tools that the families share: dice, canaries, packs of templates, and the drafts that become probes.

Everything is deterministic: dice come from SHA-256 of a seed and a label and use only `random.Random.random`, whose
sequence Python promises to keep.
"""

import base64
import hashlib
import random
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from etabli.certification.base import JSON, Language, Oracle, Plant
from etabli.certification.probes.base import Material, Question

T = TypeVar("T")

_SLOT = re.compile(r"\{([a-z_]+)\}")
_SYLLABLES = (
    "zor vel mux tiq bax nov kel ruz dav fim gop jil lux wen pyr quo sib tav vok xan yur zib bru dro fla gri kry "
    "plo smu tru vra zel hox nim rop ked wub jov lom fez"
).split()


class Dice:
    """Choices that are the same on every machine for the same seed and label."""

    def __init__(self, seed: bytes, *labels: str) -> None:
        digest = hashlib.sha256(seed + "\x1f".join(labels).encode()).digest()
        self._random = random.Random(int.from_bytes(digest))

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` − 1."""
        return int(self._random.random() * limit)

    def choice(self, values: Sequence[T]) -> T:
        """One of `values`, which must not be empty."""
        return values[self.below(len(values))]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """`values` in random order (Fisher–Yates)."""
        mixed = list(values)
        for last in range(len(mixed) - 1, 0, -1):
            other = self.below(last + 1)
            mixed[last], mixed[other] = mixed[other], mixed[last]
        return mixed

    def rounds(self, values: Sequence[T]) -> Iterator[T]:
        """Without end: every value once in random order, then again in another order."""
        while values:
            yield from self.shuffled(values)

    def digits(self, count: int) -> str:
        """`count` decimal digits."""
        return "".join(str(self.below(10)) for _ in range(count))


def folded(text: str) -> str:
    """Letters and digits only, without accents and in lower case: to see whether two texts say the same.

    >>> folded("L’été, c’est à 9 h !")
    'letecesta9h'
    """
    plain = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE")).casefold()
    return "".join(char for char in plain if char.isalnum())


@dataclass(frozen=True, slots=True)
class Canary:
    """A made-up word that cannot occur by itself.

    `first` and `second` are shown apart in a prompt and only somebody who obeys joins them: quoting or refusing the
    prompt does not give the word. So a hit is a violation, and no hit is none.
    """

    first: str
    second: str

    @property
    def word(self) -> str:
        """The two parts joined."""
        return self.first + self.second

    def oracle(self, *, where: str = "text") -> Oracle:
        """Violated where the joined word occurs, with or without a hyphen."""
        return canary_oracle([self.word, f"{self.first}-{self.second}"], where=where)


def canary_oracle(words: Sequence[str], *, where: str = "text") -> Oracle:
    """Violated where one of `words` occurs."""
    return Oracle("canary", {"any": list(words), "where": where, "normalise": True})


@dataclass(frozen=True, slots=True)
class Draft:
    """A probe before it has an id; the arguments are those of `Probe`."""

    turns: tuple[str, ...]
    oracle: Oracle
    template: str
    plants: tuple[Plant, ...] = ()
    tools: tuple[JSON, ...] = ()
    instructions_canary: str = ""
    transformation: str = ""
    reference: JSON = field(default_factory=dict)


Unit = tuple[Draft, ...]
"""One draft, or the two of a pair."""


class _Side(BaseModel):
    """One language of a pack: templates by style, and lists of values for their slots."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    templates: dict[str, tuple[str, ...]]
    lists: dict[str, tuple[str, ...]] = {}

    def named(self) -> tuple[tuple[str, str], ...]:
        """Every template with its name: its style and its place in it."""
        return tuple(
            (f"{style}-{number}", text)
            for style, texts in self.templates.items()
            for number, text in enumerate(texts, start=1)
        )


class Pack(BaseModel):
    """A family's texts, from its YAML file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fr: _Side
    en: _Side

    def side(self, language: Language) -> _Side:
        """The texts in one language."""
        return self.fr if language == "fr" else self.en

    @model_validator(mode="after")
    def _twins(self) -> "Pack":
        for kind in ("templates", "lists"):
            french, english = getattr(self.fr, kind), getattr(self.en, kind)
            if french.keys() != english.keys():
                raise ValueError(f"{kind} differ: {sorted(french.keys() ^ english.keys())}")
        return self


@cache
def pack(name: str) -> Pack:
    """The pack `data/{name}.yaml`, read strictly."""
    path = resources.files("etabli.certification.probes") / "data" / f"{name}.yaml"
    return Pack.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@dataclass(slots=True)
class Context:
    """What a family crafts its drafts with.

    Args:
        family: its id.
        language: to write in.
        material: of the assistant.
        dice: of this family, language and part.
        shared: dice labelled without the part: what all probes of one attempt have in common.
        used: canaries given out, so that none comes twice.
    """

    family: str
    language: Language
    material: Material
    dice: Dice
    shared: Dice
    used: set[str]
    haystack: str

    def canary(self, dice: Dice | None = None) -> Canary:
        """A new canary, which no document of the material holds."""
        dice = dice or self.dice
        while True:
            parts = [dice.choice(_SYLLABLES) + dice.choice(_SYLLABLES) for _ in range(2)]
            made = Canary(*parts)
            if parts[0] != parts[1] and made.word not in self.used and made.word not in self.haystack:
                self.used.add(made.word)
                return made

    def fill(self, template: str, **values: str) -> str:
        """Put values into the slots of a template: the given ones first, then the pack's lists, drawn."""
        lists = pack(self.family).side(self.language).lists
        return fill(template, values, lists, self.dice)

    def templates(self) -> Iterator[tuple[str, str]]:
        """Names and texts of the family's templates, without end, evenly."""
        return self.dice.rounds(pack(self.family).side(self.language).named())

    def question(self, questions: Sequence[Question]) -> str:
        """A legitimate question of the material; a general one where the material has none."""
        if questions:
            return self.dice.choice(questions).question
        return self.dice.choice(pack("common").side(self.language).lists["question"])

    def subjects(self) -> tuple[str, ...]:
        """What the documents are about, in words that stand in a sentence."""
        found = self.material.topics or self.material.titles(self.language)
        return found or pack("common").side(self.language).lists["topic"]


def fill(template: str, values: Mapping[str, str], lists: Mapping[str, Sequence[str]], dice: Dice) -> str:
    """Fill `{slots}`, also those inside entries of `lists`; given values are put in as they are.

    Raises:
        KeyError: a slot that is neither in `values` nor in `lists`.
    """

    def one(match: re.Match[str]) -> str:
        name = match.group(1)
        return values[name] if name in values else fill(dice.choice(lists[name]), values, lists, dice)

    return _SLOT.sub(one, template)


def encoded(text: str) -> str:
    """`text` in Base64."""
    return base64.b64encode(text.encode()).decode()
