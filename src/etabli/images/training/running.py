"""The stages from archives to a weights file, each skipped when done: sources, pack, denoiser, upscaler, export.

A further stage, the judge, is needed to measure and by nothing else. A run is a folder; it belongs to one recipe,
whose copy lies in it.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from etabli.errors import ConflictError
from etabli.images.generator.text import TextEncoder
from etabli.images.generator.weights import GeneratorWeights, write_weights
from etabli.images.pictograms.choosing import Chooser, held_out_concepts
from etabli.images.pictograms.concepts import Library, read_library
from etabli.images.pictograms.library_file import write_library
from etabli.images.pictograms.sources import IconSource, fetch
from etabli.images.pictograms.splitting import alike
from etabli.images.training.judge import Judge, text_vectors, train_judge
from etabli.images.training.pack import Pack, drawer, make_pack
from etabli.images.training.recipe import ImageRecipe
from etabli.images.training.trainer import Progress, Trainer
from etabli.images.training.upscaler import Upscaler
from etabli.images.training.upscaling import train_upscaler
from etabli.messages import tr

RECIPE, SPLIT, WEIGHTS, LIBRARY = "recipe.json", "split.json", "pictograms.npz", "pictograms.json.gz"
_UPSCALER, _JUDGE = "upscaler.safetensors", "judge.safetensors"
Told = Callable[[str, int, int, Mapping[str, float]], None]


class ImageRun:
    """One run.

    Args:
        folder: of the run.
        archives: folder of the ledger's archives.
        recipe: what is made.
        ledger: the sets.
        text: encoder of captions.
        told: is told a stage, done, total, and figures.

    Raises:
        ConflictError: the folder holds a run of another recipe.
    """

    def __init__(
        self,
        folder: Path,
        archives: Path,
        recipe: ImageRecipe,
        ledger: tuple[IconSource, ...],
        text: TextEncoder,
        told: Told = lambda stage, done, total, figures: None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        own = folder / RECIPE
        content = recipe.model_dump_json(indent=1)
        if own.exists() and own.read_text(encoding="utf-8") != content:
            raise ConflictError(
                tr("{folder} holds a run of another recipe. Name another folder, or remove this one.",
                   folder=folder.name)
            )  # fmt: skip
        own.write_text(content, encoding="utf-8")
        self.folder, self.recipe = folder, recipe
        self._archives, self._ledger, self._text, self._told = archives, ledger, text, told

    @cached_property
    def library(self) -> Library:
        """Everything; brings the archives."""
        fetch(self._archives, self._ledger)
        return read_library(self._archives, self._ledger)

    @cached_property
    def generator_library(self) -> Library:
        """What the generator's sets draw, the held-out concepts too."""
        return self.library.of(source.name for source in self._ledger if source.role == "generator")

    @cached_property
    def judge_library(self) -> Library:
        """What the judge's sets draw."""
        return self.library.of(source.name for source in self._ledger if source.role == "evaluator")

    @cached_property
    def held_out(self) -> frozenset[str]:
        """Concepts that the generator is never shown."""
        path = self.folder / SPLIT
        if not path.exists():
            groups = alike(self.generator_library.drawings)
            chosen = held_out_concepts(self.generator_library, groups, self.recipe.held_out_concepts)
            path.write_text(
                json.dumps({"held_out": sorted(chosen), "alike": sorted(map(sorted, groups))}, indent=1),
                encoding="utf-8",
            )
        return frozenset(json.loads(path.read_text(encoding="utf-8"))["held_out"])

    @cached_property
    def training_library(self) -> Library:
        """What the generator learns from."""
        library = self.generator_library
        return Library(
            {key: value for key, value in library.concepts.items() if key not in self.held_out},
            library.drawings,
        )

    def pack(self) -> Pack:
        """The pack of scenes and captions, made where it is not."""
        recipe, library = self.recipe, self.training_library
        make_pack(
            self.folder / "pack",
            library,
            drawer(library),
            rows=recipe.scenes,
            size=recipe.denoiser.size,
            seed=recipe.seed,
            text=self._text,
            told=lambda done, total: self._told("pack", done, total, {}),
        )
        return Pack(self.folder / "pack", recipe.scenes)

    def train(self, stop: Callable[[], bool] = lambda: False) -> bool:
        """Train the denoiser to the end (True) or until `stop`."""

        def report(progress: Progress) -> None:
            figures = {"loss": progress.loss, "pictures_s": progress.pictures_s, "seconds": progress.seconds}
            self._told("denoiser", progress.step, progress.steps, figures)

        return Trainer(self.folder, self.recipe, self.pack()).run(report, stop)

    def upscaler(self) -> Upscaler:
        """The upscaler, trained where it is not."""
        path, recipe = self.folder / _UPSCALER, self.recipe
        if not path.exists():
            rows = [row for row, _ in zip(self.pack().rows(), range(recipe.upscaler.scenes), strict=False)]
            trained = train_upscaler(
                rows,
                self.training_library,
                recipe.upscaler,
                size=recipe.denoiser.size,
                seed=recipe.seed,
                report=lambda step, steps, loss: self._told("upscaler", step, steps, {"loss": loss}),
                device=recipe.device,
            )
            save_file({name: value.contiguous() for name, value in trained.state_dict().items()}, path)
        model = Upscaler(recipe.upscaler.shape)
        model.load_state_dict(load_file(path))
        model.eval()
        return model

    def export(self) -> Path:
        """Write the weights file of what has been trained so far, and the library of drawings beside it."""
        write_library(self.folder / LIBRARY, self.generator_library, self._ledger)
        trainer = Trainer(self.folder, self.recipe, self.pack())
        arrays = {f"denoiser.{name}": array for name, array in trainer.averaged().arrays().items()}
        arrays |= {f"upscaler.{name}": array for name, array in self.upscaler().arrays().items()}
        details = {
            "recipe": self.recipe.model_dump(mode="json"),
            "steps": trainer.step,
            "pictures": trainer.step * self.recipe.denoiser.batch,
            "hours": round(trainer.seconds / 3600, 2),
            "sets": [source.model_dump(mode="json") for source in self._ledger if source.role != "evaluator"],
            "held_out": sorted(self.held_out),
        }
        path = self.folder / WEIGHTS
        write_weights(
            path,
            GeneratorWeights(
                self.recipe.denoiser.shape,
                self.recipe.upscaler.shape,
                self._text.name,
                arrays,
                frozenset(),
                details,
            ),
        )
        return path

    def judge(self) -> Judge:
        """The judge of pictures, trained where it is not."""
        path, recipe = self.folder / _JUDGE, self.recipe
        concepts = list(self.judge_library.concepts.values())
        if not path.exists():
            make_pack(
                self.folder / "judge",
                self.judge_library,
                Chooser(concepts).scene_of_one,
                rows=recipe.judge.scenes,
                size=64,
                seed=recipe.seed + 1,
                text=None,
                told=lambda done, total: self._told("judge's pack", done, total, {}),
            )
            pack = Pack(self.folder / "judge", recipe.judge.scenes)
            numbers = {concept.identifier: number for number, concept in enumerate(concepts)}
            trained = train_judge(
                pack.images,
                [numbers[row.scene.items[0].concept] for row in pack.rows()],
                text_vectors(concepts, self._text),
                recipe.judge,
                seed=recipe.seed,
                report=lambda step, steps, loss: self._told("judge", step, steps, {"loss": loss}),
            )
            save_file({name: value.contiguous() for name, value in trained.state_dict().items()}, path)
        model = Judge(
            recipe.judge.width, np.random.default_rng(0).standard_normal((len(concepts), 384), np.float32)
        )
        model.load_state_dict(load_file(path))
        model.eval()
        return model

    def judged_concepts(self) -> list[str]:
        """Identifiers in the order of the judge's scores."""
        return list(self.judge_library.concepts)

    def clear_packs(self) -> None:
        """Remove what can be made again: rendered scenes."""
        for name in ("pack", "judge"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def use_threads(recipe: ImageRecipe) -> None:
    """Give PyTorch the recipe's number of processor threads."""
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
