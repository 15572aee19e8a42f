"""What a cluster runs in every process: `python -m etabli.training.launched FOLDER --base FILE`.

`accelerate launch -m` and `torchrun -m` start it so; Ray's workers call `train_here`. Given the same folder again, it
goes on from the last checkpoint, with other numbers of machines and processes too. SIGTERM ends it after the step
with a checkpoint and status 75.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from etabli.errors import ConfigurationError, EtabliError
from etabli.messages import tr
from etabli.training.base import EXIT_FAILED, Event, EventKind, EventLog
from etabli.training.launch import Launch, prepare, read_launch
from etabli.training.process import run


class _Aloud(EventLog):
    """Events that are also printed, for those who watch the launcher."""

    def append(self, kind: EventKind, message: str, *, step: int = 0, **data: Any) -> Event:
        """Write and print one event."""
        event = super().append(kind, message, step=step, **data)
        print(event.message, flush=True)
        return event


def train_here(
    folder: Path,
    base: Path,
    *,
    shards: bool | None = None,
    device: Any = None,
    stopping: Callable[[], bool] | None = None,
) -> int:
    """Be one of the processes that train together; gives the exit status of `etabli.training.base`.

    Args:
        folder: of the launch, on a disk that all machines see at the same place.
        base: the model's file on this machine.
        shards: whether the processes share the base out among them; as `accelerate launch` says if None.
        device: where this process computes; chosen by itself if None.
        stopping: asked after every step; whether a signal came if None, which only a main thread can know.

    Raises:
        ConfigurationError: folder, base or number of processes cannot be used.
    """
    launch = read_launch(folder)
    if shards is None:
        shards = accelerate_shares(launch, os.environ)
    job = prepare(
        folder,
        launch,
        base,
        processes=int(os.environ.get("WORLD_SIZE", 1)),
        reads_base=os.environ.get("LOCAL_RANK", "0") == "0",
    )
    return run(job, events=_Aloud(job), stopping=stopping, shards=shards, device=device)


def accelerate_shares(launch: Launch, environment: Mapping[str, str]) -> bool:
    """Whether `accelerate launch` has the base shared out; what its file asks for must be what is done.

    Args:
        launch: what is trained.
        environment: in which `accelerate launch` writes what its file says.

    Raises:
        ConfigurationError: it asks for something else.
    """
    if environment.get("ACCELERATE_USE_FSDP", "false").lower() != "true":
        return False
    recomputes = bool(launch.recipe.hyperparameters.get("gradient_checkpointing"))
    wanted = {
        "FSDP_VERSION": "2",
        "FSDP_RESHARD_AFTER_FORWARD": "true",
        "FSDP_OFFLOAD_PARAMS": "false",
        "FSDP_TRANSFORMER_CLS_TO_WRAP": "Block",
        "FSDP_ACTIVATION_CHECKPOINTING": str(recomputes).lower(),
        "ACCELERATE_MIXED_PRECISION": "bf16",
    }
    for name, value in wanted.items():
        found = environment.get(name, value)
        if found.lower() != value.lower():
            raise ConfigurationError(
                tr("The file for accelerate says {name} = {found}; this training runs with {value}. Change it there, "
                   "or write the launch anew.", name=name.lower(), found=found, value=value)
            )  # fmt: skip
    return True


def main() -> int:
    """Entry of each process."""
    parser = argparse.ArgumentParser(prog="python -m etabli.training.launched")
    parser.add_argument("folder", type=Path, help="of the launch, on a disk that all machines see")
    parser.add_argument("--base", type=Path, required=True, help="the model's file on this machine")
    given = parser.parse_args()
    try:
        return train_here(given.folder, given.base)
    except EtabliError as error:
        print(error, file=sys.stderr, flush=True)
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
