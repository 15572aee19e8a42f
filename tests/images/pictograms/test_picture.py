import random

import numpy as np
import pytest

from etabli.images.pictograms.colours import COLOURS, nearest_names
from etabli.images.pictograms.concepts import Library
from etabli.images.pictograms.drawing import Drawing, outline, recoloured, silhouette, with_prefix
from etabli.images.pictograms.picture import Pixels, drawing_svg, places, render, scene_svg
from etabli.images.pictograms.scene import RELATIONS, SIDES, Item, Relation, Scene, Side

pytest.importorskip("resvg_py", reason="needs the extra `training`")

APPLE, CAT, STAR, PARTY = "1F34E", "1F431", "2B50", "1F389"


def drawn(library: Library, scene: Scene, chance: random.Random | None = None) -> Pixels:
    return render(scene_svg(scene, library.drawings["shapes"], chance), 64)


def centre(pixels: Pixels, name: str) -> tuple[float, float]:
    rows, columns = np.nonzero((nearest_names(pixels) == list(COLOURS).index(name)) & (pixels.min(2) < 240))
    return float(rows.mean()), float(columns.mean())


@pytest.mark.parametrize("name", [name for name in COLOURS if name != "white"])
def test_a_thing_takes_its_colour(library: Library, name: str) -> None:
    pixels = drawn(library, Scene((Item(STAR, 1, name),)))
    inside = pixels[pixels.min(2) < 240]
    assert (nearest_names(inside) == list(COLOURS).index(name)).mean() > 0.8


@pytest.mark.parametrize("relation", RELATIONS)
def test_two_things_stand_as_the_scene_says(library: Library, relation: Relation) -> None:
    scene = Scene((Item(STAR, 1, "red"), Item(CAT, 1, "blue")), relation=relation)
    for seed in range(5):
        pixels = drawn(library, scene, random.Random(seed))
        (row, column), (other_row, other_column) = centre(pixels, "red"), centre(pixels, "blue")
        is_true = {"left of": column < other_column, "right of": column > other_column, "beside": True,
                   "above": row < other_row, "below": row > other_row}  # fmt: skip
        assert is_true[relation]


@pytest.mark.parametrize("side", SIDES)
def test_one_thing_stands_on_its_side(library: Library, side: Side) -> None:
    row, column = centre(drawn(library, Scene((Item(STAR, 1, "red"),), side=side), random.Random(1)), "red")
    assert {"left": column < 30, "right": column > 34, "top": row < 30, "bottom": row > 34}[side]


@pytest.mark.parametrize("count", range(1, 7))
def test_things_neither_meet_nor_leave_the_picture(count: int) -> None:
    for seed in range(20):
        found = places(Scene((Item(STAR, count),)), random.Random(seed))
        assert len(found) == count
        assert all(
            0 <= min(one.left, one.top) and max(one.left, one.top) + one.side <= 1.0001 for one in found
        )
        for one in found:
            for other in found:
                if one is not other:
                    gap = max(abs(one.left - other.left), abs(one.top - other.top))
                    assert gap > 0.8 * max(one.side, other.side)


def test_the_background_is_the_named_one(library: Library) -> None:
    pixels = drawn(library, Scene((Item(STAR),), background="green"))
    assert tuple(pixels[0, 0]) == COLOURS["green"].ground


def test_a_silhouette_has_one_colour_and_an_outline_is_thinner(library: Library) -> None:
    full, line = (drawn(library, Scene((Item(CAT),), style=style)) for style in ("silhouette", "outline"))
    assert len({tuple(pixel) for pixel in full.reshape(-1, 3)[full.reshape(-1, 3).max(1) < 60]}) <= 2
    assert 0 < (line.min(2) < 128).sum() < 0.6 * (full.min(2) < 128).sum()


def test_black_and_white_details_stay(library: Library) -> None:
    body = recoloured(library.drawings["shapes"][CAT], "blue").body
    assert "#222" in body and "#fb4" not in body
    assert "#f0f" not in recoloured(library.drawings["shapes"][PARTY], "green").body


def test_two_drawings_with_the_same_identifiers_stay_apart(library: Library) -> None:
    drawing = library.drawings["shapes"][PARTY]
    body = with_prefix(drawing, "x-").body
    assert 'id="x-a"' in body and "url(#x-a)" in body
    svg = scene_svg(
        Scene((Item(PARTY, 1), Item(PARTY, 1, "green")), relation="beside"), library.drawings["shapes"]
    )
    assert svg.count('id="t0-a"') == svg.count('id="t1-a"') == 1


def test_gradients_disappear_from_outlines_and_silhouettes(library: Library) -> None:
    drawing = library.drawings["shapes"][PARTY]
    assert "url(" not in outline(drawing, "red").body and "url(" not in silhouette(drawing, None).body


def test_a_drawing_that_is_not_square_stands_in_the_middle_of_a_square() -> None:
    pixels = render(drawing_svg(Drawing('<rect width="40" height="20" fill="#000"/>', 40, 20)), 24)
    assert pixels.shape == (24, 24, 3)
    assert pixels[12].max() == 0 and pixels[:5].min() == pixels[-5:].min() == 255
