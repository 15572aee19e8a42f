"""Training an adapter: tokens a second, memory and size, beside TRL's SFTTrainer with PEFT.

    python benchmarks/training.py PIAF.json [--model NAME] [--examples 32] [--threads N] [--ours]
                                  [--environment FOLDER] [--json]

PIAF.json is `piaf-v1.1.json`. Both train the same weights (the GGUF file; transformers reads it for the peer) on the
same tokens with the same mask, rank, batch and optimiser in bf16, as many threads as there are cores. A token counts
once for each example that it is in. Loading is not counted. On a busy machine compare
processor time a token, with --threads 1. Rows come twice: with the instructions
that all rows of an assistant share, and without. The peer runs three ways, without gradient checkpointing: whole
batches, a quarter at once, and with its packing (which, without an attention kernel for it, lets rows see each
other).

The peer lives in an environment of its own that sees this one's torch (about 200 MB more, once with --environment).
"""

import argparse
import json
import os
import site
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from training_rows import make_rows, write_rows

from etabli.models.hashing import sha256_of
from etabli.models.machine import read_machine
from etabli.models.pull import ensure_model
from etabli.settings import load_settings
from etabli.training.base import PLAN_FILE, RESULT_FILE, EventLog, Hyperparameters, TrainingPlan
from etabli.training.container import open_container
from etabli.training.examples import Example, read_examples
from etabli.training.template import ChatTemplate

PACKAGES = ("trl==1.16.0", "transformers==5.23.0", "peft==0.21.2", "accelerate==1.15.0", "datasets==5.2.0")
MEBIBYTE = 1024**2


@dataclass(frozen=True)
class Way:
    """How the peer is set: how many rows it computes at once, and whether they are packed."""

    name: str
    at_once: int
    packing: bool = False


WAYS = (Way("TRL, 8 at once", 8), Way("TRL, 2 at once", 2), Way("TRL, packed", 2, packing=True))


@dataclass(frozen=True)
class Line:
    """One run."""

    name: str
    rows: str
    tokens_per_second: float
    processor_ms_a_token: float
    peak_mib: float
    adapter_mib: float
    first_loss: float
    last_loss: float
    load: float


def ours(folder: Path, plan: TrainingPlan, examples: Sequence[Example], rows: str) -> Line:
    """A job of our process."""
    folder.mkdir(parents=True)
    (folder / PLAN_FILE).write_text(plan.model_dump_json(), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "etabli.training.process", str(folder)], check=True, stdin=subprocess.DEVNULL
    )
    found = [event.data for _, event in EventLog(folder).read() if event.kind == "metrics"]
    result = json.loads((folder / RESULT_FILE).read_text())
    return Line(
        name="Établi",
        rows=rows,
        tokens_per_second=result["tokens_per_second"],
        processor_ms_a_token=1000 * result["processor_seconds"] / result["tokens"],
        peak_mib=result["peak_memory_bytes"] / MEBIBYTE,
        adapter_mib=result["adapter_bytes"] / MEBIBYTE,
        first_loss=found[0]["train_loss"],
        last_loss=found[-1]["train_loss"],
        load=os.getloadavg()[0],
    )


def peer(
    python: Path, folder: Path, plan: TrainingPlan, examples: Sequence[Example], rows: str, *, way: Way
) -> Line:
    """The same in TRL."""
    folder.mkdir(parents=True)
    weights = folder / "base.gguf"
    weights.symlink_to(plan.base_path)
    h = plan.hyperparameters.model_dump()
    config = {
        "base": str(weights),
        "output": str(folder / "out"),
        "threads": plan.threads,
        "packing": way.packing,
        "at_once": way.at_once,
        "hyperparameters": {**h, "batch_size": way.at_once} if way.packing else h,
        "examples": [
            {
                "tokens": one.sequences[0].tokens.tolist(),
                "trained": one.sequences[0].trained.astype(int).tolist(),
            }
            for one in examples
        ],
    }
    (folder / "config.json").write_text(json.dumps(config))
    script = Path(__file__).with_name("training_peer.py")
    subprocess.run(
        [str(python), str(script), str(folder / "config.json"), str(folder / "result.json")], check=True
    )
    result = json.loads((folder / "result.json").read_text())
    tokens = sum(one.tokens for one in examples) * plan.hyperparameters.epochs
    return Line(
        name=way.name,
        rows=rows,
        tokens_per_second=tokens / result["seconds"],
        processor_ms_a_token=1000 * result["processor_seconds"] / tokens,
        peak_mib=result["peak_memory_bytes"] / MEBIBYTE,
        adapter_mib=result["adapter_bytes"] / MEBIBYTE,
        first_loss=result["losses"][0],
        last_loss=result["losses"][-1],
        load=os.getloadavg()[0],
    )


def make_environment(folder: Path, console: Console) -> Path:
    """The interpreter of an environment that holds the peer and sees our torch."""
    python = folder / "bin" / "python"
    if not python.exists():
        console.print(f"installing {' '.join(PACKAGES)}", style="dim")
        venv.create(folder, with_pip=True)
        packages = next(folder.glob("lib/python*/site-packages"))
        (packages / "torch_of_etabli.pth").write_text("\n".join(site.getsitepackages()) + "\n")
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def measure(options: argparse.Namespace, folder: Path, console: Console) -> list[Line]:
    """Both kinds of rows through both trainers."""
    settings = load_settings()
    base = ensure_model(settings, options.model)
    threads = options.threads or read_machine(folder).cores
    h = Hyperparameters(epochs=1, batch_size=options.batch, checkpoint_steps=1000, rehearsal=0)
    template = ChatTemplate(open_container(base))
    lines = []
    for name, instructions in (("with instructions", True), ("without", False)):
        file = write_rows(
            folder / f"{instructions}.jsonl",
            make_rows(options.piaf, options.examples, instructions=instructions),
        )
        plan = TrainingPlan(
            base=options.model, base_path=base, base_sha256=sha256_of(base), training_file=file, hyperparameters=h,
            threads=threads,
        )  # fmt: skip
        examples = read_examples(file, "supervised", template, max_tokens=h.max_tokens, seed=h.seed)
        lines.append(ours(folder / f"ours-{instructions}", plan, examples, name))
        console.print(f"{lines[-1]}", style="dim")
        for way in () if options.ours else WAYS:
            python = make_environment(options.environment or folder / "environment", console)
            lines.append(
                peer(
                    python,
                    folder / f"peer-{instructions}-{way.at_once}-{way.packing}",
                    plan,
                    examples,
                    name,
                    way=way,
                )
            )
            console.print(f"{lines[-1]}", style="dim")
    return lines


def show(lines: Sequence[Line], console: Console) -> None:
    table = Table(
        "", "rows", "tokens/s", "CPU ms/token", "peak MiB", "adapter MiB", "first loss", "last loss", "load"
    )
    for one in lines:
        speed, work = f"{one.tokens_per_second:.0f}", f"{one.processor_ms_a_token:.2f}"
        sizes = f"{one.peak_mib:.0f}", f"{one.adapter_mib:.1f}"
        losses = f"{one.first_loss:.3f}", f"{one.last_loss:.3f}"
        table.add_row(one.name, one.rows, speed, work, *sizes, *losses, f"{one.load:.1f}")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("piaf", type=Path)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--examples", type=int, default=32)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, help="all cores if not given")
    parser.add_argument("--environment", type=Path)
    parser.add_argument("--ours", action="store_true", help="without the peer")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    with tempfile.TemporaryDirectory(prefix="etabli-") as name:
        lines = measure(options, Path(name), console)
    if options.json:
        print(json.dumps([asdict(one) for one in lines], ensure_ascii=False))
    else:
        show(lines, console)


if __name__ == "__main__":
    main()
