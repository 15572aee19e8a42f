"""Sizes for machines from a container of 1 GiB to a server, by exact arithmetic."""

from pathlib import Path

import pytest

from etabli.engines.llama_gguf import GGUFHeader
from etabli.engines.sizing import count_physical_cores, derive_slots, derive_threads, size_engine
from etabli.errors import ConfigurationError
from etabli.models.machine import Machine

GIB = 1024**3


def machine(cores: int, available: float) -> Machine:
    memory = int(available * GIB)
    return Machine(
        architecture="x86_64",
        cores=cores,
        cpu_flags=frozenset({"avx2"}),
        memory_total=memory,
        memory_available=memory,
        memory_limited=False,
        disk_free=GIB,
    )


def model(*, gib: float = 1.1, native: int = 32768, kv: int = 28672) -> GGUFHeader:
    return GGUFHeader("qwen2", "m", int(gib * GIB), 28, native, 1536, kv, True)


def test_a_laptop_gets_the_whole_wish() -> None:
    size = size_engine(machine(2, 22), model())
    assert (size.threads, size.context_tokens, size.slots, size.cache_ram_mib) == (2, 16384, 4, 2048)
    assert "2 threads" in size.explanation and "16384" in size.explanation


def test_slots_shrink_before_the_context() -> None:
    size = size_engine(machine(2, 5), model())
    assert (size.context_tokens, size.slots) == (16384, 3)
    tight = size_engine(machine(2, 4), model())
    assert (tight.context_tokens, tight.slots) == (8192, 2)


def test_a_small_container_still_answers() -> None:
    size = size_engine(machine(1, 2), model())
    assert (size.context_tokens, size.slots, size.cache_ram_mib) == (2048, 1, 0)
    assert size.memory_bytes < 2 * GIB


def test_it_never_takes_more_than_its_share() -> None:
    for tenths in range(25, 400, 7):
        spot = machine(4, tenths / 10)
        size = size_engine(spot, model())
        if size.slots > 1:
            assert size.memory_bytes <= 0.6 * spot.memory_available


def test_more_memory_never_gives_less() -> None:
    rooms = [
        size.context_tokens * size.slots
        for size in (size_engine(machine(8, g), model()) for g in range(3, 64))
    ]
    assert rooms == sorted(rooms)


def test_what_is_given_is_kept() -> None:
    size = size_engine(machine(8, 30), model(), threads=3, context_tokens=4096, slots=2)
    assert (size.threads, size.context_tokens, size.slots) == (3, 4096, 2)
    assert size_engine(machine(8, 4), model(), slots=6).slots == 6
    assert size_engine(machine(8, 4), model(), context_tokens=16384).context_tokens == 16384


def test_the_models_own_context_is_the_limit() -> None:
    assert size_engine(machine(2, 22), model(native=4096)).context_tokens == 4096
    with pytest.raises(ConfigurationError, match="context_tokens is 9000, and this model can read 4096"):
        size_engine(machine(2, 22), model(native=4096), context_tokens=9000)


def test_a_model_that_does_not_fit() -> None:
    with pytest.raises(ConfigurationError, match="needs 16.2 GiB of memory and 8.0 GiB is available"):
        size_engine(machine(4, 8), model(gib=15.6))
    with pytest.raises(ConfigurationError, match="lower"):
        size_engine(machine(4, 4), model(), context_tokens=32768, slots=16)


@pytest.mark.parametrize(("cores", "slots"), [(1, 4), (2, 4), (4, 8), (8, 16), (64, 16)])
def test_slots(cores: int, slots: int) -> None:
    assert derive_slots(cores) == slots


@pytest.mark.parametrize(
    ("cores", "physical", "threads"), [(1, 1, 1), (2, 1, 2), (4, 2, 4), (8, 4, 4), (16, 16, 16), (6, 8, 6)]
)
def test_threads(cores: int, physical: int, threads: int) -> None:
    assert derive_threads(cores, physical) == threads


def test_hyper_threads_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        folder = tmp_path / f"devices/system/cpu/cpu{number}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{number % 2},{number % 2 + 2}\n")
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    assert count_physical_cores(tmp_path) == 2
    assert count_physical_cores(tmp_path / "nothing") == 4
