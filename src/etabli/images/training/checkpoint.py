"""A run's state on disk: tensors that are data and no code, the newest two kept, whole or not there at all."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

KEPT = 2
_TENSORS, _STATE = "state.safetensors", "state.json"


def save(folder: Path, step: int, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Write a checkpoint and drop the oldest beyond `KEPT`."""
    folder.mkdir(parents=True, exist_ok=True)
    target, beside = folder / f"step-{step:08d}", folder / f".step-{step:08d}.part"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    save_file(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, beside / _TENSORS
    )
    (beside / _STATE).write_text(json.dumps({"step": step, **state}), encoding="utf-8")
    for name in (_TENSORS, _STATE):
        with (beside / name).open("rb") as file:
            os.fsync(file.fileno())
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)
    for old in sorted(folder.glob("step-*"))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def load_newest(folder: Path, digest: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The newest whole checkpoint of the recipe with this digest, or None."""
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            state = json.loads((path / _STATE).read_text(encoding="utf-8"))
            if state["recipe"] == digest:
                return load_file(path / _TENSORS), state
        except (OSError, ValueError, KeyError, SafetensorError):
            continue
    return None


def optimizer_tensors(optimizer: torch.optim.Optimizer, prefix: str) -> dict[str, Tensor]:
    """An optimiser's state as flat tensors."""
    found = {}
    for number, values in optimizer.state_dict()["state"].items():
        for name, value in values.items():
            found[f"{prefix}.{number}.{name}"] = torch.as_tensor(value)
    return found


def load_optimizer(optimizer: torch.optim.Optimizer, prefix: str, tensors: dict[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` gave; rates stay those of the new optimiser."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(prefix + "."):
            number, key = name.removeprefix(prefix + ".").split(".", 1)
            state.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
