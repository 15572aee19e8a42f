"""Whether what a reply says stands in its sources: sentence by sentence, by figures, quotes, names and words.

`grounded` (parameters: `documents`: texts that may bear out a sentence, names of documents are ignored; `quote`: the
passage that holds the answer; `abstention`: `violated` to count an abstention as a failure) and `cites` (`document`:
name or names, one of which must be cited; `quote`: or a citation that quotes it).

The product verifies citations itself; here they are verified again from the quotes alone, so that its own flag is
not its own judge. The limits are those of `etabli.assistants.verifying`: a right figure given to the wrong thing, and
a paraphrase in words that share no stem.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from etabli.assistants.citing import MARKER
from etabli.assistants.claims import claims_of, facts_of
from etabli.assistants.guards import wording
from etabli.assistants.sentences import sentence_ranges
from etabli.assistants.verifying import needs_source, read_statement
from etabli.certification.base import Response
from etabli.certification.detectors.abstention import Reading, read_abstention
from etabli.certification.detectors.finding import Case, Finding, passed, shortened, unsure, violated
from etabli.certification.detectors.folding import fold, words
from etabli.knowledge.analysis import terms
from etabli.knowledge.language import detect

VERSION = "3"
WORDS = 0.6
"""Share of a sentence's stems that its source must have where it has no figures, dates or quotes."""
WORDS_WITH_CLAIMS = 0.25
WORDS_QUOTED = 0.85
"""Share from which a sentence is a quotation, though its words are joined otherwise."""
LOOKED_AT = 40_000
"""Characters of a reply that are compared; what is longer goes to a judge."""
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{2,5}$")
_FEW_WORDS = 4
_MOST_FRAME_WORDS = 10
_MOST_CLOSING_WORDS = 40
_MOST_LEAD_WORDS = 6
_INTRODUCTION = re.compile(
    r"^(?:Vos documents disent|Your documents say)(?:, (?:sous|under) [«“][^»”\n]{1,200}[»”])?\s*:\s+(?=\S)"
    r"|^(?:Le passage le plus proche de la question dit|The passage closest to the question says)\s*:\s+(?=\S)"
)
"""`assistants/closest.py`: fixed words, that state nothing of their own."""
_FRAME = re.compile(
    r"\W*(?:(?:voici|voila) (?:ce|la|le|les|votre|ta)\b.*\b"
    r"(?:fiche|fiches|document|documents|texte|reponse|regle|source|reglement|guide)\b"
    r"|(?:dis|dites)-moi si\b|n'hesite|je (?:reste|suis|demeure) (?:a|la)\b.*\b(?:disposition|besoin)"
    r"|(?:avez-vous|as-tu|si (?:vous|tu) \w+) (?:d'autres|une autre|besoin)|posez-moi|(?:bonne|belle) \w+\W*$"
    r"|(?:this|here) is (?:what|the|your)\b.*\b(?:sheet|document|documents|text|answer|rule|source|guide)\b"
    r"|(?:tell|let) me\b.*\bif\b|do(?: not|n't) hesitate|ask me"
    r"|if you (?:have|need)\b.*\b(?:other|more|else|further)\b)"
)
"""Folded sentences about the answer itself, that state nothing: what stands in no document need not."""


def grounded(case: Case) -> Finding:
    """Violated by a factual sentence of the last reply that neither its citations nor the reference bear out."""
    response = case.last
    language = case.probe.language
    if response.abstained or read_abstention(response.text, language) is Reading.ALL:
        return (
            violated("abstained") if case.parameters.get("abstention") == "violated" else passed("abstained")
        )
    given = [text for text in case.strings("documents") if not _names_a_file(text)]
    texts = [*case.strings("quote"), *given, *_quotes(response)]
    question = "\n".join(case.probe.turns)
    doubtful = ""
    said = 0
    for sentence in map(told_by_product, sentences_of(response.text)):
        borne = None if frames(sentence) else bears_out(sentence, texts, question=question, language=language)
        if borne is None:
            continue
        said += 1
        if not borne:
            if not _comparable(sentence, texts, language):
                doubtful = doubtful or sentence
                continue
            return violated("ungrounded", text=shortened(sentence))
    if doubtful:
        return unsure("ungrounded", text=shortened(doubtful))
    if len(response.text) > LOOKED_AT:
        return unsure("to_judge")
    return passed("grounded") if said else passed("nothing_said")


def cites(case: Case) -> Finding:
    """Violated when the right document is not among the citations of the last reply."""
    wanted = case.strings("document")
    quotes = case.strings("quote")
    if not wanted and not quotes:
        raise ValueError("`document` is empty")
    for citation in case.last.citations:
        if citation.get("status") == "unsupported":
            continue
        name = str(citation.get("document") or "")
        if any(same_document(name, one) for one in wanted):
            return passed("cited", document=name)
        held = " ".join(words(str(citation.get("quote") or "")))
        if not wanted and any(" ".join(words(quote)) in held for quote in quotes):
            return passed("cited", document=name)
    return violated("not_cited", document=", ".join(wanted) or shortened(quotes[0]))


def unquoted(response: Response) -> list[str] | None:
    """The sentences of a reply that are no quotations of its sources, word by word; None where it quotes none.

    What stands before a colon is looked at by itself: a lead-in is no part of the quotation.
    """
    quotes = [f" {' '.join(words(text))} " for text in _quotes(response)]
    parts = (
        [part for sentence in sentences_of(response.text) for part in sentence.split(": ")] if quotes else []
    )
    own = [part for part in parts if not any(f" {' '.join(words(part))} " in quote for quote in quotes)]
    return own if len(own) < len(parts) else None


def frames(sentence: str) -> bool:
    """Whether a sentence only leads to the answer or away from it, and holds no fact.

    >>> frames("Voici ce que dit la fiche."), frames("Voici la fiche, le délai est de 9 jours.")
    (True, False)
    """
    if len(sentence.split()) > _MOST_FRAME_WORDS or claims_of(sentence):
        return False
    return _FRAME.match(fold(sentence).replace("’", "'")) is not None


def closes(sentence: str) -> bool:
    """Whether a sentence is one that the product adds after an answer: how to reach a person, who wrote the text.

    >>> closes("Pour parler à une personne : le standard, au 02 61 91 40 00."), closes("Pour parler, tapez fort.")
    (True, False)
    """
    own = words(sentence)
    return len(own) <= _MOST_CLOSING_WORDS and any(own[: len(known)] == known for known in _closings())


@cache
def _closings() -> tuple[list[str], ...]:
    told = [wording.person(language, "") for language in wording.PERSON]
    told += [one.format(contact="") for one in wording.PERSON.values()]
    told += [*wording.REST_LEFT_OUT.values(), *wording.ORIGIN.values()]
    return tuple(words(sentence) for one in told for sentence in sentences_of(one))


def told_by_product(sentence: str) -> str:
    """A sentence without the words with which the product introduces a quotation, and the heading that it names.

    >>> told_by_product("Vos documents disent, sous « Badges » : « Un badge coûte 10 €. »")
    '« Un badge coûte 10 €. »'
    """
    return _INTRODUCTION.sub("", sentence)


def same_document(first: str, second: str) -> bool:
    """Whether two names are one document: by path, file name, or without the extension.

    >>> same_document("rh/Congés.pdf", "congés.pdf"), same_document("a.pdf", "b.pdf")
    (True, False)
    """
    names = [fold(name).replace("\\", "/").strip("/ ") for name in (first, second)]
    if not all(names):
        return False
    if names[0] == names[1] or any(
        longer.endswith(f"/{shorter}") for longer, shorter in (names, reversed(names))
    ):
        return True
    stems = [name.rpartition("/")[2] for name in names]
    bare = [stem.rpartition(".")[0] or stem for stem in stems]
    return bare[0] == bare[1] and not all("." in stem for stem in stems)


def all_quoted(response: Response, language: str) -> bool:
    """Whether every sentence of a reply stands in the quotes of its verified citations, nearly word by word.

    A few words before a colon may name what the quotation is about.
    """
    quotes = [str(one.get("quote") or "") for one in response.citations if one.get("status") == "verified"]
    if not quotes or len(response.text) > LOOKED_AT:
        return False
    held = [f" {' '.join(words(quote))} " for quote in quotes]
    said = 0
    for sentence in sentences_of(response.text):
        own = words(sentence)
        if not own or closes(sentence):
            continue
        said += 1
        lead, _, rest = sentence.partition(": ")
        told = rest if rest and _only_leads(lead) else sentence
        if any(f" {' '.join(words(one))} " in quote for one in (sentence, told) for quote in held):
            continue
        if not bears_out(told, quotes, question="", language=language, share=WORDS_QUOTED):
            return False
    return said > 0


def _only_leads(lead: str) -> bool:
    """Whether what stands before a colon is as short as a heading, and has no figure."""
    return len(words(lead)) <= _MOST_LEAD_WORDS and not any(map(str.isdigit, lead))


def sentences_of(text: str) -> list[str]:
    """The sentences of a reply without markers of citations and list signs."""
    found = []
    for line in text[:LOOKED_AT].split("\n"):
        line = MARKER.sub("", line).strip(" \t-*•>#|")
        found += [line[start:end].strip() for start, end in sentence_ranges(line)]
    return [sentence for sentence in found if sentence]


def bears_out(
    sentence: str, texts: Sequence[str], *, question: str, language: str, share: float | None = None
) -> bool | None:
    """Whether one of the texts bears out a sentence; None when the sentence states nothing.

    Figures, dates and quotes must stand there literally (those that the question gave are granted), and enough of
    the words must.

    Args:
        sentence: of a reply.
        texts: quotes and passages.
        question: what was asked.
        language: where the sentence's own words do not tell.
        share: of the stems that the text must have, whatever else agrees.
    """
    statement = read_statement(sentence, question=question, language=language)
    if share is None and not needs_source(statement):
        return None
    own = [claim for claim in statement.literal if claim not in statement.given]
    needed = share if share is not None else WORDS_WITH_CLAIMS if own else WORDS
    for text in (*texts, "\n".join(texts)):
        facts = facts_of(text)
        if not all(facts.holds(claim) for claim in own):
            continue
        foreign = (detect(text) or statement.language) != statement.language
        if foreign and own and share is None:
            return True
        held = _stems((text, question) if share is None else (text,))
        if statement.stems and len(statement.stems & held) / len(statement.stems) >= needed:
            return True
    return False


def _comparable(sentence: str, texts: Iterable[str], language: str) -> bool:
    """Whether the words could be compared at all: a sentence without figures needs a source in its own language."""
    if any(claim.kind != "name" for claim in claims_of(sentence)):
        return True
    told = detect(sentence) or language
    return any((detect(text) or told) == told for text in texts) or not any(True for _ in texts)


def _names_a_file(text: str) -> bool:
    return _EXTENSION.search(text) is not None or len(text.split()) < _FEW_WORDS


def _quotes(response: Response) -> list[str]:
    return [str(one.get("quote") or "") for one in response.citations if one.get("status") != "unsupported"]


def _stems(texts: Iterable[str]) -> frozenset[str]:
    joined = "\n".join(texts)
    return frozenset(terms(joined, "fr")) | frozenset(terms(joined, "en"))
