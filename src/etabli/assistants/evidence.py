"""From passages that were found to what the model reads: neighbours merged, sentences chosen, numbers given.

Reading a prompt is the slow part on a processor, and most of a passage does not bear on the question. So the
passages are cut into sentences, lines and table rows, and the best of all of them are kept within a budget: by
the question's terms, by meaning where an embedding model is there, and by the passage they stand in. Half as
many characters then hold the answer as often as whole passages do (`benchmarks/answers.py --contexts`).
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from etabli.assistants.guards.commands import commands_among
from etabli.assistants.sentences import Unit, units_of
from etabli.engines.base import Embedder, FloatMatrix
from etabli.knowledge.analysis import query_terms, terms
from etabli.knowledge.fusion import stretch
from etabli.knowledge.search import Passage

WEIGHT_TERMS = 0.25
WEIGHT_MEANING = 0.40
WEIGHT_PASSAGE = 0.35
_NEIGHBOUR_GAP = 4
"""Characters between two chunks that follow each other: blank lines."""
_LONGEST_MERGED = 2_800
_DUPLICATE_SHARE = 0.85
_CACHED_VECTORS = 20_000


@dataclass(frozen=True, slots=True)
class Source:
    """One passage, or neighbours merged, with its number and what of it the model reads.

    Args:
        number: its n in `[n]`, from 1.
        passages: what it was made of, in the order of the document.
        units: its sentences, lines and rows, in the order of the document.
        shown: positions of the units that the model reads.
    """

    number: int
    passages: tuple[Passage, ...]
    units: tuple[Unit, ...]
    shown: frozenset[int]

    @property
    def first(self) -> Passage:
        """The passage that says which document it is."""
        return self.passages[0]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A sentence of a passage that the guard of passages keeps from the model."""

    passage: Passage
    unit: Unit


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the model reads for one question.

    Args:
        sources: numbered from 1, the best one last.
        best_meaning: greatest cosine between the question and a sentence; None without an embedding model.
        closest: the shown sentence or row that bears on the question most, as the number of its source and its
            position there; None where nothing is shown.
        left_out: sentences that give orders to the assistant: neither read nor cited.
    """

    sources: tuple[Source, ...]
    best_meaning: float | None
    closest: tuple[int, int] | None = None
    left_out: tuple[LeftOut, ...] = ()

    def numbered(self, number: int) -> Source | None:
        """The source of `[number]`, or None."""
        return self.sources[number - 1] if 1 <= number <= len(self.sources) else None


class EvidenceChooser:
    """Chooses what the model reads. Thread-safe; keeps vectors of sentences that it has seen.

    Args:
        embedder: compares meanings; without it only terms and passages count.
    """

    def __init__(self, embedder: Embedder | None) -> None:
        self._embedder = embedder
        self._lock = threading.Lock()
        self._vectors: OrderedDict[str, FloatMatrix] = OrderedDict()

    def choose(
        self,
        question: str,
        passages: Sequence[Passage],
        *,
        characters: int,
        idf: Mapping[str, float],
        guarded: bool = True,
    ) -> Evidence:
        """The best sentences of the passages.

        Args:
            question: stand-alone.
            passages: as found, best first.
            characters: budget of the text that is shown.
            idf: weight of the question's terms; unknown ones count 1.
            guarded: leave out sentences that give orders to the assistant.
        """
        left_out: list[LeftOut] = []
        groups = [
            _Group(members, _units(members, left_out if guarded else None))
            for members in _merge(without_duplicates(passages))
        ]
        texts = [unit.text for group in groups for unit in group.units]
        meaning = self.similarities(question, texts)
        scores = _scores(question, groups, meaning, idf)
        shown = _fill(groups, scores, characters)
        kept = [place for place, chosen in enumerate(shown) if chosen]
        # The best stands last, next to the question: a small model answers from what it read last.
        kept.sort(key=lambda place: (groups[place].score, -groups[place].members[0].char_start))
        sources = tuple(
            Source(number, tuple(groups[place].members), tuple(groups[place].units), frozenset(shown[place]))
            for number, place in enumerate(kept, start=1)
        )
        closest = _closest(sources, [scores[place] for place in kept])
        return Evidence(
            sources,
            float(meaning.max()) if meaning is not None and meaning.size else None,
            closest,
            tuple(left_out),
        )

    def similarities(self, question: str, texts: Sequence[str]) -> FloatMatrix | None:
        """Cosine of each text with the question; None without an embedding model."""
        if self._embedder is None or not texts:
            return None
        vector = self._embedder.embed_queries([question])[0]
        result: FloatMatrix = self._passage_vectors(texts) @ vector
        return result

    def _passage_vectors(self, texts: Sequence[str]) -> FloatMatrix:
        assert self._embedder is not None
        with self._lock:
            known = {text: self._vectors[text] for text in texts if text in self._vectors}
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        if missing:
            known.update(zip(missing, self._embedder.embed_passages(missing), strict=True))
            with self._lock:
                self._vectors.update((text, known[text]) for text in missing)
                while len(self._vectors) > _CACHED_VECTORS:
                    self._vectors.popitem(last=False)
        return np.stack([known[text] for text in texts])


@dataclass(frozen=True, slots=True)
class _Group:
    """Passages that follow each other in one document, and their units."""

    members: list[Passage]
    units: list[Unit]

    @property
    def score(self) -> float:
        return max(passage.score for passage in self.members)


def without_duplicates(passages: Sequence[Passage]) -> list[Passage]:
    """Passages without those whose words stand nearly all in a better one of equal length.

    The same rule in two documents is kept when its words differ: it may say something else.
    """
    kept: list[tuple[Passage, frozenset[str]]] = []
    for passage in passages:
        words = frozenset(passage.text.casefold().split())
        if not any(_overlap(words, other) >= _DUPLICATE_SHARE for _, other in kept):
            kept.append((passage, words))
    return [passage for passage, _ in kept]


def _overlap(first: frozenset[str], second: frozenset[str]) -> float:
    union = len(first | second)
    return len(first & second) / union if union else 1.0


def _merge(passages: Sequence[Passage]) -> list[list[Passage]]:
    """Groups of passages that follow each other in one version, best group first."""
    groups: list[list[Passage]] = []
    for passage in sorted(passages, key=lambda one: (one.version_id, one.char_start)):
        last = groups[-1] if groups else None
        if (
            last is not None
            and last[-1].version_id == passage.version_id
            and 0 <= passage.char_start - last[-1].char_end <= _NEIGHBOUR_GAP
            and last[-1].page == passage.page
            and last[-1].breadcrumb == passage.breadcrumb
            and passage.char_end - last[0].char_start <= _LONGEST_MERGED
        ):
            last.append(passage)
        else:
            groups.append([passage])
    return sorted(groups, key=lambda group: -max(passage.score for passage in group))


def _units(members: Sequence[Passage], left_out: list[LeftOut] | None) -> list[Unit]:
    """The units of passages that follow each other; orders to the assistant go to `left_out` where there is one."""
    units: list[Unit] = []
    for passage in members:
        own = units_of(passage.text, offset=passage.char_start)
        struck: frozenset[int] = frozenset()
        if left_out is not None:
            lines = [passage.text.count("\n", 0, unit.char_start - passage.char_start) for unit in own]
            struck = commands_among([unit.text for unit in own], lines)
            left_out.extend(LeftOut(passage, own[place]) for place in sorted(struck))
        places: dict[int, int] = {}
        for place, unit in enumerate(own):
            if place in struck:
                continue
            places[place] = len(units)
            header = None if unit.header is None else places.get(unit.header)
            units.append(Unit(unit.char_start, unit.char_end, unit.text, header, unit.heading, unit.row))
    return units


def _scores(
    question: str, groups: Sequence[_Group], meaning: FloatMatrix | None, idf: Mapping[str, float]
) -> list[list[float]]:
    """One score a unit, in [0, 1], by group."""
    asked = set(query_terms(question))
    shares = np.array(
        [
            sum(idf.get(term, 1.0) for term in asked & _terms(unit.text))
            for group in groups
            for unit in group.units
        ]
    )
    of_passage = np.array([group.score for group in groups for _ in group.units])
    lexical = shares / shares.max() if shares.size and shares.max() > 0 else shares
    if meaning is None:
        total = WEIGHT_PASSAGE / (WEIGHT_PASSAGE + WEIGHT_TERMS)
        flat = total * of_passage + (1 - total) * lexical
    else:
        near = stretch(np.asarray(meaning, dtype=float))
        flat = WEIGHT_TERMS * lexical + WEIGHT_MEANING * near + WEIGHT_PASSAGE * of_passage
    result: list[list[float]] = []
    start = 0
    for group in groups:
        result.append(flat[start : start + len(group.units)].tolist())
        start += len(group.units)
    return result


def _terms(text: str) -> set[str]:
    """Terms in both languages: the passage may be in the other one than the question."""
    return set(terms(text, "fr")) | set(terms(text, "en"))


def _fill(groups: Sequence[_Group], scores: Sequence[Sequence[float]], characters: int) -> list[set[int]]:
    """Positions of the units that are shown, by group: the best ones first, with the headers they need."""
    ranked = sorted(
        (
            (-scores[group][unit], group, unit)
            for group in range(len(groups))
            for unit in range(len(groups[group].units))
            if not groups[group].units[unit].heading
        ),
    )
    shown: list[set[int]] = [set() for _ in groups]
    left = characters
    for _, group, unit in ranked:
        units = groups[group].units
        wanted = {unit, *([] if units[unit].header is None else [units[unit].header])} - shown[group]
        cost = sum(len(units[index].text) + 1 for index in wanted if index is not None)
        if cost <= left:
            shown[group].update(index for index in wanted if index is not None)
            left -= cost
    for group, chosen in enumerate(shown):
        left -= _close_gaps(groups[group].units, chosen, left)
    return shown


def _closest(sources: Sequence[Source], scores: Sequence[Sequence[float]]) -> tuple[int, int] | None:
    """The best of what is shown, headings and headers of tables aside: number of its source, position in it."""
    candidates = [
        (own[unit], source.number, unit)
        for source, own in zip(sources, scores, strict=True)
        for unit in source.shown - {one.header for one in source.units}
        if not source.units[unit].heading
    ]
    return max(candidates)[1:] if candidates else None


def _close_gaps(units: Sequence[Unit], chosen: set[int], left: int) -> int:
    """Show single units that stand between two shown ones, while there is room; gives what it took."""
    taken = 0
    for index in range(1, len(units) - 1):
        if index - 1 in chosen and index + 1 in chosen and index not in chosen:
            cost = len(units[index].text) + 1
            if not units[index].heading and taken + cost <= left:
                chosen.add(index)
                taken += cost
    return taken
