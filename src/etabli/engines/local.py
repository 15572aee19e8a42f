"""The engine of this installation: a supervised llama.cpp child, or the endpoint that a person configured.

`LocalEngine` follows the child through its restarts: each has a new port and a new key. Other processes of the
same workspace (the command line) find the running engine through `run/engine.json`, which only its owner reads.
"""

import asyncio
import logging
import os
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from etabli.engines.base import JSON
from etabli.engines.llama_gguf import read_gguf_header
from etabli.engines.llama_server import COMMAND
from etabli.engines.llama_tools import force_tool_choice, recognise_calls
from etabli.engines.openai import OpenAIEngine, is_loopback
from etabli.engines.openai_assemble import assemble
from etabli.engines.sizing import EngineSize, count_physical_cores, size_engine
from etabli.engines.supervisor import ChildState, RestartPolicy, Supervisor
from etabli.errors import ConfigurationError, EngineUnavailableError
from etabli.messages import tr
from etabli.models.machine import read_machine
from etabli.processes import is_process_alive, read_private_json, write_private_json
from etabli.settings import Settings

RUN_FILE = "engine.json"
OnState = Callable[[ChildState], None]
logger = logging.getLogger(__name__)


class LocalEngine:
    """Implements `ChatEngine` over a llama.cpp child that is restarted when it dies. Made by `start_engine`.

    Args:
        model_path: the GGUF file.
        model_name: name at the endpoint.
        size: threads, context and slots.
        run_dir: where `engine.json` is written while the child is ready.
        log_path: the child's log.
        adapters: LoRA files by name; a body whose `model` is such a name is answered with that adapter.
        on_state: called at every change of state, from the supervisor's thread.
        policy: delays of restarts.
        wait_s: how long a request waits for a child that is starting.
    """

    reports_progress = True
    """llama.cpp says how far it has read a prompt when a request asks for it."""

    def __init__(
        self,
        model_path: Path,
        model_name: str,
        *,
        size: EngineSize,
        run_dir: Path,
        log_path: Path,
        adapters: Mapping[str, Path] | None = None,
        on_state: OnState | None = None,
        policy: RestartPolicy | None = None,
        wait_s: float = 60.0,
    ) -> None:
        self.size = size
        self._model_path = model_path
        self._model = model_name
        self._adapters = dict(adapters or {})
        self._run_file = run_dir / RUN_FILE
        self._listener = on_state
        self._wait_s = wait_s
        self._targets: dict[int, OpenAIEngine] = {}
        self._announced: int | None = None
        self._retired = False
        self._supervisor = Supervisor(
            COMMAND,
            self._configure,
            log_path=log_path,
            policy=policy,
            on_state=self._on_state,
            probe=_answers,
        )

    @property
    def model(self) -> str:
        """The name of the model at the endpoint."""
        return self._model

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        return self.size.context_tokens

    @property
    def adapters(self) -> tuple[str, ...]:
        """Names of the adapters that it holds, in its order."""
        return tuple(self._adapters)

    @property
    def state(self) -> ChildState:
        """What is known of the child now."""
        return self._supervisor.state

    def retire(self) -> None:
        """Another engine takes its place: from now on it announces itself to no other process."""
        self._retired = True

    def start(self) -> None:
        """Start the child; returns at once."""
        self._supervisor.start()

    def wait_ready(self, timeout_s: float | None = None) -> ChildState:
        """Block until the model is loaded.

        Raises:
            EngineUnavailableError: it could not start, or `timeout_s` passed.
        """
        return self._supervisor.wait_ready(timeout_s)

    def stop(self) -> None:
        """End the child. Blocks for a few seconds at most."""
        self._supervisor.stop()
        self._withdraw()

    async def complete(self, body: Mapping[str, Any], *, path: str = "/chat/completions") -> JSON:
        """Send `body` and wait for the whole answer, waiting first for a child that is starting.

        Cancelling the task stops the engine, at the latest after the batch of the prompt that it reads.

        Raises:
            EngineUnavailableError: the child is not there in time, or died meanwhile.
            EngineRequestError: it refused the request.
            ContextLengthError: the prompt is too long for the model.
        """
        # Streamed and put together: llama.cpp notices that a client has gone when it writes a token; while other
        # answers stream it never gets to look after the silent clients (its one-second wait starts over).
        full = {**body, "stream_options": {"include_usage": True}}
        async with aclosing(self.stream(full, path=path)) as chunks:
            return assemble([chunk async for chunk in chunks])

    async def stream(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[JSON, None]:
        """Send `body` with `stream: true` and give the chunks as they come. Closing it cancels the work.

        Raises: as `complete`, also in mid-stream.
        """
        sent = force_tool_choice(body)
        async with aclosing(self._follow(OpenAIEngine.stream, sent, path)) as chunks:
            async with aclosing(recognise_calls(body, chunks)) as recognised:
                async for chunk in recognised:
                    yield chunk

    async def stream_raw(
        self, body: Mapping[str, Any], *, path: str = "/chat/completions"
    ) -> AsyncGenerator[bytes, None]:
        """As `stream`, but gives each event's JSON unparsed, and tool calls only as llama.cpp sees them.

        Raises: as `complete`, also in mid-stream.
        """
        async with aclosing(self._follow(OpenAIEngine.stream_raw, body, path)) as payloads:
            async for payload in payloads:
                yield payload

    async def count_tokens(self, text: str) -> int:
        """How many tokens `text` has for this model.

        Raises:
            EngineUnavailableError: the child is not there in time.
        """
        target = await self._target(time.monotonic() + self._wait_s)
        return await target.count_tokens(text)

    async def aclose(self) -> None:
        """Give back connections; the child goes on. `stop` ends it."""
        targets, self._targets = self._targets, {}
        for target in targets.values():
            await target.aclose()

    async def _follow(
        self, method: Callable[..., Any], body: Mapping[str, Any], path: str
    ) -> AsyncGenerator[Any, None]:
        attempts, answered = _Attempts(self._wait_s), False
        while True:
            target = await self._target(attempts.begin())
            try:
                async with aclosing(method(target, body, path=path)) as items:
                    async for item in items:
                        answered = True
                        yield item
                return
            except EngineUnavailableError as error:
                await self._retry_or_raise(error, attempts, answered=answered)

    async def _target(self, deadline: float) -> OpenAIEngine:
        """The endpoint of the child that runs now; waits until `deadline` (monotonic) for it."""
        while (state := self._supervisor.state).status != "ready":
            if state.status in ("failed", "stopped") or time.monotonic() >= deadline:
                raise EngineUnavailableError(
                    tr("The engine is not ready ({status}). Try again in a moment.", status=state.status)
                )
            await asyncio.sleep(0.05)
        target = self._targets.get(state.starts)
        if target is None:
            target = OpenAIEngine(
                _url(state),
                state.config["api_key"],
                model=self._model,
                context_tokens=self.context_tokens,
                adapters=tuple(self._adapters),
            )
            self._targets[state.starts] = target
        return target

    async def _retry_or_raise(
        self, error: EngineUnavailableError, attempts: "_Attempts", *, answered: bool
    ) -> None:
        """Return to try again when the request met a child that was dying already; else raise what happened."""
        cause = error.__cause__
        if cause is None or isinstance(cause, httpx.ReadTimeout):
            raise error
        if not answered and attempts.may_retry(refused=isinstance(cause, httpx.ConnectError)):
            await asyncio.sleep(0.1)  # until the supervisor has seen it too
            return
        raise EngineUnavailableError(
            tr("The engine stopped during the answer; it is starting again. Try again in a moment.")
        ) from cause

    def _configure(self) -> Mapping[str, Any]:
        return {
            "parent_pid": os.getpid(),
            "model_path": str(self._model_path),
            "model_name": self._model,
            "api_key": secrets.token_urlsafe(32),
            "threads": self.size.threads,
            "context_tokens": self.size.context_tokens,
            "slots": self.size.slots,
            "cache_ram_mib": 0 if self._adapters else self.size.cache_ram_mib,
            "adapters": [str(path) for path in self._adapters.values()],
        }

    def _on_state(self, state: ChildState) -> None:
        if state.status == "ready" and not self._retired:
            write_private_json(
                self._run_file,
                {
                    "url": _url(state),
                    "key": state.config["api_key"],
                    "pid": state.pid,
                    "model": self._model,
                    "context_tokens": self.context_tokens,
                    "adapters": [*self._adapters],
                },
            )
            self._announced = state.pid
        elif state.status != "ready":
            self._withdraw()
        if self._listener is not None:
            self._listener(state)

    def _withdraw(self) -> None:
        """Take our child's `engine.json` away; another process of the workspace may have put its own there."""
        if self._announced is None:
            return
        entry = read_private_json(self._run_file)
        if entry is not None and entry.get("pid") == self._announced:
            self._run_file.unlink(missing_ok=True)
        self._announced = None


class _Attempts:
    """How often one request may be sent: the port of a dead child refuses, a dying child still accepts.

    A request that itself kills the child must not do so for ever: it is sent twice at most.
    """

    _DYING_S = 1.0

    def __init__(self, wait_s: float) -> None:
        self._deadline = time.monotonic() + wait_s
        self._began = 0.0
        self._lost = 0

    def begin(self) -> float:
        """Called before an attempt; gives the time (monotonic) until which to wait for the child."""
        self._began = time.monotonic()
        return self._deadline

    def may_retry(self, *, refused: bool) -> bool:
        """Whether to try again after a lost connection, or one that was `refused`."""
        now = time.monotonic()
        if now >= self._deadline:
            return False
        if refused:
            return True
        self._lost += 1
        return self._lost == 1 and now - self._began < self._DYING_S


def start_engine(
    settings: Settings,
    model_path: Path,
    model_name: str,
    on_state: OnState | None = None,
    *,
    adapters: Mapping[str, Path] | None = None,
    size: EngineSize | None = None,
    run_dir: Path | None = None,
) -> LocalEngine:
    """Size and start the local engine; returns at once, before the model is loaded.

    Args:
        settings: of the installation.
        model_path: the GGUF file.
        model_name: name at the endpoint.
        on_state: called at every change of state.
        adapters: LoRA files by name.
        size: as it is; chosen for the machine if None.
        run_dir: where it announces itself; the installation's if None.

    Raises:
        InvalidInputError: the file is not a GGUF model.
        ConfigurationError: it does not fit in the memory, or a size in the settings cannot be.
    """
    engine = LocalEngine(
        model_path,
        model_name,
        size=size or choose_size(settings, model_path, model_name),
        run_dir=run_dir or settings.run_dir,
        log_path=settings.logs_dir / "engine.log",
        adapters=adapters,
        on_state=on_state,
    )
    engine.start()
    return engine


def choose_size(settings: Settings, model_path: Path, model_name: str) -> EngineSize:
    """The size that fits this machine, this model and the settings.

    Raises: as `start_engine`.
    """
    header = read_gguf_header(model_path)
    size = size_engine(
        read_machine(settings.models_dir),
        header,
        physical_cores=count_physical_cores(),
        threads=settings.threads,
        context_tokens=settings.context_tokens,
        slots=settings.slots,
    )
    logger.info("%s: %s", model_name, size.explanation)
    if not header.has_chat_template:
        logger.warning("%s carries no chat template: ChatML is assumed, answers may be poor", model_path.name)
    return size


def connect_engine(settings: Settings) -> OpenAIEngine:
    """The endpoint that a person configured; by naming it they allowed that host, and no other.

    Raises:
        ConfigurationError: `engine_url` or `engine_model` is not set, or is not an address.
    """
    if settings.engine_url is None or settings.engine_model is None:
        raise ConfigurationError(
            tr("No engine is configured: set engine_url and engine_model, or let Établi start its own.")
        )
    return OpenAIEngine(
        settings.engine_url,
        settings.engine_key.get_secret_value() if settings.engine_key is not None else None,
        model=settings.engine_model,
        context_tokens=settings.context_tokens,
    )


def attach(run_dir: Path) -> OpenAIEngine | None:
    """The engine that another process of this workspace started, or None when none runs. Blocks 2 s at most."""
    entry = read_private_json(run_dir / RUN_FILE)
    if entry is None:
        return None
    try:
        url, key, pid = str(entry["url"]), str(entry["key"]), int(entry["pid"])
        model, context_tokens = str(entry["model"]), int(entry["context_tokens"])
        if not is_loopback(urlsplit(url).hostname or "") or not is_process_alive(pid):
            return None
        adapters = tuple(str(name) for name in entry.get("adapters", ()))
        engine = OpenAIEngine(url, key, model=model, context_tokens=context_tokens, adapters=adapters)
    except (KeyError, TypeError, ValueError, ConfigurationError):
        return None
    return engine if _is_served(url, key, timeout_s=2.0) else None


def _answers(state: ChildState) -> bool:
    """Whether the child answers; its HTTP threads do so even while the model computes."""
    return _is_served(_url(state), str(state.config["api_key"]), timeout_s=10.0)


def _is_served(url: str, key: str, *, timeout_s: float) -> bool:
    headers = {"Authorization": f"Bearer {key}"}
    try:
        return httpx.get(f"{url}/models", headers=headers, timeout=timeout_s, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _url(state: ChildState) -> str:
    return f"http://127.0.0.1:{int(state.ready['port'])}/v1"
