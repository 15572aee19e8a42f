"""Adapters as GGUF files: written in the layout that the engine reads, and read as the untrusted files that they are.

    general.type = adapter, general.architecture, adapter.type = lora, adapter.lora.alpha
    <tensor of the base>.lora_a  (rank, in)  f16          <tensor of the base>.lora_b  (out, rank)  f16
    etabli.base.name, etabli.base.sha256                  which file it was trained on, and the only one it is for

The engine applies alpha / rank, so alpha is stored as it is. The decoder that trains works in the file's own layout:
nothing is permuted here, for any family. Source: llama.cpp, `src/llama-adapter.cpp`. Reading needs no torch.
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.models.hashing import sha256_of
from etabli.training.architecture import Architecture, read_architecture
from etabli.training.base import TrainingPlan
from etabli.training.container import F16, F32, Container, open_container

_BASE_NAME, _BASE_SHA256 = "etabli.base.name", "etabli.base.sha256"
_MOST_BYTES = 4 * 1024**3
_LARGEST_RANK = 256


class TrainedAdapter(Protocol):
    """What is written: see `etabli.training.torch.lora.Adapter`."""

    alpha: float

    def tensors(self) -> dict[str, tuple[Any, Any]]:
        """A and B of each layer by its tensor's name."""
        ...


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """What an adapter's file holds.

    Attributes:
        path: of the file.
        architecture: of the base.
        base: name of the base; may be empty.
        base_sha256: of the base's file.
        rank: of its matrices.
        alpha: it acts with alpha / rank.
        shapes: (out, in) of each layer that it changes, by the tensor's name.
        container: the open file.
    """

    path: Path
    architecture: str
    base: str
    base_sha256: str
    rank: int
    alpha: float
    shapes: dict[str, tuple[int, int]]
    container: Container

    def factors(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A (rank, in) and B (out, rank) of a layer."""
        return _numbers(self.container, f"{name}.lora_a"), _numbers(self.container, f"{name}.lora_b")


def write_adapter(path: Path, adapter: TrainedAdapter, plan: TrainingPlan) -> tuple[str, int]:
    """Write an adapter, whole or not at all.

    Args:
        path: where to.
        adapter: the trained one.
        plan: of its job: names the base.

    Returns:
        its SHA-256 and its size in bytes.

    Raises:
        InvalidInputError: its numbers are not finite in 16 bits: the training has run away.
    """
    from gguf import GGUFWriter

    beside = path.with_name(f".{path.name}.part")
    writer = GGUFWriter(str(beside), open_container(plan.base_path).architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", adapter.alpha)
    writer.add_string(_BASE_NAME, plan.base)
    writer.add_string(_BASE_SHA256, plan.base_sha256)
    for name, pair in adapter.tensors().items():
        for part, tensor in zip(("lora_a", "lora_b"), pair, strict=True):
            with np.errstate(over="ignore"):
                numbers = tensor.detach().cpu().numpy().astype(np.float16)
            if not np.isfinite(numbers).all():
                raise InvalidInputError(
                    tr("The training ran away: the adapter's numbers are not finite. Lower learning_rate.")
                )
            writer.add_tensor(f"{name}.{part}", numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(beside, path)
    return sha256_of(path), path.stat().st_size


def read_adapter(path: Path, *, name: str | None = None) -> AdapterFile:
    """Read an adapter's file and check all that can be checked without its base.

    Args:
        path: of the file.
        name: as people call it; the file's if None.

    Raises:
        InvalidInputError: it is no adapter, damaged, or of a kind that is not served: anything but plain low-rank
            pairs on the blocks' linear layers.
    """
    container = open_container(path, name=name)
    data = container.metadata
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("it is larger than 4 GiB")
        if data.get("general.type") != "adapter" or data.get("adapter.type") != "lora":
            raise ValueError("it is no low-rank adapter")
        alpha = float(data["adapter.lora.alpha"])
        if not (math.isfinite(alpha) and alpha > 0):
            raise ValueError(f"alpha is {alpha}")
        base_sha256 = data.get(_BASE_SHA256)
        if not isinstance(base_sha256, str) or len(base_sha256) != 64:
            raise ValueError("it does not say which base it was trained on")
        rank, shapes = _pairs(container)
        for name in shapes:
            for part in ("lora_a", "lora_b"):
                if not np.isfinite(_numbers(container, f"{name}.{part}")).all():
                    raise ValueError(f"{name}.{part} holds numbers that are not finite")
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise InvalidInputError(
            tr(
                "{path} is no adapter that can be used: {reason}. Train it anew.",
                path=container.name,
                reason=reason,
            )
        ) from None
    return AdapterFile(
        path=path,
        architecture=container.architecture,
        base=str(data.get(_BASE_NAME) or ""),
        base_sha256=base_sha256,
        rank=rank,
        alpha=alpha,
        shapes=shapes,
        container=container,
    )


def check_adapter(
    path: Path, base: Path, base_sha256: str, *, name: str | None = None, base_name: str | None = None
) -> AdapterFile:
    """Read an adapter and make sure that it is for this base.

    Args:
        path: of the adapter.
        base: the base's file.
        base_sha256: of that file.
        name: of the adapter, as people call it; its file's if None.
        base_name: likewise of the base.

    Raises:
        InvalidInputError: as `read_adapter`, or it was trained on another base, or its shapes are not the base's.
    """
    found = read_adapter(path, name=name)
    called = base_name or base.name
    if found.base_sha256 != base_sha256:
        raise InvalidInputError(
            tr("{path} was trained on {other}, another base than {base}. Train it anew on this one.",
               path=found.container.name, other=found.base or found.base_sha256[:12], base=called)
        )  # fmt: skip
    _check_shapes(found, read_architecture(open_container(base, name=called)), called)
    return found


def _check_shapes(found: AdapterFile, architecture: Architecture, base: str) -> None:
    wrong = [name for name, shape in found.shapes.items() if architecture.shapes.get(name) != shape]
    if found.architecture != architecture.name or wrong:
        raise InvalidInputError(
            tr("{path} does not fit {base}: {what}. Train it anew on this base.",
               path=found.container.name, base=base, what=wrong[0] if wrong else found.architecture)
        )  # fmt: skip


def _pairs(container: Container) -> tuple[int, dict[str, tuple[int, int]]]:
    """The rank, and (out, in) of each layer."""
    ranks: set[int] = set()
    shapes: dict[str, tuple[int, int]] = {}
    for tensor, entry in container.tensors.items():
        name, _, part = tensor.rpartition(".")
        if part not in ("lora_a", "lora_b") or not name.startswith("blk.") or not name.endswith(".weight"):
            raise ValueError(f"{tensor} is no part of a low-rank adapter of the linear layers")
        if entry.kind not in (F16, F32) or len(entry.shape) != 2:
            raise ValueError(f"{tensor} is stored in a form that is not read")
        if part == "lora_b":
            continue
        other = container.tensors.get(f"{name}.lora_b")
        if other is None or len(other.shape) != 2 or other.shape[1] != entry.shape[0]:
            raise ValueError(f"{name} has no matching pair")
        ranks.add(entry.shape[0])
        shapes[name] = (other.shape[0], entry.shape[1])
    if len(ranks) != 1 or 2 * len(shapes) != len(container.tensors) or max(ranks) > _LARGEST_RANK:
        raise ValueError("its pairs are not of one rank")
    return ranks.pop(), shapes


def _numbers(container: Container, name: str) -> NDArray[np.float32]:
    raw = np.ascontiguousarray(container.raw(name))
    if container.tensors[name].kind == F16:
        return raw.view(np.float16).astype(np.float32)
    return raw.view(np.float32)
