"""Help texts in the reader's language: docstrings and option helps are English, their French twins translated."""

import inspect
from collections.abc import Iterator
from typing import Any

from typer import rich_utils

from etabli.messages import french, language

_TITLES = ("ARGUMENTS_PANEL_TITLE", "OPTIONS_PANEL_TITLE", "COMMANDS_PANEL_TITLE")


def translate_help(command: Any) -> None:
    """Put the help of a command, of its options and of its own commands into the reader's language.

    Paragraphs lose the line breaks of the source, so that they fill whatever width the terminal has.
    """
    for title in _TITLES:
        setattr(rich_utils, title, _in_language(getattr(rich_utils, title)))
    for owner in _owners(command):
        if owner.help:
            owner.help = "\n\n".join(_translated(paragraph) for paragraph in help_paragraphs(owner))


def help_texts(command: Any) -> Iterator[str]:
    """All help texts of a command and what is under it, as they are looked up: by paragraph."""
    for owner in _owners(command):
        for paragraph in help_paragraphs(owner):
            yield _split_example(paragraph)[0]


def help_paragraphs(owner: Any) -> list[str]:
    """The help of a command or an option: paragraphs on one line each, except commands to type."""
    text = owner.help or ""
    return [
        paragraph if paragraph.startswith((" ", "Example")) else paragraph.replace("\n", " ")
        for paragraph in inspect.cleandoc(text).split("\n\n")
    ]


def _translated(paragraph: str) -> str:
    words, commands = _split_example(paragraph)
    return _in_language(words) + commands


def _in_language(words: str) -> str:
    return french().get(words, words) if language() == "fr" else words


def _split_example(paragraph: str) -> tuple[str, str]:
    """What is to be translated, and the commands after it that are not."""
    head = next((word for word in ("Examples:", "Example:") if paragraph.startswith(word)), None)
    return (paragraph, "") if head is None else (head, paragraph.removeprefix(head))


def _owners(command: Any) -> Iterator[Any]:
    """The command, its parameters, and the same of the commands it has loaded."""
    yield command
    yield from (parameter for parameter in command.params if hasattr(parameter, "help"))
    for child in getattr(command, "commands", {}).values():
        yield from _owners(child)
