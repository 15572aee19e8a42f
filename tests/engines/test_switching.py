"""Adapters change while answers go on: with a stand-in child, and with the real llama.cpp and two random adapters."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from engines.stand_in import BODY, SIZE, STAND_IN, text_of
from etabli.engines import local
from etabli.engines.local import LocalEngine, attach, start_engine
from etabli.engines.sizing import EngineSize
from etabli.engines.supervisor import RestartPolicy
from etabli.engines.switching import SwitchingEngine
from etabli.errors import EngineRequestError, EngineUnavailableError
from etabli.processes import is_process_alive
from etabli.settings import Settings

Make = Callable[..., SwitchingEngine]
A, B = {"ft:a": Path("/x/a")}, {"ft:a": Path("/x/a"), "ft:b": Path("/x/b")}


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Switching engines whose children are fakes over HTTP instead of llama.cpp."""
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    monkeypatch.setattr(local, "COMMAND", (sys.executable, str(script)))
    made: list[SwitchingEngine] = []

    def start(adapters: Mapping[str, Path], size: EngineSize | None) -> LocalEngine:
        engine = LocalEngine(
            tmp_path / "model",
            "fake",
            size=size or SIZE,
            run_dir=tmp_path / "run",
            log_path=tmp_path / "engine.log",
            adapters=adapters,
            policy=RestartPolicy(first_delay_s=0.05, attempts=2),
        )
        engine.start()
        return engine

    def build(*, room: bool = True, **options: Any) -> SwitchingEngine:
        engine = SwitchingEngine(start, {}, has_room=lambda size: room, **options)
        made.append(engine)
        engine.wait_ready(60)
        return engine

    yield build
    for engine in made:
        engine.stop()


def announced(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "run" / "engine.json").read_text())
    return found


async def words_of(chunks: AsyncGenerator[Any, None]) -> list[str]:
    async with aclosing(chunks) as items:
        pieces = [one["choices"][0]["delta"].get("content", "") async for one in items if one["choices"]]
    return "".join(pieces).split()


@pytest.mark.parametrize("room", [True, False])
def test_an_answer_in_progress_ends_where_it_began(make: Make, tmp_path: Path, room: bool) -> None:
    engine = make(room=room)
    first = engine.state.pid or 0

    async def main() -> None:
        stream = engine.stream({**BODY, "words": 80})
        await anext(stream)
        switch = asyncio.create_task(asyncio.to_thread(engine.switch, B))
        if room:
            assert await switch, "no answer is waited for"
            assert engine.state.pid != first
        meanwhile = asyncio.create_task(text_of(engine, model="fake"))
        rest = await words_of(stream)
        assert len(rest) >= 79 and {*rest} == {f"{first}:base"}
        await switch
        second = engine.state.pid or 0
        assert (await meanwhile).split()[0] == f"{second}:base", "what came later went to the new child"
        assert await text_of(engine, model="ft:b", words=1) == f"{second}:b"
        assert await text_of(engine, model="ft:a", words=1) == f"{second}:a"
        assert engine.adapters == ("ft:a", "ft:b")
        await engine.aclose()

    asyncio.run(main())
    end = time.monotonic() + 30
    while is_process_alive(first):
        assert time.monotonic() < end, "the old child stays"
        time.sleep(0.02)
    assert announced(tmp_path)["pid"] == engine.state.pid
    assert announced(tmp_path)["adapters"] == ["ft:a", "ft:b"]


def test_no_request_is_lost_while_adapters_change(make: Make) -> None:
    engine = make()
    answers: list[str] = []

    async def main() -> None:
        stopping = asyncio.Event()

        async def ask() -> None:
            while not stopping.is_set():
                answers.append(await text_of(engine, words=5))

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(ask())
            for adapters in (A, B, {}, A):
                assert await asyncio.to_thread(engine.switch, adapters)
            stopping.set()
        await engine.aclose()

    asyncio.run(main())
    children = {answer.split(":")[0] for answer in answers}
    assert len(children) >= 4 and all(len(answer.split()) == 5 for answer in answers)


@pytest.mark.parametrize("room", [True, False])
def test_an_adapter_that_does_not_load_changes_nothing(make: Make, tmp_path: Path, room: bool) -> None:
    engine = make(room=room)
    engine.switch(A)
    with pytest.raises(EngineUnavailableError, match="this adapter cannot be read"):
        engine.switch({"ft:broken": Path("/x/broken")})
    engine.wait_ready(60)
    assert engine.adapters == ("ft:a",)

    async def main() -> None:
        assert (await text_of(engine, model="ft:a", words=1)).endswith(":a")
        with pytest.raises(EngineRequestError, match="does not hold the adapter ft:broken"):
            await text_of(engine, model="ft:broken")
        await engine.aclose()

    asyncio.run(main())
    assert announced(tmp_path)["pid"] == engine.state.pid
    assert not engine.switch(A), "it holds them already"


def test_what_takes_too_long_is_broken_off(make: Make) -> None:
    engine = make(drain_s=0.2)

    async def main() -> None:
        stream = engine.stream({**BODY, "words": 2000})
        await anext(stream)
        await asyncio.to_thread(engine.switch, A)
        with pytest.raises(EngineUnavailableError):
            await words_of(stream)
        assert await text_of(engine, words=1)
        await engine.aclose()

    asyncio.run(main())


def test_other_processes_find_the_new_child_and_its_adapters(make: Make, tmp_path: Path) -> None:
    engine = make()
    engine.switch(B)

    async def main() -> None:
        other = attach(tmp_path / "run")
        assert other is not None
        answer = await other.complete({**BODY, "model": "ft:b", "words": 1})
        assert answer["choices"][0]["message"]["content"] == f"{engine.state.pid}:b"
        with pytest.raises(EngineRequestError, match="does not hold"):
            await other.complete({**BODY, "model": "ft:c"})
        await other.aclose()

    asyncio.run(main())


def test_a_stopped_engine_ends_all_its_children(make: Make, tmp_path: Path) -> None:
    engine = make()
    pids = [engine.state.pid or 0]
    lasting = threading.Event()

    async def main() -> None:
        stream = engine.stream({**BODY, "words": 2000})
        await anext(stream)
        await asyncio.to_thread(engine.switch, A)
        pids.append(engine.state.pid or 0)
        assert all(is_process_alive(pid) for pid in pids)
        await asyncio.to_thread(engine.stop)
        lasting.set()
        await stream.aclose()
        with pytest.raises(EngineUnavailableError):
            await text_of(engine)
        await engine.aclose()

    asyncio.run(main())
    assert lasting.is_set() and not any(is_process_alive(pid) for pid in pids)
    assert not (tmp_path / "run" / "engine.json").exists()
    assert not engine.switch(B), "a stopped engine starts nothing"


# With the real llama.cpp


def write_adapter(path: Path, model: Path, *, seed: int) -> Path:
    """A random adapter on the attention of a model."""
    gguf = pytest.importorskip("gguf", reason="install the extra: pip install 'etabli[training]'")
    import numpy as np

    random = np.random.default_rng(seed)
    reader = gguf.GGUFReader(str(model))
    architecture = str(bytes(reader.fields["general.architecture"].parts[-1]), "utf-8")
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 8.0)
    for tensor in reader.tensors:
        if tensor.name.endswith(("attn_q.weight", "attn_v.weight")):
            inner, outer = (int(size) for size in tensor.shape)
            writer.add_tensor(f"{tensor.name}.lora_a", random.normal(0, 0.05, (4, inner)).astype(np.float16))
            writer.add_tensor(f"{tensor.name}.lora_b", random.normal(0, 0.05, (outer, 4)).astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.model
def test_real_adapters_come_and_go_while_an_answer_is_written(small_model: Path, tmp_path: Path) -> None:
    files = {name: write_adapter(tmp_path / f"{seed}.gguf", small_model, seed=seed)
             for seed, name in enumerate(("ft:one", "ft:two"), 1)}  # fmt: skip
    settings = Settings(workspace=tmp_path, context_tokens=1024, slots=2)

    def start(adapters: Mapping[str, Path], size: EngineSize | None) -> LocalEngine:
        return start_engine(settings, small_model, "base", adapters=adapters, size=size)

    engine = SwitchingEngine(start, {}, has_room=lambda size: True)
    short = {
        "messages": [{"role": "user", "content": "Compte de un à dix."}],
        "temperature": 0,
        "max_tokens": 24,
    }

    async def main() -> None:
        await asyncio.to_thread(engine.wait_ready, 120)
        base = await text_of(engine, **short)
        stream = engine.stream({**short, "max_tokens": 40})
        await anext(stream)
        await asyncio.to_thread(engine.switch, files)
        assert len(await words_of(stream)) > 5, "begun without adapters, ended without"
        texts = [await text_of(engine, **short, model=name) for name in ("ft:one", "ft:two", "base")]
        again = [await text_of(engine, **short, model=name) for name in ("ft:two", "ft:one", "base")]
        assert texts[2] == base and len({*texts}) == 3, "each answers in its own way"
        assert again == [texts[1], texts[0], texts[2]], "whatever was asked before"
        await engine.aclose()

    try:
        asyncio.run(main())
    finally:
        engine.stop()
