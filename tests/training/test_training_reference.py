"""The reference page of training names everything that can be written in a recipe and everything that can be told."""

import re
from pathlib import Path
from typing import get_args

from etabli.training.adapters import AdapterState
from etabli.training.base import Hyperparameters
from etabli.training.files import GIVEN_PURPOSES
from etabli.training.jobs import State
from etabli.training.recipe import Recipe

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "training.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> set[str]:
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_key_of_a_recipe() -> None:
    assert first_cells(section("Recipe")) == set(Recipe.model_fields)


def test_every_hyperparameter_with_its_default() -> None:
    text = section("Hyperparameters")
    extra = {"n_epochs", "learning_rate_multiplier"}
    assert first_cells(text) == set(Hyperparameters.model_fields) - {"seed"} | extra
    for name, field in Hyperparameters.model_fields.items():
        if name != "seed":
            line = next(line for line in text.splitlines() if line.startswith(f"| `{name}`"))
            default = "`false`" if field.default is False else f"{field.default:g}".replace("0.0002", "2e-4")
            assert default in line.split("|")[2], name


def test_every_state_and_purpose() -> None:
    assert set(get_args(State)) <= first_cells(section("Jobs: `/v1/fine_tuning/jobs`"))
    ours = section("Ours: `/v1/etabli/training`, `/v1/etabli/adapters`")
    assert set(get_args(AdapterState)) <= first_cells(ours)
    assert all(f"`{purpose}`" in section("Files: `/v1/files`") for purpose in GIVEN_PURPOSES)
