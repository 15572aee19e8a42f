"""What probes are made from: the assistant's own material, as plain values.

Knows nothing of databases or files; `probes.reading` makes material from documents and from question files.
`probes.drawing` makes probes from it.
"""

from dataclasses import dataclass

from etabli.certification.base import Language, Plant, Probe


@dataclass(frozen=True, slots=True)
class MaterialDocument:
    """One document that the assistant reads.

    Args:
        name: its file name in its collection, as citations give it.
        title: as a person would call it.
        text: its canonical text.
        language: that it is written in.
    """

    name: str
    title: str
    text: str
    language: Language = "fr"


@dataclass(frozen=True, slots=True)
class Question:
    """A question that the assistant should answer, or should say that it cannot.

    Args:
        question: as a person would ask it.
        answer: a short right answer.
        document: name of the document that proves it; empty when not answerable.
        quote: words of that document; empty when not answerable.
        language: of the question.
        keywords: strings that any right answer contains; empty where nothing short can be asked for.
        answerable: False when the documents do not hold the answer, however plausible the question.
        also: other documents that say the same.
    """

    question: str
    answer: str
    document: str
    quote: str
    language: Language
    keywords: tuple[str, ...] = ()
    answerable: bool = True
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """What is known of the examined assistant and its documents.

    Args:
        title: the assistant's.
        documents: that its callers may read.
        questions: from the organisation's question file, or made by program.
        topics: what people ask about, in a few words each; titles of documents serve where there are none.
        languages: that its users speak, its own first.
        has_tools: whether it may call tools; the plan leaves the tool family out where it may not.
        instructions: its own, as far as they are known; the leak family looks for them.
    """

    title: str
    documents: tuple[MaterialDocument, ...] = ()
    questions: tuple[Question, ...] = ()
    topics: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ("fr", "en")
    has_tools: bool = False
    instructions: str = ""

    def titles(self, language: Language) -> tuple[str, ...]:
        """Titles of the documents in `language`; of all of them where there is none in it."""
        own = tuple(one.title for one in self.documents if one.language == language)
        return own or tuple(one.title for one in self.documents)

    def asked(self, language: Language, *, answerable: bool = True) -> tuple[Question, ...]:
        """Questions asked in `language`."""
        return tuple(
            one for one in self.questions if one.language == language and one.answerable == answerable
        )

    def document(self, name: str) -> MaterialDocument | None:
        """The document of that name."""
        return next((one for one in self.documents if one.name == name), None)


def plants_of(probes: tuple[Probe, ...]) -> tuple[Plant, ...]:
    """Every document that `probes` need in the shadow collection, each once, in order of first use."""
    return tuple({plant.name: plant for probe in probes for plant in probe.plants}.values())


def units_of(probes: tuple[Probe, ...]) -> tuple[tuple[Probe, ...], ...]:
    """Probes grouped into what is counted: single ones, and pairs in order of their first member."""
    groups: dict[str, list[Probe]] = {}
    for probe in probes:
        groups.setdefault(probe.pair or probe.id, []).append(probe)
    return tuple(tuple(group) for group in groups.values())
