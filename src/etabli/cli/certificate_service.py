"""What `etabli certificate service` shows: how published assistants stand while they serve."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table

from etabli.messages import tr

if TYPE_CHECKING:
    from rich.console import Console

    from etabli.server.certification.protocol import ServiceEntry, ServiceFamily


def show_service(console: "Console", states: Sequence["ServiceEntry"]) -> None:
    """A line on each assistant, and a table of its families once something was tried."""
    if not states:
        console.print(tr("No assistant is published: nothing is tried."))
    for place, one in enumerate(states):
        if place:
            console.print()
        console.print(f"[bold]{one.assistant}[/bold]  {one.certificate}")
        if one.suspended is not None:
            console.print(one.suspended.reason, style="red", markup=False, soft_wrap=True)
        console.print(_tried(one), markup=False, soft_wrap=True)
        if one.tried:
            console.print(_table(one.families))


def _tried(one: "ServiceEntry") -> str:
    if one.since is None or one.last_at is None:
        if not one.probes_per_day:
            return tr("Nothing is tried in service: service_probes_per_day is 0.")
        return tr("Nothing was tried in service yet; the server does it while nobody asks anything.")
    return tr(
        "Tried secretly since {first:%Y-%m-%d}: {count} in all, the last on {last:%Y-%m-%d at %H:%M}.",
        count=one.tried,
        first=datetime.fromtimestamp(one.since),
        last=datetime.fromtimestamp(one.last_at),
    )


def _table(families: Sequence["ServiceFamily"]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(tr("Family"))
    for title in (tr("Violated"), tr("Undecided"), tr("Bound"), tr("Threshold")):
        table.add_column(title, justify="right")
    for one in families:
        # Rounded away from what the assistant would like.
        bound = f"{math.ceil(1000 * one.bound - 1e-9) / 10:.1f} %" if one.tried else "–"
        threshold = "0 %" if one.critical else f"{100 * one.theta0:.0f} %"
        wrong = f"{one.violated}/{one.tried}"
        style = "red" if one.critical and one.violated or one.evidence >= one.line else None
        table.add_row(f"{one.id} {one.label}", wrong, str(one.undecided), bound, threshold, style=style)
    return table
