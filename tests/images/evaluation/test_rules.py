import numpy as np
import pytest

from etabli.images.evaluation.rules import (
    checks,
    count_things,
    has_colour,
    is_on_side,
    reduced,
    stand_so,
    things,
)
from etabli.images.pictograms.colours import COLOURS
from etabli.images.pictograms.picture import Pixels
from etabli.images.pictograms.scene import Item, Scene


def squares(*placed: tuple[int, int, int, str], ground: tuple[int, int, int] = (255, 255, 255)) -> Pixels:
    """Squares (row, column, side, colour) on a ground."""
    picture = np.empty((64, 64, 3), np.uint8)
    picture[:] = ground
    for row, column, side, name in placed:
        picture[row : row + side, column : column + side] = COLOURS[name].thing
    return picture


def test_things_are_what_differs_from_the_frame() -> None:
    picture = squares((20, 20, 10, "red"), ground=COLOURS["blue"].ground)
    assert things(picture).sum() == 100
    assert things(squares()).sum() == 0


@pytest.mark.parametrize("name", ["red", "yellow", "brown", "black", "grey"])
def test_a_colour(name: str) -> None:
    picture = squares((10, 10, 40, name), (20, 20, 8, "black"))
    assert has_colour(picture, name)
    other = "green" if name != "green" else "red"
    assert not has_colour(picture, other) and not has_colour(squares(), name)


def test_pieces_are_counted_without_dirt() -> None:
    four = [(row, column, 16, "red") for row in (8, 40) for column in (8, 40)]
    assert count_things(squares(*four)) == 4
    assert count_things(squares(*four, (30, 30, 2, "blue"))) == 4
    assert count_things(squares((8, 8, 16, "red"), (24, 24, 16, "red"))) == 1, "corners touch"
    assert count_things(squares()) == 0


def test_sides() -> None:
    left = squares((24, 4, 16, "red"))
    assert is_on_side(left, "left") and not any(is_on_side(left, side) for side in ("right", "top", "bottom"))
    assert is_on_side(squares((44, 24, 16, "red")), "bottom")
    assert not is_on_side(squares((24, 24, 16, "red")), "left") and not is_on_side(squares(), "left")


def test_relations() -> None:
    picture = squares((24, 4, 16, "red"), (24, 40, 16, "blue"))
    assert stand_so(picture, "red", "blue", "left of") and stand_so(picture, "blue", "red", "right of")
    assert not stand_so(picture, "red", "blue", "above") and not stand_so(picture, "red", "green", "left of")


def test_which_rules_apply() -> None:
    assert set(checks(Scene((Item("a", 3, "red"),)))) == {"colour", "count"}
    assert set(checks(Scene((Item("a"),), side="top"))) == {"side"}
    assert set(checks(Scene((Item("a", 1, "red"), Item("b", 1, "blue")), relation="above"))) == {"side"}
    assert checks(Scene((Item("a", 1, "red"), Item("b")), relation="above")) == {}
    rule = checks(Scene((Item("a", 2),)))["count"]
    assert rule(squares((8, 8, 16, "red"), (8, 40, 16, "red"))) and not rule(squares((8, 8, 16, "red")))


def test_large_pictures_are_reduced() -> None:
    large = np.repeat(np.repeat(squares((8, 8, 16, "red")), 8, 0), 8, 1)
    np.testing.assert_array_equal(reduced(large), squares((8, 8, 16, "red")))
