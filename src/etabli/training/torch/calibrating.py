"""The calibration of a job that has not begun: loads the base, times a few packs, and lets all of it go."""

from collections.abc import Sequence

import torch

from etabli.training.base import TrainingPlan
from etabli.training.container import Container
from etabli.training.examples import Example
from etabli.training.schedule import pack_budget
from etabli.training.torch.calibration import seconds_per_token
from etabli.training.torch.decoder import Decoder
from etabli.training.torch.lora import Adapter
from etabli.training.torch.objective import Objective
from etabli.training.torch.world import World


def measure(plan: TrainingPlan, container: Container, examples: Sequence[Example]) -> tuple[float, int]:
    """Seconds for a packed token, and the threads that were used.

    Args:
        plan: of the job.
        container: of its base.
        examples: of its training.
    """
    if plan.threads is not None:
        torch.set_num_threads(plan.threads)
    h = plan.hyperparameters
    world = World(device="cuda" if torch.cuda.is_available() else "cpu")
    decoder = Decoder(container, device=world.device)
    decoder.gradient_checkpointing = h.gradient_checkpointing
    shapes = decoder.architecture.shapes
    adapter = Adapter(shapes, rank=h.rank, alpha=h.alpha, seed=h.seed, device=world.device)
    budget = pack_budget(decoder.architecture, h)
    objective = Objective(decoder, adapter, plan.method, h, budget=budget, world=world)
    return seconds_per_token(objective, examples, h), torch.get_num_threads()
