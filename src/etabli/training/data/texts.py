"""What an example says, taken out of its shape: the questions, the answers, and what identifies it among others."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from etabli.training.base import Method
from etabli.training.data.findings import JSON

COMPARED_QUESTION = 300
"""Characters of a question's end that count when examples are compared: before them stand documents, if any."""
COMPARED_ANSWER = 4_000
"""Characters of an answer that count."""
_SENTENCE_END = re.compile(r"[\n?!]+|(?<=[.:;])\s+")
_WORD = re.compile(r"[^\W_]+")
_FEWEST_WORDS = 4
_SHORTEST_END = 12


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one example.

    Args:
        system: what the assistant is told.
        questions: of users and tools, in order.
        answers: that are trained; dpo: the preferred one, then the other; kto: the judged one.
    """

    system: tuple[str, ...]
    questions: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def everything(self) -> str:
        """All of it, for searching."""
        return "\n".join((*self.system, *self.questions, *self.answers))

    @property
    def compared(self) -> str:
        """What two examples have in common when they are nearly the same."""
        return "\n".join(
            (
                *(question_end(text) for text in self.questions),
                *(text[:COMPARED_ANSWER] for text in self.answers),
            )
        )

    @property
    def whole(self) -> str:
        """All questions and answers."""
        return "\n".join((*self.questions, *self.answers))

    @property
    def all_asked(self) -> str:
        """All questions, whole."""
        return "\n".join(self.questions)

    @property
    def asked(self) -> str:
        """The end of the last question."""
        return question_end(self.questions[-1]) if self.questions else ""


def question_end(text: str) -> str:
    """What is asked at the end of a prompt, after the documents that stand before it: its last paragraph.

    >>> question_end("[1] Le badge coûte 10 €.\\n\\nCombien coûte un badge perdu ?")
    'Combien coûte un badge perdu ?'
    """
    tail = text[-COMPARED_QUESTION:]
    last = tail.rpartition("\n\n")[2]
    return last if len(last.strip()) >= _SHORTEST_END else tail


def texts_of(value: JSON, method: Method) -> Texts:
    """The texts of an example whose shape is right."""
    if method == "supervised":
        return _texts(value["messages"], ())
    if method == "dpo":
        outputs = (*value["preferred_output"], *value["non_preferred_output"])
        return _texts(value["input"]["messages"], outputs)
    return _texts(value["prompt"], value["completion"])


def _texts(messages: Sequence[JSON], outputs: Sequence[JSON]) -> Texts:
    system, questions, answers = [], [], []
    for message in messages:
        role, content = message["role"], message.get("content") or ""
        if role == "assistant":
            if not outputs and message.get("weight", 1) != 0:
                answers.append(content or _called(message))
        elif role == "system":
            system.append(content)
        else:
            questions.append(content)
    answers.extend((one.get("content") or "") or _called(one) for one in outputs)
    return Texts(tuple(system), tuple(questions), tuple(answers))


def _called(message: JSON) -> str:
    calls = message.get("tool_calls")
    return json.dumps(calls, ensure_ascii=False) if calls else ""


def digest(value: JSON, method: Method) -> int:
    """64 bits that are the same for examples that train the same, whatever the order of their keys and spaces."""
    parts: list[str] = []
    if method == "supervised":
        parts.append(_identity(value["messages"]))
    elif method == "dpo":
        parts += [_identity(value["input"]["messages"]), _identity(value["preferred_output"])]
        parts.append(_identity(value["non_preferred_output"]))
    else:
        parts += [_identity(value["prompt"]), _identity(value["completion"]), str(value["label"])]
    return hashed("\x1d".join(parts))


def _identity(messages: Sequence[JSON]) -> str:
    return "\x1e".join(
        f"{one['role']}\x1f{' '.join((one.get('content') or '').split())}\x1f{_called(one)}\x1f{one.get('weight', 1)}"
        for one in messages
    )


def hashed(text: str) -> int:
    """64 bits of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def question_key(text: str) -> str:
    """The words of a question: the same however it is typed.

    >>> question_key("  Combien coûte un badge\\u202f?") == question_key("combien coûte un BADGE ?")
    True
    """
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).lower()))


def question_keys(texts: Texts) -> set[str]:
    """Under which keys a known question is found in an example: whole questions, and the sentences at their end."""
    found: set[str] = set()
    for question in texts.questions:
        tail = unicodedata.normalize("NFKC", question[-2 * COMPARED_QUESTION :]).lower()
        parts = [part for part in _SENTENCE_END.split(tail) if part.count(" ") >= _FEWEST_WORDS - 1]
        if len(question) <= 2 * COMPARED_QUESTION and parts != [tail]:
            parts.append(tail)
        parts += [part.partition(": ")[2] for part in parts if ": " in part]
        found.update(" ".join(_WORD.findall(part)) for part in parts)
    found.discard("")
    return found
