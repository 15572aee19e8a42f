"""How much energy an answer took, as honestly as this machine lets us say it.

Where the processor's own counter can be read (RAPL, `/sys/class/powercap`), it is the counter's difference: the whole
processor, other programs included. Elsewhere it is the processor time of this server and its engine times an assumed
power. Answers that are made at the same time share what is counted while they overlap, in equal parts.
Source of the counter: Linux, Documentation/power/powercap/powercap.rst.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from etabli.messages import tr

WATTS_PER_CORE = 6.0
"""Of a busy core with its share of memory and power supply: servers are near 4, desktop computers near 10."""
POWERCAP = Path("/sys/class/powercap")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an answer took.

    Args:
        joules: None where nothing is known.
        method: `measured` by the processor's counter, else `estimated`.
        explanation: for people, how the number came about.
    """

    joules: float | None
    method: Literal["measured", "estimated"]
    explanation: str


class EnergyMeter:
    """Shares what was used between the answers in progress. For one thread.

    Args:
        engine_pid: the process of the engine now; None where it is not of this machine.
        powercap: where the counters are.
    """

    def __init__(self, engine_pid: Callable[[], int | None], *, powercap: Path = POWERCAP) -> None:
        self._engine_pid = engine_pid
        self._counters = _readable_counters(powercap)
        self._shares: dict[int, float] = {}
        self._next = 0
        self._last: dict[int, float] = {}

    def begin(self) -> int:
        """An answer begins. Gives what `end` wants."""
        self._tick()
        self._next += 1
        self._shares[self._next] = 0.0
        return self._next

    def end(self, number: int) -> Estimate:
        """An answer ends; its share of what was used since it began."""
        self._tick()
        amount = self._shares.pop(number)
        if self._engine_pid() is None:
            return Estimate(
                None, "estimated", tr("The engine runs elsewhere: nothing is known of its energy.")
            )
        if self._counters:
            return Estimate(
                round(amount, 1),
                "measured",
                tr(
                    "Read from the processor's energy counter (RAPL): the whole processor while the answer was made, "
                    "shared with other answers of the same time. Memory, disks and power supply are not in it."
                ),
            )
        return Estimate(
            round(amount * WATTS_PER_CORE, 1),
            "estimated",
            tr(
                "{seconds} seconds of one processor core, at an assumed {watts} watts per busy core with its share "
                "of memory and power supply. This machine has no energy counter that Établi may read.",
                seconds=f"{amount:.1f}",
                watts=f"{WATTS_PER_CORE:g}",
            ),
        )

    def _tick(self) -> None:
        """Add what was used since the last call to all answers in progress."""
        used = self._used_by_counter() if self._counters else self._used_by_processes()
        for number in self._shares:
            self._shares[number] += used / len(self._shares)

    def _used_by_counter(self) -> float:
        used = 0.0
        for number, (path, most) in enumerate(self._counters):
            try:
                now = int(path.read_text()) / 1e6
            except (OSError, ValueError):
                continue
            before = self._last.get(number)
            if before is not None:
                used += now - before if now >= before else now - before + most
            self._last[number] = now
        return used

    def _used_by_processes(self) -> float:
        """Seconds of one core, of this process and the engine's."""
        now = {0: time.process_time()}
        pid = self._engine_pid()
        if pid is not None and (seconds := _processor_seconds(pid)) is not None:
            now[pid] = seconds
        used = sum(max(0.0, value - self._last[key]) for key, value in now.items() if key in self._last)
        self._last = now
        return used


def _readable_counters(powercap: Path) -> list[tuple[Path, float]]:
    """The counters of whole processors that this process may read, with the joules at which they start over."""
    found = []
    for folder in sorted(powercap.glob("intel-rapl:[0-9]*")) if powercap.is_dir() else ():
        if folder.name.count(":") != 1:
            continue
        try:
            int((folder / "energy_uj").read_text())
            most = int((folder / "max_energy_range_uj").read_text()) / 1e6
        except (OSError, ValueError):
            continue
        found.append((folder / "energy_uj", most))
    return found


def _processor_seconds(pid: int) -> float | None:
    """Processor time of a process so far; None where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
