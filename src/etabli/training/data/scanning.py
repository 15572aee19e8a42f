"""One pass over a file of examples: each judged alone as it comes, and what is needed to judge them together kept."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np

from etabli.errors import EtabliError
from etabli.messages import message_of, tr
from etabli.training.base import Method
from etabli.training.data.content import content_faults, language_fault, languages_of
from etabli.training.data.examples import examine
from etabli.training.data.findings import JSON, Fault, shown
from etabli.training.data.leakage import Known
from etabli.training.data.lines import LONGEST_LINE, Line, Source, read_lines
from etabli.training.data.listing import Listing
from etabli.training.data.parsing import DEEPEST, parse
from etabli.training.data.report import KEPT, MENDED, Statistics, fate_of
from etabli.training.data.rows import row_of
from etabli.training.data.rules import RULES
from etabli.training.data.similarity import Likeness, SignatureList, near_across, near_within, say_the_same
from etabli.training.data.texts import Texts, digest, question_key, question_keys, texts_of
from etabli.training.data.together import label_faults, language_faults, length_faults, preference_faults
from etabli.training.data.tokens import TokenCounter

MOST_LINES = 10_000_000
MOST_COMPARED = 2_000_000
"""Examples among which near duplicates are looked for: 132 bytes of memory each."""
_MARK = b"\xef\xbb\xbf"
_PROGRESS_EVERY = 500
_REMEMBERED = 2_000
"""Examples that were read again."""


class Scan:
    """Judges the examples of one file.

    Args:
        source: the file.
        method: what it is for.
        listing: is told what is wrong.
        counter: of the base's tokens.
        validation: the scan of the held-out file; None for none.
        held_out: this is the held-out file: its questions are remembered.
        evaluation: the questions that measure the result.
    """

    def __init__(
        self,
        source: Source,
        method: Method,
        listing: Listing,
        *,
        counter: TokenCounter | None = None,
        validation: "Scan | None" = None,
        held_out: bool = False,
        evaluation: Known | None = None,
    ) -> None:
        self.source = source
        self.fates: array[int] = array("B")
        self.asked = Known()
        self._held_out = held_out
        self._starts: array[int] = array("Q")
        self.texts_at = lru_cache(maxsize=_REMEMBERED)(self._texts_at)
        self._method = method
        self._listing = listing
        self._counter = counter
        self._validation = validation
        self._evaluation = evaluation
        self._digests: array[int] = array("Q")
        self._owners: array[int] = array("Q")
        self._whole = SignatureList()
        self._last_asked = SignatureList()
        self._lengths: array[int] = array("L")
        self._pairs: array[int] = array("L")
        self._languages = {"fr": 0, "en": 0}
        self._good = 0
        self._labels = 0
        self._tokens = self._trained = self._longest = 0

    @property
    def lines(self) -> int:
        """Read."""
        return len(self.fates)

    @property
    def examples(self) -> int:
        """That can be used, as they are or mended."""
        return self.fates.count(KEPT) + self.fates.count(MENDED)

    def run(self, progress: Callable[[int], None]) -> None:
        """Read the file and judge every example alone."""
        for line in read_lines(self.source):
            if line.number > MOST_LINES:
                self._add(0, Fault("too_many_lines", {"most": MOST_LINES}))
                break
            self._starts.append(line.position - len(line.data))
            self.fates.append(self._judged(line))
            if line.number % _PROGRESS_EVERY == 0:
                progress(line.position)
        progress(self.source.size)

    def _judged(self, line: Line) -> int:
        """The fate of a line."""
        if line.too_long:
            return self._tell(line.number, [Fault("line_too_long", {"most": LONGEST_LINE})])
        data = line.data
        if data.startswith(_MARK):
            self._add(line.number, Fault("byte_order_mark", mended=True))
            data = data[len(_MARK) :]
        if not data.strip():
            self._add(line.number, Fault("blank_line", mended=True))
            return fate_of("blank_line")
        parsed = parse(data)
        if isinstance(parsed, Fault):
            return self._tell(line.number, [parsed])
        try:
            examined = examine(parsed, self._method)
            faults = list(examined.faults)
            if examined.value is not None:
                texts = texts_of(examined.value, self._method)
                faults += content_faults(texts)
                faults += self._languages_of(texts)
                faults += self._token_faults(examined.value)
                faults += self._leaks(texts)
        except RecursionError:
            return self._tell(line.number, [_too_deep()])
        fate = self._tell(line.number, faults)
        if fate == KEPT and self.source.transcoded:
            fate = MENDED
        if fate in (KEPT, MENDED) and examined.value is not None:
            self._keep(line.number, examined.value, texts)
        return fate

    def _tell(self, number: int, faults: Sequence[Fault]) -> int:
        """Add what is wrong with a line, and say what becomes of it."""
        fate = KEPT
        for fault in faults:
            self._add(number, fault)
            if fault.mended:
                fate = MENDED if fate == KEPT else fate
            elif RULES[fault.rule].severity == "error" and fate in (KEPT, MENDED):
                fate = fate_of(fault.rule)
        return fate

    def _add(self, number: int, fault: Fault) -> None:
        self._listing.add(self.source.path.name, number, fault)

    def _languages_of(self, texts: Texts) -> Iterator[Fault]:
        asked, answered = languages_of(texts)
        if answered is not None:
            self._languages[answered] += 1
        fault = language_fault(asked, answered)
        if fault is not None:
            yield fault

    def _token_faults(self, value: JSON) -> Iterator[Fault]:
        if self._counter is None:
            return
        try:
            count = self._counter.count(row_of(value, self._method))
        except (EtabliError, ValueError, KeyError, TypeError) as error:
            yield Fault("tokenization_failed", {"reason": shown(message_of(error))})
            return
        self._tokens += count.tokens
        self._trained += count.trained
        self._longest = max(self._longest, count.tokens)
        if count.tokens > self._counter.most_tokens:
            yield Fault("example_too_long", {"tokens": count.tokens, "most": self._counter.most_tokens})
        if not count.round_trip:
            yield Fault("round_trip_differs")
        if count.trained == 0:
            yield Fault("nothing_trained", {"tokens": count.tokens})
        elif count.trained >= count.tokens:
            yield Fault("everything_trained", {"tokens": count.tokens})

    def _leaks(self, texts: Texts) -> Iterator[Fault]:
        """Questions of an example that are known word by word."""
        if self._validation is not None and (known := self._validation.asked).texts:
            place = known.find([question_key(texts.all_asked)])
            if place is not None:
                yield _known_fault("in_validation", known, place)
        if self._evaluation is not None and self._evaluation.texts:
            place = self._evaluation.find(question_keys(texts))
            if place is not None:
                yield _known_fault("in_evaluation", self._evaluation, place)

    def _keep(self, number: int, value: JSON, texts: Texts) -> None:
        """What is needed of a usable example to compare it with the others."""
        self._digests.append(digest(value, self._method))
        self._owners.append(number)
        if len(self._whole) < MOST_COMPARED:
            self._whole.add(number, texts.compared)
        if self._held_out:
            self.asked.add(self.source.path.name, texts.all_asked, alike=False)
        if self._evaluation is not None and self._evaluation.texts:
            self._last_asked.add(number, texts.asked.rpartition("\n")[2])
        self._lengths.extend(len(answer) for answer in texts.answers)
        if self._method == "dpo":
            self._pairs.extend(len(answer) for answer in texts.answers[:2])
        elif self._method == "kto":
            self._labels += 1
            self._good += value["label"] is True

    def conclude(self) -> None:
        """Judge the examples together."""
        self._duplicates()
        self._near_duplicates()
        if len(self._owners) > MOST_COMPARED:
            self._add(0, Fault("near_not_checked", {"count": MOST_COMPARED}))
        if self._validation is not None:
            self._near_validation(self._validation)
        if self._evaluation is not None:
            known = self._evaluation
            for number, likeness in near_across(self._last_asked, known.signatures).items():
                place, similarity = max(likeness.items(), key=lambda one: one[1])
                self._add(number, _known_fault("near_evaluation", known, place, similarity=similarity))
        for fault in (
            *language_faults(self._languages),
            *length_faults(np.frombuffer(self._lengths, self._lengths.typecode)),
            *preference_faults(np.frombuffer(self._pairs, self._pairs.typecode).reshape(-1, 2)),
            *label_faults(self._good, self._labels),
        ):
            self._add(0, fault)

    def _duplicates(self) -> None:
        """The same example again: a corrected copy keeps the first."""
        if not self._digests:
            return
        digests = np.frombuffer(self._digests, np.uint64)
        _, first, group = np.unique(digests, return_index=True, return_inverse=True)
        for place in np.flatnonzero(first[group] != np.arange(len(digests))):
            number, other = self._owners[place], self._owners[first[group[place]]]
            self._add(number, Fault("exact_duplicate", {"other": other}))
            self.fates[number - 1] = fate_of("exact_duplicate")

    def _near_duplicates(self) -> None:
        for number, likeness in near_within(self._whole).items():
            if self.fates[number - 1] not in (KEPT, MENDED):
                continue
            other = self._repeats(number, self, likeness)
            if other is not None:
                params = {"other": other, "similarity": likeness[other]}
                self._add(number, Fault("near_duplicate", params))

    def _near_validation(self, held: "Scan") -> None:
        for number, likeness in near_across(self._whole, held._whole).items():
            other = self._repeats(number, held, likeness)
            texts = held.texts_at(other) if other is not None else None
            if other is not None and texts is not None:
                params: dict[str, str | int | float] = {
                    "text": shown(texts.asked), "source": shown(held.source.path.name),
                    "similarity": likeness[other],
                }  # fmt: skip
                self._add(number, Fault("near_validation", params))

    def _repeats(self, number: int, other: "Scan", likeness: Likeness) -> int | None:
        """The line of the first of these examples that this one says again, read anew; None where it says else."""
        own = self.texts_at(number)
        for known in sorted(likeness):
            texts = other.texts_at(known)
            if own is None or texts is None or say_the_same(own.whole, texts.whole):
                return known
        return None

    def _texts_at(self, number: int) -> Texts | None:
        """The texts of the usable example of a line; None where its place in the file is not known."""
        if self.source.transcoded:
            return None
        with self.source.path.open("rb") as file:
            file.seek(self._starts[number - 1])
            parsed = parse(file.readline(LONGEST_LINE + 1).removeprefix(_MARK))
        value = None if isinstance(parsed, Fault) else examine(parsed, self._method).value
        return None if value is None else texts_of(value, self._method)

    def statistics(self) -> Statistics:
        """Figures of the usable examples."""
        lengths = np.frombuffer(self._lengths, self._lengths.typecode)
        counted = self._counter is not None
        return Statistics(
            answers=len(lengths),
            median_answer=int(np.median(lengths)) if len(lengths) else 0,
            longest_answer=int(lengths.max()) if len(lengths) else 0,
            french=self._languages["fr"],
            english=self._languages["en"],
            good=self._good,
            tokens=self._tokens if counted else None,
            trained_tokens=self._trained if counted else None,
            longest_example=self._longest if counted else None,
        )


def _known_fault(rule: str, known: Known, place: int, *, similarity: float | None = None) -> Fault:
    params: dict[str, str | int | float] = {
        "text": shown(known.texts[place]),
        "source": shown(known.names[place]),
    }
    if similarity is not None:
        params["similarity"] = similarity
    return Fault(rule, params)


def _too_deep() -> Fault:
    reason = tr("it is nested deeper than {most} levels", most=DEEPEST)
    return Fault("invalid_json", {"reason": reason, "column": 0})
