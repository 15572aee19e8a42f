"""The whole way with a tiny network over our own shapes: pack, training, export, pictures without PyTorch."""

from pathlib import Path

import numpy as np
import pytest

from images.conftest import REASON

torch = pytest.importorskip("torch", reason=REASON)
pytest.importorskip("resvg_py", reason=REASON)
pytest.importorskip("safetensors", reason=REASON)

from etabli.errors import ConfigurationError, ConflictError  # noqa: E402
from etabli.images.generator.fake_text import FakeText  # noqa: E402
from etabli.images.generator.generator import PictogramGenerator  # noqa: E402
from etabli.images.generator.sampling import Sampling  # noqa: E402
from etabli.images.generator.weights import read_weights  # noqa: E402
from etabli.images.training.pack import Pack, drawer, make_pack  # noqa: E402
from etabli.images.training.recipe import DenoiserRecipe, ImageRecipe, JudgeRecipe, UpscalerRecipe  # noqa: E402
from etabli.images.training.running import ImageRun  # noqa: E402
from etabli.images.training.trainer import Trainer  # noqa: E402
from images.tiny_set import tiny_library, write_ledger  # noqa: E402

RECIPE = ImageRecipe(
    scenes=40,
    held_out_concepts=2,
    threads=1,
    denoiser=DenoiserRecipe(
        size=16, patch=4, width=32, layers=2, heads=2, text_layers=1, samples=96, batch=8, warmup_steps=2
    ),
    upscaler=UpscalerRecipe(width=8, layers=1, factor=4, steps=5, batch=2, crop=8, scenes=4),
    judge=JudgeRecipe(scenes=64, width=8, epochs=2, batch=16),
)


@pytest.fixture
def run(tmp_path: Path) -> ImageRun:
    archives = tmp_path / "archives"
    return ImageRun(tmp_path / "run", archives, RECIPE, write_ledger(archives), FakeText())


def weights_of(trainer: Trainer) -> dict[str, np.ndarray]:
    return {name: value.clone().numpy() for name, value in trainer.kept.items()}


def test_a_stopped_run_ends_as_one_that_was_not_stopped(run: ImageRun, tmp_path: Path) -> None:
    pack = run.pack()
    (tmp_path / "whole").mkdir()
    whole = Trainer(tmp_path / "whole", RECIPE, pack)
    assert whole.run(lambda progress: None)
    (tmp_path / "parts").mkdir()
    steps = iter([False] * 5 + [True])
    assert not Trainer(tmp_path / "parts", RECIPE, pack).run(lambda progress: None, lambda: next(steps))
    second = Trainer(tmp_path / "parts", RECIPE, pack)
    assert second.step == 5 and second.run(lambda progress: None)
    expected = weights_of(whole)
    for name, value in weights_of(second).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_a_checkpoint_of_another_recipe_is_not_used(run: ImageRun) -> None:
    trainer = Trainer(run.folder, RECIPE, run.pack())
    trainer.step = 3
    trainer.save()
    assert Trainer(run.folder, RECIPE, run.pack()).step == 3
    assert Trainer(run.folder, RECIPE.model_copy(update={"seed": 2}), run.pack()).step == 0


def test_the_loss_falls(run: ImageRun, tmp_path: Path) -> None:
    own = RECIPE.denoiser.model_copy(update={"samples": 8 * 150, "learning_rate": 3e-3})
    losses: list[float] = []
    trainer = Trainer(run.folder, RECIPE.model_copy(update={"denoiser": own}), run.pack())
    trainer.run(lambda progress: losses.append(progress.loss))
    assert len(losses) == 3 and losses[-1] < 0.7 * losses[0]


def test_from_archives_to_a_picture(run: ImageRun) -> None:
    assert run.train()
    path = run.export()
    weights = read_weights(path)
    assert weights.details["pictures"] == 96 and weights.details["held_out"] == sorted(run.held_out)
    assert {source["licence"] for source in weights.details["sets"]} == {"MIT"}
    generator = PictogramGenerator(path, FakeText(), threads=1)
    sampling = Sampling(steps=4)
    first = generator.draw("un chat", seed=1, sampling=sampling)
    assert first.shape == (64, 64, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, generator.draw("un chat", seed=1, sampling=sampling))
    assert (first != generator.draw("un chat", seed=2, sampling=sampling)).any()


def test_another_text_encoder_than_the_one_trained_with_is_refused(run: ImageRun) -> None:
    path = run.export()
    other = FakeText()
    other.name = "other"  # type: ignore[misc]
    with pytest.raises(ConfigurationError, match="trained with fake-text, and prompts are encoded by other"):
        PictogramGenerator(path, other, threads=1).draw("un chat", seed=1)


def test_a_folder_belongs_to_one_recipe(run: ImageRun, tmp_path: Path) -> None:
    other = RECIPE.model_copy(update={"seed": 2})
    with pytest.raises(ConflictError, match="run holds a run of another recipe"):
        ImageRun(run.folder, tmp_path / "archives", other, write_ledger(tmp_path / "archives"), FakeText())


def test_the_generator_is_never_shown_what_is_held_out(run: ImageRun) -> None:
    assert len(run.held_out) == 2
    shown = {item.concept for row in run.pack().rows() for item in row.scene.items}
    assert shown and not shown & run.held_out and {row.drawn_by for row in run.pack().rows()} == {"shapes"}


def test_the_judge_learns_from_other_drawings(run: ImageRun) -> None:
    judge = run.judge()
    assert set(run.judge_library.drawings) == {"turned"}
    pictures = Pack(run.folder / "judge", 64).images(range(8))
    ranks = judge.ranks(pictures, [0] * 8)
    assert ranks.shape == (8,) and ranks.min() >= 0 and ranks.max() < len(run.judged_concepts())


def test_a_pack_is_the_same_when_made_again_and_rows_can_be_drawn_large(tmp_path: Path) -> None:
    library = tiny_library(tmp_path / "archives").of(["shapes"])
    for name in ("a", "b"):
        make_pack(tmp_path / name, library, drawer(library), rows=6, size=16, seed=3, text=FakeText())
    first, second = Pack(tmp_path / "a", 6), Pack(tmp_path / "b", 6)
    np.testing.assert_array_equal(first.images(range(6)), second.images(range(6)))
    for one, other in zip(first.conditions(range(6)), second.conditions(range(6)), strict=True):
        np.testing.assert_array_equal(one, other)
    from etabli.images.pictograms.picture import render

    row = next(first.rows())
    np.testing.assert_array_equal(render(row.svg(library), 16), first.images([0])[0])
    vector = FakeText().encode(row.caption).vector
    np.testing.assert_allclose(first.conditions([0])[0][0], vector, atol=2e-3)
