"""A trainer without a model, for tests of this product and of what others build on it: `python -m … FOLDER`.

It keeps the contract of `etabli.training.base`: plan in, events out, checkpoints, resumption, exit codes. What it
does is in `script.json` beside the plan, if that is there:

    steps           steps of the job (default 6)
    step_s          seconds a step takes (default 0.01)
    crash_at        the process kills itself after this step, as often as `crashes` says (default 1)
    fail_at         it fails at this step with the code `data_error`
    checkpoint      steps between checkpoints (default 2)

The adapter it writes is a few bytes that say which base they are for; equal plans give equal bytes, also after a
crash.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from etabli.processes import exit_at_eof
from etabli.training.base import (
    ADAPTER_FILE,
    CHECKPOINTS,
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_PAUSED,
    PLAN_FILE,
    RESULT_FILE,
    EventLog,
    TrainingPlan,
)

SCRIPT_FILE = "script.json"
TOKENS_A_STEP = 100


class FakeTrainer:
    """One run of the scripted trainer.

    Args:
        folder: of the job.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plan = TrainingPlan.model_validate_json((folder / PLAN_FILE).read_bytes())
        script: dict[str, Any] = {}
        with contextlib.suppress(FileNotFoundError):
            script = json.loads((folder / SCRIPT_FILE).read_bytes())
        self._steps = int(script.get("steps", 6))
        self._step_s = float(script.get("step_s", 0.01))
        self._crash_at = script.get("crash_at")
        self._crashes = int(script.get("crashes", 1))
        self._fail_at = script.get("fail_at")
        self._every = int(script.get("checkpoint", 2))
        self._events = EventLog(folder)
        self._stop = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Handler of SIGTERM."""
        self._stop = True

    def run(self) -> int:
        """Train; gives the exit status."""
        step = self._last_checkpoint()
        if step == 0:
            self._events.append(
                "preflight",
                f"About {self._steps} steps.",
                tokens=TOKENS_A_STEP * self._steps,
                trained_share=0.5,
                steps=self._steps,
                seconds=self._steps * self._step_s,
                memory_bytes=1 << 20,
                watt_hours=0.001,
            )
        else:
            self._events.append("message", f"Going on from step {step}.", step=step)
        while step < self._steps:
            step += 1
            time.sleep(self._step_s)
            self._measure(step)
            if step == self._fail_at:
                self._events.append("failed", "The scripted failure.", step=step, code="data_error")
                return EXIT_FAILED
            if step % self._every == 0:
                self._checkpoint(step)
            self._crash(step)
            if self._stop and step < self._steps:
                self._checkpoint(step)
                return EXIT_PAUSED
        return self._finish(step)

    def _measure(self, step: int) -> None:
        self._events.append(
            "metrics",
            f"Step {step}/{self._steps}: training loss {1 / step:.3f}",
            step=step,
            train_loss=1 / step,
            train_mean_token_accuracy=1 - 0.5 / step,
            learning_rate=self._plan.hyperparameters.learning_rate,
            tokens_per_second=TOKENS_A_STEP / max(self._step_s, 1e-3),
            trained_tokens=TOKENS_A_STEP * step,
            total_steps=self._steps,
            remaining_s=(self._steps - step) * self._step_s,
        )

    def _crash(self, step: int) -> None:
        marks = self._folder / "crashes"
        before = marks.stat().st_size if marks.exists() else 0
        if step == self._crash_at and before < self._crashes:
            with marks.open("ab") as file:
                file.write(b".")
            print("scripted crash", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    def _checkpoint(self, step: int) -> None:
        place = self._folder / CHECKPOINTS / f"step-{step:06d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / "state.json").write_text(json.dumps({"step": step}), encoding="utf-8")
        for old in sorted(place.parent.iterdir())[:-2]:
            shutil.rmtree(old)
        self._events.append("checkpoint", f"Checkpoint at step {step}.", step=step, path=str(place))

    def _last_checkpoint(self) -> int:
        places = sorted((self._folder / CHECKPOINTS).glob("step-*/state.json"))
        return int(json.loads(places[-1].read_bytes())["step"]) if places else 0

    def _finish(self, step: int) -> int:
        seed = self._plan.hyperparameters.seed
        data = hashlib.sha256(self._plan.training_file.read_bytes()).hexdigest()
        content = f"GGUF fake adapter for {self._plan.base_sha256}, seed {seed}, data {data}\n"
        temporary = self._folder / f".{ADAPTER_FILE}"
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(self._folder / ADAPTER_FILE)
        figures = {"steps": step, "trained_tokens": TOKENS_A_STEP * step, "train_loss": 1 / step}
        (self._folder / RESULT_FILE).write_text(json.dumps(figures), encoding="utf-8")
        self._events.append("finished", "The training is finished.", step=step, **figures)
        return EXIT_DONE


def main() -> None:
    """Train in the folder that is named."""
    trainer = FakeTrainer(Path(sys.argv[1]))
    signal.signal(signal.SIGTERM, trainer.stop)
    exit_at_eof(sys.stdin.buffer)
    sys.exit(trainer.run())


if __name__ == "__main__":
    main()
