"""Makes material: from an organisation's question file, and from its documents alone.

From documents: a sentence with one figure in it becomes a question for that figure, with the figure as its answer and
the sentence as its proof. Such questions quote their source, so they are easier to find than a person's; they stand
in where people wrote too few. Which sentences are taken depends on their words only.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etabli.assistants.sentences import sentence_ranges
from etabli.certification.base import Language
from etabli.certification.probes.base import Material, MaterialDocument, Question
from etabli.errors import InvalidInputError
from etabli.messages import tr

_ENOUGH = 30
"""Questions in one language from which none are made by program."""
_PER_DOCUMENT = 6
_SHORTEST, _LONGEST = 40, 220
_MOST_BYTES = 20 << 20

_LEANS_BACK = frozenset(
    "il ils elle elles ce cela ceci ces celui-ci celle-ci it they this these he she that".split()
)
"""First words of a sentence that cannot be understood alone."""
_NUMBER = r"\d{1,3}(?:[ \u00a0\u202f.,]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?"
_UNITS: dict[Language, dict[str, str]] = {
    "fr": {
        "durée": r"jours?(?: ouvrés| ouvrables| calendaires)?|mois|semaines?|heures?|minutes|ans|années|nuits?",
        "somme": r"€|euros?",
        "proportion": r"%",
        "mesure": r"mètres?|km|cm|mm|m²|kg|litres?|ml|°C",
        "quantité": r"caractères|personnes|exemplaires|pages|lits|places",
    },
    "en": {
        "length of time": r"(?:working |calendar )?days?|months?|weeks?|hours?|minutes|years?|nights?",
        "amount": r"euros?|pounds|dollars",
        "share": r"%|per cent|percent",
        "measure": r"met(?:re|er)s?|km|cm|mm|kg|lit(?:re|er)s?|ml|°C",
        "quantity": r"characters|people|persons|copies|pages|beds|places",
    },
}
_PREFIXED = r"[€£$]\s?(?:" + _NUMBER + ")"
_ASK: dict[Language, tuple[str, ...]] = {
    "fr": (
        "Selon « {title} », quelle {kind} manque dans cette phrase : « {sentence} » ?",
        "Dans « {title} », quelle {kind} faut-il lire à la place des points : « {sentence} » ?",
        "Complétez d’après « {title} » : « {sentence} » De quelle {kind} s’agit-il ?",
    ),
    "en": (
        "According to “{title}”, which {kind} is missing in this sentence: “{sentence}”?",
        "In “{title}”, which {kind} should stand in place of the dots: “{sentence}”?",
        "Complete from “{title}”: “{sentence}” Which {kind} is it?",
    ),
}


class QuestionRow(BaseModel):
    """One line of a question file; `examples/clinique/README.md` describes the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str = Field(min_length=1, max_length=4000)
    language: Language
    id: str = ""
    answerable: bool = True
    source: str | None = None
    also: tuple[str, ...] = ()
    page: int | None = None
    quote: str | None = None
    answer: str | None = None
    keywords: tuple[str, ...] = ()
    audience: str = "all"
    needs_ocr: bool = False


def read_questions(path: Path, *, audiences: Sequence[str] = ("all",)) -> tuple[Question, ...]:
    """Questions of a file, one JSON object a line; `examples/clinique/README.md` describes them.

    Those for other audiences, and those that need character recognition, are left out: what the caller of the probes
    cannot be shown is no measure of the answers.

    Args:
        path: the file, UTF-8.
        audiences: whose questions to take.

    Raises:
        InvalidInputError: the file cannot be read, or a line of it cannot be used.
    """
    try:
        data = path.read_bytes()
        text = data[: _MOST_BYTES + 1].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            tr("{path} cannot be read as a question file: {reason}.", path=path, reason=error)
        ) from error
    if len(data) > _MOST_BYTES:
        raise InvalidInputError(
            tr("{path} is larger than 20 MB. Split it into several question files.", path=path)
        )
    return questions_in(text, str(path), audiences=audiences)


def questions_in(text: str, name: str, *, audiences: Sequence[str] = ("all",)) -> tuple[Question, ...]:
    """As `read_questions`, of a text.

    Args:
        text: one JSON object a line.
        name: of the file, for the sentences.
        audiences: whose questions to take.

    Raises:
        InvalidInputError: a line of it cannot be used.
    """
    rows = [
        _row(name, number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()
    ]
    return tuple(question_of(row) for row in rows if row.audience in audiences and not row.needs_ocr)


def _row(path: str, number: int, line: str) -> QuestionRow:
    try:
        value: Any = json.loads(line)
        row = QuestionRow.model_validate(value)
    except (ValueError, ValidationError) as error:
        raise InvalidInputError(
            tr("{path}, line {number}: {reason}", path=path, number=number, reason=_reason(error))
        ) from error
    if row.answerable and not (row.source and row.quote):
        raise InvalidInputError(
            tr(
                "{path}, line {number}: an answerable question needs the document that answers it (source) and words "
                "of it (quote). Add them, or set answerable to false.",
                path=path,
                number=number,
            )
        )
    return row


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'JSON'}: {first['msg']}"
    return str(error)


def question_of(row: QuestionRow) -> Question:
    """A row as the probes know it."""
    return Question(
        question=row.question,
        answer=row.answer or "",
        document=row.source or "",
        quote=row.quote or "",
        language=row.language,
        keywords=row.keywords,
        answerable=row.answerable,
        also=row.also,
    )


def material_from_documents(
    documents: Sequence[MaterialDocument],
    *,
    title: str,
    language: Language,
    questions: Sequence[Question] = (),
    instructions: str = "",
    topics: Sequence[str] = (),
    has_tools: bool = False,
) -> Material:
    """Material of an assistant that reads `documents`.

    Args:
        documents: what its callers may read.
        title: the assistant's.
        language: its own; the other one comes second.
        questions: written by people. Answerable ones whose document is not among `documents` are left out. Where
            fewer than 30 are left in a language, more are made from the documents in that language.
        instructions: the assistant's.
        topics: what people ask about, in a few words each.
        has_tools: whether it may call tools.
    """
    known = {one.name: one for one in documents}
    kept = [one for one in questions if not one.answerable or one.document in known]
    for wanted in ("fr", "en"):
        if sum(one.language == wanted and one.answerable for one in kept) < _ENOUGH:
            own = [one for one in documents if one.language == wanted]
            most = max(_PER_DOCUMENT, -(-_ENOUGH // max(1, len(own))))
            kept += [question for document in own for question in questions_from(document, most=most)]
    return Material(
        title=title,
        documents=tuple(documents),
        questions=tuple(kept),
        topics=tuple(topics),
        languages=(language, "en" if language == "fr" else "fr"),
        has_tools=has_tools,
        instructions=instructions,
    )


def questions_from(document: MaterialDocument, *, most: int = _PER_DOCUMENT) -> tuple[Question, ...]:
    """At most `most` questions for figures of a document, made from its sentences.

    >>> text = "Le préavis de démission est fixé à 2 mois pour les infirmiers."
    >>> questions_from(MaterialDocument("a.md", "Livret", text))[0].answer
    '2 mois'
    """
    found = {}
    for line in document.text.splitlines():
        if " | " in line:
            continue
        for start, end in sentence_ranges(line):
            sentence = line[start:end]
            made = _made(document, sentence)
            if made is not None:
                found[hashlib.sha256(sentence.encode()).hexdigest()] = made
    return tuple(found[key] for key in sorted(found)[:most])


def _made(document: MaterialDocument, sentence: str) -> Question | None:
    """A question for the only figure of a sentence; None for other sentences."""
    if not _SHORTEST <= len(sentence) <= _LONGEST or not sentence[0].isupper() or sentence[-1] != ".":
        return None
    if sentence.split()[0].lower() in _LEANS_BACK or sentence.count("(") != sentence.count(")"):
        return None
    if len(re.findall(_NUMBER, sentence)) != 1:
        return None
    figure = _figure(sentence, document.language)
    if figure is None:
        return None
    kind, start, end = figure
    forms = _ASK[document.language]
    form = forms[int(hashlib.sha256(sentence.encode()).hexdigest(), 16) % len(forms)]
    gap = f"{sentence[:start]}…{sentence[end:]}".replace("….", "…")
    return Question(
        question=form.format(title=document.title, kind=kind, sentence=gap),
        answer=sentence[start:end],
        document=document.name,
        quote=sentence,
        language=document.language,
        keywords=(sentence[start:end],),
    )


def _figure(sentence: str, language: Language) -> tuple[str, int, int] | None:
    """Kind and range of the first figure with its unit."""
    for kind, units in _UNITS[language].items():
        match = re.search(rf"(?<![\w.,])(?:{_NUMBER})[ \u00a0\u202f]?(?:{units})(?!\w)", sentence)
        if match is not None:
            return kind, match.start(), match.end()
    match = re.search(rf"(?<!\w){_PREFIXED}", sentence)
    return ("amount" if language == "en" else "somme", match.start(), match.end()) if match else None
