"""From passages that were found to what the model reads: neighbours merged, sentences chosen, numbers given.

Reading a prompt is the slow part on a processor, and most of a passage does not bear on the question. So the
passages are cut into sentences, lines and table rows, and the best of all of them are kept within a budget
(`pointing` says which are best). Half as many characters then hold the answer as often as whole passages do
(`benchmarks/answers.py --contexts`).
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from etabli.assistants.expecting import Expected, expected
from etabli.assistants.guards.commands import commands_among
from etabli.assistants.pointing import WEIGHTS, WITHOUT_MODEL, Figures, word_figures
from etabli.assistants.sentences import Unit, units_of
from etabli.assistants.wording import in_words, row_text
from etabli.engines.base import Embedder, FloatMatrix
from etabli.engines.late_interaction import QueryStates, late_embedder, max_sim
from etabli.knowledge.analysis import query_terms
from etabli.knowledge.search import Passage

_NEIGHBOUR_GAP = 4
"""Characters between two chunks that follow each other: blank lines."""
_LONGEST_MERGED = 2_800
_DUPLICATE_SHARE = 0.85
_CACHED_SENTENCES = 8_000
"""About 3 kB each, with their token states."""
_OF_ONE_DOCUMENT = 3
_COMPARED = 96
"""Sentences of one question that are compared by meaning: the likeliest by words and passage."""


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
        figures: what speaks for that sentence.
        expected: what kind of thing the question asks for; None where its words do not tell.
        ranked: all passages that were found, by the best sentence of each, `varied`.
        left_out: sentences that give orders to the assistant: neither read nor cited.
    """

    sources: tuple[Source, ...]
    best_meaning: float | None = None
    closest: tuple[int, int] | None = None
    figures: Figures | None = None
    expected: Expected | None = None
    ranked: tuple[Passage, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def numbered(self, number: int) -> Source | None:
        """The source of `[number]`, or None."""
        return self.sources[number - 1] if 1 <= number <= len(self.sources) else None


@dataclass(frozen=True, slots=True)
class Group:
    """Passages that follow each other in one document, and their units."""

    members: list[Passage]
    units: list[Unit]

    @property
    def score(self) -> float:
        """Of its best passage."""
        return max(passage.score for passage in self.members)


class EvidenceChooser:
    """Chooses what the model reads. Thread-safe; keeps vectors and token states of sentences that it has seen.

    Args:
        embedder: compares meanings; without it only terms and passages count.
    """

    def __init__(self, embedder: Embedder | None) -> None:
        self._embedder = embedder
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[FloatMatrix, bytes]] = OrderedDict()

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
        groups, left_out = groups_of(passages, guarded=guarded)
        figures = self.rate(question, groups, idf=idf)
        weights = WITHOUT_MODEL if self._embedder is None else WEIGHTS
        scores = [[one.score(weights) for one in own] for own in figures]
        shown = _fill(groups, scores, characters)
        kept = [place for place, chosen in enumerate(shown) if chosen]
        # The best stands last, next to the question: a small model answers from what it read last.
        kept.sort(key=lambda place: max(scores[place][unit] for unit in shown[place]))
        sources = tuple(
            Source(number, tuple(groups[place].members), tuple(groups[place].units), frozenset(shown[place]))
            for number, place in enumerate(kept, start=1)
        )
        closest = _closest(sources, [scores[place] for place in kept])
        cosines = [one.meaning for own in figures for one in own if one.meaning is not None]
        return Evidence(
            sources,
            max(cosines, default=None),
            closest,
            None if closest is None else figures[kept[closest[0] - 1]][closest[1]],
            expected(question),
            varied(_by_best_sentence(passages, groups, scores)),
            left_out,
        )

    def rate(
        self, question: str, groups: Sequence[Group], *, idf: Mapping[str, float]
    ) -> list[list[Figures]]:
        """What speaks for each unit, by group.

        Args:
            question: stand-alone.
            groups: from `groups_of`.
            idf: as `choose`.
        """
        wanted = expected(question)
        asked = {term: idf.get(term, 1.0) for term in query_terms(question)}
        texts = [
            [in_words(group.units, index, group.members[0].breadcrumb) for index in range(len(group.units))]
            for group in groups
        ]
        figures = [
            word_figures(asked, wanted, group.units, own, group.score)
            for group, own in zip(groups, texts, strict=True)
        ]
        if self._embedder is None:
            return figures
        places = [(place, unit) for place, group in enumerate(groups) for unit in candidates(group.units)]
        places.sort(key=lambda place: -figures[place[0]][place[1]].score(WITHOUT_MODEL))
        places = places[:_COMPARED]
        meanings, likenesses = self._compared(question, [texts[group][unit] for group, unit in places])
        for (group, unit), meaning, likeness in zip(places, meanings, likenesses, strict=True):
            figures[group][unit] = replace(figures[group][unit], meaning=meaning, likeness=likeness)
        return figures

    def _compared(self, question: str, texts: Sequence[str]) -> tuple[list[float], list[float]]:
        """Cosine and late interaction of each text with the question; the cosine twice where there are no states."""
        assert self._embedder is not None
        if not texts:
            return [], []
        late = late_embedder(self._embedder)
        states: QueryStates | None = None
        if late is None:
            vector = self._embedder.embed_queries([question])[0]
        else:
            vector, states = late.embed_query_with_states(question)
        known = self._sentences(texts)
        meanings = [float(own @ vector) for own, _ in known]
        if states is None:
            return meanings, meanings
        return meanings, max_sim(states, [data for _, data in known])

    def _sentences(self, texts: Sequence[str]) -> list[tuple[FloatMatrix, bytes]]:
        """Vector and packed token states of each text; no states where the embedder gives none."""
        assert self._embedder is not None
        with self._lock:
            known = {text: self._known[text] for text in texts if text in self._known}
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        if missing:
            late = late_embedder(self._embedder)
            states = [b""] * len(missing)
            if late is None:
                vectors = self._embedder.embed_passages(missing)
            else:
                vectors, states = late.embed_passages_with_states(missing)
            known.update(zip(missing, zip(vectors, states, strict=True), strict=True))
            with self._lock:
                self._known.update((text, known[text]) for text in missing)
                while len(self._known) > _CACHED_SENTENCES:
                    self._known.popitem(last=False)
        return [known[text] for text in texts]


def groups_of(
    passages: Sequence[Passage], *, guarded: bool = True
) -> tuple[list[Group], tuple[LeftOut, ...]]:
    """The passages without duplicates, neighbours merged, and the sentences that the guard of passages leaves out.

    Args:
        passages: as found, best first.
        guarded: leave out sentences that give orders to the assistant.
    """
    left_out: list[LeftOut] = []
    groups = [
        Group(members, _units(members, left_out if guarded else None))
        for members in _merge(without_duplicates(passages))
    ]
    return groups, tuple(left_out)


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


def varied(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The passages with no more than `_OF_ONE_DOCUMENT` of one document among the first; else in their order.

    Passages of one document resemble each other, and hide the other document that holds the answer.
    """
    counts: Counter[int] = Counter()
    first: list[Passage] = []
    later: list[Passage] = []
    for passage in passages:
        counts[passage.document_id] += 1
        (first if counts[passage.document_id] <= _OF_ONE_DOCUMENT else later).append(passage)
    return (*first, *later)


def _by_best_sentence(
    passages: Sequence[Passage], groups: Sequence[Group], scores: Sequence[Sequence[float]]
) -> tuple[Passage, ...]:
    """The passages by their best sentences; those without one last, in their order."""
    best: dict[int, float] = {}
    for group, own in zip(groups, scores, strict=True):
        for place in candidates(group.units):
            start = group.units[place].char_start
            for passage in group.members:
                if passage.char_start <= start < passage.char_end:
                    best[passage.chunk_id] = max(best.get(passage.chunk_id, own[place]), own[place])
    lowest = min(best.values(), default=0.0) - 1
    return tuple(sorted(passages, key=lambda passage: -best.get(passage.chunk_id, lowest)))


def _fill(groups: Sequence[Group], scores: Sequence[Sequence[float]], characters: int) -> list[set[int]]:
    """Positions of the units that are shown, by group: the best ones first, with the headers they need."""
    ranked = sorted(
        (
            (-scores[group][unit], group, unit)
            for group in range(len(groups))
            for unit in candidates(groups[group].units)
        ),
    )
    shown: list[set[int]] = [set() for _ in groups]
    left = characters
    for _, group, unit in ranked:
        wanted = {unit, *_needed(groups[group].units, unit)} - shown[group]
        cost = sum(len(row_text(groups[group].units, index)) + 1 for index in wanted)
        if cost <= left:
            shown[group].update(wanted)
            left -= cost
    for group, chosen in enumerate(shown):
        left -= _close_gaps(groups[group].units, chosen, left)
    return shown


def candidates(units: Sequence[Unit]) -> list[int]:
    """Positions of units that may be an answer: no headings, no headers of tables."""
    headers = {unit.header for unit in units if unit.row}
    return [index for index, unit in enumerate(units) if not unit.heading and index not in headers]


def _needed(units: Sequence[Unit], index: int) -> set[int]:
    """The lead-in or header that must be read with a unit; none where its columns' names are written into it."""
    header = units[index].header
    return set() if header is None or row_text(units, index) != units[index].text else {header}


def _closest(sources: Sequence[Source], scores: Sequence[Sequence[float]]) -> tuple[int, int] | None:
    """The best of what is shown, headings and headers of tables aside: number of its source, position in it."""
    found = [
        (own[unit], source.number, unit)
        for source, own in zip(sources, scores, strict=True)
        for unit in source.shown.intersection(candidates(source.units))
    ]
    return max(found)[1:] if found else None


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
