from pathlib import Path

import pytest

from etabli.errors import ConfigurationError
from etabli.images.training.recipe import read_recipe


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_shipped_recipes_are_whole_and_small_enough(name: str) -> None:
    recipe = read_recipe(name)
    own = recipe.denoiser
    # A layer has 14 width² weights (attention, prompt's keys and values, MLP), one of the prompt 12.
    weights = own.width**2 * (14 * own.layers + 12 * own.text_layers + 10)
    assert weights < 30_000_000 and recipe.held_out_concepts == 150


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sizes: 3", "sizes is 3: Extra inputs are not permitted"),
        ("denoiser: {size: 63}", "size must be a multiple of patch"),
        ("denoiser: {samples: 0}", "denoiser.samples is 0: "),
        ("a: [", "cannot be read"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_recipe(str(path))


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_recipe(str(tmp_path / "none.yaml"))
