"""What this machine offers to a model: cores, memory, disk, processor flags. Knows nothing of models.

Container limits count: a control group (v2 or v1) that allows 4 GiB makes a machine of 4 GiB, whatever the host
holds. Sources: `proc(5)`, the kernel's `admin-guide/cgroup-v2` and `cgroup-v1/memory`.
"""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """One machine as a model sees it. All sizes in bytes.

    Attributes:
        architecture: as `uname -m` says, e.g. `x86_64` or `aarch64`.
        cores: processors this process may use, quotas included (at least 1).
        cpu_flags: lower-case feature words; empty when the system does not tell.
        memory_total: memory this process may use at most.
        memory_available: memory that is free for it now.
        memory_limited: whether a container limit, not the hardware, sets `memory_total`.
        disk_free: room where the models are kept.
    """

    architecture: str
    cores: int
    cpu_flags: frozenset[str]
    memory_total: int
    memory_available: int
    memory_limited: bool
    disk_free: int

    @property
    def lacks_avx2(self) -> bool:
        """Whether this is an x86 processor that says it has no AVX2, which the engine's build needs."""
        known_x86 = self.architecture.lower() in {"x86_64", "amd64"} and bool(self.cpu_flags)
        return known_x86 and "avx2" not in self.cpu_flags


def read_machine(
    models_dir: Path, *, proc: Path = Path("/proc"), cgroup_root: Path = Path("/sys/fs/cgroup")
) -> Machine:
    """Look at this machine.

    Args:
        models_dir: where models are kept, for the free disk; need not exist yet.
        proc: the proc file system.
        cgroup_root: the control group file system.
    """
    total, available = _memory(proc)
    groups = _cgroups(proc, cgroup_root)
    limit, used = _memory_limit(groups)
    limited = limit is not None and limit < total
    if limit is not None and limited:
        total, available = limit, max(0, min(available, limit - used))
    return Machine(
        architecture=platform.machine(),
        cores=_cores(groups),
        cpu_flags=_cpu_flags(proc),
        memory_total=total,
        memory_available=available,
        memory_limited=limited,
        disk_free=free_disk(models_dir),
    )


def cpu_name(proc: Path = Path("/proc")) -> str:
    """The processor as the system calls it; its architecture where the system does not tell."""
    for line in _read(proc / "cpuinfo").splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() == "model name":
            return value.strip()
    return platform.machine()


def free_disk(path: Path) -> int:
    """Free bytes on the disk that holds `path`, or its nearest parent that exists."""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _memory(proc: Path) -> tuple[int, int]:
    """Total and available bytes of the whole machine."""
    fields: dict[str, int] = {}
    for line in _read(proc / "meminfo").splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdigit():
            fields[name] = int(words[0]) * 1024
    if "MemTotal" in fields:
        return fields["MemTotal"], fields.get("MemAvailable", fields.get("MemFree", 0))
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return total, total // 2


def _cgroups(proc: Path, root: Path) -> list[tuple[str, Path]]:
    """Folders of this process's control groups, innermost first, each with its version: `v2` or `v1`."""
    found: list[tuple[str, Path]] = []
    for line in _read(proc / "self" / "cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            version, base = "v2", root
        elif "memory" in controllers.split(","):
            version, base = "v1", root / "memory"
        else:
            continue
        folder = base / path.strip("/")
        while True:
            if ".." not in folder.parts and folder.is_dir():
                found.append((version, folder))
            if folder == base or base not in folder.parents:
                break
            folder = folder.parent
        if (version, base) not in found and base.is_dir():
            found.append((version, base))
    return found


def _memory_limit(groups: list[tuple[str, Path]]) -> tuple[int | None, int]:
    """The tightest memory limit over the groups and what is used under it (page cache not counted)."""
    tightest: int | None = None
    used = 0
    names = {
        "v2": ("memory.max", "memory.current", "inactive_file"),
        "v1": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    }
    for version, folder in groups:
        limit_file, usage_file, cache_key = names[version]
        text = _read(folder / limit_file).strip()
        if not text.isdigit():
            continue
        limit = int(text)
        if tightest is None or limit < tightest:
            tightest = limit
            usage = _read(folder / usage_file).strip()
            cache = _stat_value(folder / "memory.stat", cache_key)
            used = max(0, (int(usage) if usage.isdigit() else 0) - cache)
    return tightest, used


def _stat_value(path: Path, key: str) -> int:
    for line in _read(path).splitlines():
        name, _, value = line.partition(" ")
        if name == key and value.strip().isdigit():
            return int(value)
    return 0


def _cores(groups: list[tuple[str, Path]]) -> int:
    """Processors this process may run on, bounded by a v2 quota."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    for version, folder in groups:
        words = _read(folder / "cpu.max").split() if version == "v2" else []
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit() and int(words[1]) > 0:
            cores = min(cores, max(1, round(int(words[0]) / int(words[1]))))
    return max(1, cores)


def _cpu_flags(proc: Path) -> frozenset[str]:
    for line in _read(proc / "cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return frozenset(value.lower().split())
    return frozenset()
