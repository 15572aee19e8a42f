"""The upscaler in PyTorch: small convolutions that learn from vectors what lies between the pixels.

Sub-pixel convolution (Shi et al. 2016, arXiv 1609.05158), added to a plain enlargement. What it learns from are crops
of scenes rendered twice from one SVG, small and large; the small one is blurred and noised as the denoiser's are.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from etabli.engines.base import FloatMatrix
from etabli.images.generator.weights import UpscalerShape


class Upscaler(nn.Module):
    """See the module.

    Args:
        shape: sizes.
    """

    def __init__(self, shape: UpscalerShape) -> None:
        super().__init__()
        self.shape = shape
        width, large = shape.width, 3 * shape.factor**2
        self.first = nn.Conv2d(3, width, 5, padding=2, padding_mode="replicate")
        self.layers = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, padding_mode="replicate") for _ in range(2))
            for _ in range(shape.layers)
        )
        self.last = nn.Conv2d(width, large, 3, padding=1, padding_mode="replicate")
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, 3, S · factor, S · factor)."""
        states = F.relu(self.first(picture))
        for inner, outer in self.layers:
            states = states + outer(F.relu(inner(states)))
        detail = F.pixel_shuffle(self.last(states), self.shape.factor)
        plain = F.interpolate(
            picture, scale_factor=float(self.shape.factor), mode="bilinear", align_corners=False
        )
        return plain + detail

    def arrays(self) -> dict[str, FloatMatrix]:
        """For the weights file."""
        return {name: value.detach().float().numpy() for name, value in self.state_dict().items()}


def degraded(small: Tensor, source: torch.Generator) -> Tensor:
    """Small pictures as a denoiser leaves them: a little blurred, a little noisy."""
    soft = F.avg_pool2d(F.pad(small, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.rand(len(small), 1, 1, 1, generator=source) * 0.5
    strength = torch.rand(len(small), 1, 1, 1, generator=source) * 0.06
    return small + share * (soft - small) + strength * torch.randn(small.shape, generator=source)
