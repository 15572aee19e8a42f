"""The demo organisation in a workspace of its own, for the benchmarks that ask it questions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress

from etabli.engines.e5 import E5Embedder
from etabli.jobs.worker import drain
from etabli.knowledge.ingestion import EMBED_JOB, TEND_JOB, Ingestion
from etabli.knowledge.library import READ_JOB, Library
from etabli.knowledge.reading import DocumentReader
from etabli.knowledge.search import Searcher
from etabli.settings import Settings, load_settings
from etabli.storage.database import Database

CLINIC = Path(__file__).parent.parent / "examples" / "clinique"
COLLECTION = "clinique"


@dataclass(frozen=True)
class DemoWorkspace:
    """An open workspace that holds the demo's documents."""

    settings: Settings
    database: Database
    embedder: E5Embedder
    searcher: Searcher


@contextmanager
def demo_workspace(folder: Path, *, threads: int | None = None) -> Iterator[DemoWorkspace]:
    """Open a workspace and read the demo's documents into it; a second time there is nothing to read."""
    settings = load_settings(folder, **({} if threads is None else {"threads": threads}))
    with Database.open(settings) as database:
        embedder = E5Embedder(threads=1)
        changes = Library(database, settings.files_dir).add(CLINIC / "documents", collection=COLLECTION)
        if changes.added or changes.changed:
            _ingest(database, settings, embedder)
        searcher = Searcher(database, embedder)
        try:
            yield DemoWorkspace(settings, database, embedder, searcher)
        finally:
            searcher.close()


def _ingest(database: Database, settings: Settings, embedder: E5Embedder) -> None:
    with DocumentReader(settings, workers=1) as reader, Progress(transient=True) as progress:
        task = progress.add_task("documents", total=None)
        ingestion = Ingestion(database, settings, reader=reader, embedder=embedder)
        drain(database, ingestion, (READ_JOB, EMBED_JOB, TEND_JOB), lambda: progress.advance(task))


def demo_questions(*, with_recognition: bool = False) -> list[dict[str, Any]]:
    """The demo's questions; those about the scanned note only where character recognition is installed."""
    lines = (CLINIC / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    return [one for one in questions if with_recognition or not one.get("needs_ocr")]
