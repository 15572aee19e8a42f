import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from etabli.engines.local import LocalEngine
from etabli.engines.sizing import EngineSize
from etabli.training.base import PLAN_FILE, Hyperparameters, TrainingPlan
from training.tiny_jobs import REASON, ROWS, write_rows


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a tiny model of a family, once a run."""
    pytest.importorskip("gguf", reason=REASON)
    pytest.importorskip("tokenizers", reason=REASON)
    from training.tiny_models import write_model

    folder = tmp_path_factory.mktemp("tiny")

    def write(kind: str = "qwen2") -> Path:
        path = folder / f"{kind}.gguf"
        return path if path.exists() else write_model(path, kind)

    return write


@pytest.fixture
def start_llama(tmp_path: Path) -> Iterator[Callable[..., LocalEngine]]:
    """Starts a llama.cpp child on a model, with adapters by name."""
    engines: list[LocalEngine] = []

    def start(
        path: Path, adapters: Mapping[str, Path] | None = None, *, context_tokens: int = 512
    ) -> LocalEngine:
        engine = LocalEngine(
            path,
            "base",
            size=EngineSize(
                threads=1,
                context_tokens=context_tokens,
                slots=1,
                cache_ram_mib=0,
                memory_bytes=0,
                explanation="",
            ),
            run_dir=tmp_path / "run",
            log_path=tmp_path / "engine.log",
            adapters=adapters,
        )
        engines.append(engine)
        engine.start()
        engine.wait_ready(120)
        return engine

    yield start
    for engine in engines:
        engine.stop()


@pytest.fixture
def make_job(tmp_path: Path, tiny: Callable[..., Path]) -> Callable[..., tuple[Path, TrainingPlan]]:
    """Writes a job's folder: rows and plan."""

    def make(
        method: str = "supervised",
        *,
        name: str = "job",
        rows: int = 12,
        held_out: int = 0,
        kind: str = "qwen2",
        **hyperparameters: Any,
    ) -> tuple[Path, TrainingPlan]:
        folder = tmp_path / name
        folder.mkdir()
        base = tiny(kind)
        given = {
            "rank": 4,
            "alpha": 8.0,
            "epochs": 2,
            "batch_size": 4,
            "learning_rate": 5e-3,
            "checkpoint_steps": 2,
            "rehearsal": 0.0,
        }
        validation = write_rows(folder / "validation.jsonl", ROWS[method](held_out)) if held_out else None
        plan = TrainingPlan(
            base="tiny",
            base_path=base,
            base_sha256=hashlib.sha256(base.read_bytes()).hexdigest(),
            method=method,  # type: ignore[arg-type]
            training_file=write_rows(folder / "training.jsonl", ROWS[method](rows)),
            validation_file=validation,
            hyperparameters=Hyperparameters(**{**given, **hyperparameters}),
            threads=1,
        )
        (folder / PLAN_FILE).write_text(plan.model_dump_json(), encoding="utf-8")
        return folder, plan

    return make


@pytest.fixture(scope="session")
def small_model() -> Path:
    """The weights of the small test model, from the store of this user."""
    from etabli.models.pull import ensure_model
    from etabli.settings import load_settings

    return ensure_model(load_settings(), "qwen2.5-coder-0.5b")
