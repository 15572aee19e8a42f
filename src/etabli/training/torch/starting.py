"""Sets torch up for a job and trains it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from etabli.models.machine import read_machine
from etabli.training.base import EventLog, TrainingPlan
from etabli.training.torch.trainer import Trainer
from etabli.training.torch.world import join


def train(
    plan: TrainingPlan,
    folder: Path,
    events: EventLog,
    stopping: Callable[[], bool],
    *,
    shards: bool = False,
    device: Any = None,
) -> bool:
    """Train a job from where its folder stands; whether it is done.

    Args:
        plan: resolved.
        folder: of the job.
        events: where it tells what it does.
        stopping: asked after every step.
        shards: whether processes that train together share the base out among them.
        device: where this process computes; chosen by itself if None.

    Raises: as `Trainer.run`.
    """
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    torch.set_num_threads(plan.threads or max(1, read_machine(folder).cores // here))
    torch.use_deterministic_algorithms(True, warn_only=True)
    world = join(shards=shards, device=device)
    try:
        return Trainer(plan, folder, events, world, stopping).run()
    finally:
        world.leave()
