"""`etabli`: the command line. Each group of commands lies in its own file and is imported when it is used.

A mistake is one sentence on the error stream and exit status 1 (2 for a command that cannot be understood);
Ctrl-C ends quietly with 130. Nobody ever sees a traceback of a mistake that is theirs.
"""

import importlib
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from etabli import __version__
from etabli.cli.help import translate_help
from etabli.errors import ConfigurationError, EtabliError
from etabli.messages import set_language
from etabli.settings import environment_language, load_settings

_COMMANDS = {
    "init": "etabli.cli.initialise:app",
    "start": "etabli.cli.start:app",
    "sign-in": "etabli.cli.sign_in:app",
    "ask": "etabli.cli.ask:app",
    "status": "etabli.cli.status:app",
    "documents": "etabli.cli.documents:app",
    "assistants": "etabli.cli.assistants:app",
    "models": "etabli.cli.models:models_app",
    "eval": "etabli.cli.evaluate:app",
    "data": "etabli.cli.data:app",
    "train": "etabli.cli.train:app",
    "adapters": "etabli.cli.adapters:app",
    "certify": "etabli.cli.certify:app",
    "certificate": "etabli.cli.certificate:app",
    "judges": "etabli.cli.judges:app",
    "backup": "etabli.cli.backup:backup_app",
    "restore": "etabli.cli.backup:restore_app",
    "verify-backup": "etabli.cli.backup:verify_app",
    "doctor": "etabli.cli.doctor:app",
}
"""Where each command is, in the order of a person's first hour."""
_COMPLETION = ("install_completion", "show_completion")


class _Commands(TyperGroup):
    """Imports a command when it is asked for, so that `etabli status` does not load what `etabli start` needs."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _workspace_first(args))

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in _COMMANDS:
            for name in _COMMANDS:  # so that the nearest one can be proposed
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands and cmd_name in _COMMANDS:
            module, _, name = _COMMANDS[cmd_name].partition(":")
            command = typer.main.get_command(getattr(importlib.import_module(module), name))
            command.name = cmd_name
            command.params = [one for one in command.params if one.name not in _COMPLETION]
            translate_help(command)
            self.commands[cmd_name] = command
        return super().get_command(ctx, cmd_name)


def _workspace_first(args: list[str]) -> list[str]:
    """Let `--workspace` stand anywhere on the line, as people write it.

    >>> _workspace_first(["ask", "-w", "demo", "--json", "Why?"])
    ['-w', 'demo', 'ask', '--json', 'Why?']
    """
    first: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in ("-w", "--workspace"):
            first += [word, *[value for value in [next(words, None)] if value is not None]]
        elif word.startswith("--workspace="):
            first.append(word)
        else:
            rest.append(word)
    return first + rest


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"etabli {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            "-w",
            help="Folder of the installation; else ETABLI_WORKSPACE, else the current one.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Établi: your organisation's own ChatGPT, on your own machines, with its sources.

    To begin:

      etabli start --demo -w demo         a demo clinic, its documents, a first cited answer
      etabli init my-office               a workspace of your own
      etabli documents add ~/policies     documents to answer from
      etabli ask "How long is the notice period?"
    """
    try:
        settings = load_settings(workspace)
    except ConfigurationError as error:
        if ctx.invoked_subcommand != "doctor":
            raise
        ctx.obj = error  # the doctor examines the rest all the same
        return
    set_language(settings.language or environment_language())
    ctx.obj = settings


def main() -> None:
    """The entry point."""
    logging.getLogger().addHandler(logging.NullHandler())
    set_language(environment_language())
    command = typer.main.get_command(app)
    translate_help(command)
    try:
        command.main(prog_name="etabli")
    except EtabliError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
