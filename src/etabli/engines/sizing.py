"""How many threads, which context and how many conversations at once fit a machine and a model.

`read_machine` looks at the machine (cores and memory, as a container's limits leave them); `size_engine` is a
pure function of what it saw. The constants carry the measurements they come from.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from etabli.engines.llama_gguf import GGUFHeader
from etabli.errors import ConfigurationError
from etabli.messages import tr

MIB = 1024 * 1024

SMALLEST_CONTEXT_TOKENS = 2048
"""Below this an answer from documents has no room for its passages."""

LARGEST_DERIVED_CONTEXT_TOKENS = 16384
"""Prefill of more takes minutes on a processor; `context_tokens` in the settings may ask for more."""

COMPUTE_BYTES = 512 * MIB
"""Buffers of llama.cpp beside weights and cache: about 300 MiB for a vocabulary of 152,000 at 512 tokens a batch."""

MEMORY_SHARE = 0.6
"""Share of the available memory that the engine may take: database, embeddings and documents need the rest."""

MOST_SLOTS = 16


@dataclass(frozen=True)
class Machine:
    """What may be used here.

    Attributes:
        cores: logical processors that this process may run on, at most the container's quota rounded up.
        physical_cores: distinct cores among them; two hyper-threads count once.
        available_bytes: memory that can be taken without swapping, within the container's limit.
    """

    cores: int
    physical_cores: int
    available_bytes: int


@dataclass(frozen=True)
class EngineSize:
    """What the engine is started with.

    Attributes:
        threads: for generating and for reading prompts.
        context_tokens: of one conversation, prompt and answer together.
        slots: conversations generated at once.
        cache_ram_mib: memory for prompts whose slot was taken by another conversation.
        memory_bytes: estimate of all that the engine takes.
        explanation: one sentence for people.
    """

    threads: int
    context_tokens: int
    slots: int
    cache_ram_mib: int
    memory_bytes: int
    explanation: str


def size_engine(
    machine: Machine,
    model: GGUFHeader,
    *,
    threads: int | None = None,
    context_tokens: int | None = None,
    slots: int | None = None,
) -> EngineSize:
    """Choose the size; what is given is kept, what is None is derived.

    Slots shrink before the context does: two conversations with room for documents serve better than four
    without.

    Raises:
        ConfigurationError: the model and its smallest useful context do not fit in the memory, or a given
            context is longer than the model's.
    """
    if context_tokens is not None and context_tokens > model.context_tokens:
        raise ConfigurationError(
            tr("context_tokens is {asked}, and this model can read {native} tokens at most. Lower it.",
               asked=context_tokens, native=model.context_tokens)
        )  # fmt: skip
    budget = int(machine.available_bytes * MEMORY_SHARE)
    room = budget - model.file_bytes - COMPUTE_BYTES
    per_token = max(1, model.kv_bytes_per_token)
    wanted_slots = slots or derive_slots(machine.cores)
    wanted_context = context_tokens or min(model.context_tokens, LARGEST_DERIVED_CONTEXT_TOKENS)
    given = context_tokens is not None and slots is not None
    chosen_slots, chosen_context = wanted_slots, wanted_context
    while not given and chosen_slots * chosen_context * per_token > room:
        if slots is None and chosen_slots > 2:
            chosen_slots -= 1
        elif context_tokens is None and chosen_context > SMALLEST_CONTEXT_TOKENS:
            chosen_context = max(SMALLEST_CONTEXT_TOKENS, chosen_context // 2)
        elif slots is None and chosen_slots > 1:
            chosen_slots -= 1
        else:
            break
    cache = chosen_slots * chosen_context * per_token
    if cache > machine.available_bytes - model.file_bytes - COMPUTE_BYTES:
        raise ConfigurationError(
            tr("The model needs {needed} of memory and {available} is available. Choose a smaller model, or lower "
               "context_tokens or slots.", needed=_gib(model.file_bytes + COMPUTE_BYTES + cache),
               available=_gib(machine.available_bytes))
        )  # fmt: skip
    chosen_threads = threads or machine.physical_cores
    host_cache = max(0, min(room - cache, machine.available_bytes // 10, 2048 * MIB)) // MIB
    memory = model.file_bytes + COMPUTE_BYTES + cache + host_cache * MIB
    return EngineSize(
        threads=chosen_threads,
        context_tokens=chosen_context,
        slots=chosen_slots,
        cache_ram_mib=host_cache,
        memory_bytes=memory,
        explanation=tr(
            "{threads} threads for {cores} cores, {slots} conversations at once of {context} tokens each: "
            "{memory} of the {available} available.",
            threads=chosen_threads, cores=machine.cores, slots=chosen_slots, context=chosen_context,
            memory=_gib(memory), available=_gib(machine.available_bytes),
        ),
    )  # fmt: skip


def derive_slots(cores: int) -> int:
    """Two conversations a core, 4 to 16: reading the weights once for several answers pays until then."""
    return max(4, min(MOST_SLOTS, 2 * cores))


def read_machine(root: Path = Path("/")) -> Machine:
    """Look at the machine: affinity, control groups (versions 1 and 2) and available memory.

    Args:
        root: where `proc` and `sys` lie; another folder in tests.
    """
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    processors = sorted(affinity)
    quota = _cpu_quota(root)
    cores = len(processors) if quota is None else max(1, min(len(processors), quota))
    physical = min(cores, _physical_cores(root, processors))
    return Machine(cores=cores, physical_cores=max(1, physical), available_bytes=_available_bytes(root))


def _physical_cores(root: Path, processors: list[int]) -> int:
    siblings = set()
    for number in processors:
        path = root / f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list"
        siblings.add(_read(path) or str(number))
    return len(siblings)


def _cpu_quota(root: Path) -> int | None:
    """Processors that the container may use, rounded up; None without a limit."""
    for folder in _cgroups(root, "cpu"):
        quota, _, period = (_read(folder / "cpu.max") or "").partition(" ")
        quota = quota or _read(folder / "cpu.cfs_quota_us") or ""
        period = period or _read(folder / "cpu.cfs_period_us") or ""
        if quota.isdigit() and period.isdigit() and int(quota) > 0:
            return -(-int(quota) // max(1, int(period)))
    return None


def _available_bytes(root: Path) -> int:
    available = None
    for line in (_read(root / "proc/meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) * 1024
    if available is None:
        available = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    for folder in _cgroups(root, "memory"):
        for limit_name, used_name in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            limit, used = _read(folder / limit_name) or "", _read(folder / used_name) or ""
            if limit.isdigit() and used.isdigit():
                free = int(limit) - int(used) + _reclaimable(folder)
                available = min(available, max(0, free))
    return available


def _reclaimable(folder: Path) -> int:
    """Page cache counted in the group's usage that the kernel gives back on demand."""
    for line in (_read(folder / "memory.stat") or "").splitlines():
        name, _, value = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file") and value.isdigit():
            return int(value)
    return 0


def _cgroups(root: Path, controller: str) -> list[Path]:
    """The folders that may hold limits for `controller`, this process's group first, then the mounted root."""
    base = root / "sys/fs/cgroup"
    folders = []
    for line in (_read(root / "proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if controller in names.split(","):
            folders.append(base / controller / path.lstrip("/"))
            folders.append(base / controller)
        elif not names:
            folders.append(base / path.lstrip("/"))
            folders.append(base)
    return folders or [base]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _gib(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
