"""Help texts in the reader's language: docstrings and option helps are English, their French twins translated."""

import inspect
from collections.abc import Iterator
from typing import Any

from typer import rich_utils

from etabli.messages import french, language

_TITLES = ("ARGUMENTS_PANEL_TITLE", "OPTIONS_PANEL_TITLE", "COMMANDS_PANEL_TITLE")


def translate_help(command: Any) -> None:
    """Put the help of a command, of its options and of its own commands into French where that is the language."""
    if language() != "fr":
        return
    for title in _TITLES:
        setattr(rich_utils, title, french().get(getattr(rich_utils, title), getattr(rich_utils, title)))
    for owner in _owners(command):
        if owner.help:
            owner.help = french().get(inspect.cleandoc(owner.help), owner.help)
        if getattr(owner, "short_help", None):
            owner.short_help = french().get(owner.short_help, owner.short_help)


def help_texts(command: Any) -> Iterator[str]:
    """All help texts of a command and what is under it, as they are looked up."""
    for owner in _owners(command):
        if owner.help:
            yield inspect.cleandoc(owner.help)


def _owners(command: Any) -> Iterator[Any]:
    """The command, its parameters, and the same of the commands it has loaded."""
    yield command
    yield from (parameter for parameter in command.params if hasattr(parameter, "help"))
    for child in getattr(command, "commands", {}).values():
        yield from _owners(child)
