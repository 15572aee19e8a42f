"""What travels between `DocumentReader` and its workers: a length in four bytes, then that much JSON.

The parent believes nothing: lengths are bounded, every field is checked, and a document whose ranges do not
fit its text is refused. Nothing is ever unpickled.
"""

import json
import struct
from collections.abc import Callable
from typing import Any, TypeVar, get_args

from etabli.knowledge.blocks import Block, Box, Kind, ParsedDocument
from etabli.messages import kept, told

HEADER = struct.Struct(">I")
MAX_MESSAGE = 800_000_000
_LONGEST_SENTENCE = 1_000
_T = TypeVar("_T")
_KINDS = frozenset(get_args(Kind))


class WireError(Exception):
    """A message that no honest worker sends."""


def pack(message: dict[str, Any]) -> bytes:
    """A message with its length before it."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return HEADER.pack(len(body)) + body


def unpack(body: bytes) -> dict[str, Any]:
    """The message in `body`.

    Raises:
        WireError: it is no JSON object.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise WireError("not JSON") from None
    if not isinstance(message, dict):
        raise WireError("not an object")
    return message


def read_exactly(read: Callable[[int], bytes], count: int) -> bytes | None:
    """`count` bytes from a stream, None when it ends before."""
    parts: list[bytes] = []
    while count:
        part = read(min(count, 1 << 20))
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def document_to_json(document: ParsedDocument) -> dict[str, Any]:
    """A document as JSON values; blocks and boxes are lists in the order of their fields."""
    return {
        "text": document.text,
        "blocks": [
            [b.kind, b.char_start, b.char_end, b.level, b.page, [_box(box) for box in b.boxes], b.cells]
            for b in document.blocks
        ],
        "media_type": document.media_type,
        "title": document.title,
        "language": document.language,
        "page_count": document.page_count,
        "notes": [kept(note) for note in document.notes],
    }


def _box(box: Box) -> tuple[int, float, float, float, float, int, int]:
    return box.page, box.x0, box.y0, box.x1, box.y1, box.char_start, box.char_end


def document_from_json(value: object) -> ParsedDocument:
    """A document from JSON values, every one checked.

    Raises:
        WireError: a field is missing, of another type, or a range does not fit the text.
    """
    fields = _expect(value, dict)
    text = _expect(fields.get("text"), str)
    title, page_count = fields.get("title"), fields.get("page_count")
    blocks: list[Block] = []
    end = 0
    for item in _expect(fields.get("blocks"), list):
        block = _block(item, end, len(text))
        end = block.char_end
        blocks.append(block)
    language = fields.get("language")
    if language not in ("fr", "en"):
        raise WireError("language")
    return ParsedDocument(
        text=text,
        blocks=tuple(blocks),
        media_type=_expect(fields.get("media_type"), str),
        title=None if title is None else _expect(title, str),
        language=language,
        page_count=None if page_count is None else _natural(page_count),
        notes=tuple(sentence(note) for note in _expect(fields.get("notes"), list)),
    )


def sentence(value: object) -> str:
    """A sentence for people, as a worker sends it (`messages.kept`), of at most 1,000 characters.

    Raises:
        WireError: it is none.
    """
    if not isinstance(value, str | dict):
        raise WireError("sentence")
    said = told(value)
    return said if len(said) <= _LONGEST_SENTENCE else said[:_LONGEST_SENTENCE]


def _block(item: object, after: int, length: int) -> Block:
    values = _expect(item, list)
    if len(values) != 7 or values[0] not in _KINDS:
        raise WireError("block")
    kind, start, end, level, page, boxes, cells = values
    start, end = _natural(start), _natural(end)
    if not after <= start < end <= length:
        raise WireError("range of a block")
    return Block(
        kind=kind,
        char_start=start,
        char_end=end,
        level=_natural(level),
        page=None if page is None else _natural(page),
        boxes=tuple(_read_box(box, start, end) for box in _expect(boxes, list)),
        cells=tuple(tuple(_expect(cell, str) for cell in _expect(row, list)) for row in _expect(cells, list)),
    )


def _read_box(item: object, start: int, end: int) -> Box:
    values = _expect(item, list)
    if len(values) != 7:
        raise WireError("box")
    page, first, last = _natural(values[0]), _natural(values[5]), _natural(values[6])
    if not start <= first < last <= end:
        raise WireError("range of a box")
    places = [float(v) for v in values[1:5] if isinstance(v, int | float) and abs(v) < 1e7]
    if len(places) != 4:
        raise WireError("place of a box")
    return Box(page, places[0], places[1], places[2], places[3], first, last)


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 40:
        raise WireError("number")
    return value


def _expect(value: object, kind: type[_T]) -> _T:
    if not isinstance(value, kind):
        raise WireError(kind.__name__)
    return value
