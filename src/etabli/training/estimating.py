"""The estimate of a job, made in a process of its own: `python -m etabli.training.estimating`.

The tokenizer and, where a few real steps are timed, the model need memory that a server must get back. The child
reads one JSON object on stdin and writes one to stdout.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from etabli.errors import EtabliError, InvalidInputError
from etabli.messages import language, set_language, tr
from etabli.training.base import TrainingPlan

JSON = dict[str, Any]
COMMAND = (sys.executable, "-m", "etabli.training.estimating")
_LONGEST_S = 1_800.0
_children: set[subprocess.Popen[bytes]] = set()


def estimate_apart(plan: TrainingPlan, *, calibrate: bool) -> JSON:
    """What a job of this plan would take, as `etabli.training.preflight.Preflight` names it. Blocks for minutes.

    Args:
        plan: resolved.
        calibrate: whether a few real steps are timed.

    Raises:
        InvalidInputError: it cannot be estimated, or `stop_estimates` was called; the message says why.
    """
    question = {"plan": plan.model_dump(mode="json"), "calibrate": calibrate, "language": language()}
    child = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _children.add(child)
    try:
        told, complained = child.communicate(json.dumps(question).encode(), timeout=_LONGEST_S)
        answer = json.loads(told)
    except subprocess.TimeoutExpired:
        raise InvalidInputError(
            tr("The estimate took longer than {minutes} minutes and was given up.", minutes=30)
        ) from None
    except ValueError:
        last = complained.decode("utf-8", "replace").strip().splitlines()[-1:] or [str(child.returncode)]
        raise InvalidInputError(tr("The job could not be estimated: {reason}", reason=last[0])) from None
    finally:
        _children.discard(child)
        child.kill()
        child.wait()
    if "error" in answer:
        raise InvalidInputError(str(answer["error"]))
    estimate: JSON = answer["estimate"]
    return estimate


def stop_estimates() -> None:
    """End what is being estimated in this process: the server stops, or nobody waits for it any more."""
    for child in tuple(_children):
        child.kill()


def main() -> None:
    """Answer one question."""
    question = json.loads(sys.stdin.buffer.read())
    set_language(question["language"])
    try:
        from etabli.training.preflight import estimate

        plan = TrainingPlan.model_validate(question["plan"])
        answer: JSON = {"estimate": asdict(estimate(plan, calibrate=bool(question["calibrate"])))}
    except (EtabliError, ValidationError, OSError) as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
