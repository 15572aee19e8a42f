"""What a check must know of the base model: how many tokens an example has, and how many of them are learned.

The tokenizer comes with the extra `training`, which may be absent; whoever has it hands a `TokenCounter` in.
"""

from dataclasses import dataclass
from typing import Protocol

from etabli.training.data.rows import Row


@dataclass(frozen=True, slots=True)
class TokenCount:
    """One example in the base's tokens.

    Args:
        tokens: of the whole example as the chat template renders it; dpo: of the longer of its two conversations.
        trained: of them those that the model learns to write.
        round_trip: the tokens give back the rendered text, character by character.
    """

    tokens: int
    trained: int
    round_trip: bool = True


class TokenCounter(Protocol):
    """The tokenizer and the chat template of a base model."""

    @property
    def base(self) -> str:
        """Name of the model."""
        ...

    @property
    def most_tokens(self) -> int:
        """The longest example that is allowed, in tokens."""
        ...

    def count(self, row: Row) -> TokenCount:
        """Render an example and count.

        Raises:
            EtabliError, ValueError: it cannot be rendered or turned into tokens.
        """
        ...
