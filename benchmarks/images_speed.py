"""How long a picture of 512 by 512 pixels takes, and how much memory: prompt, denoiser, upscaler, in one process.

    python benchmarks/images_speed.py WEIGHTS
    python benchmarks/images_speed.py --recipe cpu

With `--recipe` the weights are random and of the recipe's sizes: times do not depend on what was learnt. A child
makes them, so that PyTorch's memory is not counted.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

PROMPTS = (
    "dessine trois pommes rouges sur fond bleu",
    "a green cat to the left of a yellow car",
    "une étoile",
)


def write_random(recipe: str, path: Path) -> None:
    """Write a weights file of random numbers."""
    from etabli.engines.e5 import NAME
    from etabli.images.generator.weights import GeneratorWeights, write_weights
    from etabli.images.training.denoiser import Denoiser
    from etabli.images.training.recipe import read_recipe
    from etabli.images.training.upscaler import Upscaler

    own = read_recipe(recipe)
    shapes = own.denoiser.shape, own.upscaler.shape
    arrays = {f"denoiser.{name}": array for name, array in Denoiser(shapes[0]).arrays().items()}
    arrays |= {f"upscaler.{name}": array for name, array in Upscaler(shapes[1]).arrays().items()}
    write_weights(path, GeneratorWeights(*shapes, NAME, arrays, frozenset(), {}))


def measured(path: Path, *, threads: int, steps: int, pictures: int) -> dict[str, float]:
    """Seconds and megabytes."""
    from etabli.engines.e5 import E5Embedder
    from etabli.images.generator.generator import PictogramGenerator
    from etabli.images.generator.sampling import Sampling
    from etabli.images.generator.text import E5Text

    generator = PictogramGenerator(path, E5Text(E5Embedder(threads=threads)), threads=threads)
    sampling = Sampling(steps=steps)
    began = time.perf_counter()
    generator.draw(PROMPTS[0], seed=0, sampling=sampling)
    first = time.perf_counter() - began
    times = []
    processor = time.process_time()
    for number in range(pictures):
        began = time.perf_counter()
        generator.draw(PROMPTS[number % len(PROMPTS)], seed=number, sampling=sampling)
        times.append(time.perf_counter() - began)
    return {
        "first_s": first,
        "picture_s_p50": statistics.median(times),
        "picture_s_max": max(times),
        "processor_s": (time.process_time() - processor) / pictures,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "weights_mb": path.stat().st_size / 1e6,
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", nargs="?", type=Path)
    parser.add_argument("--recipe")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write-random", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write_random:
        write_random(given.recipe, given.write_random)
        return
    if (given.weights is None) == (given.recipe is None):
        parser.error("name a weights file or --recipe, one of them")
    with tempfile.TemporaryDirectory() as folder:
        path = given.weights or Path(folder) / "random.npz"
        if given.weights is None:
            command = [sys.executable, __file__, "--recipe", given.recipe, "--write-random", str(path)]
            subprocess.run(command, check=True)
        values = measured(path, threads=given.threads, steps=given.steps, pictures=given.pictures)
    if given.json:
        print(json.dumps(values))
        return
    console = Console()
    console.print(
        f"first picture {values['first_s']:.2f} s with loading; then {values['picture_s_p50']:.2f} s (median of "
        f"{given.pictures}, longest {values['picture_s_max']:.2f}), {values['processor_s']:.2f} s of processor; "
        "target 1.5"
    )
    console.print(
        f"memory {values['memory_mb']:.0f} MB, target 1,000; weights {values['weights_mb']:.1f} MB, target 30"
    )
    console.print(f"{given.threads} threads, {given.steps} steps, load {values['load']:.1f}")


if __name__ == "__main__":
    main()
