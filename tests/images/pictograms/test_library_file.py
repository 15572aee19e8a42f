import gzip
from pathlib import Path

import pytest

from etabli.errors import IntegrityError
from etabli.images.pictograms.library_file import read_library_file, write_library
from images.tiny_set import tiny_library, write_ledger


def test_a_library_comes_back_with_whose_it_is(tmp_path: Path) -> None:
    ledger = write_ledger(tmp_path / "archives")
    library = tiny_library(tmp_path / "archives").of(["shapes"])
    path = tmp_path / "library.json.gz"
    write_library(path, library, ledger)
    found = read_library_file(path)
    assert found.library == library
    assert [source.package for source in found.sources] == ["@tiny/shapes", "words"]
    first = path.read_bytes()
    write_library(path, library, ledger)
    assert path.read_bytes() == first


@pytest.mark.parametrize("data", [b"", b"nothing", gzip.compress(b"{}"), gzip.compress(b'{"format": 9}')])
def test_a_damaged_library_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "library.json.gz"
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="library.json.gz is not a library of pictograms"):
        read_library_file(path)
