"""Loss and gradient of some examples: packed, computed, and divided by the counts of the whole step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from etabli.training.base import Hyperparameters, Method
from etabli.training.examples import Example
from etabli.training.packing import group, pack
from etabli.training.schedule import total_labels
from etabli.training.template import Encoded
from etabli.training.torch import losses
from etabli.training.torch.decoder import Decoder
from etabli.training.torch.head import label_log_probabilities
from etabli.training.torch.lora import Adapter
from etabli.training.torch.losses import Outcome
from etabli.training.torch.world import World


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the examples of a step or a validation, over all processes.

    Attributes:
        loss: mean over labelled tokens (supervised), pairs or judged answers.
        accuracy: share of learned tokens that were the most probable.
        reward_accuracy: share of pairs or judged answers on the right side; None for supervised.
        reward_margin: mean distance; None for supervised.
    """

    loss: float
    accuracy: float
    reward_accuracy: float | None = None
    reward_margin: float | None = None


class Objective:
    """One method's loss on one model.

    Args:
        decoder: the frozen base.
        adapter: what is trained.
        method: which loss.
        hyperparameters: of the job.
        budget: most tokens of a pack.
        world: this process among the others.
    """

    def __init__(
        self,
        decoder: Decoder,
        adapter: Adapter,
        method: Method,
        hyperparameters: Hyperparameters,
        *,
        budget: int,
        world: World,
    ) -> None:
        self.decoder, self.adapter, self.method = decoder, adapter, method
        self._beta = hyperparameters.beta
        self.budget = budget
        self._world = world

    def run(self, examples: Sequence[Example], reference: Tensor | None, *, learn: bool) -> Figures:
        """Compute the examples of a step, each process its share; with `learn` the gradient is added up.

        Args:
            examples: of the whole step, alike in every process.
            reference: (E, 2) log probabilities under the base, for dpo and kto.
            learn: whether gradients are wanted.
        """
        own = self._world.share(range(len(examples)))
        count = total_labels(examples) if self.method == "supervised" else len(examples)
        divergence = self._divergence(examples, own, reference) if self.method == "kto" else 0.0
        sums = torch.zeros(5, dtype=torch.float64)
        units = [self._unit(examples[number]) for number in own]
        for members in self._packs(units, examples, learn=learn):
            chosen = [own[place] for place in members]
            with torch.set_grad_enabled(learn):
                outcome = self._outcome(
                    [units[place] for place in members], examples, chosen, reference, divergence
                )
                if learn:
                    (outcome.loss / count).backward()
            sums += torch.tensor(
                [float(outcome.loss.detach()), outcome.right, outcome.tokens, outcome.wins, outcome.margin],
                dtype=torch.float64,
            )
        loss, right, tokens, wins, margin = self._world.add(sums.to(self._world.device)).tolist()
        rewarded = self.method != "supervised"
        return Figures(
            loss / count,
            right / max(1, tokens),
            wins / len(examples) if rewarded else None,
            margin / len(examples) if rewarded else None,
        )

    def log_probabilities(
        self, sequences: Sequence[Encoded], *, adapted: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Of sequences in one pack: (S,) sums over their labels, (L,) whether each label was right, (L,) owners."""
        row = pack(sequences)
        hidden = self.decoder(row, self.adapter if adapted else None)
        device = hidden.device
        found, right = label_log_probabilities(
            hidden, self.decoder.head, torch.from_numpy(row.targets).to(device)
        )
        owners = torch.from_numpy(row.owners).to(device)
        return torch.zeros(row.sequences, device=device).index_add(0, owners, found), right, owners

    def references(self, examples: Sequence[Example]) -> Tensor:
        """(E, 2) log probabilities of each example's two sequences under the base; each process does its share."""
        found = torch.zeros(len(examples), 2, device=self._world.device)
        own = self._world.share(range(len(examples)))
        units = [list(examples[number].sequences) for number in own]
        with torch.no_grad():
            for members in self._packs(units, examples, learn=False):
                sums, _, _ = self.log_probabilities(
                    [one for place in members for one in units[place]], adapted=False
                )
                found[[own[place] for place in members]] = sums.view(-1, 2)
        return self._world.add(found)

    def _packs(
        self, units: list[list[Encoded]], examples: Sequence[Example], *, learn: bool
    ) -> Iterator[list[int]]:
        """Numbers of the units of each pack. Then, where the base is shared out, as many packs for nothing as it
        takes for every process to compute equally many.
        """
        groups = group(units, self.budget)
        missing = self._world.most(len(groups)) - len(groups)
        yield from groups
        for _ in range(missing):
            with torch.set_grad_enabled(learn):
                sums, _, _ = self.log_probabilities(examples[0].sequences[:1], adapted=True)
                if learn:
                    (0 * sums.sum()).backward()

    def _unit(self, example: Example) -> list[Encoded]:
        return list(example.sequences if self.method == "dpo" else example.sequences[:1])

    def _outcome(
        self,
        units: list[list[Encoded]],
        examples: Sequence[Example],
        chosen: list[int],
        reference: Tensor | None,
        divergence: Any,
    ) -> Outcome:
        sequences = [one for unit in units for one in unit]
        sums, right, owners = self.log_probabilities(sequences, adapted=True)
        if self.method == "supervised" or reference is None:
            return Outcome(-sums.sum(), int(right.sum()), len(right))
        if self.method == "dpo":
            first = owners % 2 == 0
            return losses.dpo(
                sums.view(-1, 2), reference[chosen], self._beta, int(right[first].sum()), int(first.sum())
            )
        good = torch.tensor([bool(examples[number].label) for number in chosen], device=sums.device)
        return losses.kto(
            sums, reference[chosen, 0], good, divergence, self._beta, int(right.sum()), len(right)
        )

    def _divergence(self, examples: Sequence[Example], own: list[int], reference: Tensor | None) -> Any:
        """Estimate of KL(model, base): the mean log ratio of mismatched answers, not below zero."""
        total = torch.zeros(1, device=self._world.device)
        units = [[examples[number].sequences[1]] for number in own]
        with torch.no_grad():
            for members in self._packs(units, examples, learn=False):
                sums, _, _ = self.log_probabilities([units[place][0] for place in members], adapted=True)
                assert reference is not None
                total += (sums - reference[[own[place] for place in members], 1]).sum()
        return (self._world.add(total)[0] / len(examples)).clamp(min=0)
