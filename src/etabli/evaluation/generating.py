"""Questions from documents: a program chooses the fact, the assistant's engine words the question, a program checks.

The answer is never the model's: it is the fact, literally, with the sentence that holds it. One question of five has
no answer: the engine, or a template where it cannot, words one about a thing of which the index has no word. All is
kept, with the reason where it was dropped; whether the search finds the document is noted, and drops nothing.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etabli.assistants.prompting import harmless
from etabli.certification.base import Language
from etabli.certification.detectors.grounding import same_document
from etabli.certification.probes.base import MaterialDocument
from etabli.certification.probes.crafting import Dice, fill, pack
from etabli.engines.base import ChatEngine
from etabli.errors import EngineRequestError, InvalidInputError, OutputFormatError
from etabli.evaluation.filters import Reason, absent_fault_of, fault_of, telling_word
from etabli.evaluation.generated import GeneratedFile, GeneratedRow
from etabli.evaluation.spans import Kind, Span, spread_spans
from etabli.knowledge.analysis import terms

JSON = dict[str, Any]
ABSENT_EVERY = 5
"""One question of so many has no answer in the documents."""
MOST_TRIES = 5
"""So many questions are worded for each that is wanted, at most."""
_SCHEMA: JSON = {
    "type": "object",
    "properties": {"question": {"type": "string"}},
    "required": ["question"],
    "additionalProperties": False,
}
_MOST_TOKENS = 96
_ASK: dict[Language, str] = {
    "fr": (
        "Tu écris des questions d’examen sur les documents d’une organisation. Écris en français une seule question, "
        "comme la poserait un collègue qui n’a pas le document sous les yeux, et dont la réponse exacte est la "
        "réponse donnée. La question nomme la chose dont elle parle. Elle ne contient pas la réponse et ne parle "
        "d’aucun document, texte ou phrase. Réponds en JSON."
    ),
    "en": (
        "You write exam questions about the documents of an organisation. Write one single question in English, as a "
        "colleague would ask it who does not have the document at hand, whose exact answer is the given answer. The "
        "question names the thing it is about. It does not hold the answer and speaks of no document, text or "
        "sentence. Reply in JSON."
    ),
}
_GIVEN: dict[Language, tuple[str, str, str, str]] = {
    "fr": ("Document", "Rubrique", "Phrase", "Réponse"),
    "en": ("Document", "Heading", "Sentence", "Answer"),
}
_EXAMPLE: dict[Language, tuple[tuple[str, str, str, str], str]] = {
    "fr": (
        ("Règlement de la piscine", "Tarifs", "Un casier se loue 3 € la demi-journée, à la caisse.", "3 €"),
        "Combien coûte la location d’un casier pour une demi-journée à la piscine ?",
    ),
    "en": (
        ("Pool rules", "Prices", "A locker is rented for €3 per half day, at the desk.", "€3"),
        "How much does it cost to rent a locker for half a day at the pool?",
    ),
}
_CHANGE: dict[Language, str] = {
    "fr": (
        "Réécris la question pour qu’elle porte sur la nouvelle chose, et sur elle seule. Écris en français une "
        "seule question, qui nomme la nouvelle chose avec ces mots. Réponds en JSON."
    ),
    "en": (
        "Rewrite the question so that it is about the new thing, and about it alone. Write one single question in "
        "English that names the new thing in these words. Reply in JSON."
    ),
}
_CHANGED: dict[Language, tuple[str, str]] = {
    "fr": ("Question", "Nouvelle chose"),
    "en": ("Question", "New thing"),
}

_TEMPLATES: dict[Kind, str] = {
    "amount": "money", "delay": "time", "date": "time", "time": "time", "number": "people", "name": "people",
    "place": "place", "condition": "rule",
}  # fmt: skip
"""Templates of the questions that certification asks about absent things, by the kind of fact."""
_CHANGE_EXAMPLE: dict[Language, tuple[str, str]] = {
    "fr": (
        "le sauna du vestiaire",
        "Combien coûte le sauna du vestiaire pour une demi-journée à la piscine ?",
    ),
    "en": (
        "the sauna next door",
        "How much does it cost to use the sauna next door for half a day at the pool?",
    ),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: proposed questions, of those wanted, and how many were worded in all."""

    proposed: int
    wanted: int
    tried: int


@dataclass
class Generation:
    """What came of it.

    Args:
        proposed: questions that can be reviewed now, with those of earlier times.
        absent: of them without an answer.
        found: of the new ones with an answer, those whose document the search finds among its first.
        not_found: the others.
        dropped: by reason.
        exhausted: the documents hold no further fact, or too many questions were dropped.
    """

    proposed: int = 0
    absent: int = 0
    found: int = 0
    not_found: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    exhausted: bool = False

    def to_json(self) -> JSON:
        """For programs."""
        return {
            "proposed": self.proposed,
            "absent": self.absent,
            "found": self.found,
            "not_found": self.not_found,
            "dropped": dict(self.dropped),
            "exhausted": self.exhausted,
        }


class Generator:
    """Words questions about the documents of one assistant.

    Args:
        engine: the assistant's.
        file: where they are kept.
        documents: that its callers may read.
        search: names of the documents that a question finds first; blocks.
        unknown: stems of a text that no document of the index has; blocks.
        slots: questions worded at once.
        seed: of the choice of facts and of the model's sampling.
        avoid: questions that stand elsewhere and must not be asked again, with the quotes of their facts.
        must_find: drop a question whose document the search misses, instead of noting it.
    """

    def __init__(
        self,
        engine: ChatEngine,
        file: GeneratedFile,
        documents: Sequence[MaterialDocument],
        *,
        search: Callable[[str], Sequence[str]],
        unknown: Callable[[str], frozenset[str]],
        slots: int = 1,
        seed: int = 1,
        avoid: Sequence[tuple[str, str]] = (),
        must_find: bool = False,
    ) -> None:
        self._engine = engine
        self._file = file
        self._avoid = tuple(avoid)
        self._must_find = must_find
        self._documents = {one.name: one for one in documents}
        self._search = search
        self._unknown = unknown
        self._slots = slots
        self._seed = seed
        self._result = Generation()
        self._known: list[str] = []
        self._tried = 0
        self._choosing = asyncio.Lock()

    async def generate(
        self, wanted: int, *, on_progress: Callable[[Progress], None] | None = None
    ) -> Generation:
        """Have questions proposed until the file has `wanted` that nobody dropped. Cancelling keeps what is done.

        Raises:
            EngineUnavailableError: the engine does not answer.
        """
        rows = await asyncio.to_thread(self._file.rows)
        self._known = [*(row.question for row in rows), *(question for question, _ in self._avoid)]
        live = [row for row in rows if row.state != "dropped"]
        self._result = Generation(len(live), sum(not row.answerable for row in live))
        taken = [*(row.quote for row in rows if row.quote), *(quote for _, quote in self._avoid if quote)]
        spans = spread_spans(list(self._documents.values()), seed=self._seed, taken=taken)
        things = {name: self._things(name) for name in _ASK}
        most = MOST_TRIES * max(0, wanted - len(live))
        tell = on_progress or (lambda progress: None)
        while self._result.proposed < wanted and self._tried < most:
            batch = [span for span, _ in zip(spans, range(self._slots), strict=False)]
            if not batch:
                break
            await asyncio.gather(*(self._one(span, things[span.language], wanted) for span in batch))
            tell(Progress(self._result.proposed, wanted, self._tried))
        self._result.exhausted = self._result.proposed < wanted
        return self._result

    def _things(self, language: Language) -> Iterator[str]:
        """Things that this organisation might have, and of whose names the index has no word."""
        listed = pack("Q4").side(language).lists["thing"]
        for thing in Dice(str(self._seed).encode(), "things", language).shuffled(listed):
            if set(terms(telling_word(thing), language)) & self._unknown(thing):
                yield thing

    async def _one(self, span: Span, things: Iterator[str], wanted: int) -> None:
        """A question for the fact of a span; where it is time for one without an answer, that one as well."""
        question = await self._words(_asked(span), span.language)
        row = self._row(span, question or "–")
        fault: Reason | None = "no_json"
        if question is not None:
            fault = fault_of(question, span, text=self._documents[span.document].text, known=self._known)
        if fault is None and self._result.proposed < wanted:
            names = await asyncio.to_thread(self._search, row.question)
            found = any(same_document(name, span.document) for name in names)
            self._result.found += found
            self._result.not_found += not found
            row = row.model_copy(update={"found": found})
            if self._must_find and not found:
                fault = "not_found"
        await self._keep(row, fault, wanted)
        due = (self._result.absent + 1) * ABSENT_EVERY <= self._result.proposed + 1
        if fault is not None or not due:
            return
        async with self._choosing:
            thing = await asyncio.to_thread(next, things, None)
        if thing is not None:
            await self._without_answer(span, row.question, thing, wanted)

    async def _without_answer(self, span: Span, question: str, thing: str, wanted: int) -> None:
        """The model's wording; where that cannot be asked, a program's of the same kind, which no model wrote."""
        worded = await self._words(_changed(question, thing, span.language), span.language)
        for text, model in ((worded, self._engine.model), (self._template(span, thing), "")):
            fault: Reason | None = "no_json"
            if text is not None:
                unknown = await asyncio.to_thread(self._unknown, text)
                fault = absent_fault_of(text, thing, span, unknown=unknown, known=self._known)
            row = GeneratedRow(
                id="–",
                question=text or "–",
                language=span.language,
                answerable=False,
                kind="absent",
                model=model,
            )
            await self._keep(row, fault, wanted)
            if fault is None:
                return

    def _template(self, span: Span, thing: str) -> str:
        """A question about a thing that asks for the kind of fact that a span holds."""
        dice = Dice(str(self._seed).encode(), "template", thing)
        template = dice.choice(pack("Q4").side(span.language).templates[_TEMPLATES[span.kind]])
        return _typeset(fill(template, {"thing": thing}, {}, dice), span.language)

    async def _keep(self, row: GeneratedRow, fault: Reason | None, wanted: int) -> None:
        """Add a row to the file: proposed, or dropped with its reason; one more than wanted is left out."""
        self._tried += 1
        if fault is not None:
            self._result.dropped[fault] += 1
            row = row.model_copy(update={"state": "dropped", "reason": fault})
        elif self._result.proposed >= wanted:
            return
        else:
            self._result.proposed += 1
            self._result.absent += not row.answerable
            self._known.append(row.question)
        # Shielded: a file that is being written must not be left to a thread that nobody waits for.
        await asyncio.shield(asyncio.to_thread(self._file.add, row))

    def _row(self, span: Span, question: str) -> GeneratedRow:
        return GeneratedRow(
            id="–",
            question=question,
            language=span.language,
            source=span.document,
            quote=span.quote,
            answer=span.answer,
            keywords=span.keywords,
            kind=span.kind,
            model=self._engine.model,
        )

    async def _words(self, messages: list[JSON], language: Language) -> str | None:
        """What the engine words; None where that is no question in JSON."""
        body: JSON = {
            "messages": messages,
            "temperature": 0.0,
            "seed": self._seed,
            "max_tokens": _MOST_TOKENS,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "question", "schema": _SCHEMA, "strict": True},
            },
        }
        try:
            return _question(await self._engine.complete(body), language)
        except (EngineRequestError, InvalidInputError, OutputFormatError):
            return None


def _asked(span: Span) -> list[JSON]:
    example, question = _EXAMPLE[span.language]
    return [
        {"role": "system", "content": _ASK[span.language]},
        {"role": "user", "content": _given(example, span.language)},
        {"role": "assistant", "content": json.dumps({"question": question}, ensure_ascii=False)},
        {
            "role": "user",
            "content": _given((span.title, span.heading, span.told, span.answer), span.language),
        },
    ]


def _given(values: Sequence[str], language: Language) -> str:
    lines = zip(_GIVEN[language], values, strict=True)
    return "\n".join(f"{name} : {harmless(value)}" for name, value in lines if value)


def _changed(question: str, thing: str, language: Language) -> list[JSON]:
    first, second = _CHANGED[language]
    other, changed = _CHANGE_EXAMPLE[language]
    return [
        {"role": "system", "content": _CHANGE[language]},
        {"role": "user", "content": f"{first} : {_EXAMPLE[language][1]}\n{second} : {other}"},
        {"role": "assistant", "content": json.dumps({"question": changed}, ensure_ascii=False)},
        {"role": "user", "content": f"{first} : {harmless(question)}\n{second} : {thing}"},
    ]


def _question(answer: Mapping[str, Any], language: Language) -> str | None:
    """The question in an engine's answer, in its language's typography; None when it holds none."""
    try:
        text = str(answer["choices"][0]["message"].get("content") or "")
        value = json.loads(text[text.index("{") : text.rindex("}") + 1])["question"]
    except (LookupError, ValueError, TypeError, AttributeError):
        return None
    question = " ".join(value.split()).strip('"“”«» ') if isinstance(value, str) else ""
    return _typeset(question, language) or None


def _typeset(question: str, language: Language) -> str:
    """A question with the no-break space that French has before its mark."""
    if question.endswith("?") and language == "fr":
        return question[:-1].rstrip() + "\N{NO-BREAK SPACE}?"
    return question
