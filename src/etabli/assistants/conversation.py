"""A caller's messages as answering needs them: instructions, turns, the question. OpenAI's shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from etabli.errors import InvalidInputError
from etabli.messages import tr

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns of a conversation.

    Args:
        system: texts of the caller's own instructions.
        turns: all other messages, unchanged.
        question: the text of the last user turn.
        earlier: texts of the user turns before it, oldest first.
    """

    system: tuple[str, ...]
    turns: tuple[Message, ...]
    question: str
    earlier: tuple[str, ...]

    @property
    def first_user(self) -> int:
        """Position of the first user turn."""
        return next(index for index, turn in enumerate(self.turns) if turn.get("role") == "user")

    @property
    def last_answer(self) -> str:
        """Text of the last assistant turn before the question; empty when there is none."""
        for turn in reversed(self.turns):
            if turn.get("role") == "assistant" and text_of(turn.get("content")):
                return text_of(turn.get("content"))
        return ""

    def shortened(self, characters: int) -> "Conversation":
        """The last turns that fit in so many characters, beginning with a user's; the last one stays in any case."""
        kept: list[Message] = []
        size = 0
        last_user = max(index for index, turn in enumerate(self.turns) if turn.get("role") == "user")
        for index in range(len(self.turns) - 1, -1, -1):
            size += len(text_of(self.turns[index].get("content"))) + 20
            if index < last_user and size > characters:
                break
            kept.insert(0, self.turns[index])
        while kept and kept[0].get("role") != "user":
            kept.pop(0)
        return replace(self, turns=tuple(kept))


def read_conversation(messages: Sequence[Mapping[str, Any]]) -> Conversation:
    """Read a request's messages.

    Raises:
        InvalidInputError: no user's message has text.
    """
    turns = tuple(dict(one) for one in messages if one.get("role") not in ("system", "developer"))
    system = tuple(
        text_of(one.get("content")) for one in messages if one.get("role") in ("system", "developer")
    )
    asked = [text_of(turn.get("content")).strip() for turn in turns if turn.get("role") == "user"]
    if not asked or not asked[-1]:
        raise InvalidInputError(
            tr("The conversation has no question: its last user message must have text."), param="messages"
        )
    return Conversation(tuple(text for text in system if text.strip()), turns, asked[-1], tuple(asked[:-1]))


def with_text(message: Mapping[str, Any], text: str) -> Message:
    """A message with another text; the other parts of a multimodal one stay.

    >>> with_text({"role": "user", "content": "a"}, "b")
    {'role': 'user', 'content': 'b'}
    """
    content = message.get("content")
    if not isinstance(content, list):
        return {**message, "content": text}
    others = [
        part for part in content if not (isinstance(part, Mapping) and isinstance(part.get("text"), str))
    ]
    return {**message, "content": [{"type": "text", "text": text}, *others]}


def text_of(content: object) -> str:
    """The text of a message's content: a string, or the text parts of a list.

    >>> text_of("a"), text_of([{"type": "text", "text": "a"}, {"type": "image_url"}]), text_of(None)
    ('a', 'a', '')
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part.get("text") for part in content if isinstance(part, Mapping)]
    return "\n".join(part for part in parts if isinstance(part, str))
