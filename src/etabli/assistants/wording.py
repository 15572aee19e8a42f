"""One sentence or row of a document in words that can be read alone: under its heading, with its column names.

A row such as « Été | 28 février | 31 mars » says nothing alone, neither to a small model nor to an embedding model;
« Période : Été ; Demande avant le : 28 février ; Réponse avant le : 31 mars » does. What people are shown as a
quotation is the literal text, never this.
"""

import re
from collections.abc import Sequence

from etabli.assistants.guards.commands import is_command
from etabli.assistants.sentences import Unit

_NUMBERING = re.compile(r"^(?:\d+(?:\.\d+)*\.?|[IVX]+\.|[a-z]\)|Article \d+ ?[.–—-])\s+(?=\S)")
_LONGEST_LABEL = 120


def row_in_words(row: str, header: str | None) -> str:
    """A table row with the names of its columns; the row itself where they do not fit.

    >>> row_in_words("Été | 28 février", "Période | Avant le")
    'Période : Été ; Avant le : 28 février'
    >>> row_in_words("Été | 28 février", None)
    'Été | 28 février'
    """
    cells = [" ".join(cell.split()) for cell in row.split("|")]
    names = [" ".join(name.split()) for name in (header or "").split("|")]
    if header is None or len(names) != len(cells):
        return row
    return " ; ".join(
        f"{name} : {cell}" if name else cell for name, cell in zip(names, cells, strict=True) if cell
    )


def row_text(units: Sequence[Unit], index: int) -> str:
    """A unit as it stands; a table row with the names of its columns."""
    unit = units[index]
    if not unit.row or unit.header is None:
        return unit.text
    return row_in_words(unit.text, units[unit.header].text)


def heading_over(units: Sequence[Unit], index: int, breadcrumb: str) -> str:
    """The heading that a unit stands under, without its number; empty when there is none or it gives orders.

    Args:
        units: of one passage.
        index: whose.
        breadcrumb: what stands above the passage, " > " between the steps; the first is the document's title.
    """
    for place in range(index - 1, -1, -1):
        if units[place].heading:
            return label(units[place].text)
    steps = breadcrumb.split(" > ")
    return label(steps[-1]) if len(steps) > 1 and not is_command(steps[-1]) else ""


def label(heading: str) -> str:
    """A heading as it stands before a sentence: without number and colon.

    >>> label("2.1 Les primes :")
    'Les primes'
    """
    return _NUMBERING.sub("", " ".join(heading.split())).rstrip(" .:")[:_LONGEST_LABEL]


def in_words(units: Sequence[Unit], index: int, breadcrumb: str) -> str:
    """A unit under its heading, with its column names or its lead-in."""
    unit = units[index]
    header = None if unit.header is None else units[unit.header].text
    lead = label(header) if header is not None and not unit.row else ""
    parts = [heading_over(units, index, breadcrumb), lead, row_text(units, index)]
    return " : ".join(part for part in parts if part)
