"""What the engine is, from the disk: weights and the adapters that are approved for them."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from small_corpus import Corpus

from etabli.assistants.specification import AssistantSpecification
from etabli.certification.bundle import bundle_of
from etabli.certification.identity import engine_identity
from etabli.engines.fake import FakeEngine
from etabli.errors import ConfigurationError
from etabli.models.store import ModelStore
from etabli.processes import write_private_json
from etabli.settings import Settings

TONE, FORMS, OTHER = "ft:tiny:test:ton:0a1b2c3d", "ft:tiny:test:fiches:4e5f6a7b", "ft:big:test:x:99999999"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(workspace=tmp_path, models_dir=tmp_path / "models")
    weights = tmp_path / "weights"
    weights.write_bytes(b"weights")
    ModelStore(made.models_dir).add_file(weights, name="tiny", file_name="w", source="test", licence="MIT")
    return made


@pytest.fixture
def approve(settings: Settings) -> Callable[..., None]:
    """Approve adapters, as the registry writes it: name, content and base."""

    def write(*adapters: tuple[str, bytes, str]) -> None:
        entries = []
        for name, content, base in adapters:
            sha256 = hashlib.sha256(content).hexdigest()
            settings.adapters_dir.mkdir(parents=True, exist_ok=True)
            (settings.adapters_dir / f"{sha256}.gguf").write_bytes(content)
            base_sha256 = hashlib.sha256(base.encode()).hexdigest()
            entries.append({"name": name, "sha256": sha256, "base": "", "base_sha256": base_sha256})
        write_private_json(settings.adapters_dir / "approved.json", {"adapters": entries})

    return write


def test_adapters_of_this_base_by_the_bytes_that_are_there(
    settings: Settings, approve: Callable[..., None]
) -> None:
    engine = FakeEngine(model="tiny")
    assert engine_identity(settings, engine).adapters == {}
    approve((TONE, b"tone", "weights"), (FORMS, b"forms", "weights"), (OTHER, b"other", "big weights"))
    found = engine_identity(settings, engine)
    assert found.weights == hashlib.sha256(b"weights").hexdigest()
    assert found.adapters == {name: hashlib.sha256(content).hexdigest()
                              for name, content in ((TONE, b"tone"), (FORMS, b"forms"))}  # fmt: skip
    path = settings.adapters_dir / f"{hashlib.sha256(b'tone').hexdigest()}.gguf"
    path.write_bytes(b"something else")
    os.utime(path, (1, 1))
    assert engine_identity(settings, engine).adapters[TONE] == hashlib.sha256(b"something else").hexdigest()
    path.unlink()
    assert TONE not in engine_identity(settings, engine).adapters


def test_who_is_approved_for_others_voids_no_certificate(
    settings: Settings, approve: Callable[..., None], corpus: Corpus, assistant: AssistantSpecification
) -> None:
    engine = FakeEngine(model="tiny")

    def root(**update: str) -> str:
        return bundle_of(
            assistant.model_copy(update=update), database=corpus.database, engine=engine_identity(settings, engine),
            embedder=None,
        ).root  # fmt: skip

    certified = root()
    approve((FORMS, b"forms", "weights"))
    assert root() == certified, "an adapter of somebody else"
    with_forms = root(adapter=FORMS)
    assert with_forms != certified, "its own"
    approve((FORMS, b"forms", "weights"), (TONE, b"tone", "weights"))
    assert root(adapter=FORMS) == with_forms != root(adapter=TONE)
    approve((FORMS, b"forms, trained anew", "weights"))
    assert root(adapter=FORMS) != with_forms, "other bytes under the same name"
    approve()
    with pytest.raises(ConfigurationError, match="is not approved for the model that runs"):
        root(adapter=FORMS)
    assert root() == certified


def test_adapters_are_nothing_of_an_engine_elsewhere(tmp_path: Path, approve: Callable[..., None]) -> None:
    approve((TONE, b"tone", "weights"))
    settings = Settings(workspace=tmp_path, engine_url="http://127.0.0.1:9/v1", engine_model="tiny")
    assert engine_identity(settings, FakeEngine(model="tiny")).adapters == {}
    assert json.loads((tmp_path / "data" / "adapters" / "approved.json").read_text())["adapters"]
