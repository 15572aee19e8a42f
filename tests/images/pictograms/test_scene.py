import json

import pytest

from etabli.errors import InvalidInputError
from etabli.images.pictograms.scene import Item, Scene, scene_from_json


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"items": ()}, "A scene has 0 kinds of things; 1 or 2 are possible."),
        ({"items": (Item("a", 7),)}, "A thing is asked for 7 times; from 1 to 6 are possible here."),
        ({"items": (Item("a", 4), Item("b")), "relation": "above"}, "from 1 to 3"),
        ({"items": (Item("a", 1, "blu"),)}, "The colour blu is unknown. Allowed: red, "),
        ({"items": (Item("a"),), "background": "dark"}, "The colour dark is unknown"),
        ({"items": (Item("a"),), "relation": "above"}, "A place is for one thing"),
        ({"items": (Item("a"), Item("b"))}, "A place is for one thing"),
        ({"items": (Item("a", 2),), "side": "left"}, "A place is for one thing"),
    ],
)
def test_what_cannot_be_drawn_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Scene(**values)  # type: ignore[arg-type]


def test_a_scene_survives_json() -> None:
    scene = Scene((Item("a", 2, "red"), Item("b")), relation="below", background="grey", style="outline")
    assert scene_from_json(json.loads(json.dumps(scene.as_json()))) == scene
    assert Scene((Item("a"),)).as_json() == {"items": [{"concept": "a", "count": 1}], "style": "flat"}
