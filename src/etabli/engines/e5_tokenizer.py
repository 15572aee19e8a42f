"""The tokenizer of multilingual-e5 (XLM-RoBERTa's SentencePiece unigram), rebuilt from the model file.

A text is normalised, cut at blanks, and every word is split into the pieces of highest total log-probability
(Kudo 2018, "Subword Regularization", section 3.2: Viterbi). Plain Python with a cache of words: running text
repeats its words, so it is faster than the general library, which needs 240 MB more and most of a second to
load the same 250,002 pieces.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from etabli.engines.base import FloatMatrix
from etabli.engines.e5_weights import Vocabulary

Kind = Literal["query", "passage"]

_MARK = "\u2581"
_CACHED_WORDS = 50_000
_UNKNOWN_PENALTY = 10.0
_UNKNOWN_CHARACTER = "\U0010fffd"  # for private use, in no piece
MAX_TOKENS = 512
# Beyond this no text can still reach the first 512 tokens, unless it is mostly blanks.
_MAX_CHARACTERS = 65_536


class E5Tokenizer:
    """Texts to token ids. Safe to call from several threads."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Build the look-up tables (about 0.1 s)."""
        self._piece_texts = vocabulary.pieces
        self._ids = {piece: index for index, piece in enumerate(vocabulary.pieces)}
        self._scores = vocabulary.scores
        self._longest = max(map(len, vocabulary.pieces))
        self._unknown = vocabulary.unknown
        self._unknown_score = min(vocabulary.scores) - _UNKNOWN_PENALTY
        self._bos, self._eos = vocabulary.bos, vocabulary.eos
        self._replacements = {0: "", **vocabulary.replacements}
        for piece in (vocabulary.bos, vocabulary.eos, vocabulary.pad, vocabulary.unknown):
            del self._ids[vocabulary.pieces[piece]]
        self._split_word = lru_cache(_CACHED_WORDS)(self._viterbi)
        self._prefixes = {kind: self._pieces(kind + ":") for kind in ("query", "passage")}

    def normalise(self, text: str) -> str:
        """Unicode NFC, the model's code-point replacements, runs of blanks made one, lone surrogates replaced."""
        text = text.encode("utf-8", "replace").decode("utf-8")
        words = unicodedata.normalize("NFC", text).translate(self._replacements).split(" ")
        return " ".join(word for word in words if word)

    def _pieces(self, text: str) -> list[int]:
        ids: list[int] = []
        for word in self.normalise(text).split(" "):
            ids.extend(self._split_word(_MARK + word))
        return ids

    def encode(self, text: str, *, kind: Kind) -> list[int]:
        """Ids of `<s> kind: text </s>`, at most 512; what is longer is cut at its end."""
        prefix = self._prefixes[kind]
        room = MAX_TOKENS - len(prefix) - 2
        return [self._bos, *prefix, *self._pieces(text[:_MAX_CHARACTERS])[:room], self._eos]

    def count(self, text: str) -> int:
        """How many tokens `text` has, without prefix, specials or limit."""
        return len(self._pieces(text))

    def decode(self, ids: Sequence[int], *, kind: Kind) -> str:
        """The text's own tokens in the ids of `encode` spelled out; its tokens are the same again."""
        own = ids[self.inner(ids, kind=kind)]
        spelled = (
            _UNKNOWN_CHARACTER if token == self._unknown else self._piece_texts[token] for token in own
        )
        return "".join(spelled).replace(_MARK, " ").removeprefix(" ")

    def rarities(self, ids: Sequence[int]) -> FloatMatrix:
        """How rare each token is in general: minus the logarithm of its frequency, shape (len(ids),)."""
        return -np.array([self._scores[token] for token in ids], np.float32)

    def inner(self, ids: Sequence[int], *, kind: Kind) -> slice:
        """Where in the ids of `encode` the text's own tokens lie."""
        return slice(1 + len(self._prefixes[kind]), len(ids) - 1)

    def _viterbi(self, word: str) -> tuple[int, ...]:
        """Pieces of one word by highest sum of scores; characters no piece holds become one unknown."""
        length = len(word)
        best = [0.0] + [float("-inf")] * length
        back: list[tuple[int, int]] = [(0, 0)] * (length + 1)
        for start in range(length):
            score = best[start] + self._unknown_score
            if score > best[start + 1]:
                best[start + 1], back[start + 1] = score, (start, self._unknown)
            for end in range(start + 1, min(length, start + self._longest) + 1):
                piece = self._ids.get(word[start:end])
                if piece is not None and (score := best[start] + self._scores[piece]) > best[end]:
                    best[end], back[end] = score, (start, piece)
        ids: list[int] = []
        end = length
        while end > 0:
            end, piece = back[end]
            if piece != self._unknown or not ids or ids[-1] != self._unknown:
                ids.append(piece)
        return tuple(reversed(ids))
