"""What a launch says to the cluster: a file for `accelerate launch`, or a job for Ray Train, and the commands.

Both start the same processes (`etabli.training.launched`). Sources: accelerate's guide "Fully Sharded Data Parallel"
and its command's options; Ray's guide "Get Started with Distributed Training using PyTorch".
"""

import json
from pathlib import Path

from etabli.messages import tr
from etabli.models.sizes import format_bytes
from etabli.training.launch import LAUNCH_FILE, Launch, Launcher

README, ACCELERATE_FILE, RAY_FILE = "README.md", "accelerate.yaml", "ray_job.py"

_ACCELERATE = """\
# For `accelerate launch`. The base's blocks are shared out among the processes (FSDP2); what is trained, the adapter,
# is whole in each. README.md has the command.
compute_environment: LOCAL_MACHINE
distributed_type: FSDP
num_machines: {nodes}
num_processes: {together}  # on all machines together
machine_rank: 0  # of the others: --machine_rank 1, 2, …
rdzv_backend: static
same_network: true
main_training_function: main
use_cpu: false
mixed_precision: bf16  # products; the residual stream, attention and the adapter are fp32
fsdp_config:
  fsdp_version: 2
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_transformer_layer_cls_to_wrap: Block
  fsdp_reshard_after_forward: true
  fsdp_activation_checkpointing: {recomputes}
  fsdp_offload_params: false
  fsdp_cpu_ram_efficient_loading: false  # each process reads the base block by block and keeps its part
"""

_RAY = '''\
"""A training of Établi as a Ray Train job; README.md has the command. The same processes as with accelerate."""

import argparse
import os
from pathlib import Path

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else a cluster that this starts reports to Ray's makers

from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

FOLDER = Path(__file__).resolve().parent
PROCESSES = {together}


def one_process(config: dict[str, str]) -> None:
    """One of the processes that train together. Started again it goes on from the last checkpoint in job/."""
    from etabli.training.launched import train_here
    from ray.train.torch import get_device

    status = train_here(
        Path(config["folder"]), Path(config["base"]), shards=True, device=get_device(), stopping=lambda: False
    )
    if status != 0:
        raise RuntimeError("The training failed; job/events.jsonl says why.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", type=Path, required=True, help="the model's file, at one place on all machines")
    parser.add_argument("--processes", type=int, default=PROCESSES, help="that train together")
    parser.add_argument("--no-gpu", action="store_true", help="train on processors")
    given = parser.parse_args()
    TorchTrainer(
        one_process,
        train_loop_config={{"folder": str(FOLDER), "base": str(given.base.resolve())}},
        scaling_config=ScalingConfig(num_workers=given.processes, use_gpu=not given.no_gpu),
        run_config=RunConfig(
            name={name}, storage_path=str(FOLDER / "ray"), failure_config=FailureConfig(max_failures=3)
        ),
    ).fit()
'''


def write_files(folder: Path, launch: Launch, launcher: Launcher) -> None:
    """Write what a launcher reads, and the commands.

    Args:
        folder: of the launch.
        launch: what it says.
        launcher: that starts the processes.
    """
    if launcher == "accelerate":
        recomputes = bool(launch.recipe.hyperparameters.get("gradient_checkpointing"))
        text = _ACCELERATE.format(
            nodes=launch.nodes, together=launch.together, recomputes=str(recomputes).lower()
        )
        (folder / ACCELERATE_FILE).write_text(text, encoding="utf-8")
    else:
        name = json.dumps(f"etabli-{launch.digest[:12]}")
        text = _RAY.format(together=launch.together, name=name)
        (folder / RAY_FILE).write_text(text, encoding="utf-8")
    (folder / README).write_text(_readme(folder, launch, launcher), encoding="utf-8")


def _readme(folder: Path, launch: Launch, launcher: Launcher) -> str:
    packages = {"accelerate": "accelerate", "ray": "'ray[train]'"}[launcher]
    parts = [
        f"# {tr('Training of an adapter on {base}', base=launch.base)}",
        tr(
            "{nodes} machines with {processes} processes each train together; what they train is in {file}. This "
            "folder holds the whole data: treat it as you treat them.",
            nodes=launch.nodes,
            processes=launch.processes,
            file=f"`{LAUNCH_FILE}`",
        ),
        f"## 1. {tr('Prepare')}",
        tr(
            "Put this folder on a disk that all machines see at the same place, and install on each machine, beside "
            "the PyTorch that fits its graphics cards:"
        ),
        _code(f"pip install 'etabli[training]=={launch.etabli}' {packages}"),
        tr(
            "Copy the base to each machine: {size}, known by its hash. Every start compares it.",
            size=format_bytes(launch.base_bytes),
        ),
        _code(f"sha256sum /models/base.gguf   # {launch.base_sha256}"),
        f"## 2. {tr('Train')}",
        *(_with_accelerate(launch) if launcher == "accelerate" else _with_ray(launch)),
        tr(
            "What is trained so far is in {job}. After a stop or a crash the same command goes on from the last "
            "checkpoint, with another number of processes too, as long as they divide the batch size of {batch}.",
            job="`job/`",
            batch=launch.recipe.hyperparameters["batch_size"],
        ),
        f"## 3. {tr('Bring it back')}",
        tr(
            "The adapter is examined and approved where it will serve. Copy this folder back, without {checkpoints} "
            "if you like, and give it to the workspace:",
            checkpoints="`job/checkpoints/`",
        ),
        _code(f"etabli adapters import {folder.name}"),
    ]
    return "\n\n".join(parts) + "\n"


def _with_accelerate(launch: Launch) -> list[str]:
    command = f"accelerate launch --config_file {ACCELERATE_FILE}"
    ours = "-m etabli.training.launched . --base /models/base.gguf"
    torchrun = f"torchrun --nproc-per-node {launch.processes}"
    if launch.nodes == 1:
        lines = [f"{command} {ours}"]
    else:
        address = "--main_process_ip FIRST --main_process_port 29500"
        lines = [f"{command} --machine_rank {rank} {address} {ours}" for rank in range(min(launch.nodes, 2))]
        lines += ["…"] if launch.nodes > 2 else []
        torchrun += f" --nnodes {launch.nodes} --rdzv-backend c10d --rdzv-endpoint FIRST:29500"
    said = [tr("In this folder:")]
    if launch.nodes > 1:
        said = [
            tr(
                "In this folder, one command on each machine; {first} is the address of the first one:",
                first="`FIRST`",
            )
        ]
    return [
        *said,
        _code("\n".join(lines)),
        tr(
            "Every process keeps its part of the base and gets the others' block by block (FSDP2). Where each can "
            "hold the whole base, as on machines without graphics cards and with much memory, this exchanges less "
            "and comes to the same adapter:"
        ),
        _code(f"{torchrun} {ours}"),
    ]


def _with_ray(launch: Launch) -> list[str]:
    return [
        tr("In this folder, on the head node of a Ray cluster:"),
        _code(f"python {RAY_FILE} --base /models/base.gguf"),
        tr(
            "Ray places {together} processes, each with one graphics card; {flag} takes processors. Where a machine "
            "falls out, Ray starts them again, and they go on from the last checkpoint.",
            together=launch.together,
            flag="`--no-gpu`",
        ),
    ]


def _code(text: str) -> str:
    return f"```sh\n{text}\n```"
