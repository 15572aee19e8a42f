"""Counts an example's tokens with the tokenizer and the chat template of a base model's own file. No torch here."""

from collections.abc import Sequence
from pathlib import Path

from etabli.training.container import open_container
from etabli.training.data.rows import Message, Row
from etabli.training.data.tokens import TokenCount
from etabli.training.extra import need
from etabli.training.template import ChatTemplate


class TemplateCounter:
    """Implements `TokenCounter`.

    Args:
        path: of the base's GGUF file.
        base: its name.
        most_tokens: the longest example that is allowed.

    Raises:
        ConfigurationError: the extra `training` is not installed.
        InvalidInputError: the file, its tokenizer or its template cannot be used.
    """

    def __init__(self, path: Path, *, base: str, most_tokens: int) -> None:
        need("gguf", "tokenizers")
        self._template = ChatTemplate(open_container(path, name=base))
        self._base = base
        self._most_tokens = most_tokens

    @property
    def base(self) -> str:
        """Name of the model."""
        return self._base

    @property
    def most_tokens(self) -> int:
        """The longest example that is allowed."""
        return self._most_tokens

    def count(self, row: Row) -> TokenCount:
        """Render an example and count; of a pair the longer conversation, trained where both are.

        Raises:
            InvalidInputError: the template does not take it.
        """
        answers = [answer for answer in (row.chosen, row.rejected) if answer is not None]
        conversations = [(*row.messages, answer) for answer in answers] or [row.messages]
        counts = [self._count(conversation, row) for conversation in conversations]
        longest = max(counts, key=lambda one: one.tokens)
        return TokenCount(
            longest.tokens,
            0 if any(one.trained == 0 for one in counts) else longest.trained,
            all(one.round_trip for one in counts),
        )

    def _count(self, conversation: Sequence[Message], row: Row) -> TokenCount:
        encoded = self._template.encode(conversation, tools=row.tools)
        text = self._template.render([message.to_json() for message in conversation], tools=row.tools)
        tokenizer = self._template.tokenizer
        ids = [int(one) for one in encoded.tokens]
        back = tokenizer.decode(ids)
        if tokenizer.bos is not None and ids[:1] == [tokenizer.bos]:
            # The engine puts it before a text that may not have it.
            bos = tokenizer.tokens[tokenizer.bos]
            back, text = back.removeprefix(bos).lstrip(" "), text.removeprefix(bos).lstrip(" ")
        return TokenCount(len(ids), int(encoded.trained.sum()), back == text)
