import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from etabli import __version__
from etabli.errors import ConfigurationError
from product import Product

Run = Callable[..., Result]


def test_help_names_every_command_and_shows_how_to_begin(etabli: Run) -> None:
    done = etabli("--help")
    assert done.exit_code == 0
    for word in ("init", "start", "ask", "status", "documents", "assistants", "models"):
        assert word in done.output
    assert "etabli start --demo -w demo" in done.output


@pytest.mark.parametrize(
    "words",
    [["init"], ["start"], ["ask"], ["documents", "add"], ["documents", "search"], ["assistants", "check"]],
)
def test_help_of_a_command_has_examples(etabli: Run, words: list[str]) -> None:
    done = etabli(*words, "--help")
    assert done.exit_code == 0
    assert f"etabli {' '.join(words)}" in done.output.split("Example", 1)[1]


def test_help_is_french_for_the_french(tmp_path: Path) -> None:
    done = Product(tmp_path, {}, locale="fr_FR.UTF-8").run("ask", "--help")
    assert "Poser une question" in done.stdout
    assert "Exemples :" in done.stdout.replace("\u00a0", " ")


def test_version(etabli: Run) -> None:
    assert etabli("--version").output == f"etabli {__version__}\n"


def test_a_folder_that_is_no_workspace_is_one_sentence(tmp_path: Path) -> None:
    done = Product(tmp_path, {}).run("status")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"{tmp_path} is not a workspace: it has no etabli.toml. Make one there with `etabli init`, or name another "
        "with --workspace.\n"
    )


def test_the_same_sentence_in_french(tmp_path: Path) -> None:
    done = Product(tmp_path, {}, locale="fr_FR.UTF-8").run("status")
    assert done.returncode == 1
    assert "n’est pas un espace de travail" in done.stderr


def test_the_language_of_the_settings_wins_over_the_environment(tmp_path: Path) -> None:
    done = Product(tmp_path, {"ETABLI_LANGUAGE": "fr"}).run("ask", "?")
    assert "n’est pas un espace de travail" in done.stderr


def test_a_command_that_cannot_be_understood_exits_with_2(etabli: Run) -> None:
    done = etabli("stat")
    assert done.exit_code == 2
    assert "status" in done.output, "the nearest command is proposed"


def test_the_workspace_may_be_named_anywhere(etabli: Run, office: Path) -> None:
    for words in (
        ["-w", str(office), "status"],
        ["status", "-w", str(office)],
        ["status", f"--workspace={office}"],
    ):
        done = etabli(*words)
        assert done.exit_code == 3, done.output
        assert "does not serve" in done.output


def test_broken_settings_are_named(etabli: Run, office: Path) -> None:
    (office / "etabli.toml").write_text('prot = 8420\nport = "many"\n', encoding="utf-8")
    done = etabli("-w", str(office), "status")
    assert isinstance(done.exception, ConfigurationError)
    assert "prot" in str(done.exception) and "port" in str(done.exception)


HEAVY = ("openvino", "numpy", "fastapi", "starlette", "uvicorn", "pypdfium2", "lxml", "xllamacpp")


@pytest.mark.parametrize("words", [["--help"], ["status"], ["start", "--help"]], ids=" ".join)
def test_light_commands_import_nothing_heavy(office: Path, words: list[str]) -> None:
    code = (
        "import sys\n"
        "from etabli.cli.main import main\n"
        f"sys.argv = ['etabli', '-w', {str(office)!r}, *{words!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
