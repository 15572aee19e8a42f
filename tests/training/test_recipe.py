from pathlib import Path

import pytest

from etabli.errors import ConfigurationError
from etabli.training.recipe import Recipe, digest_of, read_recipe, split


def recipe(data: Path, validation: Path | float | None, **more: int) -> Recipe:
    return Recipe(data=data, validation=validation, **more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rows.jsonl").write_text("".join(f'{{"n": {number}}}\n' for number in range(50)))
    (tmp_path / "held.jsonl").write_text('{"n": 99}\n')
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "forms.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_recipe(folder: Path) -> None:
    text = (
        "data: rows.jsonl\nvalidation: held.jsonl\nbase: qwen\nmethod: dpo\nsuffix: forms\nassistant: forms\n"
        "seed: 5\nhyperparameters: {epochs: 2, learning_rate: 2e-4, rank: 8}\n"
    )
    recipe = read_recipe(written(folder, text))
    assert recipe.data == folder / "rows.jsonl" and recipe.validation == folder / "held.jsonl"
    assert (recipe.base, recipe.method, recipe.seed, recipe.suffix) == ("qwen", "dpo", 5, "forms")
    assert recipe.hyperparameters["rank"] == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "data: rows.jsonl\nvaldation: 0.1\n",
            "line 2: the key valdation is unknown; did you mean validation?",
        ),
        ("data: rows.jsonl\nzzz: 0.1\n", "line 2: the key zzz is unknown. Allowed: data, "),
        ("base: x\n", "line 1: data is missing"),
        ("data: gone.jsonl\n", "line 1: data is gone.jsonl, and there is no such file"),
        ("data: rows.jsonl\nvalidation: gone\n", "line 2: validation is gone, and there is no such file"),
        (
            "data: rows.jsonl\nvalidation: 0.9\n",
            "line 2: validation is 0.9: a share must be from 0.01 to 0.5",
        ),
        (
            "data: rows.jsonl\nhyperparameters:\n  rank: 8\n  rnk: 8\n",
            "line 4: rnk is unknown; did you mean rank?",
        ),
        ("data: rows.jsonl\nhyperparameters:\n  qqqq: 8\n", "line 3: qqqq is unknown. Allowed: alpha, "),
        ("data: rows.jsonl\nmethod: grpo\n", "line 2: method is grpo: "),
        ("data: rows.jsonl\n\nseed: -1\n", "line 3: seed is -1: "),
        ("data: rows.jsonl\ndata: rows.jsonl\n", "line 2: the key data stands twice"),
        ("- data\n", "line 1: a recipe is keys and values"),
        ("data: [\n", "line 2: this is not YAML"),
        ("", "line 1: a recipe is keys and values"),
    ],
)
def test_faults_have_their_line(folder: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_recipe(written(folder, text))
    assert f"forms.yaml, {said}" in str(caught.value)


def test_every_fault_is_told(folder: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_recipe(written(folder, "method: x\nseed: y\nfoo: 1\n"))
    assert len(str(caught.value).splitlines()) == 4


def test_files_that_are_no_recipe(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_recipe(folder / "none.yaml")
    (folder / "large.yaml").write_text("#" * 100_001)
    with pytest.raises(ConfigurationError, match="100 kB"):
        read_recipe(folder / "large.yaml")


def test_the_digest_is_that_of_what_is_trained(folder: Path) -> None:
    recipe = read_recipe(written(folder, "data: rows.jsonl\nvalidation: held.jsonl\n"))
    before = digest_of(recipe, base_sha256="a" * 64)
    assert before == digest_of(recipe, base_sha256="a" * 64) != digest_of(recipe, base_sha256="b" * 64)
    other = read_recipe(written(folder, "data: rows.jsonl\nvalidation: held.jsonl\nseed: 2\n"))
    assert digest_of(other, base_sha256="a" * 64) != before
    (folder / "held.jsonl").write_text('{"n": 98}\n')
    assert digest_of(recipe, base_sha256="a" * 64) != before, "other data is another training"


def test_a_share_is_held_out_the_same_for_the_same_seed(folder: Path) -> None:
    path = folder / "rows.jsonl"
    first = split(recipe(path, 0.1, seed=1))
    assert len(first.held_out) == 5 and len(first.training) == 45
    assert not {*first.held_out} & {*first.training}
    lines = path.read_text().splitlines()
    path.write_text("\n".join(reversed(lines)))
    assert {*split(recipe(path, 0.1, seed=1)).held_out} == {*first.held_out}
    assert {*split(recipe(path, 0.1, seed=2)).held_out} != {*first.held_out}
    path.write_text("\n".join([lines[0]] * 10 + lines[1:3]))
    again = split(recipe(path, 0.3, seed=1))
    assert not {*again.held_out} & {*again.training}, "what stands twice is on one side"


def test_only_so_many_are_learnt_and_held_out(tmp_path: Path) -> None:
    path, other = tmp_path / "rows.jsonl", tmp_path / "other.jsonl"
    path.write_text("\n".join(f'{{"n": {number}}}' for number in range(50)))
    other.write_text("\n".join(f'{{"m": {number}}}' for number in range(20)))
    some = split(recipe(path, other, examples=10, validation_examples=5))
    assert len(some.training) == 10 and len(some.held_out) == 5
    assert all(b"n" in line for line in some.training) and all(b"m" in line for line in some.held_out)
    assert some == split(recipe(path, other, examples=10, validation_examples=5))
    assert some.training != split(recipe(path, other, examples=10, seed=2)).training
    assert len(split(recipe(path, None, examples=100)).training) == 50
    assert split(recipe(path, None)).held_out == ()
