"""Rows of training data as ids: what the trainer packs and the preflight counts. No torch here.

Supervised rows become one sequence, pairs two, judged answers two: the answer and, for the estimate of the KL term of
KTO, the same prompt with the answer of another row (Ethayarajh et al., 2024, arXiv:2402.01306, section 4.1).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.training.base import Method
from etabli.training.data.rows import Message, Row, read_rows
from etabli.training.template import ChatTemplate, Encoded


@dataclass(frozen=True, slots=True)
class Example:
    """One row.

    Attributes:
        sequences: supervised: the conversation; dpo: preferred, then other; kto: the answer, then the mismatched one.
        label: kto: whether the answer was good.
    """

    sequences: tuple[Encoded, ...]
    label: bool | None = None

    @property
    def tokens(self) -> int:
        """Of the row itself: what a mismatched answer adds is not counted."""
        own = self.sequences if self.label is None else self.sequences[:1]
        return sum(len(one.tokens) for one in own)

    @property
    def trained(self) -> int:
        """How many of them are learned."""
        own = self.sequences if self.label is None else self.sequences[:1]
        return sum(int(one.trained.sum()) for one in own)


def read_examples(
    path: Path, method: Method, template: ChatTemplate, *, max_tokens: int, seed: int
) -> list[Example]:
    """The rows of a checked file as ids.

    Args:
        path: of the file.
        method: what its rows are.
        template: of the base.
        max_tokens: longest sequence allowed.
        seed: of the choice of mismatched answers.

    Raises:
        InvalidInputError: a row is too long, has nothing to learn, or the template does not take it.
    """
    rows = list(read_rows(path, method))
    if not rows:
        raise InvalidInputError(tr("{file} has no rows. Give at least one.", file=path.name))
    others = _mismatched(len(rows), seed)
    examples = []
    for number, row in enumerate(rows):
        try:
            example = encode_row(row, template, max_tokens, other=rows[others[number]])
        except InvalidInputError as error:
            raise InvalidInputError(
                tr("Row {row} of {file}: {reason}", row=number + 1, file=path.name, reason=error.args[0])
            ) from None
        _check(example, number, path, max_tokens)
        examples.append(example)
    return examples


def encode_row(row: Row, template: ChatTemplate, max_tokens: int, *, other: Row | None = None) -> Example:
    """One row as ids.

    Args:
        row: checked.
        template: of the base.
        max_tokens: at which a mismatched answer is cut; the row itself is not.
        other: kto: the row whose answer is the mismatched one; itself if None.

    Raises:
        InvalidInputError: the template does not take it.
    """

    def encode(*answers: Message) -> Encoded:
        return template.encode([*row.messages, *answers], tools=row.tools)

    if row.chosen is None:
        return Example((encode(),))
    if row.rejected is not None:
        return Example((encode(row.chosen), encode(row.rejected)))
    mismatched = encode(replace((other or row).chosen or row.chosen, trained=True))
    cut = Encoded(mismatched.tokens[:max_tokens], mismatched.trained[:max_tokens])
    return Example((encode(row.chosen), cut), label=bool(row.label))


def _check(example: Example, number: int, path: Path, max_tokens: int) -> None:
    own = example.sequences if example.label is None else example.sequences[:1]
    longest = max(len(one.tokens) for one in own)
    if longest > max_tokens:
        raise InvalidInputError(
            tr("Row {row} of {file} has {found} tokens and {allowed} are allowed. Shorten it, or raise max_tokens.",
               row=number + 1, file=path.name, found=longest, allowed=max_tokens)
        )  # fmt: skip
    if not all(one.trained.any() for one in own):
        raise InvalidInputError(
            tr(
                "Row {row} of {file} has no answer to learn. Remove it, or give an answer.",
                row=number + 1,
                file=path.name,
            )
        )


def _mismatched(count: int, seed: int) -> list[int]:
    """For each row another one (itself where there is only one), each used once."""
    order = np.random.default_rng([seed, count]).permutation(count)
    partner = [0] * count
    for place, number in enumerate(order):
        partner[int(number)] = int(order[(place + 1) % count])
    return partner
