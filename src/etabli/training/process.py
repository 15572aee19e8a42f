"""The process that trains: `python -m etabli.training.process FOLDER`, with the plan in the folder.

It goes on from the newest checkpoint by itself, writes one and ends with 75 at SIGTERM, and ends at once when its
parent does. Under `torchrun` several train together. What it says and leaves behind: `etabli.training.base`.
"""

import os
import signal
import stat
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from etabli.errors import EtabliError
from etabli.messages import message_of, tr
from etabli.processes import exit_at_eof
from etabli.training.base import (
    ADAPTER_FILE,
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_PAUSED,
    PLAN_FILE,
    RESULT_FILE,
    EventLog,
    TrainingPlan,
)
from etabli.training.extra import need
from etabli.training.schedule import plan_sha256


class Signals:
    """Remembers that somebody wants this process to stop."""

    def __init__(self) -> None:
        self._came = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)

    def came(self) -> bool:
        """Whether one has come."""
        return self._came

    def _stop(self, _number: int, _frame: object) -> None:
        self._came = True


def run(
    folder: Path,
    *,
    events: EventLog | None = None,
    stopping: Callable[[], bool] | None = None,
    shards: bool = False,
    device: Any = None,
) -> int:
    """Train in `folder` and give the exit status.

    Args:
        folder: of the job.
        events: where it tells what it does; the folder's own if None.
        stopping: asked after every step; whether a signal came if None.
        shards: whether processes that train together share the base out among them.
        device: where this process computes; chosen by itself if None.
    """
    events = events or EventLog(folder)
    stopping = stopping or Signals().came
    try:
        plan = TrainingPlan.model_validate_json((folder / PLAN_FILE).read_bytes())
        if _is_done(folder, plan):
            return EXIT_DONE
        need()
        from etabli.training.torch.starting import train

        done = train(plan, folder, events, stopping, shards=shards, device=device)
        return EXIT_DONE if done else EXIT_PAUSED
    except EtabliError as error:
        events.append("failed", message_of(error), code=error.code)
    except (OSError, ValidationError) as error:
        events.append("failed", tr("The training cannot go on: {reason}.", reason=error), code="unusable_job")
    except MemoryError:
        events.append(
            "failed", tr("The memory is full. Lower max_tokens or set gradient_checkpointing."), code="memory"
        )
    except Exception as error:
        traceback.print_exc()
        events.append("failed", tr("The training failed: {reason}.", reason=error), code="internal_error")
    return EXIT_FAILED


def _is_done(folder: Path, plan: TrainingPlan) -> bool:
    result = folder / RESULT_FILE
    if not (result.exists() and (folder / ADAPTER_FILE).exists()):
        return False
    return f'"{plan_sha256(plan)}"' in result.read_text(encoding="utf-8")


def _has_parent() -> bool:
    """Whether stdin is a pipe that a parent holds; a terminal or /dev/null says nothing of a parent."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def main() -> int:
    """Entry of the process."""
    if len(sys.argv) != 2:
        print("python -m etabli.training.process FOLDER", file=sys.stderr)
        return 2
    if sys.stdin is not None and _has_parent():
        exit_at_eof(sys.stdin.buffer)
    return run(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
