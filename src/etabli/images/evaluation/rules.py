"""What can be told of a picture from its pixels alone: which colour, how many things, on which side.

Coarse on purpose, and checked against true pictures: a scene is asked about only where its own true picture passes
(`prompts`). Things are what differs from the frame's colour. Pictures are judged at 64 by 64 pixels.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from etabli.images.pictograms.colours import COLOURS, nearest_names
from etabli.images.pictograms.picture import Pixels
from etabli.images.pictograms.scene import Relation, Scene, Side

SIZE = 64
Mask = npt.NDArray[np.bool_]
_DIFFERENT = 48.0
# Of the picture, and of the largest thing: smaller pieces are details or dirt.
_LEAST_AREA, _LEAST_OF_LARGEST = 0.008, 0.3
# Of things' pixels that are neither outline nor reflection.
_LEAST_COLOURED = 0.5
_NAMES = list(COLOURS)


def reduced(picture: Pixels) -> Pixels:
    """The picture at 64 by 64 pixels, by the mean of squares; its side is a multiple of 64."""
    factor = picture.shape[0] // SIZE
    blocks = picture.reshape(SIZE, factor, SIZE, factor, 3).astype(np.float32)
    small: Pixels = np.rint(blocks.mean((1, 3))).astype(np.uint8)
    return small


def things(picture: Pixels) -> Mask:
    """Pixels that differ from the frame's most usual colour."""
    frame = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]]).astype(np.float32)
    ground = np.median(frame, axis=0)
    mask: Mask = np.sqrt(np.square(picture.astype(np.float32) - ground).sum(2)) > _DIFFERENT
    return mask


def has_colour(picture: Pixels, name: str) -> bool:
    """Whether things are mostly of this colour; black and white details do not count unless they are asked for."""
    nearest = nearest_names(picture[things(picture)])
    details = {_NAMES.index(other) for other in ("black", "white") if other != name}
    telling = nearest[~np.isin(nearest, list(details))]
    return len(telling) > 0 and float((telling == _NAMES.index(name)).mean()) >= _LEAST_COLOURED


def count_things(picture: Pixels) -> int:
    """How many connected pieces there are, without those that are much smaller than the largest."""
    areas = sorted(_areas(things(picture)), reverse=True)
    least = max(_LEAST_AREA * picture.shape[0] ** 2, _LEAST_OF_LARGEST * areas[0]) if areas else 0
    return sum(area >= least for area in areas)


def is_on_side(picture: Pixels, side: Side) -> bool:
    """Whether the middle of all things lies on this side of the picture's, by a tenth of its size at least."""
    mask = things(picture)
    if not mask.any():
        return False
    row, column = (place - (picture.shape[0] - 1) / 2 for place in _middle(mask))
    margin = 0.1 * picture.shape[0]
    offset = {"left": -column, "right": column, "top": -row, "bottom": row}[side]
    return bool(offset > margin)


def stand_so(picture: Pixels, first: str, second: str, relation: Relation) -> bool:
    """Whether what has the first colour stands so to what has the second."""
    mask, nearest = things(picture), nearest_names(picture)
    parts = [mask & (nearest == _NAMES.index(name)) for name in (first, second)]
    if not all(part.sum() >= _LEAST_AREA * picture.shape[0] ** 2 for part in parts):
        return False
    (row, column), (other_row, other_column) = (_middle(part) for part in parts)
    down, right = row - other_row, column - other_column
    told: dict[Relation, bool] = {
        "left of": right < 0 and abs(right) > abs(down),
        "right of": right > 0 and abs(right) > abs(down),
        "above": down < 0 and abs(down) > abs(right),
        "below": down > 0 and abs(down) > abs(right),
        "beside": True,
    }
    return told[relation]


def checks(scene: Scene) -> dict[str, Callable[[Pixels], bool]]:
    """The rules that apply to a scene, by what they are about: `colour`, `count`, `side`."""
    found: dict[str, Callable[[Pixels], bool]] = {}
    first = scene.items[0]
    if len(scene.items) == 2:
        second = scene.items[1]
        if first.colour and second.colour and scene.relation not in (None, "beside"):
            colours, relation = (first.colour, second.colour), scene.relation
            found["side"] = lambda picture: stand_so(picture, *colours, relation)
        return found
    if first.colour is not None:
        colour = first.colour
        found["colour"] = lambda picture: has_colour(picture, colour)
    if first.count > 1:
        found["count"] = lambda picture: count_things(picture) == first.count
    if scene.side is not None:
        side = scene.side
        found["side"] = lambda picture: is_on_side(picture, side)
    return found


def _middle(mask: Mask) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(rows.mean()), float(columns.mean())


def _areas(mask: Mask) -> list[int]:
    """Pixels of every connected piece (neighbours by side or corner)."""
    left = {(int(row), int(column)) for row, column in zip(*np.nonzero(mask), strict=True)}
    found = []
    while left:
        front, area = [left.pop()], 0
        while front:
            row, column = front.pop()
            area += 1
            for near in (
                (row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right
            ):
                if near in left:
                    left.remove(near)
                    front.append(near)
        found.append(area)
    return found
