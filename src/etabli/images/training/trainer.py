"""The loop that trains the denoiser: what a step does depends on the recipe and the step's number alone.

So a run that was stopped goes on as if it had not been. Loss: the squared error of the velocity that the expected
clean picture implies (arXiv 2511.13720, section 4), averaged over times of a logit-normal distribution.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from etabli.images.generator.sampling import LEAST_REST, to_patches
from etabli.images.training import checkpoint
from etabli.images.training.denoiser import Denoiser
from etabli.images.training.pack import Pack
from etabli.images.training.recipe import DenoiserRecipe, ImageRecipe

CHECKPOINTS, LOG = "checkpoints", "log.jsonl"
_STATISTICS_ROWS = 2_000
_LOG_EVERY = 50


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: `loss` is the mean since the last report, `pictures_s` over the same steps."""

    step: int
    steps: int
    loss: float
    pictures_s: float
    seconds: float


Report = Callable[[Progress], None]


class Trainer:
    """One run.

    Args:
        folder: of the run: checkpoints and log.
        recipe: what is trained.
        pack: of rows with conditions.
    """

    def __init__(self, folder: Path, recipe: ImageRecipe, pack: Pack) -> None:
        self._folder, self._recipe, self._pack = folder, recipe, pack
        self._own = recipe.denoiser
        self._device = torch.device(recipe.device)
        if recipe.threads:
            torch.set_num_threads(recipe.threads)
        torch.manual_seed(recipe.seed)
        self.model = Denoiser(self._own.shape)
        self.model.set_statistics(*self._statistics())
        self.model.to(self._device)
        self.kept = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self._optimizers = _optimizers(self.model, self._own)
        self.steps = -(-self._own.samples // self._own.batch)
        self.step, self.seconds = 0, 0.0
        self._order: tuple[int, Any] = (-1, None)
        self._resume()

    def run(self, report: Report, stop: Callable[[], bool] = lambda: False) -> bool:
        """Train to the end, or until `stop` says so; True at the end. Leaves a checkpoint either way."""
        saved = began = time.monotonic()
        losses: list[Tensor] = []
        first = self.step
        while self.step < self.steps and not stop():
            losses.append(self._one())
            self.step += 1
            now = time.monotonic()
            if self.step % _LOG_EVERY == 0 or self.step == self.steps:
                loss = float(torch.stack(losses).mean())
                self.seconds += now - began
                rate = (self.step - first) * self._own.batch / max(now - began, 1e-9)
                self._log(Progress(self.step, self.steps, loss, rate, self.seconds), report)
                began, first, losses = now, self.step, []
            if now - saved > 60 * self._recipe.checkpoint_minutes:
                self.save()
                saved = now
        self.seconds += time.monotonic() - began
        self.save()
        return self.step >= self.steps

    def averaged(self) -> Denoiser:
        """The denoiser with the averaged weights."""
        model = Denoiser(self._own.shape)
        model.load_state_dict(self.kept)
        model.cpu().eval()
        return model

    def save(self) -> None:
        """Write a checkpoint."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"kept.{name}": value for name, value in self.kept.items()}
        for number, optimizer in enumerate(self._optimizers):
            tensors |= checkpoint.optimizer_tensors(optimizer, f"optimizer{number}")
        state = {"recipe": self._recipe.digest, "seconds": self.seconds}
        checkpoint.save(self._folder / CHECKPOINTS, self.step, tensors, state)

    def _resume(self) -> None:
        found = checkpoint.load_newest(self._folder / CHECKPOINTS, self._recipe.digest)
        if found is None:
            return
        tensors, state = found
        self.model.load_state_dict(_under("model", tensors))
        self.kept = {name: value.to(self._device) for name, value in _under("kept", tensors).items()}
        for number, optimizer in enumerate(self._optimizers):
            checkpoint.load_optimizer(optimizer, f"optimizer{number}", tensors)
        self.step, self.seconds = int(state["step"]), float(state["seconds"])

    def _one(self) -> Tensor:
        patches, vector, states, mask = self._batch(self.step)
        source = torch.Generator().manual_seed(self._recipe.seed * 1_000_003 + self.step)
        noise = torch.randn(patches.shape, generator=source).to(self._device)
        logit = torch.randn(len(patches), 1, generator=source) * self._own.time_spread + self._own.time_mean
        times = torch.sigmoid(logit).to(self._device)
        told = (
            (torch.rand(len(patches), 1, generator=source) >= self._own.unconditional)
            .float()
            .to(self._device)
        )
        mask, vector = mask * told, vector * told
        states = states * told[:, :, None]
        at = times[:, :, None]
        path = at * patches + (1 - at) * noise
        bf16 = self._recipe.precision == "bf16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=bf16):
            clean = self.model(path, times, vector, states, mask)
        error = (clean.float() - patches) / (1 - at).clamp_min(LEAST_REST)
        loss = error.square().mean()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        share = rate_share(self.step, self.steps, self._own)
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["base_lr"] * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        keep = min(self._own.ema, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                self.kept[name].lerp_(value, 1 - keep)
        return loss.detach()

    def _batch(self, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rows of a step: every pass over the pack has its own order, drawn from the seed."""
        numbers = []
        for sample in range(step * self._own.batch, (step + 1) * self._own.batch):
            epoch, place = divmod(sample, len(self._pack))
            if self._order[0] != epoch:
                self._order = (
                    epoch,
                    np.random.default_rng([self._recipe.seed, epoch]).permutation(len(self._pack)),
                )
            numbers.append(int(self._order[1][place]))
        pictures = self._pack.images(numbers).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
        parts = (to_patches(pictures, patch=self._own.patch), *self._pack.conditions(numbers))
        patches, vector, states, mask = (torch.from_numpy(part).to(self._device) for part in parts)
        longest = max(int(mask.sum(1).max()), 1)
        return patches, vector, states[:, :longest], mask[:, :longest]

    def _statistics(self) -> tuple[Any, Any]:
        vectors, states, mask = self._pack.conditions(range(min(_STATISTICS_ROWS, len(self._pack))))
        return vectors, states[mask > 0]

    def _log(self, progress: Progress, report: Report) -> None:
        with (self._folder / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps({key: getattr(progress, key) for key in progress.__slots__}) + "\n")
        report(progress)


def rate_share(step: int, steps: int, recipe: DenoiserRecipe) -> float:
    """Of the largest learning rate: up, level, and down to nothing over the last share.

    >>> recipe = DenoiserRecipe(warmup_steps=2, cooldown=0.5)
    >>> [rate_share(step, 8, recipe) for step in range(8)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]
    """
    warm = min(1.0, (step + 1) / max(recipe.warmup_steps, 1))
    down = min(1.0, (steps - step) / max(recipe.cooldown * steps, 1))
    return warm * down


def _optimizers(model: Denoiser, recipe: DenoiserRecipe) -> list[torch.optim.Optimizer]:
    """Matrices inside layers by Muon (Jordan et al. 2024), everything else by AdamW; or all by AdamW."""
    inner = [
        value
        for name, value in model.named_parameters()
        if value.ndim == 2 and name.startswith(("blocks.", "text.")) and name.endswith(".weight")
    ]
    muon = inner if recipe.optimizer == "muon" else []
    chosen = {id(value) for value in muon}
    rest = [value for value in model.parameters() if id(value) not in chosen]
    rate, decay = recipe.learning_rate, recipe.weight_decay
    found: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, rate, (0.9, 0.98), weight_decay=decay)]
    if muon:
        # Its updates are made as large as Adam's, so that one learning rate serves both.
        found.append(torch.optim.Muon(muon, rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"))
    for optimizer in found:
        for group in optimizer.param_groups:
            group["base_lr"] = group["lr"]
    return found


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    start = prefix + "."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
