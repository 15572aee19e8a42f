"""A recipe of the picture generator: one YAML file that says what is trained, how large and how long.

`recipes/cpu.yaml` and `recipes/gpu.yaml` are shipped. Unknown keys are refused; a run keeps its recipe beside what it
makes, and goes on only with the same one.
"""

import hashlib
from importlib import resources
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from etabli.errors import ConfigurationError
from etabli.images.generator.weights import DenoiserShape, UpscalerShape
from etabli.messages import tr


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DenoiserRecipe(_Part):
    """Of the denoiser; sizes as in `DenoiserShape`."""

    size: int = Field(64, ge=8, le=256)
    patch: int = Field(8, ge=2, le=32)
    width: int = Field(256, ge=16, le=1024)
    layers: int = Field(10, ge=1, le=40)
    heads: int = Field(8, ge=1, le=32)
    text_layers: int = Field(2, ge=0, le=8)
    samples: int = Field(2_500_000, ge=1, description="Pictures seen in all, repeats included.")
    batch: int = Field(64, ge=1)
    optimizer: Literal["muon", "adamw"] = "muon"
    learning_rate: float = Field(6e-4, gt=0, lt=1, description="The largest; rises, stays, falls to nothing.")
    weight_decay: float = Field(0.01, ge=0, lt=1)
    warmup_steps: int = Field(500, ge=0)
    cooldown: float = Field(
        0.25, ge=0, le=1, description="The last share of the steps, in which the rate falls."
    )
    ema: float = Field(0.9995, ge=0, lt=1, description="Of the weights that are kept.")
    unconditional: float = Field(0.1, ge=0, lt=1, description="Share of pictures whose prompt is left out.")
    time_mean: float = Field(-0.4, description="Of the logit of the training times; lower is noisier.")
    time_spread: float = Field(1.0, gt=0)

    @model_validator(mode="after")
    def _divides(self) -> Self:
        if self.size % self.patch or self.width % (4 * self.heads):
            raise ValueError(tr("size must be a multiple of patch, and width one of 4 times heads"))
        return self

    @property
    def shape(self) -> DenoiserShape:
        """Sizes alone."""
        return DenoiserShape(self.size, self.patch, self.width, self.layers, self.heads, self.text_layers)


class UpscalerRecipe(_Part):
    """Of the upscaler."""

    width: int = Field(48, ge=4, le=256)
    layers: int = Field(3, ge=0, le=16)
    factor: int = Field(8, ge=2, le=16)
    steps: int = Field(6_000, ge=1)
    batch: int = Field(32, ge=1)
    crop: int = Field(16, ge=4, le=64)
    scenes: int = Field(1_500, ge=1, description="Scenes rendered large.")
    learning_rate: float = Field(1e-3, gt=0, lt=1)

    @property
    def shape(self) -> UpscalerShape:
        """Sizes alone."""
        return UpscalerShape(self.width, self.layers, self.factor)


class JudgeRecipe(_Part):
    """Of the evaluator, which learns from other drawings than the generator."""

    scenes: int = Field(60_000, ge=1)
    width: int = Field(48, ge=4, le=512)
    epochs: int = Field(6, ge=1)
    batch: int = Field(128, ge=2)
    learning_rate: float = Field(2e-3, gt=0, lt=1)


class ImageRecipe(_Part):
    """All of it."""

    seed: int = Field(1, ge=0, le=2**31 - 1)
    scenes: int = Field(200_000, ge=1, description="Scenes rendered and captioned before training.")
    held_out_concepts: int = Field(150, ge=0)
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = Field(0, ge=0, le=256, description="Processor threads; all when 0.")
    precision: Literal["bf16", "f32"] = "bf16"
    checkpoint_minutes: float = Field(10, gt=0)
    denoiser: DenoiserRecipe = DenoiserRecipe()
    upscaler: UpscalerRecipe = UpscalerRecipe()
    judge: JudgeRecipe = JudgeRecipe()

    @property
    def digest(self) -> str:
        """SHA-256: a run goes on only with an equal recipe."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def read_recipe(name: str) -> ImageRecipe:
    """Read a recipe.

    Args:
        name: `cpu`, `gpu`, or the path of a file.

    Raises:
        ConfigurationError: it cannot be used; the message names every fault.
    """
    shipped = resources.files("etabli.images.training") / "recipes" / f"{name}.yaml"
    try:
        text = (shipped if name in ("cpu", "gpu") else Path(name)).read_text(encoding="utf-8")
        values = yaml.safe_load(text) or {}
        return ImageRecipe.model_validate(values)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise ConfigurationError(tr("{file} cannot be read: {reason}.", file=name, reason=reason)) from None
    except ValidationError as error:
        faults = [
            tr("{file}: {key} is {found}: {reason}.", file=name, key=".".join(map(str, fault["loc"])) or "…",
               found=str(fault["input"])[:60], reason=fault["msg"])
            for fault in error.errors()
        ]  # fmt: skip
        raise ConfigurationError("\n".join(faults)) from None
