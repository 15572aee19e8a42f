"""The prompts that a generator is measured with: fixed by a seed, in French and in English, with what must be seen.

Of every scene the true picture is drawn too. A scene whose own true picture fails its rule (a thing in three pieces
cannot be counted) is not asked.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etabli.images.evaluation.rules import SIZE, checks
from etabli.images.pictograms.captions import caption
from etabli.images.pictograms.choosing import Chooser, Kind
from etabli.images.pictograms.concepts import LANGUAGES, Concept, Language, Library
from etabli.images.pictograms.picture import Pixels, render, scene_svg
from etabli.images.pictograms.scene import SIDES, Item, Relation, Scene

_COLOURS = ("red", "green", "blue", "orange", "purple", "yellow", "pink", "brown")
_RELATIONS: tuple[Relation, ...] = ("left of", "right of", "above", "below")
_TRIES = 200


@dataclass(frozen=True)
class Asked:
    """One thing that is asked in two languages.

    Attributes:
        group: `seen`, `combined` and `unseen` (is it recognised?), `colour`, `count` and `side` (is the rule kept?).
        scene: what must be seen.
        prompts: by language.
        truth: a true picture at 64 pixels.
        seed: of the generator's noise, the same for both languages.
    """

    group: str
    scene: Scene
    prompts: dict[Language, str]
    truth: Pixels
    seed: int

    @property
    def concept(self) -> str:
        """What must be recognised."""
        return self.scene.items[0].concept


def recognition(
    library: Library, held_out: frozenset[str], judged: Sequence[str], *, number: int, seed: int
) -> list[Asked]:
    """Prompts whose pictures must be recognised: `number` each of seen, combined and unseen (fewer where fewer are).

    Args:
        library: the generator's sets.
        held_out: concepts that it was never shown.
        judged: concepts that the judge knows.
        number: prompts of each group.
        seed: of every choice.
    """
    chance = random.Random(f"recognition{seed}")
    known = [concept for name, concept in library.concepts.items() if name in set(judged)]
    shown = [concept for concept in known if concept.identifier not in held_out]
    others = [concept for concept in known if concept.identifier in held_out]
    combined = Chooser(shown, combined=True)
    makers: dict[Kind, tuple[list[Concept], Callable[[Concept], Scene]]] = {
        "seen": (shown, _plain),
        "unseen": (others, _plain),
        "combined": (shown, lambda _: combined.coloured(chance)),
    }
    found = []
    for kind, (concepts, make) in makers.items():
        for concept in chance.sample(concepts, min(number, len(concepts))):
            found.append(_asked(kind, make(concept), library, chance))
    return found


def attributes(library: Library, held_out: frozenset[str], *, number: int, seed: int) -> list[Asked]:
    """Prompts whose pictures must keep a rule: `number` each of colour, count (2 to 4) and side."""
    chance = random.Random(f"attributes{seed}")
    concepts = [
        concept for name, concept in library.concepts.items() if name not in held_out and concept.countable
    ]
    makers: dict[str, Callable[[], Scene]] = {
        "colour": lambda: Scene((Item(chance.choice(concepts).identifier, 1, chance.choice(_COLOURS)),)),
        "count": lambda: Scene((Item(chance.choice(concepts).identifier, chance.choice((2, 3, 4))),)),
        "side": lambda: _placed(concepts, chance),
    }
    found = []
    for group, make in makers.items():
        for _ in range(number):
            asked = _passing(group, make, library, chance)
            if asked is not None:
                found.append(asked)
    return found


def _plain(concept: Concept) -> Scene:
    return Scene((Item(concept.identifier),))


def _placed(concepts: Sequence[Concept], chance: random.Random) -> Scene:
    if chance.random() < 0.5:
        return Scene((Item(chance.choice(concepts).identifier),), side=chance.choice(SIDES))
    first, second = chance.sample(concepts, 2)
    colours = chance.sample(("red", "blue", "green"), 2)
    items = Item(first.identifier, 1, colours[0]), Item(second.identifier, 1, colours[1])
    return Scene(items, relation=chance.choice(_RELATIONS))


def _passing(group: str, make: Callable[[], Scene], library: Library, chance: random.Random) -> Asked | None:
    for _ in range(_TRIES):
        scene = make()
        if library.sets_with(*(item.concept for item in scene.items)):
            asked = _asked(group, scene, library, chance)
            if checks(scene)[group](asked.truth):
                return asked
    return None


def _asked(group: str, scene: Scene, library: Library, chance: random.Random) -> Asked:
    """Plain words: how people type is for training, what is understood is measured here."""
    prompts = {language: caption(scene, library.concepts, language) for language in LANGUAGES}
    drawn_by = chance.choice(library.sets_with(*(item.concept for item in scene.items)))
    truth = render(scene_svg(scene, library.drawings[drawn_by]), SIZE)
    return Asked(group, scene, prompts, truth, chance.randrange(2**31))
