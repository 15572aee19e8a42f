"""Launches for tests: written as the command writes them, started as their README says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from etabli.training.base import TrainingPlan
from etabli.training.launch import Launch, Launcher, launch_of, write_launch
from etabli.training.launch_files import README, write_files
from etabli.training.recipe import Recipe

# Programs of the README as modules of this Python.
PROGRAMS = {"accelerate": "accelerate.commands.accelerate_cli", "torchrun": "torch.distributed.run"}


def write(
    folder: Path, plan: TrainingPlan, launcher: Launcher = "accelerate", *, nodes: int = 1, processes: int = 2
) -> Launch:
    """The launch of a plan in a new folder."""
    recipe = Recipe(data=plan.training_file, suffix="forms")
    launch = launch_of(plan, recipe, digest="0" * 64, nodes=nodes, processes=processes)
    write_launch(folder, launch, plan)
    write_files(folder, launch, launcher)
    return launch


def commands(folder: Path) -> list[list[str]]:
    """Every command of the README, in words."""
    blocks = re.findall(r"```sh\n(.*?)```", (folder / README).read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]


def start(folder: Path, base: Path, program: str = "accelerate") -> "subprocess.Popen[str]":
    """Start the first command of a program, with a base of this machine."""
    words = next(words for words in commands(folder) if words[0] == program)
    words = [str(base) if word == "/models/base.gguf" else word for word in words[1:]]
    begin = ["-m", PROGRAMS[program]] if program in PROGRAMS else []
    return _started([*begin, *words], folder)


def alone(folder: Path, base: Path) -> "subprocess.Popen[str]":
    """Start what a launcher would start, once and without one."""
    return _started(["-m", "etabli.training.launched", ".", "--base", str(base)], folder)


def _started(words: list[str], folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *words], cwd=folder, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Its status and its words, once it has ended; where it does not, it ends what it started."""
    try:
        said, _ = process.communicate(timeout=500)
    except subprocess.TimeoutExpired:
        process.terminate()
        said, _ = process.communicate(timeout=100)
    return process.returncode, said
