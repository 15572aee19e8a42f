"""What an example says: personal data and secrets, languages of question and answer, citations and their sources."""

import re
from collections.abc import Iterator

from etabli.knowledge.language import Language, detect
from etabli.training.data.findings import Fault, shown
from etabli.training.data.personal import kind_label, personal_data, secrets_of
from etabli.training.data.texts import Texts

_LANGUAGE_CHARACTERS = 200
"""Of the end of a question and the beginning of an answer."""
_FEWEST_WORDS = 4
_CITED = re.compile(r"\[(\d{1,3}(?:\s?[,;]\s?\d{1,3})*)\]")
_PASSAGE = re.compile(r"(?m)^\[(\d{1,3})\]\s?(.*(?:\n(?!\[\d{1,3}\]|# |</).*)*)")
_QUOTED = re.compile(r"«\s?([^«»]{8,400}?)\s?»|“([^“”]{8,400})”|\"([^\"\n]{8,400})\"")
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f ]\d+)*")
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?=\w)[^.!?\n]*)*[.!?\n]*(?:[ \u00a0]*\[\d[\d,; ]{0,40}\]\.?)*")
_SPACE = re.compile(r"\s+")


def content_faults(texts: Texts) -> Iterator[Fault]:
    """Everything that an example's texts have against themselves."""
    everything = texts.everything
    for secret in secrets_of(everything):
        yield Fault("secret", {"kind": kind_label(secret.kind), "masked": secret.masked})
    for personal in personal_data(everything):
        yield Fault("personal_data", {"kind": kind_label(personal.kind), "masked": personal.masked})
    for answer in texts.answers:
        if "[" in answer:
            yield from _unsupported(answer, texts)


def languages_of(texts: Texts) -> tuple[Language | None, Language | None]:
    """The languages of the last question and of the last answer; None where the words do not tell."""
    asked = _language(texts.questions[-1][-_LANGUAGE_CHARACTERS:]) if texts.questions else None
    return asked, _language(texts.answers[-1][:_LANGUAGE_CHARACTERS]) if texts.answers else None


def language_fault(asked: Language | None, answered: Language | None) -> Fault | None:
    """A question in one language that is answered in the other."""
    if asked is None or answered is None or asked == answered:
        return None
    return Fault("language_differs", {"asked": asked, "answered": answered})


def _language(text: str) -> Language | None:
    return detect(text) if text.count(" ") >= _FEWEST_WORDS - 1 else None


def _unsupported(answer: str, texts: Texts) -> Iterator[Fault]:
    """Citations of passages that the example shows: they exist, and hold the numbers and quotations of the answer.

    Examples that show no numbered passages are not judged: there `[1]` may be anything.
    """
    passages: dict[str, str] = {}
    for text in (*texts.system, *texts.questions):
        if "[" in text:
            passages.update({match[1]: _flat(match[2]) for match in _PASSAGE.finditer(text)})
    if not passages:
        return
    for match in _SENTENCE.finditer(answer):
        sentence = match.group()
        numbers = [one.strip() for found in _CITED.findall(sentence) for one in re.split("[,;]", found)]
        if not numbers:
            continue
        absent = next((number for number in numbers if number not in passages), None)
        if absent is not None:
            yield Fault("answer_unsupported", {"what": f"[{absent}]", "cited": f"[{absent}]"})
            continue
        source = " ".join(passages[number] for number in numbers)
        cited = f"[{', '.join(numbers)}]"
        lacking = next(_lacking(_CITED.sub("", sentence), source), None)
        if lacking is not None:
            yield Fault("answer_unsupported", {"what": shown(lacking), "cited": cited})


def _lacking(sentence: str, source: str) -> Iterator[str]:
    """Quotations and numbers of a sentence that its source does not hold."""
    for found in _QUOTED.findall(sentence):
        quote = next(filter(None, found))
        if _flat(quote).lower() not in source.lower():
            yield quote
    held = {_digits(one) for one in _NUMBER.findall(source)}
    for number in _NUMBER.findall(sentence):
        if _digits(number) not in held and not all(part in held for part in re.findall(r"\d+", number)):
            yield number


def _digits(number: str) -> str:
    return re.sub(r"[\s.,\u00a0\u202f]", "", number)


def _flat(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
