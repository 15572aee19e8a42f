"""Scenes drawn at random for training and evaluation, and which of them training never sees.

Three sets for evaluation: `seen` (a concept as it was drawn), `combined` (a known concept in a colour or a number in
which training never showed it), `unseen` (concepts that training never showed at all). What is held out is decided by
hashes, so that it is the same in every run and for every seed.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from etabli.images.pictograms.colours import COLOURS
from etabli.images.pictograms.concepts import Concept, Library
from etabli.images.pictograms.scene import RELATIONS, SIDES, Item, Relation, Scene, Style

Kind = Literal["seen", "combined", "unseen"]
HELD_OUT_CONCEPTS = 150
_HELD_OUT_SHARE = 0.1
_COLOURS = tuple(COLOURS)
_COUNTS, _COUNT_WEIGHTS = (2, 3, 4, 5, 6), (5, 5, 3, 1, 1)


@dataclass(frozen=True)
class Chooser:
    """Draws scenes.

    Attributes:
        concepts: that may be drawn.
        combined: whether scenes are made only of held-out combinations (True) or of none (False).
    """

    concepts: Sequence[Concept]
    combined: bool = False

    def scene(self, chance: random.Random) -> Scene:
        """One scene for training: half of them a single thing as it was drawn or in a colour."""
        kind = chance.random()
        if kind < 0.34:
            return self._single(chance)
        if kind < 0.56:
            return self._coloured(chance)
        if kind < 0.72:
            return self._counted(chance)
        if kind < 0.80:
            item = self._item(chance, coloured=0.4)
            return Scene((item,), side=chance.choice(SIDES), background=_ground(chance, 0.3, item))
        return self.pair(chance, chance.choice(RELATIONS), coloured=0.5)

    def scene_of_one(self, chance: random.Random) -> Scene:
        """A scene of one kind of thing, for the judge: as it was drawn, coloured, or several."""
        kind = chance.random()
        if kind < 0.6:
            return self._single(chance)
        return self._coloured(chance) if kind < 0.85 else self._counted(chance)

    def pair(self, chance: random.Random, relation: Relation, *, coloured: float) -> Scene:
        """Two kinds of things, one beside the other."""
        first = self._item(chance, coloured=coloured, countable=True)
        second = self._item(chance, coloured=coloured, countable=True, other_than=first)
        few = [Item(item.concept, chance.choice((1, 1, 1, 1, 2, 3)), item.colour) for item in (first, second)]
        few = [item if self._allowed(item) else Item(item.concept, 1, item.colour) for item in few]
        return Scene(tuple(few), relation=relation, background=_ground(chance, 0.25, *few))

    def counted(self, chance: random.Random, count: int) -> Scene:
        """Several of one thing."""
        return Scene((self._item(chance, coloured=0.3, countable=True, count=count),))

    def coloured(self, chance: random.Random) -> Scene:
        """One thing in a colour, on white."""
        return Scene((self._item(chance, coloured=1.0),))

    def _single(self, chance: random.Random) -> Scene:
        style: Style = chance.choices(("flat", "silhouette", "outline"), (12, 1, 1))[0]
        item = self._item(chance, coloured=0.0)
        return Scene((item,), background=_ground(chance, 0.3, item), style=style)

    def _coloured(self, chance: random.Random) -> Scene:
        style: Style = chance.choices(("flat", "silhouette", "outline"), (10, 1, 1))[0]
        item = self._item(chance, coloured=1.0)
        return Scene((item,), background=_ground(chance, 0.3, item), style=style)

    def _counted(self, chance: random.Random) -> Scene:
        count = chance.choices(_COUNTS, _COUNT_WEIGHTS)[0]
        item = self._item(chance, coloured=0.4, countable=True, count=count)
        return Scene((item,), background=_ground(chance, 0.3, item))

    def _item(
        self,
        chance: random.Random,
        *,
        coloured: float,
        countable: bool = False,
        count: int = 1,
        other_than: Item | None = None,
    ) -> Item:
        for _ in range(10_000):
            concept = chance.choice(self.concepts)
            colour = chance.choice(_COLOURS) if chance.random() < coloured else None
            item = Item(concept.identifier, count, colour)
            if countable and not concept.countable:
                continue
            if other_than is not None and concept.identifier == other_than.concept:
                continue
            if self._allowed(item):
                return item
        raise ValueError("no such thing among the concepts")

    def _allowed(self, item: Item) -> bool:
        if item.colour is None and item.count == 1:
            return True
        return is_held_out_combination(item) == self.combined


def is_held_out_combination(item: Item) -> bool:
    """Whether training never shows this concept in this colour, or in this number: one in ten, by hash."""
    colour = item.colour is not None and _share("colour", item.concept, item.colour) < _HELD_OUT_SHARE
    return colour or (item.count > 1 and _share("count", item.concept, str(item.count)) < _HELD_OUT_SHARE)


def held_out_concepts(
    library: Library, groups: Sequence[frozenset[str]], number: int = HELD_OUT_CONCEPTS
) -> frozenset[str]:
    """Concepts that training never shows; of drawings that look the same, all or none.

    Args:
        library: what there is.
        groups: concepts whose drawings look alike (`splitting.alike`).
        number: how many to hold out, at most.
    """
    grouped = {concept: group for group in groups for concept in group}
    whole = {grouped.get(concept, frozenset({concept})) for concept in library.concepts}
    chosen: set[str] = set()
    for group in sorted(whole, key=lambda group: _share("concept", *sorted(group))):
        if len(group) <= 3 and len(chosen) + len(group) <= number:
            chosen |= group
    return frozenset(chosen)


def _ground(chance: random.Random, share: float, *items: Item) -> str | None:
    if chance.random() >= share:
        return None
    taken = {item.colour for item in items}
    return chance.choice([name for name in _COLOURS if name not in taken and name != "white"])


def _share(*words: str) -> float:
    """A number from 0 to 1 that the words decide."""
    digest = hashlib.sha256("\0".join(words).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
