"""Every sentence that people see exists in English and in French, with the same placeholders."""

import ast
import asyncio
import copy
import json
import pickle
import string
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import typer.main
from typer import rich_utils

from etabli.cli.help import help_texts
from etabli.cli.main import app
from etabli.messages import french, kept, message_of, retold, set_language, speak, speaking, told, tr

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


def nested() -> str:
    reason = tr("this is not YAML ({problem}); look at spaces, quotes and colons", problem="x")
    return tr("{file}, line {line}: {reason}.", file="rh.yaml", line=3, reason=reason)


def test_the_reader_comes_before_the_installation() -> None:
    set_language("en")
    with speaking("fr"):
        assert tr("none") == "aucun"
        with speaking(None):
            assert tr("none") == "none"
    assert tr("none") == "none"


def test_the_reader_goes_along_into_threads_and_tasks_and_no_further() -> None:
    set_language("en")

    async def answer(language: str) -> tuple[str, str]:
        speak(language)
        await asyncio.sleep(0)
        task = asyncio.ensure_future(asyncio.to_thread(tr, "none"))
        return tr("none"), await task

    async def both() -> list[tuple[str, str]]:
        return await asyncio.gather(answer("fr"), answer("en"))

    assert asyncio.run(both()) == [("aucun", "aucun"), ("none", "none")]
    assert tr("none") == "none"


def test_a_sentence_is_told_again_in_the_language_of_whoever_reads_it() -> None:
    set_language("en")
    sentence = nested()
    error = ValueError(sentence)
    for same in (sentence, copy.deepcopy(sentence), pickle.loads(pickle.dumps(sentence))):
        assert same.startswith("rh.yaml, line 3: this is not YAML (x)")
        with speaking("fr"):
            assert retold(same).startswith("rh.yaml, ligne 3") and "YAML (x)" in retold(same)
            assert message_of(error) == retold(same)
    assert message_of(ValueError("other", 3)) == "('other', 3)" and message_of(ValueError()) == ""


def test_a_sentence_is_kept_as_what_it_was_made_of() -> None:
    set_language("fr")
    stored = json.loads(json.dumps([kept(nested()), kept("as it was")]))
    with speaking("en"):
        assert told(stored) == f"{nested()} as it was"
    assert told(stored).startswith("rh.yaml, ligne 3")
    assert told(None) == "" and told("plain {text}") == "plain {text}"


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"say": "{count} old words", "values": {"count": 3}}, "3 old words"),
        ({"say": "{count.__class__} {gone}", "values": {"count": 3}}, "3 …"),
        ({"say": "{0.__class__}", "values": None}, "…"),
        ({"say": "{file}, line {line}: {reason}.", "values": {}}, "…, line …: …."),
        ({"values": {}}, ""),
        ([[[[[["deep"]]]]]], ""),
    ],
)
def test_what_this_program_never_said_reaches_nothing(stored: object, said: str) -> None:
    set_language("en")
    assert told(stored) == said
