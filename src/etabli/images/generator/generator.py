"""The embedded picture generator: a prompt and a seed in, a square picture out. Weights are loaded at first use.

What it draws are pictograms and small scenes of them. It knows nothing of policy, provenance or files.
"""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from etabli.engines.base import FloatMatrix
from etabli.errors import ConfigurationError
from etabli.images.generator.graph import compile_denoiser, compile_upscaler
from etabli.images.generator.sampling import Sampling, sample, to_pictures
from etabli.images.generator.text import TextEncoder
from etabli.images.generator.weights import GeneratorWeights, read_weights
from etabli.images.pictograms.picture import Pixels
from etabli.messages import tr

MOST_SEED = 2**32 - 1


@dataclass(frozen=True)
class _Loaded:
    weights: GeneratorWeights
    denoiser: Any
    upscaler: Any


class PictogramGenerator:
    """Draws pictures.

    Args:
        path: the weights file.
        text: encoder of prompts; the one that the weights were trained with.
        threads: CPU threads; all when 0.
        exact: see `graph.compile_denoiser`.
    """

    def __init__(self, path: Path, text: TextEncoder, *, threads: int = 0, exact: bool = False) -> None:
        self._path = path
        self._text = text
        self._threads = threads or os.cpu_count() or 1
        self._exact = exact
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    @property
    def weights(self) -> GeneratorWeights:
        """What the file holds."""
        return self._load().weights

    def draw(self, prompt: str, *, seed: int, sampling: Sampling | None = None) -> Pixels:
        """One picture at full size, shape (S, S, 3); the same for the same prompt, seed and sampling here.

        Raises:
            ConfigurationError: the weights were trained with another text encoder.
            IntegrityError: the weights file is damaged.
            EngineUnavailableError: OpenVINO does not run here.
        """
        pixels: Pixels = self.enlarge(self.draw_small([prompt], [seed], sampling))[0]
        return pixels

    def draw_small(
        self, prompts: Sequence[str], seeds: Sequence[int], sampling: Sampling | None = None
    ) -> FloatMatrix:
        """Pictures before the upscaler, from -1 to 1, shape (B, 3, s, s)."""
        loaded = self._load()
        shape = loaded.weights.denoiser
        conditions = [self._text.encode(prompt) for prompt in prompts]
        noise = np.stack(
            [
                np.random.default_rng(seed).standard_normal((shape.patches, shape.patch_values), np.float32)
                for seed in seeds
            ]
        )
        request = loaded.denoiser.create_infer_request()

        def denoise(
            patches: FloatMatrix,
            time: FloatMatrix,
            vector: FloatMatrix,
            states: FloatMatrix,
            mask: FloatMatrix,
        ) -> FloatMatrix:
            request.infer([patches, time, vector, states, mask])
            clean: FloatMatrix = request.get_output_tensor(0).data.copy()
            return clean

        patches = sample(denoise, conditions, noise, sampling or Sampling())
        return to_pictures(patches, size=shape.size, patch=shape.patch)

    def enlarge(self, small: FloatMatrix) -> Pixels:
        """Pictures at full size as pixels, shape (B, S, S, 3)."""
        request = self._load().upscaler.create_infer_request()
        request.infer([np.ascontiguousarray(small, np.float32)])
        return to_pixels(request.get_output_tensor(0).data)

    def _load(self) -> _Loaded:
        with self._lock:
            if self._loaded is None:
                weights = read_weights(self._path)
                if weights.text_encoder != self._text.name:
                    raise ConfigurationError(
                        tr("The picture generator was trained with {wanted}, and prompts are encoded by {found}. Use "
                           "the first, or train the generator again.", wanted=weights.text_encoder,
                           found=self._text.name)
                    )  # fmt: skip
                denoiser = compile_denoiser(weights, threads=self._threads, exact=self._exact)
                upscaler = compile_upscaler(weights, threads=self._threads, exact=self._exact)
                self._loaded = _Loaded(weights, denoiser, upscaler)
            return self._loaded


def to_pixels(pictures: FloatMatrix) -> Pixels:
    """Pictures (B, 3, S, S) from -1 to 1 as pixels (B, S, S, 3)."""
    pixels: Pixels = np.rint((np.clip(pictures, -1, 1) + 1) * 127.5).astype(np.uint8).transpose(0, 2, 3, 1)
    return pixels
