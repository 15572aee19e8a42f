"""A job from its plan to its adapter: steps, validations, checkpoints; the same end however often it was killed."""

import json
import os
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from etabli.errors import ConfigurationError
from etabli.messages import tr
from etabli.training.base import ADAPTER_FILE, RESULT_FILE, EventLog, TrainingPlan
from etabli.training.container import open_container
from etabli.training.examples import Example, read_examples
from etabli.training.export import write_adapter
from etabli.training.preflight import Preflight, check_fits, count, watt_hours
from etabli.training.rehearsal import training_examples
from etabli.training.schedule import batch, learning_rate, pack_budget, plan_sha256, steps_per_epoch
from etabli.training.template import ChatTemplate
from etabli.training.torch import checkpoint
from etabli.training.torch.calibration import seconds_per_token
from etabli.training.torch.checkpoint import Place
from etabli.training.torch.decoder import Decoder
from etabli.training.torch.lora import Adapter
from etabli.training.torch.objective import Figures, Objective
from etabli.training.torch.world import World

_REFERENCES = "references.safetensors"


@dataclass(slots=True)
class Progress:
    """What has been done."""

    step: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    tokens: int = 0
    trained_tokens: int = 0


class Trainer:
    """One job in its folder.

    Args:
        plan: resolved.
        folder: of the job.
        events: where it tells what it does.
        world: this process among the others.
        stopping: asked after every step; True has it write a checkpoint and leave.
    """

    def __init__(
        self, plan: TrainingPlan, folder: Path, events: EventLog, world: World, stopping: Callable[[], bool]
    ) -> None:
        self._plan, self._folder, self._events, self._world = plan, folder, events, world
        self._stopping = stopping
        self._h = plan.hyperparameters
        self._identity = plan_sha256(plan)

    def run(self) -> bool:
        """Train from where the folder stands.

        Returns:
            whether the job is done; False when it was told to stop and can go on.

        Raises:
            InvalidInputError: base or data cannot be used.
            ConfigurationError: it does not fit in the memory.
        """
        container = open_container(self._plan.base_path, name=self._plan.base)
        template = ChatTemplate(container)
        self._examples = training_examples(self._plan, template)
        self._held_out = (
            [] if self._plan.validation_file is None else self._read(self._plan.validation_file, template)
        )
        preflight = count(self._plan, container, self._examples, parts=self._world.parts)
        check_fits(preflight, self._plan, available=self._world.free_memory())
        self._say(tr("Loading {model}.", model=self._plan.base))
        decoder = Decoder(container, device=self._world.device, each_block=self._world.share_out)
        self._world.share_out(decoder, but=(decoder.norm, decoder.head))
        self._base_bytes = decoder.held_bytes
        decoder.gradient_checkpointing = self._h.gradient_checkpointing
        self._adapter = Adapter(
            decoder.architecture.shapes,
            rank=self._h.rank,
            alpha=self._h.alpha,
            seed=self._h.seed,
            device=self._world.device,
        )
        budget = pack_budget(decoder.architecture, self._h)
        self._objective = Objective(
            decoder, self._adapter, self._plan.method, self._h, budget=budget, world=self._world
        )
        self._optimizer = torch.optim.AdamW(
            [self._flat()], lr=self._h.learning_rate, weight_decay=self._h.weight_decay
        )
        self._total = self._h.epochs * steps_per_epoch(len(self._examples), self._h)
        self._progress = Progress()
        self._resume(preflight)
        self._references = self._read_references()
        return self._steps()

    def _flat(self) -> Tensor:
        parameter = torch.nn.Parameter(self._adapter.flat)
        parameter.grad = self._adapter.gradient
        return parameter

    def _read(self, path: Path, template: ChatTemplate) -> list[Example]:
        return read_examples(
            path, self._plan.method, template, max_tokens=self._h.max_tokens, seed=self._h.seed
        )

    def _resume(self, preflight: Preflight) -> None:
        found = checkpoint.load_newest(self._folder, self._identity)
        if not self._world.same(0 if found is None else found[0].step):
            raise ConfigurationError(
                tr("The processes do not find the same checkpoints. Give all machines the same folder, on a disk "
                   "that they share.")
            )  # fmt: skip
        if found is not None:
            place, tensors = found
            self._restore(place, tensors)
            self._say(
                tr("Going on after step {step} of {total}.", step=place.step, total=self._total),
                step=place.step,
            )
            return
        seconds = seconds_per_token(self._objective, self._examples, self._h) * preflight.computed_tokens
        preflight = preflight.timed(seconds, watt_hours(seconds, torch.get_num_threads()))
        if self._world.leads:
            self._events.append(
                "preflight",
                tr("{steps} steps over {tokens} tokens: about {minutes} minutes.",
                   steps=preflight.steps, tokens=preflight.tokens, minutes=max(1, round(seconds / 60))),
                **asdict(preflight),
            )  # fmt: skip

    def _restore(self, place: Place, tensors: dict[str, Tensor]) -> None:
        with torch.no_grad():
            self._adapter.flat.copy_(tensors["adapter"])
        parameter = self._optimizer.param_groups[0]["params"][0]
        self._optimizer.state[parameter] = {
            "step": tensors["step"],
            "exp_avg": tensors["first_moment"].to(self._world.device),
            "exp_avg_sq": tensors["second_moment"].to(self._world.device),
        }
        self._progress = Progress(
            place.step, place.seconds, place.processor_seconds, place.tokens, place.trained_tokens
        )

    def _read_references(self) -> tuple[Tensor | None, Tensor | None]:
        """What the base itself thinks of the answers, of training and validation: computed once and kept."""
        if self._plan.method == "supervised":
            return None, None
        path = self._folder / _REFERENCES
        kept = self._kept_references(path)
        if not self._world.any(kept is None):
            assert kept is not None
            return kept
        self._say(tr("Reading the answers with the base model first, once."))
        training = self._objective.references(self._examples)
        validation = self._objective.references(self._held_out)
        if self._world.leads:
            beside = path.with_suffix(".part")
            save_file({"training": training.cpu(), "validation": validation.cpu()}, beside)
            os.replace(beside, path)
        return training, validation

    def _kept_references(self, path: Path) -> tuple[Tensor, Tensor] | None:
        try:
            kept = load_file(path, device=str(self._world.device))
            training, validation = kept["training"], kept["validation"]
        except (OSError, KeyError, SafetensorError):
            return None
        whole = len(training) == len(self._examples) and len(validation) == len(self._held_out)
        return (training, validation) if whole else None

    def _steps(self) -> bool:
        last: Figures | None = None
        per_epoch = steps_per_epoch(len(self._examples), self._h)
        validated: dict[str, float] = {}
        while self._progress.step < self._total:
            step = self._progress.step + 1
            begun, processor_begun = time.monotonic(), time.process_time()
            numbers = batch(step, len(self._examples), self._h)
            last, rate = self._step(step, numbers)
            self._progress.step = step
            self._progress.seconds += time.monotonic() - begun
            self._progress.processor_seconds += time.process_time() - processor_begun
            tokens = sum(self._examples[number].tokens for number in numbers)
            self._progress.tokens += tokens
            self._progress.trained_tokens += sum(self._examples[number].trained for number in numbers)
            stop = self._world.any(self._stopping()) and step < self._total
            validated = self._validate() if self._held_out and step % per_epoch == 0 else {}
            self._tell(step, last, rate, tokens / (time.monotonic() - begun), validated)
            if stop or (step % self._h.checkpoint_steps == 0 and step < self._total):
                self._checkpoint()
            if stop:
                self._say(tr("Paused after step {step} of {total}.", step=step, total=self._total), step=step)
                return False
        if self._world.leads:
            self._finish(last, validated)
        return True

    def _step(self, step: int, numbers: list[int]) -> tuple[Figures, float]:
        rate = learning_rate(step, self._total, self._h)
        reference = self._references[0]
        self._adapter.zero_gradient()
        figures = self._objective.run(
            [self._examples[number] for number in numbers],
            None if reference is None else reference[numbers],
            learn=True,
        )
        gradient = self._world.add(self._adapter.gradient)
        length = float(gradient.norm())
        if length > self._h.max_gradient_norm:
            gradient.mul_(self._h.max_gradient_norm / length)
        self._optimizer.param_groups[0]["lr"] = rate
        self._optimizer.step()
        return figures, rate

    def _validate(self) -> dict[str, float]:
        figures = self._objective.run(self._held_out, self._references[1], learn=False)
        return _named(figures, "valid")

    def _tell(
        self, step: int, figures: Figures, rate: float, speed: float, validated: dict[str, float]
    ) -> None:
        if not self._world.leads:
            return
        progress = self._progress
        self._events.append(
            "metrics",
            tr(
                "Step {step} of {total}: loss {loss}.",
                step=step,
                total=self._total,
                loss=f"{figures.loss:.4f}",
            ),
            step=step,
            **_named(figures, "train"),
            **validated,
            learning_rate=rate,
            tokens_per_second=speed,
            tokens=progress.tokens,
            trained_tokens=progress.trained_tokens,
            total_steps=self._total,
            remaining_s=progress.seconds / step * (self._total - step),
        )

    def _checkpoint(self) -> None:
        if not self._world.leads:
            return
        state = self._optimizer.state[self._optimizer.param_groups[0]["params"][0]]
        progress = self._progress
        place = Place(**asdict(progress), plan_sha256=self._identity)
        tensors = {
            "adapter": self._adapter.flat.detach(),
            "first_moment": state["exp_avg"],
            "second_moment": state["exp_avg_sq"],
            "step": state["step"],
        }
        path = checkpoint.save(self._folder, place, tensors)
        self._events.append(
            "checkpoint",
            tr("Checkpoint after step {step}.", step=place.step),
            step=place.step,
            path=str(path),
        )

    def _finish(self, last: Figures | None, validated: dict[str, float]) -> None:
        sha256, size = write_adapter(self._folder / ADAPTER_FILE, self._adapter, self._plan)
        progress = self._progress
        result: dict[str, Any] = {
            "steps": progress.step,
            "tokens": progress.tokens,
            "trained_tokens": progress.trained_tokens,
            "seconds": progress.seconds,
            "processor_seconds": progress.processor_seconds,
            "tokens_per_second": progress.tokens / max(progress.seconds, 1e-9),
            "watt_hours": watt_hours(progress.processor_seconds, 1),
            **({} if last is None else _named(last, "train")),
            **validated,
            "adapter_sha256": sha256,
            "adapter_bytes": size,
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "threads": torch.get_num_threads(),
            "processes": self._world.size,
            "base_bytes": self._base_bytes,
            "torch": torch.__version__,
            "plan_sha256": self._identity,
        }
        path = self._folder / RESULT_FILE
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(result, indent=1), encoding="utf-8")
        os.replace(beside, path)
        self._events.append(
            "finished",
            tr("Trained: {steps} steps, {tokens} tokens.", steps=progress.step, tokens=progress.tokens),
            step=progress.step,
            **result,
        )

    def _say(self, message: str, *, step: int = 0) -> None:
        if self._world.leads:
            self._events.append("message", message, step=step)


def _named(figures: Figures, prefix: str) -> dict[str, float]:
    named = {f"{prefix}_loss": figures.loss, f"{prefix}_mean_token_accuracy": figures.accuracy}
    if figures.reward_accuracy is not None and figures.reward_margin is not None:
        named |= {
            f"{prefix}_reward_accuracy": figures.reward_accuracy,
            f"{prefix}_reward_margin": figures.reward_margin,
        }
    return named
