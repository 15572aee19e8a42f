"""The processes that train together: one unless `torchrun`, `accelerate launch` or Ray started several.

Each computes its share of every step; gradients and counts are summed in fp32, so that all hold the same adapter.
The base is whole in each process, or shared out among them (FSDP2, Zhao et al., 2023, arXiv:2304.11277): then a
process keeps its part of every block and gets the others' while it computes that block. All processes must then
compute equally many packs, because each has to give its part to the others; `most` tells how many.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

T = TypeVar("T")


class World:
    """This process among the others. Made by `join`.

    Args:
        rank: its number from 0; 0 writes files and events.
        size: how many there are.
        device: where it computes.
        shards: whether the base's blocks are shared out.
        joined: whether it has to part from the others at the end, because `join` brought it to them.
    """

    def __init__(
        self, rank: int = 0, size: int = 1, device: Any = "cpu", *, shards: bool = False, joined: bool = False
    ) -> None:
        self.rank, self.size = rank, size
        self.device = torch.device(device)
        self.shards = shards and size > 1
        self._joined = joined
        self._mesh: Any = None

    @property
    def parts(self) -> int:
        """Into how many parts the base is shared out; 1 where it is whole."""
        return self.size if self.shards else 1

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

    def same(self, value: int) -> bool:
        """Whether all processes have the same number."""
        found = self.gather(torch.tensor([value], device=self.device))
        return all(int(one) == value for one in found)

    def most(self, count: int) -> int:
        """The largest count of any process, where all must compute equally often; else this one's own."""
        if not self.shards:
            return count
        found = torch.tensor([count], device=self.device)
        dist.all_reduce(found, op=dist.ReduceOp.MAX)
        return int(found)

    def free_memory(self) -> int | None:
        """Bytes that this process may take: what its graphics card has free; None where it has none."""
        return int(torch.cuda.mem_get_info(self.device)[0]) if self.device.type == "cuda" else None

    def share_out(self, module: nn.Module, *, but: Iterable[nn.Parameter] = ()) -> None:
        """Keep this process's part of a frozen module only. Inner modules come before the one that they are in.

        Args:
            module: what is computed as one.
            but: parameters that stay whole.
        """
        if not self.shards:
            return
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        if self._mesh is None:
            self._mesh = init_device_mesh(self.device.type, (self.size,))
        fully_shard(module, mesh=self._mesh, ignored_params=set(but))

    def leave(self) -> None:
        """Part from the others."""
        if self._joined:
            dist.destroy_process_group()


def join(*, shards: bool = False, device: Any = None) -> World:
    """Find the others, where several were started; on a graphics card where there is one.

    Args:
        shards: whether the base is shared out among them.
        device: where this process computes; by its number on its machine if None.
    """
    cuda = torch.cuda.is_available()
    known = dist.is_available() and dist.is_initialized()
    if not known and not (dist.is_available() and dist.is_torchelastic_launched()):
        return World(device=device or ("cuda" if cuda else "cpu"))
    if device is None:
        device = f"cuda:{int(os.environ.get('LOCAL_RANK', 0)) % torch.cuda.device_count()}" if cuda else "cpu"
    if torch.device(device).type == "cuda":
        torch.cuda.set_device(torch.device(device))
    if not known:
        dist.init_process_group("nccl" if cuda else "gloo")
    return World(dist.get_rank(), dist.get_world_size(), device, shards=shards, joined=not known)
