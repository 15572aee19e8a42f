"""A scene: what is to be seen, exactly. The one truth from which pictures, captions and checks are made.

It knows no pixels and no words. Training draws scenes at random; composition is given them; evaluation checks
pictures against them.
"""

from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from etabli.errors import InvalidInputError
from etabli.images.pictograms.colours import COLOURS
from etabli.messages import tr

Relation = Literal["left of", "right of", "above", "below", "beside"]
Side = Literal["left", "right", "top", "bottom"]
Style = Literal["flat", "silhouette", "outline"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
SIDES: tuple[Side, ...] = get_args(Side)
STYLES: tuple[Style, ...] = get_args(Style)
MOST_ITEMS, MOST_COUNT, MOST_COUNT_OF_TWO = 2, 6, 3


@dataclass(frozen=True, slots=True)
class Item:
    """One kind of thing.

    Attributes:
        concept: identifier of what it is.
        count: how many of it.
        colour: a name of `colours.COLOURS`; as it was drawn when None.
    """

    concept: str
    count: int = 1
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be seen.

    Attributes:
        items: one or two kinds of things.
        relation: where the first is, seen from the second; only with two.
        side: where a single thing is; the middle when None.
        background: a name of `colours.COLOURS`; white when None.
        style: how it is drawn.

    Raises:
        InvalidInputError: no such scene can be drawn; the message says why.
    """

    items: tuple[Item, ...]
    relation: Relation | None = None
    side: Side | None = None
    background: str | None = None
    style: Style = "flat"

    def __post_init__(self) -> None:
        if not 1 <= len(self.items) <= MOST_ITEMS:
            raise InvalidInputError(
                tr("A scene has {found} kinds of things; 1 or 2 are possible.", found=len(self.items))
            )
        most = MOST_COUNT if len(self.items) == 1 else MOST_COUNT_OF_TWO
        for item in self.items:
            if not 1 <= item.count <= most:
                raise InvalidInputError(
                    tr("A thing is asked for {found} times; from 1 to {most} are possible here.", found=item.count,
                       most=most)
                )  # fmt: skip
        for name in (self.background, *(item.colour for item in self.items)):
            if name is not None and name not in COLOURS:
                raise InvalidInputError(
                    tr(
                        "The colour {found} is unknown. Allowed: {allowed}.",
                        found=name,
                        allowed=", ".join(COLOURS),
                    )
                )
        if (self.relation is not None) != (len(self.items) == 2) or (self.side and self._things() > 1):
            raise InvalidInputError(tr("A place is for one thing, a relation for two kinds of things."))

    def _things(self) -> int:
        return sum(item.count for item in self.items)

    def as_json(self) -> dict[str, Any]:
        """As plain values, without what is not set."""
        items = [
            {key: value for key, value in _fields(item).items() if value is not None} for item in self.items
        ]
        rest = {key: value for key, value in _fields(self).items() if value is not None and key != "items"}
        return {"items": items, **rest}


def scene_from_json(values: dict[str, Any]) -> Scene:
    """The scene of `Scene.as_json`.

    Raises:
        InvalidInputError: see `Scene`.
    """
    items = tuple(Item(**item) for item in values["items"])
    return Scene(items, **{key: value for key, value in values.items() if key != "items"})


def _fields(value: Item | Scene) -> dict[str, Any]:
    return {name: getattr(value, name) for name in cast(Any, value).__slots__}
