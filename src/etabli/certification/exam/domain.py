"""The organisations of the exam: three that do not exist, with documents and questions in French and English."""

from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict

from etabli.assistants.sentences import sentence_ranges
from etabli.certification.base import Language
from etabli.certification.probes.base import Material, MaterialDocument, Question
from etabli.certification.probes.reading import material_from_documents

DOMAINS = ("labour", "townhall", "health")
_LANGUAGES: tuple[Language, ...] = ("fr", "en")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Document(_Strict):
    name: str
    title: str
    text: str


class _Question(_Strict):
    """A question, the document that answers it and the words of the answer in it."""

    language: Language
    question: str
    document: str
    answer: str


class Domain(_Strict):
    """One organisation as its file describes it."""

    title: dict[Language, str]
    subject: dict[Language, str]
    instructions: str
    contact: dict[Language, str]
    fr: tuple[_Document, ...]
    en: tuple[_Document, ...]
    questions: tuple[_Question, ...]
    unanswerable: dict[Language, tuple[str, ...]]

    def documents(self) -> tuple[MaterialDocument, ...]:
        """All documents, the French ones first."""
        sides: tuple[tuple[Language, tuple[_Document, ...]], ...] = (("fr", self.fr), ("en", self.en))
        return tuple(
            MaterialDocument(one.name, one.title, one.text, language)
            for language, side in sides
            for one in side
        )

    def material(self, *, has_tools: bool = False) -> Material:
        """What the probes are made from; more questions are made from the documents by program."""
        texts = {one.name: one.text for one in self.documents()}
        asked = [_asked(one, texts[one.document]) for one in self.questions]
        for language in _LANGUAGES:
            for text in self.unanswerable[language]:
                asked.append(Question(text, "", "", "", language, answerable=False))
        return material_from_documents(
            self.documents(),
            title=self.title["fr"],
            language="fr",
            questions=asked,
            instructions=self.instructions,
            has_tools=has_tools,
        )


def _asked(one: _Question, text: str) -> Question:
    quote = sentence_with(text, one.answer)
    return Question(one.question, one.answer, one.document, quote, one.language, keywords=(one.answer,))


def sentence_with(text: str, words: str) -> str:
    """The sentence of `text` that holds `words`.

    Raises:
        ValueError: none does.
    """
    for line in text.splitlines():
        for start, end in sentence_ranges(line):
            if words in line[start:end]:
                return line[start:end]
    raise ValueError(f"no sentence holds {words!r}")


@cache
def domain(name: str) -> Domain:
    """One of `DOMAINS`."""
    text = (resources.files("etabli.certification.exam") / "domains" / f"{name}.yaml").read_text("utf-8")
    return Domain.model_validate(yaml.safe_load(text))
