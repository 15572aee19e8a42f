"""A model's chat template: conversations to ids as the engine makes them, and which of those ids are learned.

The template is the file's own, rendered in jinja2's sandbox. What is learned of a turn is found by rendering the
conversation up to it and through it, never by searching a text for a marker; and a marker of the model that a person
wrote stays text. No torch here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import jinja2
import numpy as np
from jinja2.sandbox import ImmutableSandboxedEnvironment
from numpy.typing import NDArray

from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.training.container import Container
from etabli.training.data.rows import JSON, Message
from etabli.training.tokenizer import Piece, Tokenizer

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""What the engine assumes where a file carries no template."""
_STAND_INS = 0xF0000
_PRIVATE = re.compile("[\U000f0000-\U000ffffd]")


@dataclass(frozen=True, slots=True)
class Encoded:
    """One conversation as ids.

    Attributes:
        tokens: (T,) ids.
        trained: (T,) whether the model learns to write the token at that place.
    """

    tokens: NDArray[np.int32]
    trained: NDArray[np.bool_]


class ChatTemplate:
    """The template of one model.

    Args:
        container: of the model's file.
        tokenizer: of the same file; made if not given.

    Raises:
        InvalidInputError: the template cannot be read, or the tokenizer is not known.
    """

    def __init__(self, container: Container, tokenizer: Tokenizer | None = None) -> None:
        self.tokenizer = tokenizer or Tokenizer(container)
        self._name = container.name
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"], autoescape=False
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
        source = str(container.metadata.get("tokenizer.chat_template") or CHATML)
        try:
            self._template = environment.from_string(source)
        except jinja2.TemplateError as error:
            raise InvalidInputError(
                tr("The chat template of {model} cannot be read: {reason}.", model=self._name, reason=error)
            ) from None

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[JSON] = (),
        generation_prompt: bool = False,
    ) -> str:
        """The text of a conversation.

        Args:
            messages: as OpenAI writes them.
            tools: functions that may be called.
            generation_prompt: whether the beginning of the assistant's turn follows.

        Raises:
            InvalidInputError: the template does not take this conversation.
        """
        tokenizer = self.tokenizer
        try:
            return self._template.render(
                messages=[_with_objects(message) for message in messages],
                tools=list(tools) or None,
                add_generation_prompt=generation_prompt,
                bos_token="" if tokenizer.bos is None else tokenizer.tokens[tokenizer.bos],
                eos_token="" if tokenizer.eos is None else tokenizer.tokens[tokenizer.eos],
            )
        except (jinja2.TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            raise InvalidInputError(
                tr("The chat template of {model} does not take this conversation: {reason}.",
                   model=self._name, reason=error)
            ) from None  # fmt: skip

    def prompt_ids(self, messages: Sequence[Mapping[str, Any]], *, tools: Sequence[JSON] = ()) -> list[int]:
        """The ids of a prompt exactly as the engine makes them of the same messages."""
        text = self.render(messages, tools=tools, generation_prompt=True)
        return self._with_bos(self.tokenizer.encode(text))

    def encode(self, messages: Sequence[Message], *, tools: Sequence[JSON] = ()) -> Encoded:
        """The ids of a conversation, and which of them are learned: the trained messages and their ends of turn.

        Raises:
            InvalidInputError: the template does not take the conversation, or changes earlier turns when later
                ones follow, so that no part of it can be said to be the answer.
        """
        stand_ins = _StandIns(self.tokenizer.controls)
        plain = [stand_ins.protect(message.to_json()) for message in messages]
        functions = [stand_ins.protect(tool) for tool in tools]
        whole = self.render(plain, tools=functions)
        pieces = self.tokenizer.split(whole)
        spans = [
            self._span(plain, functions, number, whole, pieces)
            for number, message in enumerate(messages)
            if message.trained
        ]
        return self._tokenise(whole, pieces, spans, stand_ins)

    def _span(
        self, messages: list[Any], tools: list[Any], number: int, whole: str, pieces: list[Piece]
    ) -> tuple[int, int]:
        """Where in `whole` the message's text begins, and where its end of turn ends."""
        before = self.render(messages[:number], tools=tools, generation_prompt=True)
        through = whole if number == len(messages) - 1 else self.render(messages[: number + 1], tools=tools)
        if not (whole.startswith(through) and through.startswith(before)):
            raise InvalidInputError(
                tr("The chat template of {model} writes earlier turns differently when others follow, so what is to "
                   "be learned cannot be told apart. Train on the last answer only, or choose another base model.",
                   model=self._name)
            )  # fmt: skip
        ends = [
            piece.end
            for piece in pieces
            if piece.special in self.tokenizer.ends
            and len(before) <= piece.start
            and piece.end <= len(through)
        ]
        if not ends:
            raise InvalidInputError(
                tr("The chat template of {model} does not end the assistant's turn with a token of the model, so it "
                   "could not learn to stop. Choose another base model.", model=self._name)
            )  # fmt: skip
        return len(before), ends[-1]

    def _tokenise(
        self, whole: str, pieces: list[Piece], spans: list[tuple[int, int]], stand_ins: "_StandIns"
    ) -> Encoded:
        """Cut where an answer begins, as generation does: nothing merges over that place."""
        cuts = sorted({start for start, _ in spans})
        ids: list[int] = []
        trained: list[bool] = []
        after_special = True
        for piece in pieces:
            for start, end in _parts(piece, cuts):
                if piece.special is not None:
                    new = [piece.special]
                else:
                    new = self._plain(stand_ins.restore(whole[start:end]), first=after_special)
                after_special = piece.special is not None
                ids += new
                trained += [any(begin <= start and end <= stop for begin, stop in spans)] * len(new)
        tokens = self._with_bos(ids)
        flags = [False] * (len(tokens) - len(ids)) + trained
        return Encoded(np.array(tokens, dtype=np.int32), np.array(flags, dtype=np.bool_))

    def _plain(self, text: str, *, first: bool) -> list[int]:
        ids: list[int] = []
        for piece in self.tokenizer.split(text, special=False):
            if piece.special is not None:
                ids.append(piece.special)
            else:
                ids += self.tokenizer.encode_text(text[piece.start : piece.end], first=first)
            first = piece.special is not None
        return ids

    def _with_bos(self, ids: list[int]) -> list[int]:
        bos = self.tokenizer.bos
        if not self.tokenizer.adds_bos or bos is None or ids[:1] == [bos]:
            return ids
        return [bos, *ids]


class _StandIns:
    """Replaces texts of control tokens in what people wrote by private characters while a template is rendered."""

    def __init__(self, controls: Mapping[int, str]) -> None:
        self._controls = sorted(set(controls.values()), key=lambda text: -len(text))
        self._texts: list[str] = []

    def protect(self, value: Any) -> Any:
        """The same value with no control token's text in any of its strings."""
        if isinstance(value, str):
            return self._protected(value)
        if isinstance(value, list | tuple):
            return [self.protect(one) for one in value]
        if isinstance(value, dict):
            return {self.protect(key): self.protect(one) for key, one in value.items()}
        return value

    def restore(self, text: str) -> str:
        """The text as people wrote it."""
        if not self._texts:
            return text
        return _PRIVATE.sub(lambda found: self._texts[ord(found[0]) - _STAND_INS], text)

    def _protected(self, text: str) -> str:
        present = [control for control in self._controls if control in text]
        if not present and not _PRIVATE.search(text):
            return text
        pattern = "|".join([*(re.escape(control) for control in present), _PRIVATE.pattern])
        return re.sub(pattern, lambda found: self._stand_in(found[0]), text)

    def _stand_in(self, text: str) -> str:
        if text not in self._texts:
            self._texts.append(text)
        return chr(_STAND_INS + self._texts.index(text))


def _parts(piece: Piece, cuts: list[int]) -> list[tuple[int, int]]:
    inside = [cut for cut in cuts if piece.start < cut < piece.end]
    return list(zip([piece.start, *inside], [*inside, piece.end], strict=True))


def _with_objects(message: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of tool calls as objects: templates write them as JSON themselves."""
    changed = dict(message)
    if calls := message.get("tool_calls"):
        changed["tool_calls"] = [
            {
                **call,
                "function": {**call["function"], "arguments": _object(call["function"].get("arguments"))},
            }
            for call in calls
        ]
    return changed


def _object(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _to_json(value: Any, indent: int | None = None, **_: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _refuse(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
