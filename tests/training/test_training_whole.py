"""From an uploaded file to an adapter that answers, with the real trainer and the real engine on a tiny model."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etabli.engines.local import LocalEngine
from etabli.evaluation.examining import AdapterExaminer
from etabli.settings import Settings
from etabli.storage.database import Database
from etabli.training.adapters import loadable
from etabli.training.checking import FileChecks
from etabli.training.child import COMMAND
from training.training_parts import Room, rows


@pytest.fixture
def room(database: Database, tmp_path: Path, tiny: Callable[..., Path]) -> Iterator[Room]:
    pytest.importorskip("torch", reason="install the extra: pip install 'etabli[training]'")
    made = Room(database, tmp_path)
    copy = tmp_path / "tiny.gguf"
    copy.write_bytes(tiny().read_bytes())
    made.models.add_file(copy, name="real-tiny", file_name="tiny.gguf", source="test", licence="MIT")
    yield made
    made.close()


@pytest.mark.slow
def test_a_file_becomes_an_adapter_that_answers(
    room: Room, tmp_path: Path, start_llama: Callable[..., LocalEngine]
) -> None:
    held_out = room.upload(rows(48)[40:], name="held-out.jsonl")
    job = room.submit(
        base="real-tiny",
        training_file=room.upload(rows(16), name="rows.jsonl"),
        validation_file=held_out,
        hyperparameters={"n_epochs": 1, "batch_size": 8, "max_tokens": 256, "rank": 4, "alpha": 8},
    )
    room.examiner = AdapterExaminer(Settings(workspace=tmp_path, slots=1), gives_way=False)  # type: ignore[assignment]
    room.runner(command=COMMAND, checks=FileChecks(), gives_way=False)
    done = room.wait(job, "succeeded", "failed", limit_s=300)
    assert done.state == "succeeded", room.told(job)
    assert done.gate and done.gate["passed"] is True and done.gate["same_prompts"] is True
    assert done.comparison and done.comparison["gains"][0]["kind"] == "held_out"
    assert done.total_steps == done.step == 2 and done.trained_tokens
    adapter = room.adapters.approve(job.model_name, "somebody")
    files = loadable(room.adapters.folder, adapter.base_sha256).files
    engine = start_llama(room.models.path_of("real-tiny"), files)

    async def ask(model: str) -> str:
        body = {
            "model": model,
            "messages": [{"role": "user", "content": "Where is room 3?"}],
            "max_tokens": 8,
        }
        answer = await engine.complete({**body, "temperature": 0})
        return str(answer["choices"][0]["message"]["content"])

    async def both() -> list[str]:
        try:
            return [await ask("base"), await ask(job.model_name)]
        finally:
            await engine.aclose()

    assert len(asyncio.run(both())) == 2
