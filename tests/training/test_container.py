import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from etabli.errors import InvalidInputError
from etabli.training.container import BLOCKS, open_container
from training.tiny_jobs import REASON

STRING, UINT32, ARRAY = 8, 4, 9


def text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def head(*, version: int = 3, tensors: int = 0, pairs: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, pairs)


def tensor(name: str, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def refused(tmp_path: Path, content: bytes) -> str:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        open_container(path)
    return str(caught.value)


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "cannot be read|damaged|empty"),
        (b"ZIP.", "does not begin with GGUF"),
        (head(version=1), "GGUF version 1"),
        (head(tensors=2**40), "tensors"),
        (head(pairs=1), "past its end"),
        (head(pairs=1) + struct.pack("<Q", 2**62), "past its end"),
        (head(pairs=1) + text("a") + struct.pack("<I", 77), "77"),
        (head(pairs=1) + text("a") + struct.pack("<IIQ", ARRAY, STRING, 2**50), "past its end"),
        (head(pairs=1) + text("a") + struct.pack("<IIQ", ARRAY, UINT32, 2**50), "past its end"),
        (head(tensors=1) + tensor("t", (1, 2, 3, 4, 5), 0, 0), "5 dimensions"),
        (head(tensors=1) + tensor("t", (4,), 99, 0), "unknown type 99"),
        (head(tensors=1) + tensor("t", (4,), 0, 2**40), "past its end"),
        (head(tensors=1) + tensor("t", (2**60, 2**60), 0, 0), "past its end"),
        (head(tensors=1) + tensor("t", (33,), 8, 0), "impossible shape"),
        (head(tensors=1) + tensor("t", (0,), 0, 0), "impossible shape"),
        (head(tensors=2) + tensor("t", (1,), 0, 0) * 2 + bytes(64), "twice"),
    ],
)
def test_hostile_files_are_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    import re

    assert re.search(reason, refused(tmp_path, content))


def test_what_is_damaged_is_called_by_its_name_not_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"ZIP.")
    for name, called in (("qwen", "qwen is damaged"), (None, "x.gguf is damaged")):
        with pytest.raises(InvalidInputError, match=called) as caught:
            open_container(path, name=name)
        assert str(tmp_path) not in str(caught.value)
    with pytest.raises(InvalidInputError, match="model file qwen cannot be read") as caught:
        open_container(tmp_path / "none.gguf", name="qwen")
    assert str(tmp_path) not in str(caught.value)


def test_every_cut_of_a_file_is_refused(tmp_path: Path, tiny: Callable[..., Path]) -> None:
    whole = tiny().read_bytes()
    for length in range(5, len(whole) - 1, 4999):
        refused(tmp_path, whole[:length])


def test_the_same_as_the_library_reads(tiny: Callable[..., Path]) -> None:
    gguf = pytest.importorskip("gguf", reason=REASON)
    container, library = open_container(tiny()), gguf.GGUFReader(tiny())
    assert {one.name for one in library.tensors} == set(container.tensors)
    for one in library.tensors:
        found = container.raw(one.name).view(np.float32)
        np.testing.assert_array_equal(found, one.data)
    assert container.metadata["tokenizer.ggml.tokens"] == library.fields["tokenizer.ggml.tokens"].contents()
    assert container.of("block_count") == 2


def test_sizes_of_blocks_are_the_library_s() -> None:
    constants = pytest.importorskip("gguf.constants", reason=REASON)
    known = {int(kind): size for kind, size in constants.GGML_QUANT_SIZES.items()}
    assert {kind: known[kind] for kind in BLOCKS} == BLOCKS
