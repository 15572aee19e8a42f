"""The judge: which concept a picture shows, learnt from drawings of other sets than the generator's.

A dual encoder: a small convolutional network for pictures, two layers over the embedding model's vectors of a
concept's French and English names. Among all concepts those are ranked first whose vectors lie nearest to the
picture's.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from etabli.engines.base import FloatMatrix
from etabli.images.generator.text import VECTOR, TextEncoder
from etabli.images.pictograms.concepts import LANGUAGES, Concept
from etabli.images.pictograms.picture import Pixels
from etabli.images.training.recipe import JudgeRecipe

SPACE = 192
_BATCH = 256
Pictures = Callable[[Sequence[int]], Pixels]


class Judge(nn.Module):
    """See the module.

    Args:
        width: channels of the first stage; doubled at each of three more.
        texts: vectors of the concepts' names, shape (concepts, 384).
    """

    texts: Tensor

    def __init__(self, width: int, texts: FloatMatrix) -> None:
        super().__init__()
        widths = [width, 2 * width, 3 * width, 4 * width]
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.stages = nn.ModuleList(
            nn.ModuleList(
                (
                    nn.Conv2d(before, now, 3, stride=2, padding=1),
                    nn.Conv2d(now, now, 3, padding=1),
                    nn.GroupNorm(8, now),
                )
            )
            for before, now in zip([width, *widths[:-1]], widths, strict=True)
        )
        self.last = nn.Linear(widths[-1] * 16, SPACE)
        self.text = nn.Sequential(nn.Linear(VECTOR, 512), nn.GELU(), nn.Linear(512, SPACE))
        self.heat = nn.Parameter(torch.tensor(math.log(10.0)))
        centred = texts - texts.mean(0)
        self.register_buffer("texts", torch.from_numpy(centred / centred.std(0)).float())

    def features(self, pictures: Tensor) -> Tensor:
        """Unit vectors of pictures (B, 3, 64, 64) from -1 to 1, shape (B, SPACE)."""
        states = F.gelu(self.first(pictures))
        for down, flat, norm in self.stages:
            states = F.gelu(norm(down(states)))
            states = states + F.gelu(flat(states))
        states = F.adaptive_avg_pool2d(states, 4).flatten(1)
        return F.normalize(self.last(states), dim=1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Scores of all concepts, shape (B, concepts)."""
        concepts = F.normalize(self.text(self.texts), dim=1)
        return self.features(pictures) @ concepts.T * self.heat.exp()

    @torch.no_grad()
    def ranks(self, pictures: Pixels, expected: Sequence[int]) -> npt.NDArray[np.int64]:
        """How many concepts come before the expected one, picture by picture (0 is right).

        Args:
            pictures: shape (B, 64, 64, 3).
            expected: positions of the right concepts.
        """
        self.eval()
        found = []
        for start in range(0, len(pictures), _BATCH):
            scores = self(as_tensor(pictures[start : start + _BATCH]))
            right = torch.tensor(list(expected[start : start + _BATCH]))
            own = scores.gather(1, right[:, None])
            found.append((scores > own).sum(1).numpy())
        return np.concatenate(found).astype(np.int64)


def text_vectors(concepts: Sequence[Concept], text: TextEncoder) -> FloatMatrix:
    """Mean of the vectors of a concept's French and English label, shape (concepts, 384)."""
    rows = [
        np.mean(
            [text.encode(concept.names[language][0]).vector for language in LANGUAGES],
            axis=0,
            dtype=np.float32,
        )
        for concept in concepts
    ]
    return np.stack(rows)


def train_judge(
    pictures: Pictures,
    labels: Sequence[int],
    texts: FloatMatrix,
    recipe: JudgeRecipe,
    *,
    seed: int,
    report: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> Judge:
    """Train a judge.

    Args:
        pictures: gives pictures by number, shape (B, 64, 64, 3).
        labels: position of the concept of each number.
        texts: see `Judge`.
        recipe: sizes and passes.
        seed: of every choice.
        report: is told step, steps and loss.
    """
    torch.manual_seed(seed)
    source = torch.Generator().manual_seed(seed)
    model = Judge(recipe.width, texts)
    each = len(labels) // recipe.batch or 1
    steps = each * recipe.epochs
    optimizer = torch.optim.AdamW(model.parameters(), recipe.learning_rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps)
    mean = 0.0
    for step in range(steps):
        epoch, place = divmod(step, each)
        order = np.random.default_rng([seed, epoch]).permutation(len(labels))
        numbers = [int(number) for number in order[place * recipe.batch : (place + 1) * recipe.batch]]
        given = disturbed(as_tensor(pictures(numbers)), source)
        with torch.autocast("cpu", torch.bfloat16):
            scores = model(given)
        loss = F.cross_entropy(
            scores.float(), torch.tensor([labels[number] for number in numbers]), label_smoothing=0.05
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        mean += (float(loss.detach()) - mean) / min(step + 1, 100)
        if (step + 1) % 50 == 0 or step + 1 == steps:
            report(step + 1, steps, mean)
    model.eval()
    return model


def disturbed(pictures: Tensor, source: torch.Generator) -> Tensor:
    """Turned, sheared, scaled, blurred and recoloured a little: a judge must not cling to one set's manner."""
    count = len(pictures)

    def uniform(low: float, high: float, *more: int) -> Tensor:
        return torch.rand(count, *more, generator=source) * (high - low) + low

    angle, scale, stretch = uniform(-0.3, 0.3), uniform(0.8, 1.25), uniform(0.85, 1.18)
    rows = torch.stack(
        [
            torch.stack([angle.cos() * scale * stretch, -angle.sin() * scale, uniform(-0.12, 0.12)], 1),
            torch.stack([angle.sin() * scale, angle.cos() * scale, uniform(-0.12, 0.12)], 1),
        ],
        1,
    )
    grid = F.affine_grid(rows, list(pictures.shape), align_corners=False)
    moved = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    soft = F.avg_pool2d(F.pad(moved, (1, 1, 1, 1), mode="replicate"), 3, 1)
    moved = moved + uniform(0, 1, 1, 1, 1) * (soft - moved)
    mixing = torch.eye(3) + 0.25 * torch.randn(count, 3, 3, generator=source)
    mixed = torch.einsum("bij,bjhw->bihw", mixing, moved)
    return mixed + 0.05 * torch.randn(pictures.shape, generator=source)


def as_tensor(pictures: Pixels) -> Tensor:
    """Pixels (B, S, S, 3) as pictures (B, 3, S, S) from -1 to 1."""
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
