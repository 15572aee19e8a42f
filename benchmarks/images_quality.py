"""How good pictures are: recognised by a judge of other drawings, colours, counts, sides, French beside English.

    python benchmarks/images_quality.py RUN --archives FOLDER
    python benchmarks/images_quality.py RUN --number 100 --sheet sheet.png

RUN is the folder of a training run (`python -m etabli.images.training`), with its weights file and its judge, which
is trained where it is missing. Beside the generator, with the same prompts and the same judge: plain look-up of the
drawing whose name is nearest, and the true pictures, which say how far the judge can be trusted at all.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from etabli.engines.e5 import E5Embedder
from etabli.images.evaluation.copies import copy_threshold, drawings, nearest, signature
from etabli.images.evaluation.lookup import Lookup
from etabli.images.evaluation.measuring import Figure, Way, kept, recognised
from etabli.images.evaluation.prompts import Asked, attributes, recognition
from etabli.images.generator.generator import PictogramGenerator, to_pixels
from etabli.images.generator.sampling import Sampling
from etabli.images.generator.text import E5Text
from etabli.images.pictograms.concepts import LANGUAGES, Language
from etabli.images.pictograms.picture import Pixels
from etabli.images.pictograms.sources import read_ledger
from etabli.images.training.recipe import ImageRecipe
from etabli.images.training.running import RECIPE, WEIGHTS, ImageRun

TARGETS = {"seen": 0.8, "combined": 0.6, "unseen": 0.15, "colour": 0.9, "count": 0.7, "side": 0.85}
COLUMNS = 20


def sheet(asked: Sequence[Asked], way: Way, path: Path) -> None:
    """Every picture of the prompts, none left out, row by row."""
    pictures = [way(one, LANGUAGES[number % 2]) for number, one in enumerate(asked)]
    blank = np.full_like(pictures[0], 255)
    pictures += [blank] * (-len(pictures) % COLUMNS)
    rows = [
        np.concatenate(pictures[start : start + COLUMNS], 1) for start in range(0, len(pictures), COLUMNS)
    ]
    Image.fromarray(np.concatenate(rows, 0)).save(path)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--archives", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--number", type=int, default=200, help="prompts of each group")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without-generator", action="store_true", help="only what it is compared with")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    console = Console(stderr=True)
    text = E5Text(E5Embedder(threads=2))
    recipe = ImageRecipe.model_validate_json((given.run / RECIPE).read_bytes())
    run = ImageRun(given.run, given.archives or given.run / "archives", recipe, read_ledger(), text)
    judge, judged = run.judge(), run.judged_concepts()
    library, held_out = run.generator_library, run.held_out
    told = recognition(library, held_out, judged, number=given.number, seed=given.seed)
    ruled = attributes(library, held_out, number=given.number, seed=given.seed)
    lookup = Lookup(library, text, LANGUAGES)
    ways: dict[str, Way] = {
        "true pictures": lambda one, language: one.truth,
        "look-up": lambda one, language: lookup.draw(one.prompts[language]),
    }
    if not given.without_generator:
        generator = PictogramGenerator(given.weights or given.run / WEIGHTS, text, threads=2)
        sampling = Sampling(steps=given.steps, guidance=given.guidance)

        @cache
        def drawn(prompt: str, seed: int) -> Pixels:
            return to_pixels(generator.draw_small([prompt], [seed], sampling))[0]

        def draw(one: Asked, language: Language) -> Pixels:
            return drawn(one.prompts[language], one.seed)

        ways["generator"] = draw
    figures: dict[str, list[Figure]] = {}
    for name, way in ways.items():
        console.print(f"{name} …")
        figures[name] = [
            figure
            for language in LANGUAGES
            for figure in (*recognised(told, way, language, judge.ranks, judged), *kept(ruled, way, language))
        ]
    copies = None
    if "generator" in ways:
        shown = drawings(library, [name for name in library.concepts if name not in held_out])
        threshold = copy_threshold(shown)
        rows = signature(np.stack(list(shown.values())))
        groups = {
            group: [one for one in told if one.group == group] for group in ("seen", "combined", "unseen")
        }
        copies = {
            group: float(np.mean([
                found.distance < threshold
                for found in nearest(signature(np.stack([ways["generator"](one, "fr") for one in asked])), rows)
            ]))
            for group, asked in groups.items()
        }  # fmt: skip
        if given.sheet:
            sheet(told, ways["generator"], given.sheet)
    if given.json:
        print(json.dumps({"figures": {name: [asdict(one) for one in own] for name, own in figures.items()},
                          "copies": copies}))  # fmt: skip
        return
    _print(figures, copies)


def _print(figures: dict[str, list[Figure]], copies: dict[str, float] | None) -> None:
    table = Table("", "target", *(f"{name} {language}" for name in figures for language in LANGUAGES))
    for group, target in TARGETS.items():
        cells = []
        for own in figures.values():
            for language in LANGUAGES:
                one = next(one for one in own if one.group == group and one.language == language)
                cells.append(f"{100 * one.share:.1f} % of {one.asked}")
        table.add_row(group, f"{100 * target:.0f} %", *cells)
    console = Console()
    console.print(table)
    console.print(
        "seen, combined, unseen: the concept is among the judge's first 10; the others: the rule is kept"
    )
    if copies is not None:
        said = ", ".join(f"{group} {100 * share:.1f} %" for group, share in copies.items())
        console.print(f"nearer to a training picture than 90 % of two sets' drawings of one thing: {said}")


if __name__ == "__main__":
    main()
