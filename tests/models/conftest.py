import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from model_server import FileServer

from etabli.messages import set_language
from etabli.settings import Settings


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)


@pytest.fixture
def server() -> Iterator[FileServer]:
    running = FileServer()
    yield running
    running.close()


@pytest.fixture
def model_bytes() -> bytes:
    return b"GGUF" + random.Random(7).randbytes(1_000_000)


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    def make(**values: object) -> Settings:
        (tmp_path / "workspace").mkdir(exist_ok=True)
        values.setdefault("models_dir", tmp_path / "models")
        return Settings(workspace=tmp_path / "workspace", **values)

    return make
