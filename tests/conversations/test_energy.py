"""The energy of an answer: by the processor's counter, by processor time, shared by answers that overlap."""

import os
import time
from pathlib import Path

import pytest

from etabli.conversations.energy import WATTS_PER_CORE, EnergyMeter


def counter(powercap: Path, joules: float, *, name: str = "intel-rapl:0", most: float = 1000.0) -> None:
    folder = powercap / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "energy_uj").write_text(f"{int(joules * 1e6)}\n")
    (folder / "max_energy_range_uj").write_text(f"{int(most * 1e6)}\n")


def test_the_counter(tmp_path: Path) -> None:
    counter(tmp_path, 10)
    counter(tmp_path, 5, name="intel-rapl:1")
    counter(tmp_path, 99, name="intel-rapl:0:0")  # a part of the first
    meter = EnergyMeter(os.getpid, powercap=tmp_path)
    first = meter.begin()
    counter(tmp_path, 20)
    counter(tmp_path, 500, name="intel-rapl:0:0")
    second = meter.begin()  # 10 J so far, all of the first
    counter(tmp_path, 26)
    counter(tmp_path, 7, name="intel-rapl:1")
    estimate = meter.end(first)  # 8 J for two
    assert (estimate.joules, estimate.method) == (14.0, "measured")
    assert "RAPL" in estimate.explanation
    counter(tmp_path, 30)
    assert meter.end(second).joules == 8.0


def test_a_counter_that_starts_over(tmp_path: Path) -> None:
    counter(tmp_path, 990)
    meter = EnergyMeter(os.getpid, powercap=tmp_path)
    number = meter.begin()
    counter(tmp_path, 5)
    assert meter.end(number).joules == 15.0


def test_processor_time(tmp_path: Path) -> None:
    meter = EnergyMeter(os.getpid, powercap=tmp_path)
    number = meter.begin()
    began = time.process_time()
    while time.process_time() - began < 0.2:
        pass
    estimate = meter.end(number)
    assert estimate.method == "estimated" and estimate.joules is not None
    assert estimate.joules >= round(0.2 * WATTS_PER_CORE, 1)
    assert "6 watts" in estimate.explanation


@pytest.mark.parametrize("readable", [True, False])
def test_an_engine_elsewhere(tmp_path: Path, readable: bool) -> None:
    if readable:
        counter(tmp_path, 1)
    meter = EnergyMeter(lambda: None, powercap=tmp_path)
    estimate = meter.end(meter.begin())
    assert estimate.joules is None and "elsewhere" in estimate.explanation


def test_an_engine_that_was_started_again(tmp_path: Path) -> None:
    pids = iter([os.getpid(), 2**22 + 1, os.getpid(), os.getpid()])
    meter = EnergyMeter(lambda: next(pids), powercap=tmp_path)
    estimate = meter.end(meter.begin())
    assert estimate.joules is not None and estimate.joules >= 0
