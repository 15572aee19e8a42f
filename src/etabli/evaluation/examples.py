"""Training examples from documents: a question, what the assistant's model would read for it, and what it should say.

The question is one that `generating` proposed and a person kept. The prompt is the very one that answering makes: the
same search, the same passages with their numbers, among them others that do not answer. The answer is not the
model's: it is the sentence or table row that holds the fact, literally, in quotation marks, with the number of its
passage. Where no document answers, or the passage that does is taken out again, the answer is the word for
abstention. What cannot be built so is left out with its reason. Adapters learn behaviour from such examples, not
facts.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

from etabli.assistants.answer import Answer
from etabli.assistants.prompting import ABSENT
from etabli.assistants.run import AnswerRequest
from etabli.assistants.specification import AssistantSpecification
from etabli.certification.targets.assistant import Answers
from etabli.engines.base import JSON, ChatEngine
from etabli.errors import EtabliError
from etabli.evaluation.beside import EngineBeside
from etabli.evaluation.generated import GeneratedRow
from etabli.messages import tr
from etabli.storage.database import EVERYONE
from etabli.training.data.content import content_faults
from etabli.training.data.similarity import SignatureList, near_within, say_the_same
from etabli.training.data.texts import texts_of

Reason = Literal["not_asked", "not_in_prompt", "unsupported", "duplicate"]
REASONS: tuple[Reason, ...] = ("not_asked", "not_in_prompt", "unsupported", "duplicate")
WITHOUT_EVERY = 4
"""Of so many answered questions one is asked once more without its passage."""
_PASSAGE = re.compile(r"^\[(\d{1,3})\] ")
_QUOTES = {"fr": "«\N{NO-BREAK SPACE}{quote}\N{NO-BREAK SPACE}» [{number}]", "en": "“{quote}” [{number}]"}
_WORD = re.compile(r"[^\W_]+")
_FAULTS = ("answer_unsupported", "secret")
_NEARLY_THE_SAME = 0.95
"""Examples share passages, so that only ones that hardly differ are repetitions."""


@dataclass
class Built:
    """What was made of the questions.

    Args:
        rows: examples, as training reads them.
        answered: of them with an answer.
        absent: about things that no document names.
        taken_out: whose passage was taken out.
        left_out: questions in no example, by reason.
    """

    rows: list[JSON] = field(default_factory=list)
    answered: int = 0
    absent: int = 0
    taken_out: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> JSON:
        """For programs, without the rows."""
        return {
            "rows": len(self.rows),
            "answered": self.answered,
            "absent": self.absent,
            "taken_out": self.taken_out,
            "left_out": dict(self.left_out),
        }


class PromptRecorder(EngineBeside):
    """Implements `ChatEngine`: remembers what it is asked, and says that the passages do not tell.

    Args:
        engine: whose name and limits it has; it is not asked, but for counting tokens.
    """

    def __init__(self, engine: ChatEngine) -> None:
        super().__init__(engine)
        self.messages: list[JSON] = []

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> JSON:
        """Remember the messages."""
        self.messages = [dict(one) for one in body.get("messages") or ()]
        return {"choices": [{"message": {"role": "assistant", "content": ABSENT}, "finish_reason": "stop"}]}

    async def stream(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncIterator[JSON]:
        """Remember the messages."""
        self.messages = [dict(one) for one in body.get("messages") or ()]
        yield {"choices": [{"index": 0, "delta": {"content": ABSENT}, "finish_reason": "stop"}]}


class ExampleBuilder:
    """Builds the examples of one assistant.

    Args:
        assistant: whose prompts are built.
        answerer: makes them.
        engine: the assistant's; it writes nothing here.
    """

    def __init__(self, assistant: AssistantSpecification, *, answerer: Answers, engine: ChatEngine) -> None:
        self._assistant = assistant
        self._answerer = answerer
        self._engine = engine

    async def build(
        self, questions: Sequence[GeneratedRow], *, on_progress: Callable[[int, int], None] | None = None
    ) -> Built:
        """One example a question, and some without the passage that answers.

        Args:
            questions: that a person kept.
            on_progress: called with how many are done, of how many.
        """
        built = Built()
        for number, row in enumerate(questions, start=1):
            await self._one(row, built)
            if on_progress is not None:
                on_progress(number, len(questions))
        built.rows, repeated = _without_near(built.rows)
        if repeated:
            built.left_out["duplicate"] += repeated
        return built

    async def _one(self, row: GeneratedRow, built: Built) -> None:
        messages = await self._prompt(row.question)
        if not messages:
            # The product answers this without its model: there is nothing for an adapter to change.
            built.left_out["not_asked"] += 1
            return
        if not row.answerable:
            if self._assistant.abstain:
                built.rows.append(_example(messages, ABSENT))
                built.absent += 1
            else:
                built.left_out["not_asked"] += 1
            return
        place = passage_with(messages, row.quote or "")
        if place is None:
            built.left_out["not_in_prompt"] += 1
            return
        example = _example(
            messages, _QUOTES[row.language].format(number=place[0], quote=place[1].rstrip(".")) + "."
        )
        if any(fault.rule in _FAULTS for fault in content_faults(texts_of(example, "supervised"))):
            built.left_out["unsupported"] += 1
            return
        built.rows.append(example)
        built.answered += 1
        if self._assistant.abstain and built.answered % WITHOUT_EVERY == 0:
            bare = without_answer(messages, row)
            if bare is not None:
                built.rows.append(_example(bare, ABSENT))
                built.taken_out += 1

    async def _prompt(self, question: str) -> list[JSON]:
        """What the model would read; empty where it is not asked."""
        recorder = PromptRecorder(self._engine)
        request = AnswerRequest([{"role": "user", "content": question}])
        principals = (EVERYONE, *self._assistant.audience)
        events = self._answerer.answer(self._assistant, recorder, request, principals=principals)
        try:
            async with aclosing(events) as stream:
                async for event in stream:
                    if isinstance(event, Answer):
                        break
        except EtabliError:
            return []
        return recorder.messages


def passage_with(messages: Sequence[JSON], quote: str) -> tuple[int, str] | None:
    """The number of the passage in a prompt that holds a sentence or a table row, and its words as they stand there.

    Passages say a row with the names of its columns in between: it is then the line that has its words in their
    order. None where no passage holds them.
    """
    plain = " ".join(quote.split())
    if not _words(plain):
        return None
    for number, text in _passages(messages):
        if plain in " ".join(text.split()):
            return number, plain
        line = next((one for one in text.split("\n") if passage_holds(one, plain)), None)
        if line is not None:
            return number, " ".join(line.split())
    return None


def without_answer(messages: Sequence[JSON], row: GeneratedRow) -> list[JSON] | None:
    """The prompt without any passage that holds the answer; None where nothing else is left to read."""
    keywords = [" ".join(_words(word)) for word in row.keywords] or [" ".join(_words(row.answer or ""))]
    holding = {
        number
        for number, text in _passages(messages)
        if passage_holds(text, row.quote or "") or all(word in " ".join(_words(text)) for word in keywords)
    }
    changed = [dict(one) for one in messages]
    for message in changed:
        if message.get("role") == "user" and isinstance(message.get("content"), str):
            message["content"] = _cut(message["content"], holding)
    return changed if _passages(changed) else None


def passage_holds(text: str, quote: str) -> bool:
    """Whether all words of a quote stand in a text, in their order."""
    held = iter(_words(text))
    return all(word in held for word in _words(quote))


def reason_label(reason: str) -> str:
    """Why a question is in no example, for people."""
    return {
        "not_asked": tr("the product answers it without its model"),
        "not_in_prompt": tr("the sentence that answers is not among what the model reads"),
        "unsupported": tr("the answer is not supported by its passage"),
        "duplicate": tr("nearly the same as another example"),
    }.get(reason, reason)


def _example(messages: Iterable[JSON], answer: str) -> JSON:
    """Only the last answer is learned: examples of the assistant's file stay as they are."""
    before = [{**one, "weight": 0} if one.get("role") == "assistant" else dict(one) for one in messages]
    return {"messages": [*before, {"role": "assistant", "content": answer}]}


def _passages(messages: Iterable[JSON]) -> list[tuple[int, str]]:
    """Numbered passages of a prompt with their texts."""
    found: list[tuple[int, str]] = []
    for message in messages:
        if message.get("role") != "user" or not isinstance(message.get("content"), str):
            continue
        for line in message["content"].split("\n"):
            match = _PASSAGE.match(line)
            if match is not None:
                found.append((int(match[1]), line[match.end() :]))
            elif found and not line.startswith(("#", "<")) and line.strip():
                found[-1] = (found[-1][0], f"{found[-1][1]}\n{line}")
            elif line.startswith("</"):
                break
    return found


def _cut(text: str, numbers: set[int]) -> str:
    """A prompt's text without the passages of these numbers; names of documents left without any go as well."""
    kept: list[str] = []
    skipping = ended = False
    for line in text.split("\n"):
        match = _PASSAGE.match(line)
        if ended:
            kept.append(line)
            continue
        ended = line.startswith("</documents>")
        if match is not None:
            skipping = int(match[1]) in numbers
        elif line.startswith("#") or ended:
            skipping = False
            if kept and kept[-1].startswith("#"):
                kept.pop()
        if not skipping:
            kept.append(line)
    return "\n".join(kept)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _without_near(rows: Sequence[JSON]) -> tuple[list[JSON], int]:
    """The rows without those that are nearly an earlier one, and how many those were."""
    signatures = SignatureList()
    compared = [texts_of(row, "supervised") for row in rows]
    for place, texts in enumerate(compared):
        signatures.add(place, texts.compared)
    near = {
        place
        for place, likeness in near_within(signatures, threshold=_NEARLY_THE_SAME).items()
        if any(say_the_same(compared[place].whole, compared[other].whole) for other in likeness)
    }
    return [row for place, row in enumerate(rows) if place not in near], len(near)
