"""Whether a sentence stands in a source, and where: the literal span that supports it best, and a status.

Numbers, quantities, dates, times, article numbers and quotes must stand there literally; words must agree after
stemming. No model is asked, so the same sentence always gets the same status. What this cannot see: a right
number given to the wrong thing, and a paraphrase in words that share no stem.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from etabli.assistants.answer import Status
from etabli.assistants.claims import Claim, Facts, claims_of, facts_of
from etabli.assistants.evidence import Source
from etabli.knowledge.analysis import terms
from etabli.knowledge.language import detect
from etabli.messages import tr

WORDS_VERIFIED = 0.6
"""Share of the sentence's stems that a span must have when nothing else can be compared."""
WORDS_WITH_CLAIMS = 0.25
"""Share that is enough when all numbers, dates and quotes stand there."""
WORDS_WEAK = 0.3
_RANK: dict[Status, int] = {"verified": 2, "weak": 1, "unsupported": 0}
_DENIAL = re.compile(
    r"\bne\b|\bn['’]|\bpas\b|\bjamais\b|\baucune?\b|\bnot\b|n['’]t\b|\bno\b|\bnever\b",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"^\W*(bonjour|bonsoir|merci|de rien|je vous en prie|n['’]hésitez pas|je reste à|cordialement|bien sûr|"
    r"d['’]accord|hello|hi\b|thank|you['’]re welcome|feel free|let me know|sure\b|of course|please let)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Support:
    """Where a sentence is supported.

    Args:
        source: the numbered passage.
        char_start: where the span begins in the version's canonical text.
        char_end: where it ends (exclusive).
        status: how well.
        reason: for people, why it is not `verified`.
        weight: to compare supports of the same sentence; more is better.
    """

    source: Source
    char_start: int
    char_end: int
    status: Status
    reason: str | None
    weight: float

    @property
    def order(self) -> tuple[int, float]:
        """Better supports are greater."""
        return _RANK[self.status], self.weight


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of the answer, ready to be compared.

    Args:
        text: without markers.
        language: `fr` or `en`.
        claims: what must stand literally.
        stems: its content words.
        given: claims that the question made already: repeating them proves nothing and harms nothing.
    """

    text: str
    language: str
    claims: tuple[Claim, ...]
    stems: frozenset[str]
    given: frozenset[Claim]

    @property
    def literal(self) -> list[Claim]:
        """Claims other than names."""
        return [claim for claim in self.claims if claim.kind != "name"]

    @property
    def names(self) -> list[Claim]:
        """Names that the question did not give."""
        return [claim for claim in self.claims if claim.kind == "name" and claim not in self.given]


def read_statement(text: str, *, question: str, language: str) -> Statement:
    """Prepare a sentence of an answer to `question`; `language` where its words do not tell."""
    told = detect(text) or language
    claims = tuple(claims_of(text))
    asked = facts_of(question)
    given = frozenset(claim for claim in claims if asked.holds(claim))
    return Statement(text, told, claims, frozenset(terms(text, told)), given)


def needs_source(statement: Statement) -> bool:
    """Whether a sentence says something that documents must bear out: not a greeting, question or lead-in."""
    text = statement.text.strip()
    if not text or _POLITE.match(text) or text.endswith("?"):
        return False
    if text.endswith(":") and not statement.literal:
        return False
    return bool(statement.literal) or len(statement.stems) >= 2


def best_support(statement: Statement, sources: Iterable[Source]) -> Support | None:
    """The span that supports a statement best; None when the sources are empty."""
    found = [support for source in sources if (support := support_in(statement, source)) is not None]
    return max(found, key=lambda support: support.order, default=None)


def support_in(statement: Statement, source: Source) -> Support | None:
    """The best span of one source: a unit, or two that follow each other when both are needed."""
    spans = [_Span(source, index, index + 1) for index in range(len(source.units))]
    if not spans:
        return None
    best = max(spans, key=lambda span: span.weight(statement))
    if len(best.held(statement)) < len(statement.literal) and len(source.units) > 1:
        pairs = [_Span(source, index, index + 2) for index in range(len(source.units) - 1)]
        pair = max(pairs, key=lambda span: span.weight(statement))
        if len(pair.held(statement)) > len(best.held(statement)):
            best = pair
    status, reason = _judge(statement, best)
    return Support(source, best.char_start, best.char_end, status, reason, best.weight(statement))


def judge_together(statement: Statement, supports: Sequence[Support]) -> list[Support]:
    """Statuses of several sources cited for one sentence: what one lacks another may hold.

    Sources that add nothing to the others are left out.
    """
    if len(supports) < 2:
        return list(supports)
    facts = [facts_of(_text_of(support)) for support in supports]
    held = [{claim for claim in statement.literal if fact.holds(claim)} for fact in facts]
    together = set().union(*held)
    complete = len(together) == len(statement.literal)
    result: list[Support] = []
    for support, own in zip(supports, held, strict=True):
        if complete and own and support.status != "verified":
            support = Support(
                support.source, support.char_start, support.char_end, "verified", None, support.weight
            )
        result.append(support)
    useful = [support for support in result if support.status != "unsupported"]
    return useful or [max(result, key=lambda support: support.order)]


@dataclass(frozen=True, slots=True)
class _Span:
    """Units `first:last` of a source."""

    source: Source
    first: int
    last: int

    @property
    def char_start(self) -> int:
        return self.source.units[self.first].char_start

    @property
    def char_end(self) -> int:
        return self.source.units[self.last - 1].char_end

    @property
    def text(self) -> str:
        return "\n".join(unit.text for unit in self.source.units[self.first : self.last])

    @property
    def facts(self) -> Facts:
        return _facts(self.text)

    @property
    def context(self) -> str:
        """What explains the span: document, headings, table header, lead-in."""
        headers = {unit.header for unit in self.source.units[self.first : self.last]} - {None}
        texts = [
            self.source.units[index].text for index in sorted(index for index in headers if index is not None)
        ]
        heading = next((unit.text for unit in self.source.units[: self.first] if unit.heading), "")
        first = self.source.first
        return "\n".join([first.title or "", first.document_name, first.breadcrumb, heading, *texts])

    def held(self, statement: Statement) -> list[Claim]:
        return [claim for claim in statement.literal if self.facts.holds(claim)]

    def weight(self, statement: Statement) -> float:
        """Claims count more than words, words of the span more than those of its headings."""
        literal = statement.literal
        held = sum(0.3 if claim in statement.given else 1.0 for claim in self.held(statement))
        possible = sum(0.3 if claim in statement.given else 1.0 for claim in literal)
        claims = held / possible if possible else 0.0
        names = [claim for claim in statement.names if self.facts.holds(claim)]
        named = len(names) / len(statement.names) if statement.names else 0.0
        own = _share(statement.stems, self.text)
        around = _share(statement.stems, f"{self.text}\n{self.context}")
        shown = 0.05 if any(index in self.source.shown for index in range(self.first, self.last)) else 0.0
        return 2.0 * claims + 0.5 * named + own + 0.5 * around + shown


def _judge(statement: Statement, span: _Span) -> tuple[Status, str | None]:
    """Status of a statement in a span, and why it is not verified."""
    passage = _facts("\n".join(unit.text for unit in span.source.units) + "\n" + span.context)
    missing = [claim for claim in statement.literal if not span.facts.holds(claim)]
    absent = [claim for claim in missing if claim not in statement.given and not passage.holds(claim)]
    if absent:
        return "unsupported", tr("{claim} does not stand in the source", claim=absent[0].shown)
    own = [claim for claim in missing if claim not in statement.given]
    if own:
        return "weak", tr("{claim} stands elsewhere in the passage", claim=own[0].shown)
    unknown = [claim for claim in statement.names if not passage.holds(claim)]
    share = _share(statement.stems, f"{span.text}\n{span.context}")
    foreign = (detect(span.text) or statement.language) != statement.language
    proven = [claim for claim in statement.literal if claim not in missing and claim not in statement.given]
    if unknown and not foreign:
        return "weak", tr("the name {name} does not stand in the source", name=unknown[0].shown)
    if proven and (share >= WORDS_WITH_CLAIMS or (foreign and any(_telling(claim) for claim in proven))):
        return "verified", None
    if proven:
        return "weak", tr("only its numbers agree with the source")
    return _judge_words(statement, span, share, foreign)


def _judge_words(statement: Statement, span: _Span, share: float, foreign: bool) -> tuple[Status, str | None]:
    """Status of a statement that has nothing literal of its own."""
    if foreign:
        return "weak", tr("the source is in another language: its words were not compared")
    if share < WORDS_WEAK:
        return "unsupported", tr("its words do not stand in the source")
    if bool(_DENIAL.search(statement.text)) != bool(_DENIAL.search(span.text)):
        return "weak", tr("one of the two denies something: read the source")
    if share < WORDS_VERIFIED:
        return "weak", tr("only a part of its words stands in the source")
    return "verified", None


def _telling(claim: Claim) -> bool:
    """Whether a claim is unlikely to be met by chance: anything but a bare number."""
    return claim.kind != "quantity" or not all(value.endswith(" ") for value in claim.values)


def _text_of(support: Support) -> str:
    return "\n".join(
        unit.text
        for unit in support.source.units
        if unit.char_start >= support.char_start and unit.char_end <= support.char_end
    )


def _share(stems: frozenset[str], text: str) -> float:
    """Share of the stems that a text has, in either language."""
    return len(stems & _stems(text)) / len(stems) if stems else 0.0


@lru_cache(maxsize=4096)
def _facts(text: str) -> Facts:
    return facts_of(text)


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    return frozenset(terms(text, "fr")) | frozenset(terms(text, "en"))
