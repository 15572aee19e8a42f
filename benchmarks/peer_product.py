"""The product as a person runs it, for the benchmarks that measure it from outside. Linux."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from demo_workspace import COLLECTION

from etabli.demo import make_workspace
from etabli.engines.e5 import E5Embedder
from etabli.jobs.worker import drain
from etabli.knowledge.ingestion import EMBED_JOB, TEND_JOB, Ingestion
from etabli.knowledge.library import READ_JOB, Library
from etabli.knowledge.reading import DocumentReader
from etabli.settings import load_settings
from etabli.storage.database import Database


class Product:
    """`etabli start` in a workspace.

    Args:
        folder: the workspace, which is there.
        model: catalogue name.
    """

    def __init__(self, folder: Path, model: str) -> None:
        self.settings = load_settings(folder, model=model, port=0)
        environment = {**os.environ, "ETABLI_MODEL": model, "ETABLI_PORT": "0"}
        self._log = (folder / "start.log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "etabli.cli.main", "--workspace", str(folder), "start"],
            env=environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._url = self._wait()
        self._key = (self.settings.run_dir / "api-key").read_text().strip()
        self._client = httpx.Client(
            base_url=self._url, headers={"Authorization": f"Bearer {self._key}"}, timeout=600, trust_env=False
        )

    @property
    def pid(self) -> int:
        """Of the server's process, whose children are the engine and the worker."""
        return self._process.pid

    def _wait(self) -> str:
        file = self.settings.run_dir / "server.json"
        while not file.exists():
            if self._process.poll() is not None:
                raise SystemExit(f"the product did not start:\n{Path(self._log.name).read_text()[-2000:]}")
            time.sleep(0.2)
        return str(json.loads(file.read_text())["url"])

    def peer_config(self) -> dict[str, Any]:
        """What another program needs to use the same engine and embedding model."""
        state = self._client.get("/status").raise_for_status().json()
        return {
            "url": self._url + "/v1",
            "key": self._key,
            "model": state["engine"]["model"],
            "context_tokens": state["engine"]["context_tokens"],
            "embedding_model": E5Embedder().name,
        }

    def wait_documents(self) -> None:
        """Until every document is searchable by words and by vectors."""
        while True:
            waiting = self._client.get("/status").raise_for_status().json()["waiting"]
            if not any(waiting.values()):
                return
            time.sleep(0.5)

    def first_token_s(self, model: str, question: str) -> float:
        """Seconds from the request to the first word, which ends it; to the end of an answer that has no word."""
        body = {"model": model, "messages": [{"role": "user", "content": question}], "stream": True}
        began = time.perf_counter()
        with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: {") and _has_words(json.loads(line[6:])):
                    break
        return time.perf_counter() - began

    def stop(self) -> None:
        """End it and wait."""
        self._client.close()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)
        self._log.close()


def _has_words(event: dict[str, Any]) -> bool:
    return any(choice.get("delta", {}).get("content") for choice in event.get("choices", ()))


@contextmanager
def product(folder: Path, model: str) -> Iterator[Product]:
    """The product, running in a workspace that is there."""
    running = Product(folder, model)
    try:
        yield running
    finally:
        running.stop()


def ingest(folder: Path, embedder: E5Embedder) -> float:
    """Make a workspace with the demo; seconds to read, cut, index and embed its documents, in this process."""
    make_workspace(folder, demo=True)
    settings = load_settings(folder)
    with Database.open(settings) as database:
        began = time.perf_counter()
        Library(database, settings.files_dir).add(settings.documents_dir / COLLECTION, collection=COLLECTION)
        with DocumentReader(settings) as reader:
            ingestion = Ingestion(database, settings, reader=reader, embedder=embedder)
            drain(database, ingestion, (READ_JOB, EMBED_JOB, TEND_JOB), lambda: None)
        return time.perf_counter() - began
