"""`etabli models` as a person runs it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from model_server import FileServer, Served
from small_models import digest
from typer.testing import CliRunner, Result

from etabli.cli.models import models_app
from etabli.errors import EtabliError, NotFoundError
from etabli.messages import set_language
from etabli.models.catalogue import load_catalogue
from etabli.models.store import ModelStore
from etabli.settings import Settings

Run = Callable[..., Result]


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings()


@pytest.fixture
def run(settings: Settings) -> Run:
    app = typer.Typer()

    @app.callback()
    def root(ctx: typer.Context) -> None:
        ctx.obj = settings

    app.add_typer(models_app)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(app, ["models", *words])

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ours.gguf"
    path.write_bytes(b"GGUF our weights")
    return path


def test_list_shows_every_model_with_a_verdict(run: Run, file: Path) -> None:
    run("import", str(file))
    result = run("list")
    assert result.exit_code == 0
    for entry in load_catalogue().models:
        assert entry.name in result.stdout
    assert "This machine:" in result.stdout
    assert "commercial use with conditions" in result.stdout
    assert "ours  here, imported, 16 B" in result.stdout


def test_list_in_french(run: Run) -> None:
    set_language("fr")
    output = run("list").stdout
    assert "usage commercial permis" in output and "1,5\u00a0Md de paramètres" in output


def test_list_for_programs(run: Run, file: Path) -> None:
    run("import", str(file))
    document = json.loads(run("list", "--json").stdout)
    assert [row["name"] for row in document["catalogue"]] == [entry.name for entry in load_catalogue().models]
    assert document["catalogue"][0]["verdict"]["level"] in {"comfortable", "tight", "no"}
    assert [row["name"] for row in document["installed"]] == ["ours"]
    assert document["machine"]["cores"] >= 1


def test_pull_from_an_address(run: Run, server: FileServer) -> None:
    data = b"GGUF" + bytes(100_000)
    server.files["/team.gguf"] = Served(data)
    result = run("pull", "team", "--from", f"{server.url}/team.gguf")
    assert result.exit_code == 0, result.exception
    assert "team is here: 97.7 KiB" in result.stdout and digest(data) in result.stdout
    assert "from now on its name means these bytes" in result.stdout
    assert "is here already" in run("pull", "team").stdout
    (line,) = run(
        "pull", "team", "--json", "--again", "--from", f"{server.url}/team.gguf"
    ).stdout.splitlines()
    answer = json.loads(line)
    assert answer["fetched"] is True and answer["sha256"] == digest(data)


def test_a_mistake_is_one_sentence_for_main_to_print(run: Run) -> None:
    result = run("pull", "nothing-like-it")
    assert isinstance(result.exception, NotFoundError)
    assert "etabli models list" in str(result.exception)
    assert isinstance(run("remove", "nothing").exception, EtabliError)


def test_verify_says_which_model_is_damaged(run: Run, file: Path, settings: Settings) -> None:
    assert "There is no model on this machine yet" in run("verify").stdout
    run("import", str(file))
    run("import", str(file), "--name", "again")
    assert run("verify").stdout.count("as it should be") == 2
    blob = ModelStore(settings.models_dir).path_of("ours")
    os.chmod(blob, 0o644)
    blob.write_bytes(b"GGUF our weightz")
    result = run("verify", "--json")
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert [row["ok"] for row in rows] == [False, False]
    assert rows[0]["error"] == "integrity_error"
    assert isinstance(run("verify", "ours").exception, NotFoundError)


def test_import_and_remove(run: Run, file: Path) -> None:
    result = run("import", str(file), "--name", "mine")
    assert result.exit_code == 0
    assert "ours.gguf is now the model mine: 16 B" in result.stdout
    assert "mine is removed; 16 B given back." in run("remove", "mine").stdout


@pytest.mark.parametrize("command", ["list", "pull", "verify", "import", "remove"])
def test_every_command_shows_an_example(run: Run, command: str) -> None:
    assert f"etabli models {command}" in run(command, "--help").stdout
