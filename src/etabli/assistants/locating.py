"""From ranges of a version's text to quotes, pages and boxes, with the caller's own rights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from etabli.knowledge.blocks import Box
from etabli.storage.database import Database

Range = tuple[int, int, int]
"""Version, first character, end (exclusive)."""


@dataclass(frozen=True, slots=True)
class Location:
    """A range of a document as people see it.

    Args:
        quote: the literal text of the range.
        page: the page, slide or sheet it begins on, from 1; None where the format has none.
        boxes: its lines on the page.
    """

    quote: str
    page: int | None
    boxes: tuple[Box, ...]


def locate(
    database: Database, ranges: Iterable[Range], *, principals: Sequence[str]
) -> dict[Range, Location]:
    """Where ranges stand; those of versions that the principals may not see are left out."""
    found: dict[Range, Location] = {}
    wanted = list(dict.fromkeys(ranges))
    if not wanted:
        return found
    with database.reader(principals) as connection:
        for version_id, start, end in wanted:
            row = connection.execute(
                "SELECT substr(text, %s, %s) FROM version WHERE id = %s", (start + 1, end - start, version_id)
            ).fetchone()
            if row is None:
                continue
            blocks = connection.execute(
                "SELECT b FROM version v, jsonb_array_elements(v.blocks) WITH ORDINALITY AS e(b, place)"
                " WHERE v.id = %s AND (b->>'char_start')::int < %s AND (b->>'char_end')::int > %s ORDER BY place",
                (version_id, end, start),
            ).fetchall()
            found[(version_id, start, end)] = _location(row[0], [block for (block,) in blocks], start, end)
    return found


def _location(quote: str, blocks: Sequence[dict[str, Any]], start: int, end: int) -> Location:
    boxes = tuple(
        Box(**box)
        for block in blocks
        for box in block.get("boxes") or ()
        if box["char_start"] < end and box["char_end"] > start
    )
    pages = [box.page for box in boxes] or [
        block["page"] for block in blocks if block.get("page") is not None
    ]
    return Location(quote, pages[0] if pages else None, boxes)
