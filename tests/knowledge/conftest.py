from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from etabli.engines.fake_embedder import FakeEmbedder
from etabli.jobs.worker import drain
from etabli.knowledge.ingestion import EMBED_JOB, TEND_JOB, Ingestion
from etabli.knowledge.library import READ_JOB, Library
from etabli.knowledge.reading import DocumentReader
from etabli.knowledge.search import Searcher
from etabli.settings import Settings, load_settings
from etabli.storage.database import Database

ALL_JOBS = (READ_JOB, EMBED_JOB, TEND_JOB)
Ingest = Callable[[Sequence[str]], None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(tmp_path / "workspace")


@pytest.fixture
def library(database: Database, settings: Settings) -> Library:
    return Library(database, settings.files_dir)


@pytest.fixture
def ingestion(database: Database, settings: Settings) -> Iterator[Ingestion]:
    with DocumentReader(settings, workers=1) as reader:
        yield Ingestion(database, settings, reader=reader, embedder=FakeEmbedder())


@pytest.fixture
def ingest(database: Database, ingestion: Ingestion) -> Ingest:
    def run(kinds: Sequence[str] = ALL_JOBS) -> None:
        drain(database, ingestion, kinds, lambda: None)

    return run


@pytest.fixture
def searcher(database: Database) -> Iterator[Searcher]:
    found = Searcher(database, FakeEmbedder())
    yield found
    found.close()
