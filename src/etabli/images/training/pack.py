"""A pack: scenes rendered and captioned once, before training, in shards that are whole or not there.

Each row depends only on the seed and its number, so that an interrupted run goes on and a second one makes the same
rows. A shard holds pictures, conditions of their captions, and `scenes.jsonl`, which says what every row is.
"""

import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from etabli.engines.base import FloatMatrix
from etabli.images.generator.text import MOST_TOKENS, STATE, VECTOR, TextEncoder
from etabli.images.pictograms.captions import caption
from etabli.images.pictograms.choosing import Chooser
from etabli.images.pictograms.concepts import LANGUAGES, Library
from etabli.images.pictograms.picture import Pixels, render, scene_svg
from etabli.images.pictograms.scene import Scene, scene_from_json

SHARD = 5_000
_SCENES = "scenes.jsonl"
Draw = Callable[[random.Random], Scene]
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Row:
    """One scene of a pack: what it is, which set drew it, what it is called."""

    scene: Scene
    drawn_by: str
    caption: str
    seed: str

    def svg(self, library: Library) -> str:
        """The same picture again, at any size."""
        return scene_svg(self.scene, library.drawings[self.drawn_by], random.Random(self.seed))


def make_pack(
    folder: Path,
    library: Library,
    draw: Draw,
    *,
    rows: int,
    size: int,
    seed: int,
    text: TextEncoder | None,
    told: Told = lambda done, total: None,
) -> None:
    """Make what is missing of a pack.

    Args:
        folder: of the pack.
        library: concepts and drawings.
        draw: draws one scene of the library's concepts.
        rows: of the whole pack.
        size: of the pictures.
        seed: of every choice.
        text: encodes captions; none are encoded when None.
        told: is told rows done and rows in all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, rows, SHARD):
        target = folder / f"shard-{start // SHARD:04d}"
        count = min(SHARD, rows - start)
        if not target.is_dir():
            beside = folder / f".{target.name}.part"
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir()
            seeds = [f"{seed}:{number}" for number in range(start, start + count)]
            _make_shard(beside, [_row(library, draw, one) for one in seeds], library, size, text)
            beside.rename(target)
        told(start + count, rows)


def _row(library: Library, draw: Draw, seed: str) -> Row:
    chance = random.Random("scene" + seed)
    for _ in range(1_000):
        scene = draw(chance)
        sets = library.sets_with(*(item.concept for item in scene.items))
        if sets:
            return Row(
                scene,
                chance.choice(sets),
                caption(scene, library.concepts, chance.choice(LANGUAGES), chance),
                seed,
            )
    raise ValueError("no set draws these concepts together")


def _make_shard(
    folder: Path, rows: Sequence[Row], library: Library, size: int, text: TextEncoder | None
) -> None:
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (len(rows), size, size, 3))
    for number, row in enumerate(rows):
        images[number] = render(row.svg(library), size)
    images.flush()
    if text is not None:
        conditions = [text.encode(row.caption) for row in rows]
        ends = np.cumsum([len(one.states) for one in conditions])
        np.save(folder / "ends.npy", ends.astype(np.int64))
        np.save(folder / "vectors.npy", np.stack([one.vector for one in conditions]).astype(np.float16))
        np.save(folder / "states.npy", np.concatenate([one.states for one in conditions]).astype(np.float16))
    with (folder / _SCENES).open("w", encoding="utf-8") as file:
        for row in rows:
            values = {
                "drawn_by": row.drawn_by,
                "caption": row.caption,
                "seed": row.seed,
                "scene": row.scene.as_json(),
            }
            file.write(json.dumps(values, ensure_ascii=False) + "\n")


class Pack:
    """Reads a pack without loading it: files are mapped.

    Args:
        folder: of the pack.
        rows: how many of its rows are used, from the first.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self._shards = [folder / f"shard-{number:04d}" for number in range(-(-rows // SHARD))]
        self._rows = rows

    def __len__(self) -> int:
        return self._rows

    @cached_property
    def _images(self) -> list[Any]:
        return [np.load(shard / "images.npy", mmap_mode="r") for shard in self._shards]

    @cached_property
    def _conditions(self) -> list[tuple[Any, Any, npt.NDArray[np.int64]]]:
        return [
            (
                np.load(shard / "vectors.npy"),
                np.load(shard / "states.npy", mmap_mode="r"),
                np.load(shard / "ends.npy"),
            )
            for shard in self._shards
        ]

    def images(self, numbers: Sequence[int]) -> Pixels:
        """Pictures, shape (B, S, S, 3)."""
        return np.stack([self._images[number // SHARD][number % SHARD] for number in numbers])

    def conditions(self, numbers: Sequence[int]) -> tuple[FloatMatrix, FloatMatrix, FloatMatrix]:
        """Vectors (B, 384), states (B, `MOST_TOKENS`, 192) and mask of the captions."""
        vectors = np.empty((len(numbers), VECTOR), np.float32)
        states = np.zeros((len(numbers), MOST_TOKENS, STATE), np.float32)
        mask = np.zeros((len(numbers), MOST_TOKENS), np.float32)
        for place, number in enumerate(numbers):
            shard, row = divmod(number, SHARD)
            own_vectors, own_states, ends = self._conditions[shard]
            start, end = int(ends[row - 1]) if row else 0, int(ends[row])
            vectors[place] = own_vectors[row]
            states[place, : end - start] = own_states[start:end]
            mask[place, : end - start] = 1.0
        return vectors, states, mask

    def rows(self) -> Iterator[Row]:
        """What every row is, in order."""
        number = 0
        for shard in self._shards:
            for line in (shard / _SCENES).read_text(encoding="utf-8").splitlines():
                if number < self._rows:
                    values = json.loads(line)
                    values["scene"] = scene_from_json(values["scene"])
                    yield Row(**values)
                number += 1


def drawer(library: Library) -> Draw:
    """Draws scenes for training from all concepts of a library, never a held-out combination."""
    return Chooser(list(library.concepts.values())).scene
