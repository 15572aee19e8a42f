"""The gate on a real adapter: what the engine finds probable with its file, beside what the trainer finds.

    python benchmarks/equivalence.py PIAF.json [--model NAME] [--examples 16] [--json]

PIAF.json is `piaf-v1.1.json`. An adapter is trained for one epoch on rows of it, exported, loaded by the engine, and
compared as every adapter is before it can be approved. Beside it the base without the adapter, which must not pass:
a gate that everything passes shows nothing.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from training_rows import make_rows, write_rows

from etabli.engines.local import LocalEngine
from etabli.engines.sizing import EngineSize
from etabli.models.hashing import sha256_of
from etabli.models.machine import read_machine
from etabli.models.pull import ensure_model
from etabli.settings import load_settings
from etabli.training.base import ADAPTER_FILE, PLAN_FILE, Hyperparameters, TrainingPlan
from etabli.training.equivalence import LEAST_AGREEMENT, MOST_DIVERGENCE, Equivalence, compare

NAME = "ft:measured"


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Equivalence]:
    """Train, load and compare."""
    base = ensure_model(load_settings(), options.model)
    threads = read_machine(folder).cores
    plan = TrainingPlan(
        base=options.model,
        base_path=base,
        base_sha256=sha256_of(base),
        training_file=write_rows(folder / "rows.jsonl", make_rows(options.piaf, options.examples)),
        hyperparameters=Hyperparameters(epochs=1),
        threads=threads,
    )
    (folder / PLAN_FILE).write_text(plan.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "etabli.training.process", str(folder)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    size = EngineSize(
        threads=threads, context_tokens=2048, slots=1, cache_ram_mib=0, memory_bytes=0, explanation=""
    )
    adapter = folder / ADAPTER_FILE
    engine = LocalEngine(
        base, "base", size=size, run_dir=folder / "run", log_path=folder / "log", adapters={NAME: adapter}
    )
    engine.start()
    try:
        engine.wait_ready(300)
        return {
            "with the adapter": compare(plan, adapter, engine, model=NAME),
            "without it": compare(plan, adapter, engine, model="base"),
        }
    finally:
        engine.stop()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("piaf", type=Path)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--examples", type=int, default=16)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="etabli-") as name:
        found = measure(options, Path(name))
    if options.json:
        print(json.dumps({name: asdict(one) for name, one in found.items()}))
        return
    table = Table(
        "engine", f"mean KL (< {MOST_DIVERGENCE})", f"same first (> {LEAST_AGREEMENT})", "prompts", "passed"
    )
    for name, one in found.items():
        same = f"{one.prompts} of {one.prompts} alike" if one.same_prompts else "different"
        row = f"{one.mean_divergence:.5f}", f"{one.agreement:.3f} of {one.positions}", same, str(one.passed)
        table.add_row(name, *row)
    Console().print(table)


if __name__ == "__main__":
    main()
