"""The header reader on files made here, whole and damaged."""

import struct
from pathlib import Path
from typing import Any

import pytest

from etabli.engines.llama_gguf import GGUFHeader, read_gguf_header
from etabli.errors import InvalidInputError

UINT32, FLOAT32, STRING, ARRAY, UINT64 = 4, 6, 8, 9, 10
TINY: dict[str, tuple[int, Any]] = {
    "general.architecture": (STRING, "qwen2"),
    "general.name": (STRING, "Tiny é"),
    "qwen2.block_count": (UINT32, 3),
    "qwen2.context_length": (UINT32, 2048),
    "qwen2.embedding_length": (UINT32, 64),
    "qwen2.attention.head_count": (UINT32, 8),
    "qwen2.attention.head_count_kv": (UINT32, 2),
    "qwen2.rope.freq_base": (FLOAT32, 10000.0),
    "tokenizer.ggml.tokens": (ARRAY, (STRING, ["a", "bb", ""] * 1000)),
    "tokenizer.ggml.token_type": (ARRAY, (UINT32, [1] * 3000)),
    "tokenizer.chat_template": (STRING, "{{ messages }}"),
}


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def encode(kind: int, value: Any) -> bytes:
    if kind == STRING:
        return text(value)
    if kind == ARRAY:
        inner, items = value
        return struct.pack("<IQ", inner, len(items)) + b"".join(encode(inner, item) for item in items)
    return struct.pack({UINT32: "<I", FLOAT32: "<f", UINT64: "<Q"}[kind], value)


def gguf(pairs: dict[str, tuple[int, Any]], *, version: int = 3) -> bytes:
    body = b"".join(
        text(key) + struct.pack("<I", kind) + encode(kind, value) for key, (kind, value) in pairs.items()
    )
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(pairs)) + body


def read(tmp_path: Path, data: bytes) -> GGUFHeader:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    return read_gguf_header(path)


def test_a_small_header(tmp_path: Path) -> None:
    data = gguf(TINY)
    assert read(tmp_path, data) == GGUFHeader(
        architecture="qwen2",
        name="Tiny é",
        file_bytes=len(data),
        layers=3,
        context_tokens=2048,
        embedding_length=64,
        kv_bytes_per_token=3 * 2 * (8 + 8) * 2,
        has_chat_template=True,
    )


def test_head_sizes_and_heads_per_layer(tmp_path: Path) -> None:
    pairs = {
        **TINY,
        "qwen2.attention.head_count_kv": (ARRAY, (UINT32, [0, 2, 4])),
        "qwen2.attention.key_length": (UINT32, 16),
        "qwen2.attention.value_length": (UINT32, 32),
    }
    assert read(tmp_path, gguf(pairs)).kv_bytes_per_token == 6 * (16 + 32) * 2


def test_without_template_and_without_grouped_heads(tmp_path: Path) -> None:
    pairs = dict(TINY)
    del pairs["tokenizer.chat_template"], pairs["qwen2.attention.head_count_kv"]
    header = read(tmp_path, gguf(pairs, version=2))
    assert not header.has_chat_template and header.kv_bytes_per_token == 3 * 8 * 16 * 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 a zip archive", "does not begin with GGUF"),
        (gguf(TINY)[:200], "past the end"),
        (gguf(TINY)[:22], "requires a buffer"),
        (gguf(TINY, version=99), "GGUF version 99"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60), "metadata pairs"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**63), "past the end"),
        (
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<I", 77),
            "unknown metadata type 77",
        ),
        (
            b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<IIQ", 9, 8, 2**62),
            "requires a buffer",
        ),
        (gguf({k: v for k, v in TINY.items() if "block" not in k}), "qwen2.block_count is missing"),
        (gguf({}), "general.architecture"),
    ],
)
def test_what_is_no_model(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match="not a GGUF model") as caught:
        read(tmp_path, data)
    assert words in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="No such file"):
        read_gguf_header(tmp_path / "none.gguf")


@pytest.mark.model
def test_the_real_model(small_model: Path) -> None:
    header = read_gguf_header(small_model)
    assert (header.architecture, header.layers, header.context_tokens) == ("qwen2", 24, 32768)
    assert header.kv_bytes_per_token == 12288 and header.has_chat_template
