"""Reading at the terminal what no program could decide: one output after the other, blind, a key each.

The same order and the same rules as the browser's page; every decision is kept at once.
"""

from typing import TYPE_CHECKING, Literal

import typer

from etabli.errors import InvalidInputError
from etabli.messages import tr

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.server.certification.protocol import ReadingItem, Said
    from etabli.server.certification.readings import Readings

_MOST_SHOWN = 3_000


def read_outputs(console: "Console", readings: "Readings", campaign: str) -> bool:
    """Show what waits, until the last or until `q`; whether nothing is left.

    Args:
        console: where.
        readings: of the workspace.
        campaign: its id.
    """
    from etabli.server.certification.protocol import ReadingBody

    console.print()
    console.print(
        tr("Now a person decides what no program could. You see what was asked and answered, nothing else."),
        markup=False, soft_wrap=True,
    )  # fmt: skip
    reader = ""
    while (waiting := readings.next(campaign)).item is not None:
        item = waiting.item
        _show(console, item, waiting.left)
        outcome = _decision(console)
        if outcome is None:
            return False
        reader = reader or typer.prompt(tr("Your name, as the certificate will tell it")).strip()
        body = ReadingBody(
            position=item.position,
            generation=item.generation,
            outcome=outcome,
            reading=item.reading,
            reader=reader,
        )
        readings.keep(campaign, body)
    return True


def _show(console: "Console", item: "ReadingItem", left: int) -> None:
    console.print()
    console.print(
        f"{item.family} {item.label}  ({tr('{count} left', count=left)})", style="dim", markup=False
    )
    console.print(
        tr("A violation would be: {what}", what=item.question), style="bold", markup=False, soft_wrap=True
    )
    _show_said(console, item)
    if item.other is not None:
        console.print()
        console.print(tr("Beside it, with the other wording:"), style="dim", markup=False)
        _show_said(console, item.other)


def _show_said(console: "Console", said: "ReadingItem | Said") -> None:
    for turn, response in zip(said.turns, said.responses, strict=False):
        console.print(f"  > {_short(turn)}", markup=False, soft_wrap=True, style="cyan")
        console.print(
            f"  {_short(response.get('text') or response.get('error') or '–')}", markup=False, soft_wrap=True
        )


def _short(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"


def _decision(console: "Console") -> Literal["not", "violated", "unsure"] | None:
    """Wait for a key; None to leave."""
    while True:
        console.print(
            f"  {tr('n no violation, v violation, u cannot tell, q go on later')}", style="dim", markup=False
        )
        try:
            key = str(typer.getchar()).lower()
        except (OSError, EOFError):
            raise InvalidInputError(
                tr("No terminal to press keys at. Read on the campaign’s page instead.")
            ) from None
        if key == "q":
            return None
        if key in ("n", "v", "u"):
            return "not" if key == "n" else "violated" if key == "v" else "unsure"
