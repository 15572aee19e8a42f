"""The processes that train together: one unless `torchrun` started several.

Each computes its share of every step; gradients and counts are summed in fp32, so that all hold the same adapter.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

T = TypeVar("T")


class World:
    """This process among the others. Made by `join`.

    Args:
        rank: its number from 0; 0 writes files and events.
        size: how many there are.
        device: where it computes.
    """

    def __init__(self, rank: int = 0, size: int = 1, device: Any = "cpu") -> None:
        self.rank, self.size = rank, size
        self.device = torch.device(device)

    @property
    def leads(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> list[T]:
        """What of a step is this process's to compute."""
        return list(items[self.rank :: self.size])

    def add(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def gather(self, values: Tensor) -> list[Tensor]:
        """The values of all processes in the order of their ranks; all of the same shape."""
        if self.size == 1:
            return [values]
        parts = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(parts, values)
        return parts

    def any(self, flag: bool) -> bool:
        """Whether it holds in any process."""
        if self.size == 1:
            return flag
        return bool(self.add(torch.tensor([float(flag)], device=self.device)).item())

    def leave(self) -> None:
        """Part from the others."""
        if self.size > 1:
            dist.destroy_process_group()


def join() -> World:
    """Find the others, where `torchrun` started several; on a graphics card where there is one."""
    cuda = torch.cuda.is_available()
    if not (dist.is_available() and dist.is_torchelastic_launched()):
        return World(device="cuda" if cuda else "cpu")
    dist.init_process_group("nccl" if cuda else "gloo")
    rank = dist.get_rank()
    device = f"cuda:{rank % torch.cuda.device_count()}" if cuda else "cpu"
    if cuda:
        torch.cuda.set_device(torch.device(device))
    return World(rank, dist.get_world_size(), device)
