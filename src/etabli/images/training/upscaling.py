"""The loop that trains the upscaler, on scenes of a pack rendered small and large from the same SVG."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from etabli.images.pictograms.concepts import Library
from etabli.images.pictograms.picture import Pixels, render
from etabli.images.training.pack import Row
from etabli.images.training.recipe import UpscalerRecipe
from etabli.images.training.upscaler import Upscaler, degraded

_REPORT_EVERY = 100


def train_upscaler(
    rows: Sequence[Row],
    library: Library,
    recipe: UpscalerRecipe,
    *,
    size: int,
    seed: int,
    report: Callable[[int, int, float], None] = lambda step, steps, loss: None,
    device: str = "cpu",
) -> Upscaler:
    """Train the upscaler from nothing (minutes).

    Args:
        rows: scenes to learn from.
        library: their drawings.
        recipe: sizes and steps.
        size: of small pictures.
        seed: of every choice.
        report: is told step, steps and loss.
        device: `cpu` or `cuda`.
    """
    torch.manual_seed(seed)
    source, chance = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    # All are kept in memory: large pictures of 512 pixels take 0.8 MB each.
    pairs = [(render(row.svg(library), size), render(row.svg(library), size * recipe.factor)) for row in rows]
    model = Upscaler(recipe.shape)
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=recipe.steps)
    mean = 0.0
    for step in range(recipe.steps):
        small, large = _crops(pairs, recipe, chance)
        given = degraded(small, source).to(device)
        loss = F.l1_loss(model(given), large.to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        mean += (float(loss.detach()) - mean) / min(step + 1, _REPORT_EVERY)
        if (step + 1) % _REPORT_EVERY == 0 or step + 1 == recipe.steps:
            report(step + 1, recipe.steps, mean)
    model.cpu().eval()
    return model


def _crops(
    pairs: Sequence[tuple[Pixels, Pixels]], recipe: UpscalerRecipe, chance: np.random.Generator
) -> tuple[Tensor, Tensor]:
    small, large = [], []
    for number in chance.integers(len(pairs), size=recipe.batch):
        first, second = pairs[number]
        side = min(recipe.crop, len(first))
        top, left = (int(value) for value in chance.integers(len(first) - side + 1, size=2))
        small.append(first[top : top + side, left : left + side])
        rows = slice(top * recipe.factor, (top + side) * recipe.factor)
        columns = slice(left * recipe.factor, (left + side) * recipe.factor)
        large.append(second[rows, columns])
    return _tensor(small), _tensor(large)


def _tensor(pictures: Sequence[Pixels]) -> Tensor:
    return torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
