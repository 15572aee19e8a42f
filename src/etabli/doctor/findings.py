"""What a check finds, and running checks so that none can stop the others. Knows nothing of what is checked."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from etabli.errors import EtabliError
from etabli.messages import tr
from etabli.settings import Settings

Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is as it should be, or is not.

    Attributes:
        check: short stable name for programs.
        level: `failure` when Établi cannot work like this, `warning` when something is missing or slower.
        sentence: what was found.
        remedy: what to do, or None when there is nothing to do.
    """

    check: str
    level: Level
    sentence: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined.

    Attributes:
        settings: in force; defaults where `settings_fault` is not None.
        settings_fault: why the settings cannot be used.
        is_workspace: whether the folder holds a workspace.
        deep: also do what takes long: read the model's every byte.
    """

    settings: Settings
    settings_fault: str | None
    is_workspace: bool
    deep: bool


Check = Callable[[Patient], Finding]
"""Gives a finding named after itself."""


def examine(
    patient: Patient, checks: Sequence[Check], *, told: Callable[[Finding, float], None] | None = None
) -> list[Finding]:
    """Run checks one after the other; one that breaks is a finding itself.

    Args:
        patient: what is examined.
        checks: the checks, in order.
        told: called with each finding and its seconds.
    """
    found = []
    for check in checks:
        began = time.monotonic()
        name = check.__name__
        try:
            finding = check(patient)
        except EtabliError as error:
            finding = Finding(name, "failure", str(error))
        except Exception as error:
            finding = Finding(
                name,
                "failure",
                tr("This could not be checked: {reason}", reason=f"{type(error).__name__}: {error}"),
            )
        found.append(finding)
        if told is not None:
            told(finding, time.monotonic() - began)
    return found
