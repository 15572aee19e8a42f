"""A GGUF file as its bytes tell it: its metadata, and where each tensor lies. Nothing is loaded, no library needed.

Model and adapter files are untrusted input: every length is checked against the end of the file before it is used.
The engine's own reader, `etabli.engines.llama_gguf`, knows sizes only; this one also gives vocabularies and tensors.
Source: the GGUF specification, versions 2 and 3 (ggml-org/ggml, docs/gguf.md).
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etabli.errors import InvalidInputError
from etabli.messages import tr

F32, F16, BF16 = 0, 1, 30
BLOCKS: dict[int, tuple[int, int]] = {
    F32: (1, 4), F16: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), BF16: (1, 2), 34: (256, 54),
    35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Of each ggml type: elements in a block, bytes of a block."""

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_PAIRS = _MOST_TENSORS = 100_000
_MOST_DIMENSIONS = 4


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of a file.

    Attributes:
        name: as the file has it.
        shape: rows first, as numpy and torch count: the reverse of the file's order.
        kind: its ggml type, a key of `BLOCKS`.
        offset: of its first byte in the file.
        size: in bytes.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int
    size: int


class Container:
    """An open GGUF file. Made by `open_container`.

    Args:
        path: of the file.
        name: as people call it.
        metadata: its pairs; arrays are lists, or numpy arrays where they hold numbers.
        tensors: by name.
        data: its bytes, mapped into memory.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        metadata: dict[str, Any],
        tensors: dict[str, TensorEntry],
        data: mmap.mmap,
    ) -> None:
        self.path = path
        self.name = name
        self.metadata = metadata
        self.tensors = tensors
        self._map = data
        self._data = np.frombuffer(data, dtype=np.uint8)

    @property
    def architecture(self) -> str:
        """`qwen2`, `llama`…; empty where the file tells none."""
        return str(self.metadata.get("general.architecture") or "")

    def of(self, key: str, default: Any = None) -> Any:
        """A value of this architecture: `block_count` for `qwen2.block_count`."""
        return self.metadata.get(f"{self.architecture}.{key}", default)

    def raw(self, name: str) -> NDArray[np.uint8]:
        """The bytes of a tensor, one line a row, read from the disk only when touched."""
        entry = self.tensors[name]
        data = self._data[entry.offset : entry.offset + entry.size]
        return data.reshape(*entry.shape[:-1], -1) if entry.shape else data

    def forget(self) -> None:
        """Give the memory of what was read back; it is read from the disk again when it is touched again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)


def open_container(path: Path, *, name: str | None = None) -> Container:
    """Read the head of a GGUF file.

    Args:
        path: of the file; no message tells it, because a store's files are called by their hashes.
        name: as people call it; the file's if None.

    Raises:
        InvalidInputError: it is missing, no GGUF, damaged or cut short.
    """
    name = name or path.name
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        cursor = _Cursor(data)
        metadata, entries = _read_head(cursor)
        tensors = _place(entries, cursor.at, _alignment(metadata), len(data))
    except OSError as error:
        raise InvalidInputError(
            tr(
                "The model file {path} cannot be read: {reason}.",
                path=name,
                reason=error.strerror or str(error),
            )
        ) from None
    except (ValueError, KeyError, TypeError, OverflowError, struct.error) as error:
        raise InvalidInputError(
            tr("{path} is damaged, or no GGUF file: {reason}. Fetch or train it again.",
               path=name, reason=str(error))
        ) from None  # fmt: skip
    return Container(path, name, metadata, tensors, data)


class _Cursor:
    """Reads little-endian values one after the other; never past the end."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._size = len(data)
        self.at = 0

    def take(self, length: int) -> bytes:
        start = self.at
        if length > self._size - start:
            raise ValueError("a length points past its end")
        self.at = start + length
        return self._data[start : self.at]

    def scalar(self, code: str) -> Any:
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def string(self) -> str:
        return self.take(self.scalar("Q")).decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.scalar(_SCALARS[kind])
        inner, count = self.scalar("I"), self.scalar("Q")
        if inner == _STRING:
            if count > self._size // 8:
                raise ValueError("an array points past its end")
            return [self.string() for _ in range(count)]
        code = _SCALARS[inner]
        return np.frombuffer(self.take(count * struct.calcsize("<" + code)), dtype=np.dtype("<" + code))


def _read_head(cursor: _Cursor) -> tuple[dict[str, Any], list[tuple[str, tuple[int, ...], int, int]]]:
    if cursor.take(4) != b"GGUF":
        raise ValueError("it does not begin with GGUF")
    version = cursor.scalar("I")
    if version not in (2, 3):
        raise ValueError(f"GGUF version {version}; versions 2 and 3 can be read")
    tensors, pairs = cursor.scalar("Q"), cursor.scalar("Q")
    if tensors > _MOST_TENSORS or pairs > _MOST_PAIRS:
        raise ValueError(f"{tensors} tensors and {pairs} metadata pairs")
    metadata: dict[str, Any] = {}
    for _ in range(pairs):
        key, kind = cursor.string(), cursor.scalar("I")
        metadata[key] = cursor.value(kind)
    entries = []
    for _ in range(tensors):
        name, dimensions = cursor.string(), cursor.scalar("I")
        if dimensions > _MOST_DIMENSIONS:
            raise ValueError(f"a tensor of {dimensions} dimensions")
        shape = tuple(cursor.scalar("Q") for _ in range(dimensions))
        entries.append((name, shape[::-1], cursor.scalar("I"), cursor.scalar("Q")))
    return metadata, entries


def _alignment(metadata: dict[str, Any]) -> int:
    alignment = int(metadata.get("general.alignment", 32))
    if alignment < 1 or alignment & (alignment - 1):
        raise ValueError(f"an alignment of {alignment} bytes")
    return alignment


def _place(
    entries: list[tuple[str, tuple[int, ...], int, int]], head: int, alignment: int, size: int
) -> dict[str, TensorEntry]:
    start = (head + alignment - 1) // alignment * alignment
    placed: dict[str, TensorEntry] = {}
    for name, shape, kind, offset in entries:
        if kind not in BLOCKS:
            raise ValueError(f"{name} is of the unknown type {kind}")
        elements, block = BLOCKS[kind]
        count = 1
        for extent in shape:
            count *= extent
        row = shape[-1] if shape else 1
        if not count or row % elements:
            raise ValueError(f"{name} has the impossible shape {shape}")
        length = count // elements * block
        if start + offset + length > size:
            raise ValueError(f"{name} lies past its end")
        if name in placed:
            raise ValueError(f"{name} is in it twice")
        placed[name] = TensorEntry(name, shape, kind, start + offset, length)
    return placed
