"""What a job will take, told before it begins: tokens, steps, time, memory, energy; refused where it does not fit.

Counts come from the data, memory from the shapes, time from a few real packs on this machine. Importing this needs no
torch; only `estimate` with `calibrate` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from etabli.errors import ConfigurationError
from etabli.messages import tr
from etabli.models.machine import read_machine
from etabli.training.architecture import Architecture, read_architecture
from etabli.training.base import Hyperparameters, TrainingPlan
from etabli.training.container import Container, open_container
from etabli.training.examples import Example
from etabli.training.packing import group, pack
from etabli.training.rehearsal import training_examples
from etabli.training.schedule import activation_bytes_per_token, batch, pack_budget, steps_per_epoch
from etabli.training.template import ChatTemplate, Encoded

WATTS_PER_CORE = 6.0
"""Of a busy core with its share of memory and power supply: the same as for answers."""
_PROCESS_BYTES = 800_000_000
"""Of torch itself, and what the allocator keeps between packs of different sizes: measured with 0.5 B parameters."""
_HEAD_ROWS, _BYTES_PER_LOGIT = 128, 12
_ADAPTER_BYTES = 24
_FORWARD_SHARE = 0.5
"""Of a step's work: the way back needs no gradient of the frozen weights."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a job will take.

    Attributes:
        examples: rows.
        tokens: of the rows, over all epochs.
        trained_tokens: of them learned.
        trained_share: their share.
        longest: tokens of the longest row.
        steps: of the optimiser.
        computed_tokens: over all epochs, shared beginnings counted once; what is only read counts half.
        memory_bytes: most that the process will take.
        seconds: of all steps; None where it was not measured.
        watt_hours: estimated from them; None likewise.
    """

    examples: int
    tokens: int
    trained_tokens: int
    trained_share: float
    longest: int
    steps: int
    computed_tokens: int
    memory_bytes: int
    seconds: float | None = None
    watt_hours: float | None = None

    def timed(self, seconds: float, energy: float) -> "Preflight":
        """The same with a measured time."""
        return replace(self, seconds=seconds, watt_hours=energy)


def estimate(plan: TrainingPlan, *, calibrate: bool = True) -> Preflight:
    """What the job of this plan will take. Takes the time of loading the model where it calibrates.

    Args:
        plan: resolved.
        calibrate: whether a few packs are computed to know the time; needs the extra `training`.

    Raises:
        InvalidInputError: base or data cannot be used.
        ConfigurationError: it does not fit in the memory, or the extra is absent.
    """
    container = open_container(plan.base_path, name=plan.base)
    examples = training_examples(plan, ChatTemplate(container))
    found = count(plan, container, examples)
    check_fits(found, plan)
    if not calibrate:
        return found
    from etabli.training.extra import need

    need()
    from etabli.training.torch.calibrating import measure

    per_token, threads = measure(plan, container, examples)
    seconds = per_token * found.computed_tokens
    return found.timed(seconds, watt_hours(seconds, threads))


def count(
    plan: TrainingPlan, container: Container, examples: Sequence[Example], *, parts: int = 1
) -> Preflight:
    """Tokens, steps and memory of a job, from its data and shapes.

    Args:
        plan: resolved.
        container: of the base.
        examples: of the training.
        parts: into how many parts the base is shared out, one for each process.
    """
    architecture, h = read_architecture(container), plan.hyperparameters
    budget = pack_budget(architecture, h)
    steps = steps_per_epoch(len(examples), h)
    sizes: list[int] = []
    for step in range(1, steps + 1):
        units = [_computed(examples[number]) for number in batch(step, len(examples), h)]
        for members in group(units, budget):
            sizes.append(len(pack([one for place in members for one in units[place]]).tokens))
    tokens, trained = sum(one.tokens for one in examples), sum(one.trained for one in examples)
    return Preflight(
        examples=len(examples),
        tokens=tokens * h.epochs,
        trained_tokens=trained * h.epochs,
        trained_share=trained / tokens,
        longest=max(len(one.tokens) for example in examples for one in example.sequences),
        steps=steps * h.epochs,
        computed_tokens=sum(sizes) * h.epochs + _forward_only(plan, sum(sizes)),
        memory_bytes=predict_memory(architecture, h, max(sizes), parts=parts),
    )


def predict_memory(
    architecture: Architecture, h: Hyperparameters, pack_tokens: int, *, parts: int = 1
) -> int:
    """Bytes that a process takes at most: weights in 16 bits, adapter with its optimiser, one pack's way back.

    Of a base that is shared out a process holds its part, the output, and two whole blocks: the one that it computes
    and the one that comes next.
    """
    matrices = sum(rows * columns for rows, columns in architecture.shapes.values())
    if parts > 1:
        matrices = min(matrices, matrices // parts + 2 * matrices // architecture.layers)
    head = architecture.vocabulary * architecture.width
    per_token = activation_bytes_per_token(architecture)
    kept = per_token * (1 if h.gradient_checkpointing else architecture.layers)
    if h.gradient_checkpointing:
        kept += 4 * architecture.width * architecture.layers
    return (
        _PROCESS_BYTES
        + 2 * (matrices + head)
        + _ADAPTER_BYTES * architecture.adapter_parameters(h.rank)
        + _BYTES_PER_LOGIT * _HEAD_ROWS * architecture.vocabulary
        + kept * pack_tokens
    )


def check_fits(found: Preflight, plan: TrainingPlan, *, available: int | None = None) -> None:
    """Refuse what the memory does not hold.

    Args:
        found: what it needs.
        plan: resolved.
        available: bytes of the graphics card; the machine's own free memory if None.

    Raises:
        ConfigurationError: with what would help.
    """
    if available is None:
        available = read_machine(plan.base_path.parent).memory_available
    if found.memory_bytes <= available:
        return
    ways = [tr("choose a smaller base model")]
    if found.longest > 512:
        ways.insert(0, tr("lower max_tokens and shorten the longest rows"))
    if not plan.hyperparameters.gradient_checkpointing:
        ways.insert(0, tr("set gradient_checkpointing to true"))
    raise ConfigurationError(
        tr("This training needs about {needed} of memory and {available} is free. What helps: {ways}.",
           needed=_gib(found.memory_bytes), available=_gib(available), ways="; ".join(ways))
    )  # fmt: skip


def watt_hours(seconds: float, cores: int) -> float:
    """Energy of busy cores, estimated."""
    return seconds * cores * WATTS_PER_CORE / 3600


def _computed(example: Example) -> list[Encoded]:
    return list(example.sequences if example.label is None else example.sequences[:1])


def _forward_only(plan: TrainingPlan, packed: int) -> int:
    """Work beside the steps, in packed tokens: the base reads once, KTO also mismatched answers at every step."""
    if plan.method == "supervised":
        return 0
    once = packed if plan.method == "dpo" else 2 * packed
    every = packed * plan.hyperparameters.epochs if plan.method == "kto" else 0
    return int(_FORWARD_SHARE * (once + every))


def _gib(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"
