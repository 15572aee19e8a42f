"""Whether adapters on one engine stay apart: what one computed must never answer for another (llama.cpp #26207).

    python benchmarks/adapters.py [--model NAME] [--requests 200] [--json]

Two random adapters on one base. First each of the three is asked alone, with nothing cached and with its own cache:
these are its own answers (a prompt that is continued from a cache is computed in other batches, so that rounding may
decide between two words). Then requests to the three alternate over two prompts, through the product's engine: each
answer must be one of its own; after a request to another it must be the one with nothing cached, and no token of the
prompt may come from the cache.

Beside it the two ways that go wrong, which must show the fault: requests that do not name the adapters, and an engine
that keeps prompts of other conversations. The release in which they no longer do is the one to review the rule in.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from etabli.engines.local import LocalEngine
from etabli.engines.sizing import EngineSize
from etabli.models.hashing import sha256_of
from etabli.models.pull import ensure_model
from etabli.settings import load_settings
from etabli.training.architecture import read_architecture
from etabli.training.base import TrainingPlan
from etabli.training.container import open_container
from etabli.training.export import write_adapter

BASE, FIRST, SECOND = "base", "ft:first", "ft:second"
PROMPTS = (
    "Cite les douze mois de l'année, dans l'ordre, séparés par des virgules.",
    "Compte de un à vingt en toutes lettres, en français, séparé par des virgules.",
)
_TOKENS = 16
_STRENGTH = 0.04
_CHILD = """
import sys, json, xllamacpp
from etabli.engines.llama_server import LlamaConfig, build_params
config = LlamaConfig.model_validate_json(sys.stdin.readline())
params = build_params(config)
params.cache_ram_mib = 4096
server = xllamacpp.Server(params)
print(json.dumps({"address": server.listening_address}), flush=True)
sys.stdin.read()
"""


Own = dict[tuple[str, str], list[str]]
"""The answers that a name gives alone to a prompt; the first with nothing cached."""


@dataclass(frozen=True)
class Isolation:
    """What was found.

    Attributes:
        requests: through the product.
        differences: answers that are not among those the same name gives alone; after another name, not the cold one.
        switches: requests that followed one to another name.
        reused: of these, how many took tokens of the prompt from the cache.
        without_the_vector: differences of 2 requests that do not name the adapters.
        with_other_prompts_kept: differences of 6 on an engine that keeps prompts of other conversations.
    """

    requests: int
    differences: int
    switches: int
    reused: int
    without_the_vector: int
    with_other_prompts_kept: int


class RandomAdapter:
    """Numbers for an adapter that changes answers much."""

    alpha = 16.0

    def __init__(self, base: Path, seed: int) -> None:
        numbers = np.random.default_rng(seed)
        shapes = read_architecture(open_container(base)).shapes
        self._pairs = {
            name: (
                _Numbers(numbers.standard_normal((8, columns))),
                _Numbers(numbers.standard_normal((rows, 8))),
            )
            for name, (rows, columns) in shapes.items()
        }

    def tensors(self) -> dict[str, tuple[Any, Any]]:
        """A and B of each layer."""
        return self._pairs


class _Numbers:
    def __init__(self, values: Any) -> None:
        self._values = (values * _STRENGTH).astype(np.float32)

    def detach(self) -> "_Numbers":
        return self

    def cpu(self) -> "_Numbers":
        return self

    def numpy(self) -> Any:
        return self._values


def write_random(base: Path, folder: Path) -> dict[str, Path]:
    """Two random adapters by their names."""
    plan = TrainingPlan(base="base", base_path=base, base_sha256=sha256_of(base), training_file=base)
    found = {}
    for seed, name in enumerate((FIRST, SECOND)):
        found[name] = folder / f"{seed}.gguf"
        write_adapter(found[name], RandomAdapter(base, seed), plan)
    return found


def measure(base: Path, folder: Path, *, requests: int = 200, seed: int = 1) -> Isolation:
    """Ask and compare, all three ways.

    Args:
        base: the model's file.
        folder: for adapters, logs and run files.
        requests: of the interleaved ones.
        seed: of their order.
    """
    adapters = write_random(base, folder)
    size = EngineSize(threads=1, context_tokens=512, slots=1, cache_ram_mib=0, memory_bytes=0, explanation="")
    engine = LocalEngine(
        base, BASE, size=size, run_dir=folder / "run", log_path=folder / "engine.log", adapters=adapters
    )
    engine.start()
    try:
        engine.wait_ready(300)
        return asyncio.run(_measure(engine, base, adapters, requests, random.Random(seed)))
    finally:
        engine.stop()


async def _measure(
    engine: LocalEngine, base: Path, adapters: Mapping[str, Path], requests: int, order: random.Random
) -> Isolation:
    names = (BASE, *adapters)
    own = await _alone(engine, names)
    if any(len({own[name, prompt][0] for name in names}) < len(names) for prompt in PROMPTS):
        raise SystemExit("the random adapters do not change the answers: nothing could be seen")
    differences = switches = reused = 0
    before = names[-1]
    for _ in range(requests):
        name, prompt = order.choice(list(own))
        said, cached = await _ask(engine, name, prompt)
        switched = name != before
        allowed = own[name, prompt][:1] if switched else own[name, prompt]
        differences += said not in allowed
        switches += switched
        reused += switched and cached > 0
        before = name
    forgotten = 0
    for prompt in PROMPTS:
        await _ask(engine, SECOND, prompt)
        forgotten += _ask_bare(engine, prompt) not in own[BASE, prompt]
    await engine.aclose()
    return Isolation(
        requests, differences, switches, reused, forgotten, _with_host_cache(base, adapters, own)
    )


async def _alone(engine: LocalEngine, names: Sequence[str]) -> Own:
    own: Own = {}
    for name in names:
        for prompt in PROMPTS:
            own[name, prompt] = [(await _ask(engine, name, prompt, cache_prompt=False))[0]]
        for prompt in (*PROMPTS, *PROMPTS[::-1], *PROMPTS):
            own[name, prompt].append((await _ask(engine, name, prompt))[0])
    return own


def _body(prompt: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}]
    return {"messages": messages, "max_tokens": _TOKENS, "temperature": 0, **more}


async def _ask(engine: LocalEngine, name: str, prompt: str, **more: Any) -> tuple[str, int]:
    """The answer, and how many tokens of the prompt came from the cache."""
    answer = await engine.complete(_body(prompt, model=name, **more))
    details = (answer.get("usage") or {}).get("prompt_tokens_details") or {}
    return str(answer["choices"][0]["message"]["content"]), int(details.get("cached_tokens") or 0)


def _ask_bare(engine: LocalEngine, prompt: str) -> str:
    """Past the product's builder: no word of adapters."""
    state = engine.state
    return _post(f"http://127.0.0.1:{state.ready['port']}", str(state.config["api_key"]), _body(prompt))


def _post(address: str, key: str, body: dict[str, Any]) -> str:
    answer = httpx.post(
        f"{address}/v1/chat/completions",
        json=body,
        headers={"Authorization": f"Bearer {key}"},
        timeout=300,
        trust_env=False,
    )
    answer.raise_for_status()
    return str(answer.json()["choices"][0]["message"]["content"])


def _with_host_cache(base: Path, adapters: Mapping[str, Path], own: Own) -> int:
    """The whole vector in every request, but prompts of other conversations are kept in memory."""
    config = {
        "parent_pid": 1, "model_path": str(base), "model_name": BASE, "api_key": "k" * 20, "threads": 1,
        "context_tokens": 512, "slots": 1, "cache_ram_mib": 0, "adapters": [str(path) for path in adapters.values()],
    }  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write(json.dumps(config) + "\n")
        child.stdin.flush()
        address = json.loads(child.stdout.readline())["address"]
        wrong = 0
        for one, other in (PROMPTS, PROMPTS[::-1]):
            for name, prompt in ((FIRST, one), (SECOND, other), (SECOND, one)):
                vector = [
                    {"id": number, "scale": float(each == name)} for number, each in enumerate(adapters)
                ]
                said = _post(address, "k" * 20, _body(prompt, lora=vector))
                wrong += said not in own[name, prompt]
        return wrong
    finally:
        child.kill()
        child.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="etabli-") as name:
        found = measure(ensure_model(load_settings(), options.model), Path(name), requests=options.requests)
    if options.json:
        print(json.dumps(asdict(found)))
        return
    table = Table("", "of", "found", "must be")
    table.add_row("answers that are not its own", str(found.requests), str(found.differences), "0")
    table.add_row("caches reused after another adapter", str(found.switches), str(found.reused), "0")
    table.add_row(
        "wrong where adapters are not named", str(len(PROMPTS)), str(found.without_the_vector), "> 0"
    )
    table.add_row("wrong where other prompts are kept", "6", str(found.with_other_prompts_kept), "> 0")
    Console().print(table)


if __name__ == "__main__":
    main()
