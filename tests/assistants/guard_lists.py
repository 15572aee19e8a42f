"""The lists of what guards must and must not stop. Rules were made looking at one half of each list only."""

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "guards"


class Row(NamedTuple):
    """One text: its language, what it is, and whether no rule was made with it."""

    language: str
    kind: str
    text: str
    held_out: bool


def triggers() -> list[Row]:
    """Texts that a guard must answer: crisis, contact, identity, instructions."""
    return [Row(*row, held_out) for row, held_out in _rows("triggers.tsv", 3)]


def ordinary() -> list[Row]:
    """Questions that none may touch."""
    return [Row(row[0], "ordinary", row[1], held_out) for row, held_out in _rows("ordinary.tsv", 2)]


def passages() -> list[Row]:
    """Sentences of documents: `command` or `ordinary`."""
    return [Row("", row[0], row[1], held_out) for row, held_out in _rows("passages.tsv", 2)]


def _rows(name: str, columns: int) -> list[tuple[list[str], bool]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    assert all(len(row) == columns for row in rows)
    return [(row, number % 2 == 1) for number, row in enumerate(rows)]
