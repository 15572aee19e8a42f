"""Sets torch up for a job and trains it."""

from collections.abc import Callable
from pathlib import Path

import torch

from etabli.models.machine import read_machine
from etabli.training.base import EventLog, TrainingPlan
from etabli.training.torch.trainer import Trainer
from etabli.training.torch.world import join


def train(plan: TrainingPlan, folder: Path, events: EventLog, stopping: Callable[[], bool]) -> bool:
    """Train a job from where its folder stands; whether it is done.

    Args:
        plan: resolved.
        folder: of the job.
        events: where it tells what it does.
        stopping: asked after every step.

    Raises: as `Trainer.run`.
    """
    torch.set_num_threads(plan.threads or read_machine(folder).cores)
    torch.use_deterministic_algorithms(True, warn_only=True)
    world = join()
    try:
        return Trainer(plan, folder, events, world, stopping).run()
    finally:
        world.leave()
