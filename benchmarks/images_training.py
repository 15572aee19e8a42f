"""How fast the picture generator trains here, and how long a recipe would take; beside it, what else was considered.

    python benchmarks/images_training.py cpu
    python benchmarks/images_training.py cpu --steps 20 --rows 0

Steps over random pictures and captions of a recipe's sizes. Beside it, in the same run, the same network at a picture
of as many pixels in four times as many patches, and at 32 by 32 pixels. `--rows` scenes are rendered and captioned to
time the pack, with the shipped embedding model; they need the icon sets (`--archives`, or they are fetched).
"""

import argparse
import dataclasses
import json
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from etabli.engines.base import FloatMatrix
from etabli.images.generator.text import MOST_TOKENS, STATE, VECTOR
from etabli.images.training.recipe import ImageRecipe, read_recipe

WARM = 2


class RandomPack:
    """Random pictures with captions of ten tokens."""

    def __init__(self, size: int) -> None:
        source = np.random.default_rng(1)
        self._images = source.integers(0, 256, (64, size, size, 3), np.uint8)
        self._vectors = source.normal(size=(64, VECTOR)).astype(np.float32)
        self._states = source.normal(size=(64, MOST_TOKENS, STATE)).astype(np.float32)

    def __len__(self) -> int:
        return 100_000

    def images(self, numbers: Sequence[int]) -> np.ndarray:
        """See `Pack`."""
        return self._images[[number % 64 for number in numbers]]

    def conditions(self, numbers: Sequence[int]) -> tuple[FloatMatrix, FloatMatrix, FloatMatrix]:
        """See `Pack`."""
        rows = [number % 64 for number in numbers]
        mask = np.zeros((len(rows), MOST_TOKENS), np.float32)
        mask[:, :10] = 1
        return self._vectors[rows], self._states[rows], mask


@dataclasses.dataclass(frozen=True)
class Row:
    """One network, timed. `processor_s` is of all threads, for each thousand pictures."""

    network: str
    weights_millions: float
    pictures_s: float
    processor_s: float
    hours: float


def timed(recipe: ImageRecipe, steps: int, name: str) -> Row:
    """Train a few steps."""
    from etabli.images.training.trainer import Trainer

    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(Path(folder), recipe, RandomPack(recipe.denoiser.size))  # type: ignore[arg-type]
        counted = iter(range(WARM))
        trainer.run(lambda progress: None, lambda: next(counted, None) is None)
        began, processor = time.perf_counter(), time.process_time()
        counted = iter(range(steps))
        for _ in counted:
            trainer._one()
            trainer.step += 1
        seconds, processor = time.perf_counter() - began, time.process_time() - processor
        pictures = steps * recipe.denoiser.batch
        weights = sum(value.numel() for value in trainer.model.parameters()) / 1e6
        hours = recipe.denoiser.samples / (pictures / seconds) / 3600
        return Row(name, weights, pictures / seconds, 1000 * processor / pictures, hours)


def variants(recipe: ImageRecipe) -> dict[str, ImageRecipe]:
    """The recipe's network and what it was chosen over."""
    own = recipe.denoiser

    def of(**values: object) -> ImageRecipe:
        return recipe.model_copy(update={"denoiser": own.model_copy(update=values)})

    found = {f"{own.size} px, patch {own.patch} ({own.shape.patches} patches), {own.optimizer}": recipe}
    if own.size == 64 and own.patch == 8:
        found["64 px, patch 4 (256 patches)"] = of(patch=4)
        found["32 px, patch 2 (256 patches)"] = of(size=32, patch=2)
        found["64 px, patch 8, adamw"] = of(optimizer="adamw")
    return found


def pack_rate(rows: int, archives: Path | None) -> float:
    """Scenes rendered and captioned a second."""
    from etabli.engines.e5 import E5Embedder
    from etabli.images.generator.text import E5Text
    from etabli.images.pictograms.concepts import read_library
    from etabli.images.pictograms.sources import fetch, read_ledger
    from etabli.images.training.pack import drawer, make_pack

    with tempfile.TemporaryDirectory() as folder:
        place = archives or Path(folder) / "archives"
        ledger = read_ledger()
        fetch(place, ledger)
        library = read_library(place, ledger).of(
            source.name for source in ledger if source.role == "generator"
        )
        text = E5Text(E5Embedder(threads=os.cpu_count() or 1))
        text.encode("un chat")
        began = time.perf_counter()
        make_pack(Path(folder) / "pack", library, drawer(library), rows=rows, size=64, seed=1, text=text)
        return rows / (time.perf_counter() - began)


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", nargs="?", default="cpu")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--archives", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    recipe = read_recipe(given.recipe)
    load = os.getloadavg()[0]
    rows = [timed(one, given.steps, name) for name, one in variants(recipe).items()]
    rate = pack_rate(given.rows, given.archives) if given.rows else None
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    if given.json:
        values = {
            "rows": [dataclasses.asdict(row) for row in rows],
            "scenes_s": rate,
            "load": load,
            "memory_gb": memory,
        }
        print(json.dumps(values))
        return
    table = Table("network", "weights", "pictures/s", "processor s / 1,000", "hours of the recipe")
    for row in rows:
        table.add_row(
            row.network,
            f"{row.weights_millions:.1f} M",
            f"{row.pictures_s:.1f}",
            f"{row.processor_s:.1f}",
            f"{row.hours:.1f}",
        )
    console = Console()
    console.print(table)
    if rate is not None:
        console.print(f"pack: {rate:.0f} scenes/s, {recipe.scenes / rate / 60:.0f} min for {recipe.scenes:,}")
    console.print(f"memory {memory:.1f} GB; load before {load:.1f}")


if __name__ == "__main__":
    main()
