"""The weights file of the generator: shape, denoiser, upscaler, in one NumPy archive that is data and no code.

Matrices inside layers are int8 with one scale a row (the largest of the row is 127), all else is 16-bit: hardly
more than a byte a weight. The denoiser's arrays begin with `denoiser.`, the upscaler's with `upscaler.`.
"""

import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from etabli.engines.base import FloatMatrix
from etabli.errors import IntegrityError
from etabli.messages import tr

_ABOUT = "about"
_FORMAT = 1
# Where nearly all weights are. What goes in and out, the time and the modulation stay in 16 bits: they are small, and
# every layer depends on them.
_QUANTISED = ("denoiser.blocks.", "denoiser.text.")


@dataclass(frozen=True, slots=True)
class DenoiserShape:
    """Sizes of the denoiser.

    Attributes:
        size: of the square picture in pixels.
        patch: side of a patch; (size / patch)² patches are the picture's tokens.
        width: units of a token.
        layers, heads: of the picture's transformer.
        text_layers: of the transformer over the prompt's tokens.
    """

    size: int
    patch: int
    width: int
    layers: int
    heads: int
    text_layers: int

    @property
    def patches(self) -> int:
        """Patches of a picture."""
        return (self.size // self.patch) ** 2

    @property
    def patch_values(self) -> int:
        """Numbers of a patch."""
        return 3 * self.patch**2


@dataclass(frozen=True, slots=True)
class UpscalerShape:
    """Sizes of the upscaler: channels, layers between the first and the last, and how many times larger."""

    width: int
    layers: int
    factor: int = 8


@dataclass(frozen=True)
class GeneratorWeights:
    """A weights file in memory, as 32-bit floats.

    Attributes:
        denoiser: shape of the denoiser.
        upscaler: of the upscaler.
        text_encoder: name of the encoder that it was trained with.
        arrays: by name.
        quantised: names of the matrices that the file holds in int8.
        details: whatever the trainer wrote beside: steps, pictures seen, hours, recipe.
    """

    denoiser: DenoiserShape
    upscaler: UpscalerShape
    text_encoder: str
    arrays: Mapping[str, FloatMatrix]
    quantised: frozenset[str]
    details: Mapping[str, Any]


def write_weights(path: Path, weights: GeneratorWeights) -> None:
    """Write the file, whole or not at all; matrices are rounded to int8 here."""
    stored: dict[str, npt.NDArray[Any]] = {}
    for name, array in weights.arrays.items():
        if name.startswith(_QUANTISED) and name.endswith(".weight"):
            scale = np.maximum(np.abs(array).max(axis=1, keepdims=True) / 127, 1e-12).astype(np.float32)
            stored[name + ".q"] = np.rint(array / scale).astype(np.int8)
            stored[name + ".s"] = scale
        else:
            stored[name] = array.astype(np.float16)
    about = {
        "format": _FORMAT,
        "denoiser": asdict(weights.denoiser),
        "upscaler": asdict(weights.upscaler),
        "text_encoder": weights.text_encoder,
        "details": dict(weights.details),
    }
    stored[_ABOUT] = np.frombuffer(json.dumps(about, sort_keys=True).encode(), np.uint8)
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        np.savez(file, **stored)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_weights(path: Path) -> GeneratorWeights:
    """Read a weights file.

    Raises:
        IntegrityError: it is none, or of another format.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
        about = json.loads(stored.pop(_ABOUT).tobytes())
        if about["format"] != _FORMAT:
            raise ValueError(about["format"])
        arrays: dict[str, FloatMatrix] = {}
        for name, array in stored.items():
            if name.endswith(".q"):
                arrays[name[:-2]] = array.astype(np.float32) * stored[name[:-2] + ".s"]
            elif not name.endswith(".s"):
                arrays[name] = array.astype(np.float32)
        return GeneratorWeights(
            DenoiserShape(**about["denoiser"]),
            UpscalerShape(**about["upscaler"]),
            str(about["text_encoder"]),
            arrays,
            frozenset(name[:-2] for name in stored if name.endswith(".q")),
            about["details"],
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        raise IntegrityError(
            tr("{file} is not a weights file of the picture generator, or it is damaged.", file=path.name)
        ) from None
