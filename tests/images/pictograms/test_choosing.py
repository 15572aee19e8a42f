import random
from dataclasses import replace

import pytest

from etabli.images.pictograms.choosing import Chooser, held_out_concepts, is_held_out_combination
from etabli.images.pictograms.concepts import Library
from etabli.images.pictograms.scene import Item


def test_training_shows_no_held_out_combination_and_evaluation_nothing_else(library: Library) -> None:
    concepts = [
        replace(concept, identifier=f"{concept.identifier}-{number}")
        for number in range(20)
        for concept in library.concepts.values()
    ]
    chance = random.Random(1)
    shown = [item for _ in range(1_000) for item in Chooser(concepts).scene(chance).items]
    assert not [item for item in shown if is_held_out_combination(item)]
    asked = [item for _ in range(50) for item in Chooser(concepts, combined=True).coloured(chance).items]
    assert all(is_held_out_combination(item) for item in asked)
    assert all(item.count == 3 for item in Chooser(concepts, combined=True).counted(chance, 3).items)


def test_a_tenth_of_the_combinations_is_held_out() -> None:
    shares = [is_held_out_combination(Item(f"c{number}", 1, "red")) for number in range(2_000)]
    assert 0.08 < sum(shares) / len(shares) < 0.12
    assert not any(is_held_out_combination(Item(f"c{number}")) for number in range(100))


def test_scenes_of_all_kinds_are_drawn(library: Library) -> None:
    chance = random.Random(1)
    scenes = [Chooser(list(library.concepts.values())).scene(chance) for _ in range(500)]
    assert {scene.style for scene in scenes} == {"flat", "silhouette", "outline"}
    assert {len(scene.items) for scene in scenes} == {1, 2} and any(scene.side for scene in scenes)
    assert all(scene.background not in [item.colour for item in scene.items] or scene.background is None
               for scene in scenes)  # fmt: skip


def test_drawings_that_look_alike_are_held_out_together(library: Library) -> None:
    alike = [frozenset({"2B50", "1F431"}), frozenset({"1F34E", "1F697", "1F642", "1F44D"})]
    for number in range(1, 6):
        held_out = held_out_concepts(library, alike, number)
        assert len(held_out) <= number
        assert ("2B50" in held_out) == ("1F431" in held_out) and "1F34E" not in held_out


def test_alike_finds_the_same_drawing_under_two_names(library: Library) -> None:
    pytest.importorskip("resvg_py", reason="needs the extra `training`")
    from etabli.images.pictograms.splitting import alike

    own = dict(library.drawings["shapes"])
    assert alike({"shapes": own}) == []
    own["other"] = own["2B50"]
    assert alike({"shapes": own}) == [frozenset({"other", "2B50"})]
