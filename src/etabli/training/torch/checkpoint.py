"""Checkpoints: the adapter, the optimiser and the place in the work, whole or not there at all.

Written beside, flushed to the disk and renamed; the newest two are kept. A damaged one is passed over.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from etabli.processes import to_disk
from etabli.training.base import CHECKPOINTS

KEPT = 2
_TENSORS, _STATE = "state.safetensors", "state.json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands.

    Attributes:
        step: of the optimiser, done.
        seconds: spent on the steps so far.
        processor_seconds: of all threads, likewise.
        tokens: of the examples seen so far.
        trained_tokens: of them learned.
        plan_sha256: of the plan that this belongs to.
        torch_version: that made it: other versions may round otherwise.
    """

    step: int
    seconds: float
    processor_seconds: float
    tokens: int
    trained_tokens: int
    plan_sha256: str
    torch_version: str = torch.__version__


def save(folder: Path, place: Place, tensors: dict[str, Tensor]) -> Path:
    """Write a checkpoint and drop the oldest beyond `KEPT`.

    Args:
        folder: of the job.
        place: where it stands.
        tensors: by name.

    Raises:
        OSError: no room on the disk, or it may not be written.
    """
    root = folder / CHECKPOINTS
    root.mkdir(exist_ok=True)
    target = root / f"step-{place.step:06d}"
    beside = root / f".{target.name}.part"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, beside / _TENSORS)
    (beside / _STATE).write_text(json.dumps(asdict(place)), encoding="utf-8")
    for path in (beside / _TENSORS, beside / _STATE, beside):
        to_disk(path)
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)
    to_disk(root)
    for old in _all(root)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def load_newest(folder: Path, plan_sha256: str) -> tuple[Place, dict[str, Any]] | None:
    """The newest whole checkpoint of this plan, or None."""
    for path in reversed(_all(folder / CHECKPOINTS)):
        try:
            place = Place(**json.loads((path / _STATE).read_text(encoding="utf-8")))
            tensors = load_file(path / _TENSORS)
        except (OSError, ValueError, TypeError, SafetensorError):
            continue
        if place.plan_sha256 == plan_sha256:
            return place, tensors
    return None


def _all(root: Path) -> list[Path]:
    return sorted(root.glob("step-*")) if root.is_dir() else []
