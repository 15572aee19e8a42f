"""The header of a GGUF file: what sizing needs to know of a model, without loading it.

Reads only the metadata at the head of the file, with every length checked: a model file is untrusted input.
Source: the GGUF specification, versions 2 and 3 (ggml-org/ggml, docs/gguf.md).
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etabli.errors import InvalidInputError
from etabli.messages import tr

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_PAIRS = 100_000
_LONGEST_KEPT_ARRAY = 1024


@dataclass(frozen=True)
class GGUFHeader:
    """A model's shape, as its file tells it.

    Attributes:
        architecture: `qwen2`, `llama`…
        name: given by the makers; may be empty.
        file_bytes: size of the file, which is about the memory that the weights take.
        layers: transformer blocks.
        context_tokens: context length of the training.
        embedding_length: width of the model.
        kv_bytes_per_token: of the key-value cache in 16 bits, over all layers.
        has_chat_template: whether the file carries its chat template.
    """

    architecture: str
    name: str
    file_bytes: int
    layers: int
    context_tokens: int
    embedding_length: int
    kv_bytes_per_token: int
    has_chat_template: bool


class _Cursor:
    """Reads little-endian values one after the other; never past the end."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 4  # past the magic

    def scalar(self, code: str) -> Any:
        value = struct.unpack_from("<" + code, self._data, self._at)[0]
        self._at += struct.calcsize("<" + code)
        return value

    def string(self) -> str:
        length = self.scalar("Q")
        return self._take(length).decode("utf-8", "replace")

    def skip_string(self) -> None:
        self._move(self.scalar("Q"))

    def value(self, kind: int) -> Any:
        """A value of type `kind`; arrays of strings and long arrays are skipped and given as None."""
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.scalar(_SCALARS[kind])
        inner, count = self.scalar("I"), self.scalar("Q")
        if inner == _STRING:
            for _ in range(count):
                self.skip_string()
            return None
        code = _SCALARS[inner]
        if count > _LONGEST_KEPT_ARRAY:
            self._move(count * struct.calcsize("<" + code))
            return None
        return [self.scalar(code) for _ in range(count)]

    def _take(self, length: int) -> bytes:
        start = self._at
        self._move(length)
        return self._data[start : self._at]

    def _move(self, length: int) -> None:
        if length > len(self._data) - self._at:
            raise ValueError("a length points past the end of the file")
        self._at += length


def read_gguf_header(path: Path) -> GGUFHeader:
    """Read a model file's header.

    Raises:
        InvalidInputError: the file is missing, not GGUF, cut short, or not a language model.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:4] != b"GGUF":
                raise ValueError("it does not begin with GGUF")
            pairs = _read_pairs(_Cursor(data))
            size = len(data)
        return _header(pairs, size)
    except OSError as error:
        raise InvalidInputError(
            tr(
                "The model file {path} cannot be read: {reason}.",
                path=path,
                reason=error.strerror or str(error),
            )
        ) from None
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise InvalidInputError(
            tr("{path} is not a GGUF model that can be used: {reason}. Pull the model again.",
               path=path, reason=str(error))
        ) from None  # fmt: skip


def _read_pairs(cursor: _Cursor) -> dict[str, Any]:
    version = cursor.scalar("I")
    if version not in (2, 3):
        raise ValueError(f"GGUF version {version}; versions 2 and 3 can be read")
    cursor.scalar("Q")  # tensors
    count = cursor.scalar("Q")
    if count > _MOST_PAIRS:
        raise ValueError(f"{count} metadata pairs")
    pairs: dict[str, Any] = {}
    for _ in range(count):
        key = cursor.string()
        kind = cursor.scalar("I")
        if kind not in _SCALARS and kind not in (_STRING, _ARRAY):
            raise ValueError(f"unknown metadata type {kind}")
        pairs[key] = cursor.value(kind)
    return pairs


def _header(pairs: dict[str, Any], size: int) -> GGUFHeader:
    architecture = str(pairs["general.architecture"])

    def of(key: str, default: Any = None) -> Any:
        value = pairs.get(f"{architecture}.{key}", default)
        if value is None:
            raise ValueError(f"{architecture}.{key} is missing")
        return value

    layers, width, heads = int(of("block_count")), int(of("embedding_length")), of("attention.head_count")
    kv_heads = _per_layer(of("attention.head_count_kv", heads), layers)
    head_size = width // max(1, max(_per_layer(heads, layers)))
    key, value = int(of("attention.key_length", head_size)), int(of("attention.value_length", head_size))
    return GGUFHeader(
        architecture=architecture,
        name=str(pairs.get("general.name") or ""),
        file_bytes=size,
        layers=layers,
        context_tokens=int(of("context_length")),
        embedding_length=width,
        kv_bytes_per_token=sum(kv_heads) * (key + value) * 2,
        has_chat_template=bool(pairs.get("tokenizer.chat_template")),
    )


def _per_layer(value: Any, layers: int) -> list[int]:
    """A number that holds for all layers, or one per layer."""
    if isinstance(value, list):
        return [int(item) for item in value]
    return [int(value)] * min(layers, 10_000)
