"""The local engine: following restarts with a stand-in child, and the real llama.cpp with the small model."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from etabli.engines import local
from etabli.engines.local import LocalEngine, attach, connect_engine, start_engine
from etabli.engines.openai import OpenAIEngine
from etabli.engines.sizing import EngineSize
from etabli.engines.supervisor import RestartPolicy
from etabli.errors import ConfigurationError, ContextLengthError, EngineUnavailableError, InvalidInputError
from etabli.processes import is_process_alive, write_private_json
from etabli.settings import Settings, load_settings

BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "Bonjour"}]}
SIZE = EngineSize(1, 4096, 2, 0, 0, "")
STAND_IN = """
import json, os, socket, sys, threading
import uvicorn
from etabli.engines.fake import FakeEngine
from etabli.engines.fake_app import fake_app
from etabli.processes import exit_at_eof
config = json.loads(sys.stdin.buffer.readline())
exit_at_eof(sys.stdin.buffer)
if config["model_name"] == "slow" and os.path.exists(config["model_path"]):
    threading.Event().wait(1.0)
open(config["model_path"], "a").close()
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
engine = FakeEngine([lambda body: "mort" if body.get("die") and os._exit(9) else "mot " * 400], delay_s=0.01)
engine.model = config["model_name"]
server = uvicorn.Server(uvicorn.Config(fake_app(engine, key=config["api_key"]), log_level="critical"))
listener.listen()
print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
server.run(sockets=[listener])
"""
Make = Callable[..., LocalEngine]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Local engines whose child is a fake over HTTP instead of llama.cpp."""
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    monkeypatch.setattr(local, "COMMAND", (sys.executable, str(script)))
    made: list[LocalEngine] = []

    def start(name: str = "fake", **options: Any) -> LocalEngine:
        engine = LocalEngine(
            tmp_path / "started",
            name,
            size=SIZE,
            run_dir=tmp_path / "run",
            log_path=tmp_path / "engine.log",
            policy=RestartPolicy(first_delay_s=0.05),
            **options,
        )
        made.append(engine)
        engine.start()
        return engine

    yield start
    for engine in made:
        engine.stop()


def using(engine: LocalEngine, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        try:
            return await work()
        finally:
            await engine.aclose()

    return asyncio.run(main())


async def first_chunks(engine: LocalEngine, count: int, body: dict[str, Any] = BODY) -> list[Any]:
    async with aclosing(engine.stream(body)) as chunks:
        return [await anext(chunks) for _ in range(count)]


def test_a_request_waits_for_the_start(make: Make) -> None:
    engine = make()
    assert len(using(engine, lambda: first_chunks(engine, 3))) == 3


def test_death_in_mid_answer_then_recovery_with_a_new_key(make: Make, tmp_path: Path) -> None:
    engine = make("slow")
    run_file = tmp_path / "run" / "engine.json"

    async def main() -> None:
        engine.wait_ready(60)
        before = json.loads(run_file.read_text())
        async with aclosing(engine.stream(BODY)) as chunks:
            await anext(chunks)
            os.kill(engine.state.pid or 0, signal.SIGKILL)
            with pytest.raises(EngineUnavailableError, match="it is starting again"):
                async for _ in chunks:
                    pass
        assert await first_chunks(engine, 2)
        after = json.loads(run_file.read_text())
        assert before["key"] != after["key"] and before["pid"] != after["pid"]
        assert run_file.stat().st_mode & 0o777 == 0o600

    using(engine, main)


def test_a_request_that_kills_the_child_is_not_repeated_for_ever(make: Make) -> None:
    engine = make()

    async def main() -> None:
        with pytest.raises(EngineUnavailableError, match="stopped during the answer"):
            await engine.complete({**BODY, "die": True})

    using(engine, main)
    assert engine.state.starts <= 3


def test_waiting_ends(make: Make, tmp_path: Path) -> None:
    (tmp_path / "started").touch()
    engine = make("slow", wait_s=0.1)

    async def main() -> None:
        with pytest.raises(EngineUnavailableError, match="not ready"):
            await engine.complete(BODY)

    using(engine, main)


def test_a_stopped_engine_says_so_at_once(make: Make, tmp_path: Path) -> None:
    engine = make()
    engine.wait_ready(60)
    assert (tmp_path / "run" / "engine.json").exists()
    engine.stop()
    assert not (tmp_path / "run" / "engine.json").exists()
    with pytest.raises(EngineUnavailableError, match="stopped"):
        using(engine, lambda: engine.complete(BODY))


def test_only_the_own_announcement_is_taken_back(make: Make, tmp_path: Path) -> None:
    run_file = tmp_path / "run" / "engine.json"
    engine = make()
    engine.wait_ready(60)
    another = {**json.loads(run_file.read_text()), "pid": os.getpid()}
    write_private_json(run_file, another)
    engine.stop()
    assert json.loads(run_file.read_text()) == another


def test_another_process_attaches(make: Make, tmp_path: Path) -> None:
    assert attach(tmp_path / "run") is None
    engine = make()
    pid = engine.wait_ready(60).pid or 0

    async def main() -> None:
        found = attach(tmp_path / "run")
        assert isinstance(found, OpenAIEngine)
        assert (found.model, found.context_tokens) == ("fake", 4096)
        async with aclosing(found.stream(BODY)) as chunks:
            await anext(chunks)
        await found.aclose()

    using(engine, main)
    entry = json.loads((tmp_path / "run" / "engine.json").read_text())
    engine.stop()
    assert not is_process_alive(pid)
    write_private_json(tmp_path / "run" / "engine.json", entry)
    assert attach(tmp_path / "run") is None


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://10.0.0.1:80/v1"},
        {"pid": 0},
        {"pid": "x"},
        {"url": "nonsense"},
        {"context_tokens": None},
    ],
)
def test_attach_believes_no_odd_file(tmp_path: Path, change: dict[str, Any]) -> None:
    entry = {
        "url": "http://127.0.0.1:9/v1",
        "key": "k",
        "pid": os.getpid(),
        "model": "m",
        "context_tokens": 9,
    }
    write_private_json(tmp_path / "engine.json", {**entry, **change})
    assert attach(tmp_path) is None


def test_adapters_always_send_the_whole_vector(make: Make, tmp_path: Path) -> None:
    engine = make(adapters={"a": tmp_path / "a.gguf", "b": tmp_path / "b.gguf"})
    assert engine.adapters == ("a", "b")
    config = engine._configure()
    assert config["cache_ram_mib"] == 0 and config["adapters"] == [
        str(tmp_path / "a.gguf"),
        str(tmp_path / "b.gguf"),
    ]


def test_a_configured_engine_is_used_as_it_is_named(tmp_path: Path) -> None:
    settings = Settings(
        workspace=tmp_path, engine_url="https://api.example.org/v1", engine_model="big", engine_key="secret"
    )
    engine = connect_engine(settings)
    assert (engine.base_url, engine.model) == ("https://api.example.org/v1", "big")
    assert "secret" not in repr(engine)
    with pytest.raises(ConfigurationError, match="engine_url"):
        connect_engine(Settings(workspace=tmp_path))


def test_a_broken_model_is_refused_before_any_child(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"not a model")
    with pytest.raises(InvalidInputError, match="not a GGUF model"):
        start_engine(Settings(workspace=tmp_path), tmp_path / "m.gguf", "m")


# --- with the real model ---


@pytest.fixture(scope="module")
def real(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    workspace = tmp_path_factory.mktemp("workspace")
    # One thread: two threads of llama.cpp wait for each other by spinning, which crawls on a busy machine.
    settings = load_settings(workspace, threads=1, context_tokens=4096, slots=2)
    engine = start_engine(settings, small_model, "small")
    engine.wait_ready(300)
    yield engine
    engine.stop()


def say(text: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "temperature": 0, "max_tokens": 24, **more}


async def busy_slots(engine: LocalEngine) -> int:
    target = await engine._target(time.monotonic() + 60)
    response = await target._http().get(f"{target._root()}/slots")
    return sum(slot["is_processing"] for slot in response.json())


async def until_idle(engine: LocalEngine) -> None:
    for _ in range(600):
        if await busy_slots(engine) == 0:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("a slot stays busy")


@pytest.mark.model
def test_real_answer_stream_and_counts(real: LocalEngine) -> None:
    async def main() -> None:
        body = say("Quelle est la capitale de la France ? Réponds en un mot.")
        whole = await real.complete(body)
        text = whole["choices"][0]["message"]["content"]
        assert "Paris" in text and whole["model"] == "small"
        chunks = [c async for c in real.stream({**body, "stream_options": {"include_usage": True}})]
        streamed = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
        assert streamed == text
        assert chunks[-1]["usage"]["completion_tokens"] == whole["usage"]["completion_tokens"]
        assert await real.count_tokens("Bonjour le monde") == 3

    using(real, main)


@pytest.mark.model
def test_real_discovery_and_attachment(real: LocalEngine) -> None:
    async def main() -> int | None:
        found = attach(real._run_file.parent)
        assert found is not None
        context = await found.discover_context()
        await found.aclose()
        return context

    assert using(real, main) == 4096


@pytest.mark.model
def test_real_context_overflow(real: LocalEngine) -> None:
    with pytest.raises(ContextLengthError, match="4096"):
        using(real, lambda: real.complete(say("mot " * 6000)))


@pytest.mark.model
def test_real_cancel_frees_the_slot(real: LocalEngine) -> None:
    async def main() -> None:
        await first_chunks(real, 3, say("Écris un long conte.", max_tokens=3000, ignore_eos=True))
        await until_idle(real)
        task = asyncio.create_task(real.complete(say("Un autre conte.", max_tokens=3000, ignore_eos=True)))
        while await busy_slots(real) == 0:
            await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until_idle(real)

    using(real, main)


@pytest.mark.model
def test_real_prefix_reuse(real: LocalEngine) -> None:
    rules = " ".join(
        f"Article {number} : le salarié dispose d'un délai de {number} jours." for number in range(70)
    )

    async def main() -> None:
        async def ask(question: str) -> dict[str, Any]:
            messages = [{"role": "system", "content": rules}, {"role": "user", "content": question}]
            return await real.complete({"messages": messages, "max_tokens": 4, "temperature": 0})

        cold = await ask("Quel est le délai de l'article 7 ?")
        warm = await ask("Et celui de l'article 9, s'il vous plaît ?")
        assert cold["usage"]["prompt_tokens"] > 1000
        cached = warm["usage"]["prompt_tokens_details"]["cached_tokens"]
        assert cached > 0.95 * cold["usage"]["prompt_tokens"] - 30
        assert warm["timings"]["prompt_n"] < 40

    using(real, main)


@pytest.mark.model
def test_real_json_schema(real: LocalEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"ville": {"type": "string"}, "habitants": {"type": "integer"}},
        "required": ["ville", "habitants"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "ville", "strict": True, "schema": schema}}
    answer = using(real, lambda: real.complete(say("Décris Lyon.", max_tokens=60, response_format=form)))
    value = json.loads(answer["choices"][0]["message"]["content"])
    assert set(value) == {"ville", "habitants"} and isinstance(value["habitants"], int)


@pytest.mark.model
def test_real_tool_call(real: LocalEngine) -> None:
    function = {
        "name": "meteo",
        "description": "Donne la météo d'une ville",
        "parameters": {"type": "object", "properties": {"ville": {"type": "string"}}, "required": ["ville"]},
    }
    body = say(
        "Quel temps fait-il à Lyon ?", max_tokens=60, tools=[{"type": "function", "function": function}]
    )

    async def main() -> None:
        for choice in ("required", {"type": "function", "function": {"name": "meteo"}}):
            answer = (await real.complete({**body, "tool_choice": choice}))["choices"][0]
            (call,) = answer["message"]["tool_calls"]
            assert answer["finish_reason"] == "tool_calls" and answer["message"]["content"] is None
            assert call["function"]["name"] == "meteo" and call["id"].startswith("call_")
            assert isinstance(json.loads(call["function"]["arguments"])["ville"], str)
        markers = 'Réponds exactement ceci : <tool_call>{"name": "meteo", "arguments": {"ville": "Lyon"}}</tool_call>'
        chosen = (await real.complete({**body, **say(markers)}))["choices"][0]["message"]["tool_calls"][0]
        assert json.loads(chosen["function"]["arguments"]) == {"ville": "Lyon"}

    using(real, main)


@pytest.mark.model
def test_real_log_holds_no_prompt(real: LocalEngine) -> None:
    using(real, lambda: real.complete(say("Mot de passe : chrysanthème-4711")))
    log = (real._run_file.parent.parent / "logs" / "engine.log").read_text()
    assert "chrysanth" not in log and str(real.state.config["api_key"]) not in log


@pytest.mark.model
def test_real_key_is_required_and_hidden(real: LocalEngine) -> None:
    state = real.state
    stranger = OpenAIEngine(f"http://127.0.0.1:{state.ready['port']}/v1", "x" * 20, model="small")

    async def main() -> bool:
        alive = await stranger.is_alive()
        await stranger.aclose()
        return alive

    assert asyncio.run(main()) is False
    for name in ("cmdline", "environ"):
        assert state.config["api_key"].encode() not in Path(f"/proc/{state.pid}/{name}").read_bytes()


@pytest.mark.model
def test_real_death_in_mid_stream_and_recovery(real: LocalEngine) -> None:
    async def main() -> None:
        async with aclosing(real.stream(say("Compte.", max_tokens=2000, ignore_eos=True))) as chunks:
            for _ in range(3):
                await anext(chunks)
            os.kill(real.state.pid or 0, signal.SIGKILL)
            with pytest.raises(EngineUnavailableError, match="it is starting again"):
                async for _ in chunks:
                    pass
        assert (await real.complete(say("Bonjour")))["choices"][0]["message"]["content"]

    using(real, main)
    assert real.state.starts == 2
