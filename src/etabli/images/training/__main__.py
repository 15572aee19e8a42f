"""Train the embedded picture generator: `python -m etabli.images.training RECIPE --folder RUN`.

RECIPE is `cpu`, `gpu` or a YAML file. Every stage goes on where it was stopped; Ctrl-C stops after the step and
leaves a checkpoint. The weights file is `pictograms.npz` in the run's folder.
"""

import argparse
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from rich.console import Console

from etabli.engines.e5 import E5Embedder
from etabli.errors import EtabliError
from etabli.images.generator.text import E5Text
from etabli.images.pictograms.sources import read_ledger
from etabli.images.training.recipe import ImageRecipe, read_recipe
from etabli.training.extra import need

STAGES = ("pack", "denoiser", "upscaler", "export", "judge")
_console = Console()


class _Told:
    """A line of progress, at most one every few seconds."""

    def __init__(self) -> None:
        self._last: tuple[str, float] = ("", 0.0)
        self._began: dict[str, tuple[float, int]] = {}

    def __call__(self, stage: str, done: int, total: int, figures: Mapping[str, float]) -> None:
        now = time.monotonic()
        began, first = self._began.setdefault(stage, (now, done))
        if self._last[0] == stage and now - self._last[1] < 5 and done < total:
            return
        self._last = (stage, now)
        left = (now - began) / (done - first) * (total - done) / 60 if done > first else 0.0
        said = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        _console.print(f"{stage}  {done:,} / {total:,}  {said}  {left:.0f} min left", highlight=False)


def main() -> int:
    """Run the stages that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m etabli.images.training", description=__doc__)
    parser.add_argument("recipe", help="cpu, gpu, or a YAML file")
    parser.add_argument("--folder", type=Path, required=True, help="of the run")
    parser.add_argument("--archives", type=Path, help="of the icon sets (default: FOLDER/archives)")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES[:-1])
    given = parser.parse_args()
    try:
        need("torch", "safetensors", "resvg_py")
        return _run(given, read_recipe(given.recipe))
    except EtabliError as error:
        _console.print(str(error), style="red", highlight=False)
        return 1


def _run(given: argparse.Namespace, recipe: ImageRecipe) -> int:
    from etabli.images.training.running import ImageRun, use_threads

    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    use_threads(recipe)
    text = E5Text(E5Embedder(threads=recipe.threads or 2))
    archives = given.archives or given.folder / "archives"
    run = ImageRun(given.folder, archives, recipe, read_ledger(), text, _Told())
    if "pack" in given.stages:
        run.pack()
    if "denoiser" in given.stages:
        previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        finished = run.train(lambda: stopped)
        for number, handler in previous.items():
            signal.signal(number, handler)
        if not finished:
            return 2
    if "upscaler" in given.stages:
        run.upscaler()
    if "export" in given.stages:
        path = run.export()
        _console.print(f"{path}  {path.stat().st_size / 1e6:.1f} MB", highlight=False)
    if "judge" in given.stages:
        run.judge()
    return 0


if __name__ == "__main__":
    sys.exit(main())
