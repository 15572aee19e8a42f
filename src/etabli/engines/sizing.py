"""How many threads, which context and how many conversations at once fit a machine and a model.

`size_engine` is a pure function of what `etabli.models.machine.read_machine` saw and of the model file's header.
The constants carry the measurements they come from.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from etabli.engines.llama_gguf import GGUFHeader
from etabli.errors import ConfigurationError
from etabli.messages import tr
from etabli.models.machine import Machine

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
    physical_cores: int | None = None,
    threads: int | None = None,
    context_tokens: int | None = None,
    slots: int | None = None,
) -> EngineSize:
    """Choose the size; what is given is kept, what is None is derived.

    Slots shrink before the context does: two conversations with room for documents serve better than four
    without.

    Args:
        machine: cores and memory, as a container's limits leave them.
        model: the header of its file.
        physical_cores: from `count_physical_cores`; as many as `machine.cores` if None.
        threads: kept if given.
        context_tokens: kept if given; of one conversation.
        slots: kept if given.

    Raises:
        ConfigurationError: the model and its smallest useful context do not fit in the memory, or a given
            context is longer than the model's.
    """
    if context_tokens is not None and context_tokens > model.context_tokens:
        raise ConfigurationError(
            tr("context_tokens is {asked}, and this model can read {native} tokens at most. Lower it.",
               asked=context_tokens, native=model.context_tokens)
        )  # fmt: skip
    budget = int(machine.memory_available * MEMORY_SHARE)
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
    if cache > machine.memory_available - model.file_bytes - COMPUTE_BYTES:
        raise ConfigurationError(
            tr("The model needs {needed} of memory and {available} is available. Choose a smaller model, or lower "
               "context_tokens or slots.", needed=_gib(model.file_bytes + COMPUTE_BYTES + cache),
               available=_gib(machine.memory_available))
        )  # fmt: skip
    chosen_threads = threads or derive_threads(machine.cores, physical_cores or machine.cores)
    host_cache = max(0, min(room - cache, machine.memory_available // 10, 2048 * MIB)) // MIB
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
            memory=_gib(memory), available=_gib(machine.memory_available),
        ),
    )  # fmt: skip


def derive_slots(cores: int) -> int:
    """Two conversations a core, 4 to 16: reading the weights once for several answers pays until then."""
    return max(4, min(MOST_SLOTS, 2 * cores))


def derive_threads(cores: int, physical_cores: int) -> int:
    """One thread per physical core: a second hyper-thread shares its core's units and waits for the same memory.

    Below four physical cores every processor counts, since the other half would idle.
    """
    return min(cores, physical_cores) if physical_cores >= 4 else cores


def count_physical_cores(sys: Path = Path("/sys")) -> int:
    """Distinct cores among the processors that this process may run on; two hyper-threads count once."""
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    siblings = set()
    for number in affinity:
        path = sys / f"devices/system/cpu/cpu{number}/topology/thread_siblings_list"
        try:
            siblings.add(path.read_text(encoding="ascii").strip())
        except OSError:
            siblings.add(str(number))
    return max(1, len(siblings))


def _gib(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
