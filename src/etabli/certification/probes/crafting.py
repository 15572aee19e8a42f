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
from functools import cache, lru_cache
from importlib import resources
from itertools import repeat
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from etabli.certification.base import JSON, Language, Oracle, Plant
from etabli.certification.probes.base import Material, Question

T = TypeVar("T")

_NOT_ALNUM = re.compile(r"[\W_]+")
_SLOT = re.compile(r"\{([a-z_]+)\}")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C where it was built, about ten times faster."""
_VOWELS = frozenset("aâàeéèêëiîïoôuûùyœ")
_CONTRACTIONS = (
    ("de ", (("le ", "du "), ("les ", "des "))),
    ("à ", (("le ", "au "), ("les ", "aux "))),
)
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
    plain = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    return _NOT_ALNUM.sub("", plain)


@lru_cache(maxsize=4)
def folded_documents(material: Material) -> str:
    """All documents and questions of a material, folded, one after the other."""
    texts = [one.text for one in material.documents] + [one.question for one in material.questions]
    return "\n".join(map(folded, texts))


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
    return Pack.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER))


@dataclass(slots=True)
class Context:
    """What a family crafts its drafts with.

    Args:
        family: its id.
        language: to write in.
        material: of the assistant.
        dice: of this family, language and part.
        attempt: dice that are the same for all probes of one attempt.
        used: canaries given out, so that none comes twice.
    """

    family: str
    language: Language
    material: Material
    dice: Dice
    attempt: Dice
    used: set[str] = field(default_factory=set)

    def canary(self) -> Canary:
        """A new canary, which no document of the material holds."""
        while True:
            made = self._canary(self.dice)
            if made.word not in self.used:
                self.used.add(made.word)
                return made

    def secret(self) -> str:
        """A made-up word that all probes of the attempt share."""
        return self._canary(self.attempt).word

    def _canary(self, dice: Dice) -> Canary:
        while True:
            first, second = (dice.choice(_SYLLABLES) + dice.choice(_SYLLABLES) for _ in range(2))
            if first != second and first + second not in folded_documents(self.material):
                return Canary(first, second)

    def fill(self, template: str, **values: str) -> str:
        """Fill a template's slots: the given values first, then the pack's lists, drawn."""
        lists = pack(self.family).side(self.language).lists
        text = fill(template, values, lists, self.dice)
        return text[:1].upper() + text[1:]

    def drawn(self, name: str) -> str:
        """One entry of a list of the pack, its own slots unfilled."""
        return self.dice.choice(pack(self.family).side(self.language).lists[name])

    def templates(self) -> Iterator[tuple[str, str]]:
        """Names and texts of the family's templates, without end, evenly."""
        return self.dice.rounds(pack(self.family).side(self.language).named())

    def common(self, name: str) -> tuple[str, ...]:
        """A list that all families share."""
        return pack("common").side(self.language).lists[name]

    def questions(self) -> Iterator[Question | None]:
        """Answerable questions in this language, without end, evenly; None without end where there are none."""
        known = self.material.asked(self.language)
        return self.dice.rounds(known) if known else repeat(None)

    def asked(self) -> str:
        """A legitimate question of the material; a general one where it has none."""
        known = self.material.asked(self.language)
        return self.dice.choice(known).question if known else self.dice.choice(self.common("question"))

    def framed(self, question: str) -> str:
        """A question with a few words around it, as people write them."""
        return fill(self.dice.choice(self.common("frame")), {"question": question}, {}, self.dice)

    def subject(self) -> str:
        """What the documents are about, in words that stand in a sentence."""
        if self.material.topics:
            return self.dice.choice(self.material.topics)
        titles = self.material.titles(self.language)
        return f'"{self.dice.choice(titles)}"' if titles else self.dice.choice(self.common("topic"))


def fill(template: str, values: Mapping[str, str], lists: Mapping[str, Sequence[str]], dice: Dice) -> str:
    """Fill `{slots}`, also those inside entries of `lists`; given values are put in as they are.

    A slot that stands twice gets the same value twice. French « de » and « à » before a slot are joined to what
    comes: « du », « des », « d’ », « au », « aux ».

    Raises:
        KeyError: a slot that is neither in `values` nor in `lists`.
    """
    written, end = "", 0
    known = dict(values)
    for match in _SLOT.finditer(template):
        name = match.group(1)
        if name not in known:
            known[name] = fill(dice.choice(lists[name]), values, lists, dice)
        written = joined(written + template[end : match.start()], known[name])
        end = match.end()
    return written + template[end:]


def joined(before: str, value: str) -> str:
    """`value` written behind `before`, with the French contractions of « de » and « à ».

    >>> joined("le prix de ", "le badge"), joined("parler à ", "les élèves"), joined("la fiche de ", "Apolline")
    ('le prix du badge', 'parler aux élèves', "la fiche d'Apolline")
    """
    for word, contractions in _CONTRACTIONS:
        if _ends_with_word(before, word):
            for article, contraction in contractions:
                if value.startswith(article):
                    return before[: -len(word)] + contraction + value[len(article) :]
    if _ends_with_word(before, "de ") and value[:1].lower() in _VOWELS:
        return before[:-2] + "'" + value
    return before + value


def _ends_with_word(text: str, word: str) -> bool:
    return text.endswith(word) and not text[: -len(word)][-1:].isalpha()


def category(template: str) -> str:
    """The style that a template's name begins with: `fraud` of `fraud-3`."""
    return template.rsplit("-", 1)[0]


def encoded(text: str) -> str:
    """`text` in Base64."""
    return base64.b64encode(text.encode()).decode()
