import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from etabli.engines import e5_weights
from etabli.engines.e5_weights import MODEL_SHA256, WeightsFile, find_model_file
from etabli.errors import IntegrityError, NotFoundError


@pytest.fixture(scope="module")
def weights() -> WeightsFile:
    return WeightsFile()


def test_head_of_the_file_is_that_of_multilingual_e5_small(weights: WeightsFile) -> None:
    shape = weights.shape
    assert (shape.hidden, shape.layers, shape.heads, shape.feed_forward) == (384, 12, 12, 1536)
    assert (shape.vocabulary, shape.positions, shape.types) == (250_037, 512, 2)
    vocabulary = weights.vocabulary
    assert len(vocabulary.pieces) == len(vocabulary.scores) == 250_002
    assert [vocabulary.pieces[index] for index in (0, 1, 2, 3)] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert len(vocabulary.replacements) == 4_837


def test_blocks_expand_as_the_layout_says() -> None:
    block = np.zeros((1, 18), np.uint8)
    block[0, :2] = np.frombuffer(np.float16(0.5).tobytes(), np.uint8)
    block[0, 2] = 0xF1  # weight 0 is 1, weight 16 is 15
    expected = np.full(32, -4.0, np.float32)
    expected[0], expected[16] = -3.5, 3.5
    assert np.array_equal(e5_weights._dequantise(block)[0], expected)


def test_word_rows_are_the_rows_of_the_expanded_table(weights: WeightsFile) -> None:
    table = weights.tensor("emb.word", weights.shape.vocabulary, weights.shape.hidden)
    ids = np.array([[0, 5], [250_036, 12]])
    assert np.array_equal(weights.word_rows(ids), table[ids])


def test_corrupted_file_is_refused_with_its_name_and_both_hashes(tmp_path: Path) -> None:
    broken = Path(shutil.copy(find_model_file(), tmp_path / "e5.bin"))
    with broken.open("r+b") as file:
        file.seek(60_000_000)
        byte = file.read(1)
        file.seek(60_000_000)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(IntegrityError) as caught:
        WeightsFile(broken)
    message = str(caught.value)
    assert str(broken) in message and MODEL_SHA256 in message
    assert len(set(re.findall(r"\b[0-9a-f]{64}\b", message))) == 2


@pytest.mark.parametrize("content", [None, b""])
def test_missing_or_empty_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "e5.bin"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NotFoundError, match="e5.bin cannot be read"):
        WeightsFile(path)


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e5_weights, "PACKAGE", "no_such_package_at_all")
    with pytest.raises(NotFoundError, match="Install no_such_package_at_all again"):
        find_model_file()
