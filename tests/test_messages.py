"""Every sentence that people see exists in English and in French, with the same placeholders."""

import ast
import json
import string
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import typer.main
from typer import rich_utils

from etabli.cli.help import help_texts
from etabli.cli.main import app
from etabli.messages import french, set_language, tr

SOURCE = Path(__file__).parent.parent / "src" / "etabli"
CATALOGUES = sorted(
    path for path in (SOURCE / "locale" / "fr").glob("*.json") if not path.name.startswith("web_")
)
"""Those of the screens are checked by `tests/web`."""


@cache
def sentences() -> dict[str, str]:
    """Every sentence given to `tr` in the source, with the place of its first use."""
    found: dict[str, str] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                place = f"{path.relative_to(SOURCE)}:{node.lineno}"
                assert node.args and isinstance(node.args[0], ast.Constant), (
                    f"{place}: tr needs a literal sentence, or nobody can translate it"
                )
                found.setdefault(str(node.args[0].value), place)
    return found


def helps() -> set[str]:
    """Every help text of the command line."""
    set_language("en")
    command = typer.main.get_command(app)
    context = typer.Context(command)
    for name in command.list_commands(context):  # type: ignore[attr-defined]
        command.get_command(context, name)  # type: ignore[attr-defined]
    titles = {
        rich_utils.ARGUMENTS_PANEL_TITLE,
        rich_utils.OPTIONS_PANEL_TITLE,
        rich_utils.COMMANDS_PANEL_TITLE,
    }
    return set(help_texts(command)) | titles


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_every_sentence_has_its_french_twin() -> None:
    missing = {sentence: place for sentence, place in sentences().items() if sentence not in french()}
    assert not missing, json.dumps(missing, ensure_ascii=False, indent=1)


def test_every_help_text_has_its_french_twin() -> None:
    missing = sorted(helps() - french().keys())
    assert not missing, json.dumps(missing, ensure_ascii=False, indent=1)


def test_no_translation_is_left_over() -> None:
    unused = french().keys() - sentences().keys() - helps()
    assert not unused


def test_twins_have_the_same_placeholders() -> None:
    for english, translation in french().items():
        if english in sentences():
            assert placeholders(english) == placeholders(translation), english


def test_a_sentence_is_translated_once() -> None:
    counts = Counter(key for path in CATALOGUES for key in json.loads(path.read_text(encoding="utf-8")))
    assert not [key for key, count in counts.items() if count > 1]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.name)
def test_french_typography(path: Path) -> None:
    """No-break spaces before double punctuation and inside guillemets, typographic apostrophes."""
    for translation in json.loads(path.read_text(encoding="utf-8")).values():
        for mark in (" ?", " !", " ;", " : ", "« ", " »"):
            assert mark not in translation, f"{mark!r} in {translation!r}"


def test_the_language_is_followed() -> None:
    set_language("fr")
    assert tr("none") == french()["none"] != "none"
    set_language("en")
    assert tr("none") == "none"
