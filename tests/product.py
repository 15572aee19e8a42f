"""The whole product as a person runs it: real processes and a real database, with engines that need no weights."""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from etabli.engines.fake import FakeEngine
from etabli.engines.fake_app import fake_app
from etabli.engines.fake_embedder import FakeEmbedder

QUESTION = "What does replacing a lost badge cost?"
FACT = "Replacing a lost badge costs 10 euros, to be paid at the reception desk."
REPLY = "Replacing a lost badge costs 10 euros [2]."
ASSISTANT = f"""
title: The office
language: en
collections: [general]
passages: 1
first_questions: ["{QUESTION}"]
"""


async def _embeddings(request: Request) -> Response:
    body = json.loads(await request.body())
    vectors = FakeEmbedder().embed_passages(body["input"])
    data = [
        {"index": index, "embedding": base64.b64encode(np.asarray(row, "<f4").tobytes()).decode()}
        for index, row in enumerate(vectors)
    ]
    return JSONResponse({"object": "list", "data": data, "model": body["model"]})


@contextlib.contextmanager
def fake_endpoints(engine: FakeEngine | None = None) -> Iterator[str]:
    """A chat engine and an embeddings engine on a loopback port; gives their address, ending in `/v1`."""
    app = fake_app(engine or FakeEngine([REPLY]))
    app.router.routes.append(Route("/v1/embeddings", _embeddings, methods=["POST"]))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def fake_settings(url: str) -> dict[str, str]:
    """The environment that makes the product use the fake endpoints."""
    return {
        "ETABLI_ENGINE_URL": url,
        "ETABLI_ENGINE_MODEL": "fake",
        "ETABLI_EMBEDDINGS_URL": url,
        "ETABLI_EMBEDDINGS_MODEL": "fake-embedder",
        "ETABLI_PORT": "0",
    }


def make_office(folder: Path) -> Path:
    """A workspace with one assistant and two documents."""
    (folder / "assistants").mkdir(parents=True)
    (folder / "documents" / "general").mkdir(parents=True)
    (folder / "assistants" / "office.yaml").write_text(ASSISTANT, encoding="utf-8")
    (folder / "documents" / "general" / "badges.md").write_text(f"# Badges\n\n{FACT}\n", encoding="utf-8")
    (folder / "documents" / "general" / "canteen.md").write_text(
        "# Canteen\n\nLunch is served from noon to two.\n", encoding="utf-8"
    )
    (folder / "etabli.toml").write_text("", encoding="utf-8")
    return folder


class Product:
    """`etabli` for one workspace, as processes.

    Args:
        workspace: its folder.
        settings: `ETABLI_…` variables.
    """

    def __init__(self, workspace: Path, settings: dict[str, str], *, locale: str = "C.UTF-8") -> None:
        self.workspace = workspace
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ETABLI_", "LC_", "LANG"))
        }
        self.environment |= {"ETABLI_WORKSPACE": str(workspace), "LC_ALL": locale, **settings}
        self.server: subprocess.Popen[str] | None = None

    def run(self, *words: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "etabli.cli.main", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def json(self, *words: str) -> Any:
        """What a command with `--json` says."""
        done = self.run(*words, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def launch(self) -> None:
        """Begin `etabli start`."""
        self.server = subprocess.Popen(
            [sys.executable, "-u", "-m", "etabli.cli.main", "start"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def start(self) -> str:
        """`etabli start`, until it is ready and has asked its first question; gives what it printed until then."""
        self.launch()
        return self.read_until("Ctrl-C")

    def read_until(self, words: str, *, timeout_s: float = 300) -> str:
        """What it prints, up to the line with these words."""
        assert self.server is not None and self.server.stdout is not None
        lines: list[str] = []
        killer = threading.Timer(timeout_s, self.server.kill)
        killer.start()
        for line in self.server.stdout:
            lines.append(line)
            if words in line:
                break
        killer.cancel()
        assert lines and words in lines[-1], "".join(lines)
        return "".join(lines)

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Our processes by their part: main, engine, worker, reader, postgres."""
        assert self.server is not None
        main = psutil.Process(self.server.pid)
        found: dict[str, list[psutil.Process]] = {"main": [main]}
        words = {
            "engines.llama_server": "engine",
            "knowledge.worker_process": "worker",
            "readers.worker": "reader",
        }
        for child in main.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                line = " ".join(child.cmdline())
                for word, part in words.items():
                    if word in line:
                        found.setdefault(part, []).append(child)
        pid_file = self.workspace / "data" / "postgres" / "postmaster.pid"
        words_of_it = pid_file.read_text().split() if pid_file.exists() else []
        if words_of_it and int(words_of_it[0]) > 0:  # negative while the cluster is being made
            found["postgres"] = [psutil.Process(int(words_of_it[0]))]
        return found

    def interrupt(self, timeout_s: float = 60) -> int:
        """Press Ctrl-C; gives the exit status."""
        assert self.server is not None
        os.killpg(self.server.pid, signal.SIGINT)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = 60) -> int:
        """Wait for the server to end, after it was told or killed."""
        assert self.server is not None and self.server.stdout is not None
        status = self.server.wait(timeout_s)
        self.server.stdout.close()
        self.server = None
        return status

    def left_over(self) -> list[str]:
        """Command lines of processes that belong to this workspace and still live."""
        found = []
        for process in psutil.process_iter(["cmdline", "environ", "status"]):
            line = " ".join(process.info["cmdline"] or ())
            own = str(self.workspace) in line or (
                (process.info["environ"] or {}).get("ETABLI_WORKSPACE") == str(self.workspace)
            )
            if own and process.info["status"] != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                found.append(line)
        return found

    def close(self) -> None:
        """End what a failed test left behind."""
        if self.server is not None and self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGKILL)
            self.wait()
        pid_file = self.workspace / "data" / "postgres" / "postmaster.pid"
        if pid_file.exists():
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)


def wait_until(condition: Any, *, timeout_s: float = 120) -> None:
    """Wait until `condition()` holds.

    Raises:
        TimeoutError: it did not in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(condition)
        time.sleep(0.1)
