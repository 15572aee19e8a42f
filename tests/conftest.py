"""What tests share: one embedded PostgreSQL a run, one empty migrated database a test, English messages."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from etabli.messages import set_language
from etabli.storage.database import Database
from etabli.storage.embedded import EmbeddedPostgres


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    folder = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(
        folder / "cluster", run_dir=folder / "run", log_path=folder / "log", memory_bytes=2**31
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def template_database(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database that each test's own is copied from."""
    name = "template_etabli"
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    Database(_named(postgres, name)).close()
    return name


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, template_database: str) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}")
    yield _named(postgres, name)
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url) as opened:
        yield opened


@pytest.fixture
def examples() -> Path:
    """The folder of the demo organisation."""
    return Path(__file__).parent.parent / "examples" / "clinique"


def _named(postgres: EmbeddedPostgres, name: str) -> str:
    return postgres.conninfo.replace("dbname=etabli", f"dbname={name}")
