"""The engine of a workspace holds what is approved: at its start without a database, and at every decision."""

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from engines.stand_in import SIZE, STAND_IN, text_of
from etabli.engines import local
from etabli.engines.fake import FakeEngine
from etabli.engines.switching import SwitchingEngine
from etabli.models.store import ModelStore
from etabli.serving import Serving
from etabli.settings import load_settings
from etabli.training.adapters import MOST_LOADED
from etabli.workspace import Workspace
from product import fake_endpoints, fake_settings, make_office
from training.training_parts import PASSED, Room, rows

MODEL = "tiny"


@pytest.fixture
def workspace(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace whose engine is a stand-in, and whose model a few bytes."""
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    monkeypatch.setattr(local, "COMMAND", (sys.executable, str(script)))
    monkeypatch.setattr(local, "choose_size", lambda *words: SIZE)
    folder = make_office(tmp_path / "office")
    settings = load_settings(
        folder, database_url=database_url, models_dir=tmp_path / "models", model=MODEL, embeddings_url=None
    )
    with Workspace(settings) as made:
        weights = tmp_path / "w"
        weights.write_bytes(b"weights")
        ModelStore(settings.models_dir).add_file(
            weights, name=MODEL, file_name="w", source="test", licence="MIT"
        )
        yield made


def trained(workspace: Workspace, folder: Path, content: str) -> str:
    """An adapter that passed the gate; gives its name."""
    room = Room(workspace.database, folder / content)
    job = room.submit()
    path = folder / f"{content}.gguf"
    path.write_text(content)
    base = ModelStore(workspace.settings.models_dir).manifest(MODEL)
    assert base is not None
    return workspace.adapters.add(
        path,
        name=job.model_name,
        base=MODEL,
        base_sha256=base.sha256,
        job_id=job.id,
        figures={"gate": PASSED},
    ).name


def held(engine: SwitchingEngine, model: str) -> str:
    async def ask() -> str:
        try:
            return (await text_of(engine, model=model, words=1)).partition(":")[2]
        finally:
            await engine.aclose()

    return asyncio.run(ask())


def test_what_is_approved_answers_from_the_start_on(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (trained(workspace, tmp_path, name) for name in ("one", "two"))
    workspace.adapters.approve(one, "x")
    engine = workspace.launch_engine(tmp_path / "w")
    engine.wait_ready(60)
    assert engine.adapters == (one,)
    first = engine.state.pid
    assert held(engine, one) == f"{workspace.adapters.get(one).sha256}.gguf" and held(engine, MODEL) == "base"
    workspace.adapters.approve(two, "x")
    assert workspace.load_adapters(engine) == {}
    assert engine.adapters == tuple(sorted((one, two))) and engine.state.pid != first
    assert held(engine, two) == f"{workspace.adapters.get(two).sha256}.gguf"
    assert held(engine, one) == f"{workspace.adapters.get(one).sha256}.gguf"
    workspace.adapters.retire(one, "x")
    workspace.load_adapters(engine)
    assert engine.adapters == (two,)


def test_an_assistants_adapter_comes_first(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    names = [trained(workspace, tmp_path, name) for name in ("one", "two")]
    for name in names:
        workspace.adapters.approve(name, "x")
    assert MOST_LOADED == 16 and list(workspace.loadable().files) == sorted(names)
    office = workspace.settings.assistants_dir / "office.yaml"
    office.write_text(office.read_text() + f"adapter: {names[0]}\n")
    assert workspace.assistants.get("office").adapter == names[0]


def test_an_engine_elsewhere_loads_its_own(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    name = trained(workspace, tmp_path, "one")
    workspace.adapters.approve(name, "x")
    left_out = workspace.load_adapters(FakeEngine())
    assert left_out == {name: "the engine is configured elsewhere, and adapters are loaded there"}


def test_a_server_takes_files_and_jobs(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_office(tmp_path / "office")
    with fake_endpoints() as url:
        for name, value in fake_settings(url).items():
            monkeypatch.setenv(name, value)
        settings = load_settings(folder, database_url=database_url)
        with Serving(Workspace(settings)) as serving:
            serving.start_engine()
            serving.start_database()
            found: dict[str, object] = {}

            def ask() -> None:
                key = {"authorization": f"Bearer {serving.workspace.api_key}"}
                try:
                    with httpx.Client(base_url=serving.url, headers=key, timeout=30) as client:
                        content = "\n".join(json.dumps(one) for one in rows(20)).encode()
                        form = {"file": ("rows.jsonl", content)}
                        found["file"] = client.post(
                            "/v1/files", files=form, data={"purpose": "fine-tune"}
                        ).json()
                        found["jobs"] = client.get("/v1/fine_tuning/jobs").json()
                        found["adapters"] = client.get("/v1/etabli/adapters").json()
                finally:
                    serving.stop()

            serving.run(lambda: threading.Thread(target=ask).start())
    assert found["file"]["status"] == "processed"  # type: ignore[index]
    assert found["jobs"] == {"object": "list", "data": [], "has_more": False}
    assert found["adapters"] == {"object": "list", "data": []}
