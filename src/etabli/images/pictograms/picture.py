"""A scene as SVG and as pixels: where its things stand, and the one file in which they are put together.

The same function makes training pictures of 64 pixels, the large ones that the upscaler learns from, and the files of
the composition engine.
"""

import io
import random
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from etabli.images.pictograms.colours import COLOURS, WHITE, hexadecimal
from etabli.images.pictograms.drawing import Drawing, outline, recoloured, silhouette, with_prefix
from etabli.images.pictograms.scene import Item, Relation, Scene, Side, Style

Pixels = npt.NDArray[np.uint8]
_UNITS = 512
# Rows of a group by how many things it has.
_ROWS = {1: (1,), 2: (2,), 3: (1, 2), 4: (2, 2), 5: (2, 3), 6: (3, 3)}
_FILL = 0.88
_PLACES: dict[Side, tuple[float, float]] = {
    "left": (0.03, 0.25),
    "right": (0.47, 0.25),
    "top": (0.25, 0.03),
    "bottom": (0.25, 0.47),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one thing stands, in a square of side 1: its own square's left upper corner and side."""

    item: int
    left: float
    top: float
    side: float


def places(scene: Scene, chance: random.Random | None = None) -> list[Place]:
    """Where every thing of a scene stands.

    Args:
        scene: what is to be seen.
        chance: moves and resizes things a little, never so that the scene becomes untrue; none for a neat layout.
    """
    if len(scene.items) == 1:
        if scene.side is not None:
            left, top = _PLACES[scene.side]
            found = [Place(0, left, top, 0.5)]
        else:
            found = _group(0, scene.items[0].count, 0.04, 0.04, 0.92, 0.92)
    else:
        boxes = _halves(scene.relation or "beside")
        found = [
            place
            for number, (item, box) in enumerate(zip(scene.items, boxes, strict=True))
            for place in _group(number, item.count, *box)
        ]
    return [_moved(place, chance) for place in found] if chance is not None else found


def _halves(relation: Relation) -> tuple[tuple[float, float, float, float], ...]:
    """Boxes (left, top, width, height) of the first and the second kind of thing."""
    left, right = (0.03, 0.08, 0.45, 0.84), (0.52, 0.08, 0.45, 0.84)
    upper, lower = (0.08, 0.03, 0.84, 0.45), (0.08, 0.52, 0.84, 0.45)
    return {
        "left of": (left, right),
        "beside": (left, right),
        "right of": (right, left),
        "above": (upper, lower),
        "below": (lower, upper),
    }[relation]


def _group(item: int, count: int, left: float, top: float, width: float, height: float) -> list[Place]:
    rows: tuple[int, ...] = _ROWS[count]
    if len(rows) == 1 and count == 2 and height > width:
        rows = (1, 1)
    elif count == 3 and width > 1.5 * height:
        rows = (3,)
    elif count == 3 and height > 1.5 * width:
        rows = (1, 1, 1)
    cell = min(width / max(rows), height / len(rows))
    found = []
    for row, number in enumerate(rows):
        across = left + (width - cell * number) / 2
        down = top + (height - cell * len(rows)) / 2 + cell * row
        margin = cell * (1 - _FILL) / 2 if count > 1 else 0.0
        found += [
            Place(item, across + cell * place + margin, down + margin, cell - 2 * margin)
            for place in range(number)
        ]
    return found


def _moved(place: Place, chance: random.Random) -> Place:
    side = place.side * chance.uniform(0.86, 1.0)
    room = place.side - side
    drift = 0.03 * place.side
    left = place.left + chance.uniform(0, room) + chance.uniform(-drift, drift)
    top = place.top + chance.uniform(0, room) + chance.uniform(-drift, drift)
    limit = 1.0 - side
    return Place(place.item, min(max(left, 0.0), limit), min(max(top, 0.0), limit), side)


def scene_svg(scene: Scene, drawings: Mapping[str, Drawing], chance: random.Random | None = None) -> str:
    """The scene as one SVG file.

    Args:
        scene: what is to be seen.
        drawings: by concept, those of its items.
        chance: see `places`.
    """
    ground = COLOURS[scene.background].ground if scene.background else WHITE
    parts = [f'<rect width="{_UNITS}" height="{_UNITS}" fill="{hexadecimal(ground)}"/>']
    ready = [_styled(drawings[item.concept], item, scene.style) for item in scene.items]
    for number, place in enumerate(places(scene, chance)):
        drawing = with_prefix(ready[place.item], f"t{number}-")
        x, y, side = (round(_UNITS * value, 1) for value in (place.left, place.top, place.side))
        where = f'x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}"'
        parts.append(f'<svg {where} viewBox="{drawing.box}">{drawing.body}</svg>')
    return _file("".join(parts), f"0 0 {_UNITS} {_UNITS}")


def drawing_svg(drawing: Drawing) -> str:
    """One drawing alone, on nothing; what is not square stands in the middle of a square."""
    inside = f'<svg width="{_UNITS}" height="{_UNITS}" viewBox="{drawing.box}">{drawing.body}</svg>'
    return _file(inside, f"0 0 {_UNITS} {_UNITS}")


def render(svg: str, size: int) -> Pixels:
    """The pixels of an SVG file, shape (size, size, 3), on white.

    Needs `resvg-py` (of the extra `training`).

    Raises:
        ValueError: it is no SVG that can be drawn.
    """
    import resvg_py

    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=size, height=size, skip_system_fonts=True, background="#ffffff"
    )
    with Image.open(io.BytesIO(bytes(png))) as image:
        return np.asarray(image.convert("RGB"))


def _styled(drawing: Drawing, item: Item, style: Style) -> Drawing:
    if style == "silhouette":
        return silhouette(drawing, item.colour)
    if style == "outline":
        return outline(drawing, item.colour)
    return recoloured(drawing, item.colour) if item.colour else drawing


def _file(body: str, box: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box}">{body}</svg>'
    )
