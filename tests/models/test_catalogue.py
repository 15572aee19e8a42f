"""The catalogue that ships, and what it says a machine can run."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from etabli.errors import NotFoundError
from etabli.messages import set_language
from etabli.models.catalogue import Catalogue, Entry, can_run, load_catalogue
from etabli.models.machine import Machine, read_machine
from etabli.models.sizes import format_bytes, format_count

GIB = 1 << 30
MACHINE = Machine(
    architecture="x86_64",
    cores=2,
    cpu_flags=frozenset({"avx2"}),
    memory_total=16 * GIB,
    memory_available=12 * GIB,
    memory_limited=False,
    disk_free=100 * GIB,
)


@pytest.fixture
def entry() -> Entry:
    return load_catalogue().get("qwen2.5-coder-1.5b")


def test_the_two_pinned_models_are_those_of_the_design() -> None:
    pinned = {
        entry.name: (entry.sha256, entry.size_bytes) for entry in load_catalogue().models if entry.sha256
    }
    assert pinned == {
        "qwen2.5-coder-1.5b": (
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            1_117_320_768,
        ),
        "qwen2.5-coder-0.5b": (
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            491_400_064,
        ),
    }


def test_the_parts_of_packages_add_up() -> None:
    for entry in load_catalogue().models:
        if (place := entry.sources.packages) is not None:
            last = entry.size_bytes - (place.count - 1) * place.part_bytes
            assert 0 < last <= place.part_bytes
            assert "{number}" in place.package


def test_every_entry_names_a_known_licence_once_and_speaks_french() -> None:
    catalogue = load_catalogue()
    names = [entry.name for entry in catalogue.models]
    assert len(names) == len(set(names))
    assert {entry.licence for entry in catalogue.models} == set(catalogue.licences)
    assert all(entry.languages[0] == "fr" for entry in catalogue.models)


def test_the_reference_page_lists_every_model() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "models.md").read_text(encoding="utf-8")
    for entry in load_catalogue().models:
        row = f"| `{entry.name}` | {entry.publisher} | {format_count(entry.parameters)} | {entry.size_bytes:,} |"
        assert row in page


def test_unknown_fields_are_refused() -> None:
    document = load_catalogue().model_dump(mode="json")
    document["models"][0]["colour"] = "blue"
    with pytest.raises(ValidationError, match="colour"):
        Catalogue.model_validate(document)


def test_memory_is_weights_cache_and_buffers(entry: Entry) -> None:
    assert entry.shape.kv_bytes(1) == 2 * 28 * 2 * 128 * 2
    one = entry.memory_bytes(context_tokens=4096)
    two = entry.memory_bytes(context_tokens=4096, slots=2)
    assert two - one == 4096 * 28_672
    assert one > entry.size_bytes


def test_verdicts_in_both_languages(entry: Entry) -> None:
    assert can_run(entry, MACHINE).sentence == "fits comfortably: needs 1.8 GiB, 12.0 GiB are free"
    busy = replace(MACHINE, memory_available=2 * GIB)
    assert can_run(entry, busy).sentence == "tight: needs 1.8 GiB, 2.0 GiB of 16.0 GiB are free now"
    small = replace(MACHINE, memory_total=GIB, memory_available=GIB)
    assert can_run(entry, small).sentence == "does not fit: needs 1.8 GiB, this machine has 1.0 GiB"
    boxed = replace(small, memory_limited=True)
    assert "this container is allowed 1.0 GiB" in can_run(entry, boxed).sentence
    full = replace(MACHINE, disk_free=GIB // 2)
    assert can_run(entry, full).level == "no"
    assert can_run(entry, full, installed=True).level == "comfortable"
    old = replace(MACHINE, cpu_flags=frozenset({"sse2"}))
    assert "AVX2" in can_run(entry, old).sentence
    set_language("fr")
    sentence = can_run(entry, small).sentence
    assert sentence == "ne tient pas\u00a0: il faut 1,8\u00a0Gio, cette machine a 1,0\u00a0Gio"


def test_a_longer_context_or_more_slots_can_tip_the_verdict(entry: Entry) -> None:
    tight = replace(MACHINE, memory_available=int(2.4 * GIB))
    assert can_run(entry, tight, context_tokens=4096).level == "comfortable"
    assert can_run(entry, tight, context_tokens=32768).level == "tight"
    assert can_run(entry, tight, context_tokens=4096, slots=8).level == "tight"
    assert can_run(entry, tight, context_tokens=10**6).context_tokens == entry.context_tokens


def test_near_names_are_offered() -> None:
    with pytest.raises(NotFoundError, match="ministral-3-8b"):
        load_catalogue().get("ministral-8b")


def test_this_machine_can_be_read(tmp_path: Path) -> None:
    machine = read_machine(tmp_path / "not" / "yet")
    assert machine.cores >= 1
    assert 0 <= machine.memory_available <= machine.memory_total
    assert machine.disk_free > 0


def fake_proc(root: Path, cgroup: str) -> Path:
    (root / "self").mkdir(parents=True)
    (root / "meminfo").write_text("MemTotal: 8388608 kB\nMemAvailable: 6291456 kB\n")
    (root / "cpuinfo").write_text("flags\t\t: fpu sse2 AVX2\n")
    (root / "self" / "cgroup").write_text(cgroup)
    return root


def test_a_v2_container_limit_counts(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path / "proc", "0::/box/inner\n")
    box = tmp_path / "cgroup" / "box"
    (box / "inner").mkdir(parents=True)
    (box / "inner" / "memory.max").write_text("max\n")
    (box / "memory.max").write_text(f"{2 * GIB}\n")
    (box / "memory.current").write_text(f"{GIB}\n")
    (box / "memory.stat").write_text(f"anon 5\ninactive_file {GIB // 2}\n")
    (box / "cpu.max").write_text("100000 100000\n")
    machine = read_machine(tmp_path, proc=proc, cgroup_root=tmp_path / "cgroup")
    assert machine.memory_limited
    assert (machine.memory_total, machine.memory_available) == (2 * GIB, 3 * GIB // 2)
    assert machine.cores == 1
    assert machine.cpu_flags == {"fpu", "sse2", "avx2"}


def test_a_v1_container_limit_counts_and_no_limit_does_not(tmp_path: Path) -> None:
    proc = fake_proc(tmp_path / "proc", "5:memory:/box\n1:cpu:/box\n")
    box = tmp_path / "cgroup" / "memory" / "box"
    box.mkdir(parents=True)
    (box / "memory.limit_in_bytes").write_text(f"{GIB}\n")
    (box / "memory.usage_in_bytes").write_text("0\n")
    machine = read_machine(tmp_path, proc=proc, cgroup_root=tmp_path / "cgroup")
    assert machine.memory_total == GIB and machine.memory_limited
    (box / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    machine = read_machine(tmp_path, proc=proc, cgroup_root=tmp_path / "cgroup")
    assert machine.memory_total == 8 * GIB and not machine.memory_limited
    assert machine.memory_available == 6 * GIB


def test_sizes_in_french() -> None:
    set_language("fr")
    assert format_bytes(1_117_320_768) == "1,0\u00a0Gio"
    assert format_count(1_540_000_000) == "1,5\u00a0Md"
