"""What the gateway costs: tokens per second and time to the first token, beside the bare engine in the same run.

python benchmarks/gateway.py                    # the local engine with a small model
python benchmarks/gateway.py --engine fake      # scripted words at a steady pace: the overhead alone

Engine, gateway and client are processes of their own, the gateway under uvicorn exactly as `etabli start` runs it.
Each repeat asks both, in alternating order, with prompts that no cache has seen whole; the figures are medians of the
paired repeats. With the fake engine the last line has no pace: it shows the most that the gateway carries.

What would otherwise differ by chance is the same for both:

- Every answer has the same number of tokens: the token that ends an answer is forbidden. A round in which some
  answers end early has smaller batches, whoever asks.
- The requests of a round come at the same moments, drawn over `--spread` seconds. In one burst whoever comes first is
  read alone and all others wait for that whole step, so that a millisecond decides about a quarter of a second. The
  median of the time to the first token is taken over the differences of the pairs of requests.
- The engine's slots have all been used before the first round.

With `--control` the engine stands beside itself: lines of what chance alone does on this machine at this moment.
"""

import argparse
import asyncio
import json
import os
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

KEY = secrets.token_urlsafe(24)
LONG_TASK = "Compte de 1 à 2000, un nombre par ligne, sans rien d'autre. Référence {nonce}."


@dataclass(frozen=True)
class Endpoint:
    """Where to ask.

    Attributes:
        url: without path.
        key: the bearer token.
        model: its name there.
        pid: the process to charge for CPU time; 0 charges nobody.
        bias: `logit_bias` of its requests.
    """

    url: str
    key: str
    model: str
    pid: int = 0
    bias: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Round:
    """One measurement of one endpoint."""

    tokens: int
    seconds: float
    first_tokens_s: list[float]
    cpu_s: float


@dataclass(frozen=True)
class Line:
    """The result for one number of streams: medians over the repeats, and their spread."""

    label: str
    streams: int
    bare_tokens_per_s: float
    gateway_tokens_per_s: float
    ratio: float
    ratio_low: float
    ratio_high: float
    bare_first_token_ms: float
    added_first_token_ms: float
    gateway_cpu_us_per_token: float


async def ask(endpoint: Endpoint, tokens: int, delay_s: float) -> float:
    """Stream one answer of so many tokens, after a while; gives the seconds to the first one.

    A bare socket: an HTTP client would cost more than what is measured.
    """
    await asyncio.sleep(delay_s)
    host, port = endpoint.url.removeprefix("http://").split(":")
    body = json.dumps(
        {
            "model": endpoint.model,
            "messages": [{"role": "user", "content": LONG_TASK.format(nonce=secrets.token_hex(8))}],
            "max_tokens": tokens,
            "temperature": 0,
            "logit_bias": endpoint.bias,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {endpoint.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection(host, int(port))
    began = time.perf_counter()
    writer.write(head.encode() + body)
    first, tail = 0.0, b""
    while piece := await reader.read(65536):
        tail = (tail + piece)[-4000:]
        if not first and b'"content":"' in tail.replace(b'": "', b'":"').replace(b'"content":""', b""):
            first = time.perf_counter() - began
    writer.close()
    if b"[DONE]" not in tail or not first:
        raise SystemExit(f"{endpoint.url} did not answer whole: {tail[-500:]!r}")
    usage = tail.replace(b" ", b"").rpartition(b'"completion_tokens":')[2]
    counted = int(usage.split(b",")[0].split(b"}")[0])
    if counted != tokens:
        raise SystemExit(f"{endpoint.url} gave {counted} tokens where {tokens} were asked for")
    return first


async def measure(endpoint: Endpoint, delays_s: list[float], tokens: int) -> Round:
    """Ask once after each delay."""
    cpu, began = cpu_seconds(endpoint.pid), time.perf_counter()
    firsts = await asyncio.gather(*(ask(endpoint, tokens, delay_s) for delay_s in delays_s))
    seconds = time.perf_counter() - began
    return Round(
        tokens=tokens * len(delays_s),
        seconds=seconds,
        first_tokens_s=firsts,
        cpu_s=cpu_seconds(endpoint.pid) - cpu,
    )


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used so far (Linux; 0 elsewhere)."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((one / "schedstat").read_text().split()[0]) for one in threads) / 1e9
    except OSError:
        return 0.0


def compare(
    label: str,
    bare: Endpoint,
    gateway: Endpoint,
    *,
    streams: int,
    arguments: argparse.Namespace,
    spread_s: float,
    bar: Progress,
) -> Line:
    """Measure both in turn, `repeats` times, each time the other one first."""
    task = bar.add_task(f"{label}, {streams} streams", total=arguments.repeats)
    pairs: list[tuple[Round, Round]] = []
    for repeat in range(arguments.repeats):
        drawn = random.Random(f"{streams} {repeat}")
        delays_s = [0.0] + sorted(drawn.uniform(0, spread_s) for _ in range(streams - 1))
        order = (bare, gateway) if repeat % 2 == 0 else (gateway, bare)
        rounds = [asyncio.run(measure(endpoint, delays_s, arguments.tokens)) for endpoint in order]
        pairs.append((rounds[0], rounds[1]) if repeat % 2 == 0 else (rounds[1], rounds[0]))
        bar.advance(task)
    ratios = sorted((g.tokens / g.seconds) / (b.tokens / b.seconds) for b, g in pairs)
    return Line(
        label=label,
        streams=streams,
        bare_tokens_per_s=statistics.median(b.tokens / b.seconds for b, _ in pairs),
        gateway_tokens_per_s=statistics.median(g.tokens / g.seconds for _, g in pairs),
        ratio=statistics.median(ratios),
        ratio_low=ratios[0],
        ratio_high=ratios[-1],
        bare_first_token_ms=1000 * statistics.median(one for b, _ in pairs for one in b.first_tokens_s),
        added_first_token_ms=1000
        * statistics.median(
            with_ - without
            for b, g in pairs
            for without, with_ in zip(b.first_tokens_s, g.first_tokens_s, strict=True)
        ),
        gateway_cpu_us_per_token=1e6 * sum(g.cpu_s for _, g in pairs) / sum(g.tokens for _, g in pairs),
    )


def show(console: Console, lines: list[Line]) -> None:
    table = Table(title="Gateway beside the bare engine, medians")
    for column in ("", "streams", "bare tok/s", "gateway tok/s", "ratio (lowest–highest)", "first token",
                   "added", "gateway CPU a token"):  # fmt: skip
        table.add_column(column, justify="left" if not column else "right")
    for line in lines:
        table.add_row(
            line.label,
            str(line.streams),
            f"{line.bare_tokens_per_s:,.1f}",
            f"{line.gateway_tokens_per_s:,.1f}",
            f"{line.ratio:.3f} ({line.ratio_low:.3f}–{line.ratio_high:.3f})",
            f"{line.bare_first_token_ms:.1f} ms",
            f"{line.added_first_token_ms:+.1f} ms",
            f"{line.gateway_cpu_us_per_token:.0f} µs",
        )
    console.print(table)


class Child:
    """This file in another role, in a process that ends with this one. Its first line says where it listens."""

    def __init__(self, role: str, **options: Any) -> None:
        command = [sys.executable, __file__, "--role", role, "--options", json.dumps(options)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"the {role} process ended before it listened")
        self.endpoint = Endpoint(**json.loads(line), pid=self._process.pid)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)


def play(role: str, options: dict[str, Any]) -> None:
    """Be the fake engine or the gateway until ended."""
    import uvicorn

    from etabli.engines.fake import FakeEngine
    from etabli.engines.fake_app import fake_app
    from etabli.processes import die_with_parent, exit_at_eof
    from etabli.server.running import server_config

    die_with_parent(os.getppid())
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    port = server.getsockname()[1]
    if role == "engine":
        words = " ".join(["mot"] * options["tokens"])
        app: Any = fake_app(FakeEngine([words], delay_s=options["delay_s"]), key=KEY)
        name = "fake"
    else:
        engine = local_engine(options) if "model" in options else remote_engine(options)
        app, name = gateway_app(engine, options["workspace"]), engine.model
    exit_at_eof(sys.stdin.buffer)
    server.listen(2048)
    print(json.dumps({"url": f"http://127.0.0.1:{port}", "key": KEY, "model": name}), flush=True)
    uvicorn.Server(server_config(app, host="127.0.0.1", port=port)).run(sockets=[server])


def remote_engine(options: dict[str, Any]) -> Any:
    from etabli.engines.openai import OpenAIEngine

    return OpenAIEngine(options["url"] + "/v1", options["key"], model="fake")


def local_engine(options: dict[str, Any]) -> Any:
    """llama.cpp in a supervised child of the gateway, as the product has it."""
    from etabli.engines.local import start_engine
    from etabli.models.pull import ensure_model
    from etabli.settings import load_settings

    given = {name: options[name] for name in ("slots", "context_tokens") if options.get(name)}
    settings = load_settings(Path(options["workspace"]), **given)
    path = Path(options["file"]) if options.get("file") else ensure_model(settings, options["model"])
    engine = start_engine(settings, path, options["model"])
    engine.wait_ready()
    return engine


def gateway_app(engine: Any, workspace: str) -> Any:
    """The product's application; the parts that direct answers never touch are left out."""
    from etabli.assistants.catalogue import AssistantCatalogue
    from etabli.server.app import create_app
    from etabli.server.services import Services
    from etabli.settings import load_settings

    absent = cast(Any, None)
    settings = load_settings(Path(workspace))
    return create_app(
        Services(
            settings=settings,
            database=absent,
            searcher=absent,
            embedder=None,
            assistants=AssistantCatalogue(settings.assistants_dir),
            answerer=absent,
            engine=engine,
            api_key=KEY,
            state=dict,
        )
    )


def run_fake(arguments: argparse.Namespace, workspace: str, bar: Progress) -> list[Line]:
    lines = []
    for pace in (arguments.pace, None):
        delay_s = 1 / pace if pace else 0.0
        with Child("engine", tokens=arguments.tokens, delay_s=delay_s) as engine:
            bare = engine.endpoint
            with Child("gateway", url=bare.url, key=bare.key, workspace=workspace) as gateway:
                asyncio.run(
                    measure(gateway.endpoint, [0.0], arguments.tokens)
                )  # both are warm when it counts
                label = f"fake, {pace:g} words/s each" if pace else "fake, no pace"
                for streams in arguments.streams if pace else (max(arguments.streams),):
                    lines.append(
                        compare(
                            label,
                            bare,
                            gateway.endpoint,
                            streams=streams,
                            arguments=arguments,
                            spread_s=arguments.spread if pace else 0.0,
                            bar=bar,
                        )
                    )
    return lines


def run_local(arguments: argparse.Namespace, workspace: str, bar: Progress) -> list[Line]:
    """The bare engine is the very child that the gateway asks."""
    options = {"slots": arguments.slots, "context_tokens": arguments.context, "file": arguments.file}
    with Child("gateway", model=arguments.model, workspace=workspace, **options) as gateway:
        entry = json.loads((Path(workspace) / "data" / "run" / "engine.json").read_text())
        bare = Endpoint(str(entry["url"]).removesuffix("/v1"), entry["key"], entry["model"])
        bias = never_ending(bare)
        bare, through = replace(bare, bias=bias), replace(gateway.endpoint, bias=bias)
        asyncio.run(measure(through, [0.0] * max(arguments.streams), 8))  # every slot
        sides = [("", through), *([(", beside itself", bare)] if arguments.control else [])]
        return [
            compare(
                arguments.model + label, bare, other,
                streams=streams, arguments=arguments, spread_s=arguments.spread, bar=bar,
            )
            for streams in arguments.streams
            for label, other in sides
        ]  # fmt: skip


def never_ending(engine: Endpoint) -> dict[str, float]:
    """The `logit_bias` under which llama.cpp's model never ends an answer by itself."""

    def request(path: str, body: dict[str, Any] | None = None) -> Any:
        asked = urllib.request.Request(engine.url + path, headers={"Authorization": f"Bearer {engine.key}"})
        if body is not None:
            asked.data = json.dumps(body).encode()
            asked.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)

    ends = {request("/props").get("eos_token") or "", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "</s>"}
    found = [request("/tokenize", {"content": end, "parse_special": True})["tokens"] for end in ends if end]
    return {str(tokens[0]): -100.0 for tokens in found if len(tokens) == 1}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=["local", "fake"], default="local")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name of the local model")
    parser.add_argument("--file", help="its weights, when they are not in the model store")
    parser.add_argument("--slots", type=int, help="answers that the local engine writes at once")
    parser.add_argument("--context", type=int, help="tokens of one conversation of the local engine")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--tokens", type=int, default=128, help="tokens of one answer")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--spread", type=float, default=1.0, help="seconds over which the requests come")
    parser.add_argument("--pace", type=float, default=60.0, help="words a second of each fake stream")
    parser.add_argument("--control", action="store_true", help="with the local engine: also beside itself")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--role", choices=["engine", "gateway"], help=argparse.SUPPRESS)
    parser.add_argument("--options", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role is not None:
        return play(arguments.role, arguments.options)
    console = Console(stderr=arguments.json)
    with tempfile.TemporaryDirectory() as workspace, Progress(console=console, transient=True) as bar:
        (Path(workspace) / "etabli.toml").touch()
        lines = (run_fake if arguments.engine == "fake" else run_local)(arguments, workspace, bar)
    if arguments.json:
        print(json.dumps([asdict(line) for line in lines], indent=2))
    else:
        show(console, lines)


if __name__ == "__main__":
    main()
