from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from etabli.images.evaluation.copies import copy_threshold, drawings, nearest, signature
from etabli.images.evaluation.lookup import Lookup
from etabli.images.evaluation.measuring import Figure, kept, recognised
from etabli.images.evaluation.prompts import attributes, recognition
from etabli.images.generator.fake_text import FakeText
from etabli.images.pictograms.choosing import is_held_out_combination
from etabli.images.pictograms.concepts import Library
from etabli.images.pictograms.picture import Pixels, render, scene_svg
from etabli.images.pictograms.scene import Item, Scene

pytest.importorskip("resvg_py", reason="needs the extra `training`")

HELD_OUT = frozenset({"2B50", "1F431"})


def test_prompts_are_fixed_and_of_their_group(library: Library) -> None:
    own = library.of(["shapes"])
    asked = recognition(own, HELD_OUT, list(own.concepts), number=4, seed=1)
    again = recognition(own, HELD_OUT, list(own.concepts), number=4, seed=1)
    assert [one.prompts for one in asked] == [one.prompts for one in again]
    assert {one.concept for one in asked if one.group == "unseen"} == HELD_OUT
    assert not {one.concept for one in asked if one.group != "unseen"} & HELD_OUT
    assert all(is_held_out_combination(one.scene.items[0]) for one in asked if one.group == "combined")
    assert all(one.prompts["fr"] and one.prompts["en"] and one.truth.shape == (64, 64, 3) for one in asked)


def test_true_pictures_keep_every_rule_and_empty_ones_none(library: Library) -> None:
    asked = attributes(library.of(["shapes"]), HELD_OUT, number=6, seed=1)
    figures = kept(asked, lambda one, language: one.truth, "fr")
    assert {figure.group for figure in figures} == {"colour", "count", "side"}
    assert all(figure.asked == 6 and figure.share == 1 for figure in figures)
    white = np.full((64, 64, 3), 255, np.uint8)
    assert not any(figure.right for figure in kept(asked, lambda one, language: white, "fr"))


def test_recognition_counts_what_is_among_the_first(library: Library) -> None:
    own = library.of(["shapes"])
    judged = list(own.concepts)
    asked = recognition(own, HELD_OUT, judged, number=4, seed=1)

    def ranks(pictures: Pixels, expected: Sequence[int]) -> npt.NDArray[np.int64]:
        assert pictures.shape == (len(asked), 64, 64, 3)
        assert [judged[number] for number in expected] == [one.concept for one in asked]
        return np.array([10 if one.group == "unseen" else 9 for one in asked])

    figures = recognised(asked, lambda one, language: one.truth, "en", ranks, judged)
    assert {figure.group: figure.share for figure in figures} == {"seen": 1, "combined": 1, "unseen": 0}
    assert Figure("seen", "fr", 0, 0).share == 0


def test_a_copy_is_near_and_another_artists_drawing_is_not(library: Library) -> None:
    shown = drawings(library, ["2B50", "1F431", "1F697"])
    assert len(shown) == 6
    rows = signature(np.stack(list(shown.values())))
    found = nearest(rows + 0.5, rows)
    assert [one.number for one in found] == list(range(6)) and all(
        abs(one.distance - 0.5) < 0.1 for one in found
    )
    threshold = copy_threshold(shown)
    assert threshold > 5
    assert copy_threshold({key: value for key, value in shown.items() if key[1] == "shapes"}) == 0


def test_the_peer_finds_the_drawing_of_that_name(library: Library) -> None:
    own = library.of(["shapes"])
    lookup = Lookup(own, FakeText(), ("fr", "en"))
    for prompt in ("étoile", "star"):
        expected = render(scene_svg(Scene((Item("2B50"),)), own.drawings["shapes"]), 64)
        np.testing.assert_array_equal(lookup.draw(prompt), expected)
