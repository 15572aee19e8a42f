"""The child process that runs llama.cpp: `python -m etabli.engines.llama_server`.

It reads one JSON line on stdin (`LlamaConfig`, with the key: never in arguments or environment, which other
users can read), serves OpenAI's API on a loopback port that the system chooses, writes `{"port": …}` to stdout
once the model is loaded, and exits at once when stdin ends or on SIGTERM. It holds no state worth a clean exit.

Settings of llama.cpp that are not its defaults, and why, are in `docs/concepts/engine.md`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etabli.processes import die_with_parent, exit_at_eof

BATCH_TOKENS = 256
COMMAND = (sys.executable, "-m", "etabli.engines.llama_server")


class LlamaConfig(BaseModel):
    """What the child is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parent_pid: int
    model_path: Path
    model_name: str = Field(min_length=1, description="Name under which the endpoint lists the model.")
    api_key: str = Field(min_length=16, repr=False)
    threads: int = Field(ge=1)
    context_tokens: int = Field(ge=256, description="Of one conversation.")
    slots: int = Field(ge=1)
    cache_ram_mib: int = Field(
        ge=0, description="Host memory for prompts of other conversations; 0 switches off."
    )
    adapters: tuple[Path, ...] = Field((), description="LoRA files; switches the host prompt cache off.")


def build_params(config: LlamaConfig) -> Any:
    """`xllamacpp.CommonParams` for a configuration."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(config.model_path)
    params.model_alias = {config.model_name}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [config.api_key]
    params.cors_origins = "http://127.0.0.1"  # no page of another site may call the engine
    params.ui = False
    params.offline = True
    params.cpuparams.n_threads = config.threads
    params.cpuparams_batch.n_threads = config.threads
    params.n_parallel = config.slots
    params.n_ctx = config.context_tokens * config.slots
    # A prompt is read in pieces of this size; between two of them the other conversations get their next token
    # and a cancelled one is let go. The default, 2048, would stall them all for half a minute on two cores.
    params.n_batch = BATCH_TOKENS
    params.n_ubatch = BATCH_TOKENS
    params.kv_unified = False  # one conversation can never take another's room
    params.fit_params = False  # sized by Établi; fitting loads the model twice
    params.ctx_shift = False  # a context that is full ends the answer; it never forgets the instructions
    params.cache_prompt = True
    params.slot_prompt_similarity = 0.1
    params.n_cache_reuse = 0  # shifting cached chunks changes answers
    params.cache_ram_mib = config.cache_ram_mib
    params.use_jinja = True
    params.endpoint_slots = True
    params.sse_ping_interval = 15
    if config.adapters:
        # llama.cpp reuses a cache filled under one adapter for another: ggml-org/llama.cpp#26207.
        params.cache_ram_mib = 0
        params.lora_init_without_apply = True
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(path), 0.0) for path in config.adapters]
    return params


def main() -> None:
    """Serve until the parent goes. SIGTERM keeps its default action, so that it ends the process at once."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what C++ prints to stdout goes to the log
    try:
        config = LlamaConfig.model_validate_json(sys.stdin.buffer.readline())
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        _reply(replies, {"error": f"the configuration cannot be used: {faults}"})
        sys.exit(2)
    die_with_parent(config.parent_pid)
    exit_at_eof(sys.stdin.buffer)
    import xllamacpp

    try:
        server = xllamacpp.Server(build_params(config))
    except RuntimeError as error:
        print(error, file=sys.stderr, flush=True)
        _reply(replies, {"error": f"llama.cpp could not load {config.model_path.name}"})
        sys.exit(1)
    _reply(replies, {"port": urlsplit(server.listening_address).port})
    import signal

    while True:
        signal.pause()


def _reply(replies: Any, value: dict[str, Any]) -> None:
    replies.write(json.dumps(value) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
