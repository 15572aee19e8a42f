"""Commands in this process over a test database, and whole installations as processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from etabli.cli.main import app
from product import Product, fake_endpoints, fake_settings, make_office

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def endpoints() -> Iterator[str]:
    with fake_endpoints() as url:
        yield url


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A workspace with two documents, not yet added."""
    return make_office(tmp_path / "office")


@pytest.fixture
def etabli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command in this process, in an empty folder, in English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "ETABLI_WORKSPACE", "ETABLI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture
def in_office(
    etabli: Run, office: Path, endpoints: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """The same, for a workspace with an empty database of its own."""
    for name, value in fake_settings(endpoints).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ETABLI_DATABASE_URL", database_url)
    monkeypatch.setenv("ETABLI_WORKSPACE", str(office))
    return etabli


@pytest.fixture
def product(office: Path, endpoints: str) -> Iterator[Product]:
    """A whole installation, as processes, with its embedded database."""
    one = Product(office, fake_settings(endpoints))
    yield one
    one.close()
