"""How long from a clean clone to the first cited answer, and how long a second start takes.

    python benchmarks/first_answer.py [--model NAME] [--keep-models] [--json]

Clones the committed state of this repository into a temporary folder and runs `make start` there as a person would,
with an environment, a model store and a workspace of its own; nothing of this checkout is used or changed. The time
includes making the environment, downloading the packages and the model, reading the demo documents and answering.
pip may use its cache of downloads; `PIP_NO_CACHE_DIR=1` measures without.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ANSWERED = re.compile(r"(✓ (Answered and checked|Répondu et vérifié))")
READY = re.compile(r"✓ (Ready in|Prêt en)")
ENVIRONMENT = re.compile(r"^Établi \d")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", help="catalogue name; the default model if unset")
    parser.add_argument("--keep-models", action="store_true", help="use this user's model store: no download")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="etabli-first-answer-") as folder:
        figures = measure(Path(folder), model=options.model, keep_models=options.keep_models)
    if options.json:
        print(json.dumps(figures, ensure_ascii=False, indent=2))
        return
    print(f"\n{figures['machine']}, model {figures['model']}\n")
    for name in ("environment_s", "first_answer_s", "first_ready_s", "second_ready_s", "second_stopped_s"):
        print(f"{name.removesuffix('_s').replace('_', ' '):<18} {figures[name]:>8.1f} s")


def measure(folder: Path, *, model: str | None, keep_models: bool) -> dict[str, str | float]:
    """Both starts in a fresh clone under `folder`."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", f"file://{ROOT}", str(clone)], check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ETABLI_")}
    environment |= {"ETABLI_PORT": "0"}
    environment.pop("VIRTUAL_ENV", None)
    if model is not None:
        environment["ETABLI_MODEL"] = model
    if not keep_models:
        environment["ETABLI_MODELS_DIR"] = str(folder / "models")
    first = timed(["make", "start"], clone, environment)
    second = timed(["make", "start"], clone, environment)
    return {
        "machine": f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}",
        "model": model or "default",
        "environment_s": first["title"],
        "first_answer_s": first["answered"],
        "first_ready_s": first["ready"],
        "second_ready_s": second["ready"],
        "second_stopped_s": second["stopped"] - second["ready"],
    }


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> dict[str, float]:
    """Seconds after which the command printed its title, an answer and that it is ready, and ended after Ctrl-C."""
    began = time.monotonic()
    seen: dict[str, float] = {}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", file=sys.stderr)
        now = round(time.monotonic() - began, 1)
        for name, pattern in (("title", ENVIRONMENT), ("answered", ANSWERED), ("ready", READY)):
            if name not in seen and pattern.search(line):
                seen[name] = now
        if "Ctrl-C" in line:
            os.killpg(process.pid, 2)
    process.wait()
    if "ready" not in seen:
        sys.exit(f"{' '.join(command)} did not get ready (exit status {process.returncode})")
    return seen | {"stopped": round(time.monotonic() - began, 1)}


if __name__ == "__main__":
    main()
