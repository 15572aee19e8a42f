"""What every command is given: the settings, and the workspace when it needs one."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etabli.errors import ConfigurationError
from etabli.messages import tr
from etabli.settings import CONFIG_NAME, Settings

if TYPE_CHECKING:
    from etabli.workspace import Workspace

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def settings_of(ctx: typer.Context) -> Settings:
    """The settings that the options and the environment choose."""
    settings = ctx.find_root().obj
    assert isinstance(settings, Settings)
    return settings


def workspace_settings(ctx: typer.Context) -> Settings:
    """The same, for a command that needs a workspace.

    Raises:
        ConfigurationError: there is none.
    """
    settings = settings_of(ctx)
    if not (settings.workspace / CONFIG_NAME).is_file():
        raise ConfigurationError(no_workspace(settings.workspace))
    return settings


@contextlib.contextmanager
def open_workspace(ctx: typer.Context) -> "Iterator[Workspace]":
    """The workspace of a command, closed at its end.

    Raises:
        ConfigurationError: there is none.
    """
    settings = workspace_settings(ctx)
    from etabli.workspace import Workspace  # imports engines and numerical libraries: not for `--help`

    with Workspace(settings) as workspace:
        yield workspace


def no_workspace(folder: Path) -> str:
    """The sentence for a folder that is no workspace."""
    return tr(
        "{folder} is not a workspace: it has no etabli.toml. Make one there with `etabli init`, or name another "
        "with --workspace.",
        folder=folder,
    )
