"""The tokenizer of a GGUF file: the same ids for the same text as the engine that serves the model.

Two kinds cover the models that can be trained: byte-level BPE (`tokenizer.ggml.model` = `gpt2`) with the
pre-tokenizer that the file names, and SentencePiece's BPE (`llama`), whose merges are read off the scores.
Special tokens are found here and not by the library, so that what people wrote never becomes one.
Source of the rules: llama.cpp, `src/llama-vocab.cpp`. Runs on the library `tokenizers`, of the extra `training`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from etabli.errors import InvalidInputError
from etabli.messages import tr
from etabli.training.container import Container
from etabli.training.extra import need

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _BYTE = 1, 2, 3, 4, 6
_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
_CONTRACTIONS = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_QWEN2 = (_CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _TAIL,)
_LLAMA3 = (_CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _TAIL,)
_TEKKEN = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*|\p{{N}}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
)
_PRE_TOKENIZERS: dict[str, tuple[str, ...]] = {
    "qwen2": _QWEN2, "stablelm2": _QWEN2, "deepseek-r1-qwen": _QWEN2,
    "llama3": _LLAMA3, "llama-v3": _LLAMA3, "llama-bpe": _LLAMA3, "falcon3": _LLAMA3, "pixtral": _LLAMA3,
    "gpt-2": (_WORDS,), "mpt": (_WORDS,), "olmo": (_WORDS,),
    "smollm": (r"\p{N}", _WORDS), "starcoder": (r"\p{N}", _WORDS), "refact": (r"\p{N}", _WORDS),
    "tekken": _TEKKEN,
}  # fmt: skip
_WHOLE_WORDS_FIRST = {"llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral", "tekken"}
_STARTS_WITH_BOS = {"llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral", "tekken"}
_ENDS = {
    "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|endoftext|>", "<end_of_turn>", "<end_of_utterance>",
    "</s>", "<eos>", "<EOT>", "<|eot|>",
}  # fmt: skip
_SPACE = "\u2581"
_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text.

    Attributes:
        start: of its characters in the text.
        end: after them.
        special: the token that it is, or None for text.
    """

    start: int
    end: int
    special: int | None


class Tokenizer:
    """Text to ids and back.

    Args:
        container: of the model's file.

    Attributes:
        tokens: text of every token as the file has it.
        bos: token of the beginning, or None.
        adds_bos: whether the engine puts it before every prompt.
        eos: token of the end, or None.
        ends: all tokens that end a turn.
        controls: texts of the tokens that no person may write, by id.

    Raises:
        InvalidInputError: the file's tokenizer is of a kind that is not known here.
        ConfigurationError: the extra `training` is not installed.
    """

    def __init__(self, container: Container) -> None:
        data = container.metadata
        self._name = container.name
        kind, pre = str(data.get("tokenizer.ggml.model", "")), str(data.get("tokenizer.ggml.pre", "default"))
        if kind not in ("gpt2", "llama") or (kind == "gpt2" and pre not in _PRE_TOKENIZERS):
            raise InvalidInputError(
                tr("{model} has the tokenizer {kind}, which is not known here. Choose another base model.",
                   model=self._name, kind=f"{kind or '?'} {pre}")
            )  # fmt: skip
        self.tokens: list[str] = list(data.get("tokenizer.ggml.tokens") or ())
        kinds = data.get("tokenizer.ggml.token_type")
        self._kinds: list[int] = (
            [_NORMAL] * len(self.tokens) if kinds is None else [int(one) for one in kinds]
        )
        if not self.tokens or len(self._kinds) != len(self.tokens):
            raise InvalidInputError(tr("{model} carries no usable vocabulary.", model=self._name))
        self._byte_level = kind == "gpt2"
        self.bos, self.eos = self._token(data, "bos"), self._token(data, "eos")
        # The engine's default, where the file is silent, follows from the kind.
        self.adds_bos = self.bos is not None and bool(
            data.get("tokenizer.ggml.add_bos_token", not self._byte_level or pre in _STARTS_WITH_BOS)
        )
        self.controls = {
            number: text
            for number, (text, kind_of) in enumerate(zip(self.tokens, self._kinds, strict=True))
            if kind_of in (_CONTROL, _UNKNOWN) and text
        }
        self.ends = frozenset(
            {number for number, text in self.controls.items() if text in _ENDS}
            | {
                one
                for one in (self.eos, self._token(data, "eot"), self._token(data, "eom"))
                if one is not None
            }
        )
        own = [
            number for number, one in enumerate(self._kinds) if one == _USER_DEFINED and self.tokens[number]
        ]
        # As in the engine: one after the other, the longest first.
        self._atoms = sorted(own, key=lambda number: -len(self.tokens[number]))
        self._specials = sorted([*own, *self.controls], key=lambda number: -len(self.tokens[number]))
        self._prefixes_space = not self._byte_level and bool(
            data.get("tokenizer.ggml.add_space_prefix", True)
        )
        if self._byte_level:
            self._model = _byte_level(
                self.tokens, self._kinds, list(data.get("tokenizer.ggml.merges") or ()), pre
            )
        else:
            self._model = _sentence_pieces(self.tokens, self._kinds, data.get("tokenizer.ggml.scores"))

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str, *, special: bool = True) -> list[int]:
        """The ids of a text without what the engine puts around it.

        Args:
            text: any.
            special: whether texts of control tokens become those tokens.
        """
        ids: list[int] = []
        first = True
        for piece in self.split(text, special=special):
            if piece.special is not None:
                ids.append(piece.special)
            else:
                ids += self.encode_text(text[piece.start : piece.end], first=first)
            first = piece.special is not None
        return ids

    def encode_text(self, text: str, *, first: bool) -> list[int]:
        """The ids of a stretch in which nothing is special.

        Args:
            text: any.
            first: whether it begins the whole or follows a special token: SentencePiece then puts a space before.
        """
        if not text:
            return []
        if not self._byte_level:
            text = (" " + text if first and self._prefixes_space else text).replace(" ", _SPACE)
        ids: list[int] = self._model.encode(text, add_special_tokens=False).ids
        return ids

    def split(self, text: str, *, special: bool = True) -> list[Piece]:
        """The special tokens of a text and what lies between them, in order."""
        candidates = self._specials if special else self._atoms
        pieces = [Piece(0, len(text), None)] if text else []
        for number in candidates:
            needle = self.tokens[number]
            if needle in text:
                pieces = [part for piece in pieces for part in _cut(text, piece, needle, number)]
        return pieces

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; bytes that are no UTF-8 become U+FFFD. Special tokens are written out."""
        runs: list[tuple[bool, bytearray]] = []
        for number in ids:
            special = self._kinds[int(number)] in (_CONTROL, _USER_DEFINED)
            if special or not runs or runs[-1][0]:
                runs.append((special, bytearray()))
            runs[-1][1].extend(self._bytes(int(number)))
        return "".join(self._written(special, run.decode("utf-8", "replace")) for special, run in runs)

    def _written(self, special: bool, text: str) -> str:
        """SentencePiece put a space before each stretch of text."""
        return text[1:] if not special and self._prefixes_space and text.startswith(" ") else text

    def _bytes(self, number: int) -> bytes:
        text, kind = self.tokens[number], self._kinds[number]
        if kind in (_CONTROL, _USER_DEFINED):
            return text.encode()
        if self._byte_level:
            return bytes(_BYTE_OF[character] for character in text if character in _BYTE_OF)
        found = _BYTE_TOKEN.fullmatch(text) if kind == _BYTE else None
        return bytes([int(found[1], 16)]) if found else text.replace(_SPACE, " ").encode()

    def _token(self, data: dict[str, Any], name: str) -> int | None:
        value = data.get(f"tokenizer.ggml.{name}_token_id")
        return int(value) if value is not None and 0 <= int(value) < len(self.tokens) else None


def _cut(text: str, piece: Piece, needle: str, number: int) -> list[Piece]:
    if piece.special is not None:
        return [piece]
    parts, at = [], piece.start
    while (found := text.find(needle, at, piece.end)) >= 0:
        if found > at:
            parts.append(Piece(at, found, None))
        at = found + len(needle)
        parts.append(Piece(found, at, number))
    if at < piece.end:
        parts.append(Piece(at, piece.end, None))
    return parts


def _byte_level(tokens: list[str], kinds: list[int], merges: list[str], pre: str) -> Any:
    need("tokenizers")
    from tokenizers import Regex, pre_tokenizers
    from tokenizers import Tokenizer as Library
    from tokenizers.models import BPE

    vocabulary = {text: number for number, text in enumerate(tokens) if kinds[number] in (_NORMAL, _BYTE)}
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    known = [
        pair
        for pair in pairs
        if pair[0] in vocabulary and pair[1] in vocabulary and pair[0] + pair[1] in vocabulary
    ]
    library = Library(BPE(vocabulary, known, ignore_merges=pre in _WHOLE_WORDS_FIRST))
    splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in _PRE_TOKENIZERS[pre]]
    library.pre_tokenizer = pre_tokenizers.Sequence(
        [*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    return library


def _sentence_pieces(tokens: list[str], kinds: list[int], scores: Any) -> Any:
    need("tokenizers")
    from tokenizers import Tokenizer as Library
    from tokenizers.models import BPE

    vocabulary = {text: number for number, text in enumerate(tokens) if kinds[number] != _CONTROL}
    rank = np.zeros(len(tokens)) if scores is None else np.asarray(scores, dtype=np.float64)
    merges: list[tuple[float, int, tuple[str, str]]] = []
    for number, text in enumerate(tokens):
        if len(text) < 2 or kinds[number] in (_CONTROL, _UNKNOWN, _BYTE):
            continue
        for at in range(1, len(text)):
            pair = (text[:at], text[at:])
            if pair[0] in vocabulary and pair[1] in vocabulary:
                merges.append((-float(rank[number]), number, pair))
    merges.sort(key=lambda merge: merge[:2])
    unknown = next((tokens[number] for number, kind in enumerate(kinds) if kind == _UNKNOWN), None)
    return Library(
        BPE(vocabulary, [pair for _, _, pair in merges], unk_token=unknown, fuse_unk=True, byte_fallback=True)
    )


def _bytes_as_characters() -> dict[str, int]:
    """The printable stand-ins of bytes in byte-level BPE; source: the published GPT-2 encoder."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(256 + place): byte for place, byte in enumerate(others)
    }


_BYTE_OF = _bytes_as_characters()
