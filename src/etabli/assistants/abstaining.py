"""Knowing when the documents do not hold the answer, and saying so.

Three gates before a person is misled: nothing was found; what was found does not resemble an answer (`Gate`); the
model itself says that the passages do not tell (`is_refusal`). A fourth, after writing, is in `answering`: nothing
of what was written stands in the documents.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from etabli.assistants.citing import MARKER
from etabli.assistants.claims import claims_of, fold
from etabli.assistants.evidence import Evidence
from etabli.assistants.pointing import both_languages
from etabli.assistants.prompting import ABSENT, ABSTENTION
from etabli.knowledge.analysis import query_terms
from etabli.knowledge.language import detect
from etabli.knowledge.search import Passage

_OPENERS = (
    "absent",
    "je ne", "je n'", "je suis desole", "desole", "malheureusement", "les documents", "vos documents",
    "ces documents", "le document", "les passages", "le passage", "aucun", "il n'", "il ne", "l'information",
    "les informations", "cette information", "la reponse", "selon les documents", "d'apres les documents",
    "dans les documents", "non, ", "ce n'est pas", "i ", "i'", "sorry", "unfortunately", "the document",
    "the passage", "the provided", "the information", "there is no", "there are no", "no ", "none",
    "this information", "it is not", "based on the", "according to the doc", "the answer",
)  # fmt: skip
_SOURCES = (
    r"(?:documents?|passages?|textes?|informations?|contextes?|extraits?|sources?|texts?|contexts?|provided|"
    r"fournis)"
)
_TELL_FR = r"(?:contien|mention|donn|precis|indiqu|fourni|permet|di[st]|parl|traite|repond|figure)"
_TELL_EN = r"(?:contain|mention|give|specif|state|provide|say|include|answer|indicate)"
_TOLD_FR = r"(?:mention|precis|indiqu|fourni|donn|disponible|presente|trouv|specifi)"
_TOLD_EN = r"(?:mention|specif|provid|given|stated|available|found|indicated)"
_REFUSALS = re.compile(
    rf"je ne (?:trouve|vois|sais|dispose|connais|peux|suis pas)|je n'ai (?:pas|aucune)"
    rf"|{_SOURCES}[^.]{{0,40}}\b(?:ne |n'(?:en )?)[^.]{{0,20}}{_TELL_FR}"
    rf"|aucune? {_SOURCES}|aucune? (?:reponse|mention)"
    rf"|il n'y a (?:pas|aucune?)[^.]{{0,30}}{_SOURCES}|n'(?:est|sont) pas (?:\w+ )?{_TOLD_FR}"
    r"|i (?:cannot|can't|could not|couldn't|do not|don't|am unable|was unable|am not able)"
    rf"|{_SOURCES}[^.]{{0,40}}(?:do|does|did) ?(?:not|n't) (?:\w+ )?{_TELL_EN}"
    rf"|no (?:passages?|documents?|information|answer|mention)|there (?:is|are) no (?:\w+ )?{_SOURCES}"
    rf"|(?:is|are) not (?:\w+ )?{_TOLD_EN}"
)
LONGEST_REFUSAL = 300
FOREIGN = 0.6
"""Coverage of a question whose words cannot be compared: what questions in the documents' language typically have."""


@dataclass(frozen=True, slots=True)
class Features:
    """What tells a question that the passages answer from one that they do not.

    Args:
        meaning: greatest cosine between the question and a passage; None without vectors.
        sentence: greatest cosine between the question and one sentence; None without an embedding model.
        coverage: share of the question's terms, by idf, that the best passage has.
        likeness: late interaction of the question with the sentence that comes closest; 0 without a model.
        words: share of the question's terms that this sentence and its neighbours have.
        lacking: whether the question asks for a kind of thing (a date, an amount, …) that this sentence lacks.
    """

    meaning: float | None
    sentence: float | None
    coverage: float
    likeness: float
    words: float
    lacking: float


@dataclass(frozen=True, slots=True)
class Gate:
    """A logistic model of `Features`: probability that the passages hold the answer.

    The coefficients come from `python benchmarks/abstention.py --piaf piaf-v1.1.json`, which prints them.

    Args:
        threshold: below it the assistant abstains without asking the model.
        quoting: from it on, what comes closest is quoted as the answer where the model finds none.
    """

    bias: float
    meaning: float
    sentence: float
    coverage: float
    likeness: float
    words: float
    lacking: float
    threshold: float
    quoting: float
    embedder: str

    def suits(self, embedder: str) -> bool:
        """Whether the gate was fitted with this embedding model: cosines of two models do not compare."""
        return embedder.startswith(self.embedder)

    def probability(self, features: Features) -> float | None:
        """Between 0 and 1; None where a feature is missing: then nothing can be said."""
        if features.meaning is None or features.sentence is None:
            return None
        score = (
            self.bias
            + self.meaning * features.meaning
            + self.sentence * features.sentence
            + self.coverage * features.coverage
            + self.likeness * features.likeness
            + self.words * features.words
            + self.lacking * features.lacking
        )
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, score))))

    def closes(self, features: Features) -> bool:
        """Whether to abstain without asking the model."""
        if features.meaning is None and features.coverage == 0:
            return True
        probability = self.probability(features)
        return probability is not None and probability < self.threshold

    def trusts(self, probability: float | None) -> bool:
        """Whether what comes closest may stand as the answer."""
        return probability is not None and probability >= self.quoting


GATE = Gate(
    bias=-36.291,
    meaning=1.864,
    sentence=38.277,
    coverage=1.816,
    likeness=1.723,
    words=1.063,
    lacking=-0.286,
    threshold=0.293,
    quoting=0.477,
    embedder="multilingual-e5-small",
)
"""Fitted with multilingual-e5-small on the demo's 60 questions and 120 of PIAF's over 250 paragraphs, each asked with
and without its own document (AUROC 0.70 and 0.83, cross-validated). A tenth of the answerable questions is below the
threshold, and gets the sentence that comes closest beside the abstention; a quarter of the others is above `quoting`.
Cosines of another embedding model need another fit.
"""


def features_of(
    question: str, passages: Sequence[Passage], evidence: Evidence, idf: Mapping[str, float]
) -> Features:
    """The features of a question and what was found for it.

    Args:
        question: stand-alone.
        passages: as found, best first.
        evidence: what was chosen of them.
        idf: weight of the question's terms; a term that is absent weighs as the rarest does.
    """
    asked = set(query_terms(question))
    rarest = max(idf.values(), default=1.0)
    weights = {term: idf.get(term, rarest) for term in asked}
    total = sum(weights.values())
    closest = evidence.figures
    foreign = bool(passages) and _in_another_language(question, evidence)
    held = [both_languages(f"{passage.breadcrumb}\n{passage.text}") for passage in passages]
    shares = [sum(weights[term] for term in asked & own) / total if total else 0.0 for own in held]
    cosines = [passage.dense for passage in passages if passage.dense is not None]
    return Features(
        meaning=max(cosines, default=None),
        sentence=evidence.best_meaning,
        coverage=FOREIGN if foreign else max(shares, default=0.0),
        likeness=closest.likeness if closest is not None else 0.0,
        words=FOREIGN if foreign else closest.words if closest is not None else 0.0,
        lacking=float(evidence.expected is not None and (closest is None or closest.expected == 0)),
    )


def _in_another_language(question: str, evidence: Evidence) -> bool:
    """Whether what comes closest is in another language than the question, so that their words do not compare."""
    if evidence.closest is None:
        return False
    number, _ = evidence.closest
    text = "\n".join(unit.text for unit in evidence.sources[number - 1].units)
    asked, told = detect(question), detect(text)
    return asked is not None and told is not None and asked != told


def is_refusal(sentence: str) -> bool:
    """Whether a first sentence says that the documents do not tell, in whatever words.

    A sentence with a number, date or quote of its own is an answer.

    >>> is_refusal("Les documents fournis ne précisent pas ce montant.")
    True
    >>> is_refusal("Les documents ne disent rien d’autre que 10 €.")
    False
    """
    sentence = MARKER.sub("", sentence)
    text = fold(sentence)
    if re.match(rf"\W*{ABSENT}\b", sentence):
        return True
    if any(text.startswith(fold(fixed).rstrip(".")) for fixed in ABSTENTION.values()):
        return True
    if len(text) > LONGEST_REFUSAL or any(claim.kind not in ("name",) for claim in claims_of(sentence)):
        return False
    return text.startswith(_OPENERS) and _REFUSALS.search(text) is not None


def abstention(language: str, names: Sequence[str]) -> str:
    """The fixed sentence, and what to do next.

    Args:
        language: of the answer.
        names: titles of documents that the caller may see, closest first.
    """
    return f"{ABSTENTION[language]} {next_steps(language, names)}"


def with_closest(language: str, told: str) -> str:
    """The fixed sentence, then the passage that comes closest, in its own words.

    Args:
        language: of the answer.
        told: what the passage says (`quoting.told`); its source's marker is added by the caller.
    """
    if language == "fr":
        return f"{ABSTENTION['fr']} Le passage le plus proche dit\u00a0: {told}"
    return f"{ABSTENTION['en']} The closest passage says: {told}"


def next_steps(language: str, names: Sequence[str]) -> str:
    """What to do when the answer is not there: the closest documents, when there are any."""
    if language == "fr":
        if not names:
            return "Reformulez la question, ou demandez à la personne qui tient ces documents."
        shown = ", ".join(f"«\u00a0{name}\u00a0»" for name in names)
        return f"Les plus proches sont\u00a0: {shown}. Reformulez la question avec leurs mots."
    if not names:
        return "Put the question in other words, or ask whoever keeps these documents."
    shown = ", ".join(f"“{name}”" for name in names)
    return f"The closest are: {shown}. Put the question in their words."


def nothing_read(language: str) -> str:
    """Takes back an answer of which nothing stands in the documents."""
    if language == "fr":
        return "Attention\u00a0: rien de ce qui précède ne se lit dans vos documents."
    return "Beware: nothing of the above stands in your documents."


def withdrawal(language: str) -> str:
    """Closes an answer of which nothing stands in the documents, where nothing else can be said."""
    return f"{nothing_read(language)} {ABSTENTION[language]}"
