"""The examples in docstrings are run as they stand."""

import doctest
import importlib
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"
MODULES = [
    ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    for path in sorted(SOURCE.rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]
EXTRA = ("torch", "gguf", "safetensors", "tokenizers")
"""What modules of the extra `training` need."""


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        pytest.skip(f"{error.name} is not installed: pip install 'etabli[training]'")
    result = doctest.testmod(module)
    assert result.attempted > 0 and result.failed == 0
