"""How commands speak: steps with a mark and a time, one progress bar at a time, plain lines when nobody watches.

On a terminal a step turns, shows how far it is, and leaves one line behind. Piped into a file or another program
the same step is one plain line without control codes.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from etabli.messages import language

WIDEST = 88
DONE, FAILED, NOTE = "✓", "✗", "•"


def make_console(*, stderr: bool = False) -> Console:
    """The console of a command. Numbers and paths are not coloured: colour is for what matters."""
    return Console(stderr=stderr, highlight=False)


def print_json(value: Any) -> None:
    """Print a value for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def seconds(value: float) -> str:
    """A duration for people.

    >>> from etabli.messages import set_language
    >>> set_language("en"); seconds(0.42), seconds(83)
    ('0.4 s', '1 min 23 s')
    """
    if value >= 60:
        return f"{int(value) // 60} min {int(value) % 60} s"
    text = f"{value:.1f} s"
    return text.replace(".", ",") if language() == "fr" else text


def shown_path(path: Path) -> str:
    """A path as a person would type it from here.

    >>> shown_path(Path.cwd() / "demo")
    'demo'
    """
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


class Step:
    """One step of a command, while it runs."""

    def __init__(self, label: str, bar: Progress | None) -> None:
        self.label = label
        self.mark = DONE
        self._bar = bar
        self._task = bar.add_task(label, total=None, detail="") if bar is not None else None

    def update(self, done: int, total: int | None, detail: str = "") -> None:
        """Say how far it is."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total or None, detail=detail)

    def end(self, label: str, *, mark: str = DONE) -> None:
        """What the line left behind says."""
        self.label, self.mark = label, mark


@contextmanager
def step(console: Console, label: str) -> Iterator[Step]:
    """A step: turning while the `with` lasts, one line with its time afterwards; no line when it fails."""
    began = time.monotonic()
    if console.is_terminal:
        columns = (
            TextColumn(" "),
            SpinnerColumn("dots", style="cyan"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24, pulse_style="bar.back"),
            TextColumn("{task.fields[detail]}", style="dim", markup=False),
        )
        with Progress(*columns, console=console, transient=True, refresh_per_second=8) as bar:
            current = Step(label, bar)
            yield current
    else:
        current = Step(label, None)
        yield current
    say_step(console, current.label, mark=current.mark, took=time.monotonic() - began)


def say_step(console: Console, label: str, *, mark: str = DONE, took: float | None = None) -> None:
    """A line with its mark, and its time at the right."""
    colour = {DONE: "green", FAILED: "red", NOTE: "yellow"}[mark]
    line = Text(f"  {mark} ", style=colour)
    line.append(label, style="default")
    if took is not None:
        right = seconds(took)
        room = min(console.width, WIDEST) - line.cell_len - len(right) - 1
        line.append((" " * room if room > 0 and console.is_terminal else "  ") + right, style="dim")
    console.print(line, soft_wrap=not console.is_terminal)
