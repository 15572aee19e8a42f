"""Which texts are nearly the same, among many: one-permutation MinHash and locality-sensitive hashing, in numpy.

A text is the set of its 8-byte windows after lower-casing and joining white space. The hashes of the windows fall
into 64 bins and the smallest of each bin is kept; an empty bin borrows from the next filled one (densification by
rotation: Shrivastava and Li 2014, "Densifying One Permutation Hashing via Rotation"). The share of equal bins
estimates the Jaccard similarity of the sets, with a standard error of at most 0.0625. Sixteen bands of four bins find
the pairs to compare: a pair of similarity 0.8 is found with a probability of 0.9998, one of 0.5 with 0.64
(1 − (1 − s⁴)¹⁶).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

BINS = 64
BANDS = 16
NEAR = 0.8
"""Estimated similarity from which two texts are nearly the same."""
SHORTEST = 40
"""Bytes; shorter texts are alike by chance."""
_WINDOW = 8
_LONGEST = 8_000
_MIX_ONE, _MIX_TWO = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT, _BIN_SHIFT, _VALUE_SHIFT = np.uint64(29), np.uint64(58), np.uint64(42)
_EMPTY = np.uint64(2**64 - 1)
_NUMBERS = np.arange(BINS)
_BATCH = 128
_CHUNK = 1 << 16

_MOST_ALIKE = 4
_SAME_WORDS = 0.6
"""Share of neighbouring words: one word changed among ten leaves two thirds."""

Signatures = npt.NDArray[np.uint16]
Likeness = dict[int, float]
"""Other texts by their numbers, with the estimated similarity."""


def signatures(texts: Sequence[bytes]) -> Signatures:
    """The signatures of folded texts, shape (n, 64).

    Args:
        texts: of `folded`, each of at least `SHORTEST` bytes.
    """
    lengths = np.array([len(text) for text in texts])
    data = b"".join(texts)
    windows: npt.NDArray[np.uint64] = np.ndarray((len(data) - _WINDOW + 1,), "<u8", data, strides=(1,))
    mixed = windows * _MIX_ONE
    mixed ^= mixed >> _SHIFT
    mixed *= _MIX_TWO
    # Windows that reach into the next text belong to none.
    ends = np.cumsum(lengths)[:-1]
    mixed[(ends[:, None] - np.arange(1, _WINDOW)).ravel()] = _EMPTY
    rows = np.repeat(np.arange(len(texts)) * BINS, lengths)[: len(mixed)]
    smallest = np.full(len(texts) * BINS, _EMPTY)
    np.minimum.at(smallest, rows + (mixed >> _BIN_SHIFT).astype(np.int64), mixed)
    return _filled(smallest.reshape(-1, BINS))


def _filled(smallest: npt.NDArray[np.uint64]) -> Signatures:
    """16 bits of the smallest hash of each bin; those of the next filled one, and how far it is, for an empty bin."""
    places = np.where(smallest != _EMPTY, _NUMBERS, 2 * BINS)
    twice = np.concatenate((places, places + BINS), axis=1)
    lender = np.minimum.accumulate(twice[:, ::-1], axis=1)[:, ::-1][:, :BINS]
    # A borrowed value is told apart by how far it came, so that two half-empty signatures do not look alike.
    distance = (lender - _NUMBERS).astype(np.uint64)
    values = np.take_along_axis(smallest, lender % BINS, axis=1) >> _VALUE_SHIFT
    return (values + distance * np.uint64(0x9E37)).astype(np.uint16)


def folded(text: str) -> bytes:
    """A text as it is compared."""
    return " ".join(text.lower().split()).encode("utf-8", "replace")[:_LONGEST]


class SignatureList:
    """Signatures with the numbers of what they are of, 136 bytes each."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._owners = bytearray()
        self._waiting: list[bytes] = []

    def __len__(self) -> int:
        return len(self._owners) // 8

    def add(self, owner: int, text: str) -> None:
        """Keep the signature of a text; one that is too short to compare is left out."""
        data = folded(text)
        if len(data) < SHORTEST:
            return
        self._owners += owner.to_bytes(8, "little")
        self._waiting.append(data)
        if len(self._waiting) >= _BATCH:
            self._compute()

    @property
    def values(self) -> Signatures:
        """Shape (n, 64)."""
        self._compute()
        return np.frombuffer(bytes(self._data), np.uint16).reshape(-1, BINS)

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """Shape (n,)."""
        return np.frombuffer(bytes(self._owners), np.int64)

    def _compute(self) -> None:
        if self._waiting:
            self._data += signatures(self._waiting).tobytes()
            self._waiting.clear()


def near_within(listed: SignatureList, *, threshold: float = NEAR) -> dict[int, Likeness]:
    """For each text that is nearly an earlier one: some of these, and the estimated similarities."""
    values, owners = listed.values, listed.owners
    found: dict[int, Likeness] = {}
    for first, second in _pairs_within(values):
        _note_near(found, values[first], values[second], owners[first], owners[second], threshold)
    return found


def near_across(
    listed: SignatureList, known: SignatureList, *, threshold: float = NEAR
) -> dict[int, Likeness]:
    """For each text that is nearly a known one: some of these, and the estimated similarities."""
    found: dict[int, Likeness] = {}
    if not len(listed) or not len(known):
        return found
    values, others, owners, other_owners = listed.values, known.values, listed.owners, known.owners
    for band in range(BANDS):
        keys, other_keys = _keys(values, band), _keys(others, band)
        order = np.argsort(other_keys, kind="stable")
        ordered = other_keys[order]
        left = np.searchsorted(ordered, keys, "left")
        right = np.searchsorted(ordered, keys, "right")
        mine = np.flatnonzero(right > left)
        for places in (left[mine], right[mine] - 1):
            theirs = order[places]
            _note_near(found, others[theirs], values[mine], other_owners[theirs], owners[mine], threshold)
    return found


def _keys(values: Signatures, band: int) -> npt.NDArray[np.uint64]:
    width = BINS // BANDS
    return np.ascontiguousarray(values[:, band * width : (band + 1) * width]).view(np.uint64).ravel()


def _pairs_within(values: Signatures) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Pairs that share a band: each with the first and with the one before it of its group."""
    if len(values) < 2:
        return
    places = np.arange(len(values))
    for band in range(BANDS):
        keys = _keys(values, band)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        same = np.concatenate(([False], ordered[1:] == ordered[:-1]))
        begins = np.maximum.accumulate(np.where(same, 0, places))
        second = np.flatnonzero(same)
        yield order[begins[second]], order[second]
        yield order[second - 1], order[second]


def _note_near(
    found: dict[int, Likeness],
    first: Signatures,
    second: Signatures,
    first_owners: npt.NDArray[np.int64],
    second_owners: npt.NDArray[np.int64],
    threshold: float,
) -> None:
    for begin in range(0, len(first), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        shares = (first[part] == second[part]).mean(axis=1)
        for place in np.flatnonzero(shares >= threshold):
            known, other = int(first_owners[begin + place]), int(second_owners[begin + place])
            likeness = found.setdefault(other, {})
            if len(likeness) < _MOST_ALIKE:
                likeness[known] = round(float(shares[place]), 2)


def say_the_same(first: str, second: str) -> bool:
    """Whether two alike texts are still alike once the lines that they share are left out.

    Examples about one passage share it, and ask and answer other things: those are no repetitions.

    >>> passage = "Le badge perdu coûte 10 €, à régler à l’accueil de la clinique avant la fin du mois."
    >>> say_the_same(f"{passage}\\nCombien coûte-t-il ?\\n10 €", f"{passage}\\nOù le régler ?\\nÀ l’accueil")
    False
    """
    one, two = first.lower().split("\n"), second.lower().split("\n")
    shared = set(one) & set(two)
    rests = [
        _pairs_of(" ".join(line for line in lines if line not in shared).split()) for lines in (one, two)
    ]
    if not rests[0] or not rests[1]:
        return True
    return (rests[0] & rests[1]).total() >= _SAME_WORDS * (rests[0] | rests[1]).total()


def _pairs_of(words: Sequence[str]) -> Counter[tuple[str, str]]:
    """Neighbouring words."""
    return Counter(pairwise((*words, ""))) if words else Counter()
