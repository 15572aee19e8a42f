"""Writes reference pages: `python -m etabli.cli.reference FOLDER`.

The command line, the settings, the taxonomy of risks and the rules of training data. What they say comes from the
program itself; a test checks that the committed pages are up to date.
"""

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import typer.main
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from etabli.certification.taxonomy_page import taxonomy_page
from etabli.cli.help import help_paragraphs
from etabli.cli.main import app
from etabli.messages import set_language
from etabli.settings import CONFIG_NAME, Settings
from etabli.training.data.rules_page import rules_page

_WRITTEN_BY = "<!-- Written by `make docs`. Change the source, not this page. -->"


def pages() -> dict[str, str]:
    """The pages, by file name."""
    set_language("en")
    try:
        return {
            "cli.md": command_line_page(),
            "settings.md": settings_page(),
            "taxonomy.md": taxonomy_page(_WRITTEN_BY),
            "training-data.md": rules_page(_WRITTEN_BY),
        }
    finally:
        set_language(None)


def command_line_page() -> str:
    """Every command with its arguments and options."""
    command = typer.main.get_command(app)
    head = [
        "# The command line",
        _WRITTEN_BY,
        "`--workspace` may stand anywhere on the line. A mistake is one sentence on the error stream and exit status "
        "1; a command that cannot be understood exits with 2, one that was interrupted with 130. Messages are in "
        "French where the locale is French, else in English; `ETABLI_LANGUAGE` chooses.",
    ]
    return "\n\n".join([*head, *_command_sections(command, "etabli", typer.Context(command))]) + "\n"


def _command_sections(command: Any, name: str, context: Any) -> Iterator[str]:
    """A section for a command, then those of the commands under it."""
    yield f"## `{name}`"
    for paragraph in help_paragraphs(command):
        yield _as_markdown(paragraph)
    rows = [_parameter_row(one) for one in command.params if one.name != "help"]
    if rows:
        yield "\n".join(["| argument or option | meaning |", "|---|---|", *rows])
    for child in command.list_commands(context) if hasattr(command, "list_commands") else ():
        under = command.get_command(context, child)
        yield from _command_sections(under, f"{name} {child}", typer.Context(under, parent=context))


def _as_markdown(paragraph: str) -> str:
    """Examples as a block of code, other paragraphs as they are."""
    head, _, rest = paragraph.partition("\n")
    if head in ("Examples:", "Example:"):
        return "```\n" + "\n".join(line.strip().strip("`") for line in rest.splitlines()) + "\n```"
    if head.startswith("Example: "):
        return "```\n" + head.removeprefix("Example: ").strip("`") + "\n```"
    if paragraph.startswith(" "):
        return "```\n" + "\n".join(line.strip() for line in paragraph.splitlines()) + "\n```"
    return paragraph


def _parameter_row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        word = f"`{parameter.name.upper()}`" + ("" if parameter.required else " (optional)")
    else:
        word = ", ".join(f"`{one}`" for one in parameter.opts)
    meaning = parameter.help or ""
    default = parameter.default
    if isinstance(default, (int, str)) and not isinstance(default, bool) and default != "":
        meaning += f" Default: {default}."
    return f"| {word} | {meaning} |".replace("\n", " ")


def settings_page() -> str:
    """Every setting with its variable, its type, its default and its meaning."""
    rows = [
        f"| `{name}` | {_kind(field.annotation)} | {_default(name, field)} | {field.description or ''} |"
        for name, field in Settings.model_fields.items()
    ]
    head = (
        "A setting comes from the environment, as `ETABLI_` and its name in capitals, else from "
        f"`{CONFIG_NAME}` in the workspace, else from its default. Unknown names are refused. Lists are written as "
        "JSON in the environment: `ETABLI_OUTBOUND='[\"mirror.example.org\"]'`. Keys and passwords belong in the "
        "environment or in a file that only its owner reads."
    )
    return (
        "\n\n".join(
            [
                "# The settings",
                _WRITTEN_BY,
                head,
                "\n".join(["| setting | type | default | meaning |", "|---|---|---|---|", *rows]),
            ]
        )
        + "\n"
    )


def _kind(annotation: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return ", ".join(_kind(one) for one in arguments if one is not types.NoneType)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in arguments)
    if origin is tuple:
        return "list of texts"
    names = {str: "text", int: "whole number", float: "number", Path: "path", SecretStr: "text (secret)"}
    return names[annotation]


def _default(name: str, field: Any) -> str:
    if name == "models_dir":
        return "`~/.local/share/etabli/models`"
    if field.default is None or field.default is PydanticUndefined:
        return ""
    value = field.default
    return "none" if value == () else f"`{value}`"


def main() -> None:
    """Write the pages into the folder that is named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
